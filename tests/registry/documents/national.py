"""Small documents in the syntaxes of single countries, each complete, with parts that tests exchange."""

from __future__ import annotations

import io
import zipfile

NFE_NS = "http://www.portalfiscal.inf.br/nfe"
KEY = "35260512345678000195550010000012341000012345"  # an access key: number 1234
SII = "http://www.sii.cl/SiiDte"
OSA = "http://schemas.nav.gov.hu/OSA/3.0/"
FATTURE = "http://ivaservizi.agenziaentrate.gov.it/docs/xsd/fatture/v1.2"
FA_3 = "http://crd.gov.pl/wzor/2025/06/25/13775/"
EDRM = "http://www.edrm.org.cn/schema/e-invoice/2019"
EINV = "http://xbrl.mof.gov.cn/taxonomy/2023-12-31/einv"

BLUE = "26122000000012345678"  # an e-fapiao
RED = "26122000000099999999"  # the one that reverses it
USCC = "91120116MA05T4K1XT"


def efapiao(
    *,
    number: str = BLUE,
    header: str = "",
    total: str = "1130000.00",
    issued: str = "2026-05-19",
    special: str = "",
    remark: str = "",
) -> bytes:
    """China: `header` goes into the labels, `special` into the specific information."""
    return (
        f"<EInvoice><Header><EIid>{number}</EIid><InherentLabel>{header}<GeneralOrSpecialVAT><LabelCode>01</LabelCode>"
        "<LabelName>增值税专用发票</LabelName></GeneralOrSpecialVAT></InherentLabel></Header><EInvoiceData>"
        f"<SellerInformation><SellerIdNum>{USCC}</SellerIdNum><SellerName>天津海河轴承有限公司</SellerName>"
        "</SellerInformation><BuyerInformation><BuyerIdNum>91310000MA1FL4X6XX</BuyerIdNum><BuyerName>上海某有限公司"
        f"</BuyerName></BuyerInformation><BasicInformation><TotalTax-includedAmount>{total}</TotalTax-includedAmount>"
        f"</BasicInformation><SpecificInformation>{special}</SpecificInformation><AdditionalInformation><Remark>{remark}"
        f"</Remark></AdditionalInformation></EInvoiceData><TaxSupervisionInfo><InvoiceNumber>{number}</InvoiceNumber>"
        f"<IssueTime>{issued}</IssueTime></TaxSupervisionInfo></EInvoice>"
    ).encode()


def red_efapiao(total: str = "-400000.00", special: str | None = None, remark: str = "") -> bytes:
    """The red e-fapiao of scenario S9: takes 400,000.00 from `BLUE`."""
    if special is None:
        special = f"<RedEInvoice><OriginalInvoiceCode>{BLUE}</OriginalInvoiceCode></RedEInvoice>"
    header = "<InIssuType><LabelCode>N</LabelCode></InIssuType>"
    return efapiao(number=RED, header=header, total=total, special=special, remark=remark)


def efapiao_2019(*, type_code: str = "0", code: str = "050001700111", total: str = "318.00", body: str = "") -> bytes:
    """China, the generation before; `body` is put before the amounts."""
    return (
        f'<eInvoice xmlns:fp="{EDRM}"><fp:InvoiceCode>{code}</fp:InvoiceCode><fp:InvoiceNo>99999951</fp:InvoiceNo>'
        f"<fp:TypeCode>{type_code}</fp:TypeCode><fp:IssueDate>2020年10月10日</fp:IssueDate><fp:Buyer><fp:BuyerName>科游"
        "</fp:BuyerName><fp:BuyerTaxID></fp:BuyerTaxID></fp:Buyer><fp:Seller><fp:SellerName>融易算</fp:SellerName>"
        f"<fp:SellerTaxID>{USCC}</fp:SellerTaxID></fp:Seller><fp:Payee>张一诺</fp:Payee>{body}"
        f"<fp:TaxInclusiveTotalAmount>{total}</fp:TaxInclusiveTotalAmount></eInvoice>"
    ).encode()


def evoucher(facts: str = "", total: str = "1130000.00") -> bytes:
    """China: the XBRL record of an e-fapiao in its holder's books."""
    return (
        f'<xbrli:xbrl xmlns:xbrli="http://www.xbrl.org/2003/instance" xmlns:einv="{EINV}">'
        f"<einv:InvoiceNumber>{BLUE}</einv:InvoiceNumber><einv:SellerName>天津海河轴承有限公司</einv:SellerName>"
        f"<einv:SellerIdNum>{USCC}</einv:SellerIdNum><einv:NameOfAccountingEntity>上海某</einv:NameOfAccountingEntity>"
        f"<einv:RequestTime>2026-05-19</einv:RequestTime>{facts}"
        f"<einv:TotalTax-includedAmount>{total}</einv:TotalTax-includedAmount></xbrli:xbrl>"
    ).encode()


def ofd(
    members: dict[str, bytes],
    *,
    listed: tuple[str, ...] = ("original_invoice.xml",),
    changes: dict[str, bytes] | None = None,
) -> bytes:
    """An OFD document whose list of attachments names `listed`; `members` are added, `changes` replace its parts."""
    ns = 'xmlns:ofd="http://www.ofdspec.org/2016"'
    entries = "".join(f"<ofd:Attachment><ofd:FileLoc>{name}</ofd:FileLoc></ofd:Attachment>" for name in listed)
    parts = {
        "OFD.xml": f"<ofd:OFD {ns}><ofd:DocBody><ofd:DocRoot>Doc_0/Document.xml</ofd:DocRoot></ofd:DocBody></ofd:OFD>",
        "Doc_0/Document.xml": f"<ofd:Document {ns}><ofd:Attachments>Attachs/Attachments.xml</ofd:Attachments>"
        "</ofd:Document>",
        "Doc_0/Attachs/Attachments.xml": f"<ofd:Attachments {ns}>{entries}</ofd:Attachments>",
    }
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in (
            {name: text.encode() for name, text in parts.items()} | (changes or {}) | members
        ).items():
            archive.writestr(name, content)
    return out.getvalue()


ATTACHED = "Doc_0/Attachs/original_invoice.xml"


def nfe(
    *,
    key: str = KEY,
    ide: str = "<tpNF>1</tpNF><finNFe>1</finNFe>",
    bill: str = "",
    body: str = "",
    dest: str = "",
    protocol: str = "",
) -> bytes:
    """Brazil: `ide` holds direction and purpose, `bill` goes into cobr, `body` before the end."""
    dest = dest or "<CNPJ>11222333000181</CNPJ><xNome>Compradora SA</xNome><enderDest><cPais>1058</cPais></enderDest>"
    return (
        f'<nfeProc xmlns="{NFE_NS}"><NFe><infNFe Id="NFe{key}"><ide><mod>55</mod><serie>1</serie><nNF>1234</nNF>'
        f"<dhEmi>2026-05-04T16:28:18-03:00</dhEmi>{ide}</ide><emit><CNPJ>12345678000195</CNPJ><xNome>Vendedora Ltda"
        f"</xNome><enderEmit><cPais>1058</cPais></enderEmit></emit><dest>{dest}</dest><total><ICMSTot>"
        f"<vNF>5780.00</vNF></ICMSTot></total><cobr>{bill}</cobr>{body}</infNFe></NFe>{protocol}</nfeProc>"
    ).encode()


def fa(
    *,
    namespace: str = FA_3,
    total: str = "1230.00",
    kind: str = "VAT",
    body: str = "",
    third: str = "",
    currency: str = "PLN",
) -> bytes:
    """Poland: `third` stands after the parties, `body` after the type of invoice."""
    return (
        f'<Faktura xmlns="{namespace}"><Podmiot1><DaneIdentyfikacyjne><NIP>5265877635</NIP><Nazwa>Sprzedawca S.A.'
        "</Nazwa></DaneIdentyfikacyjne><Adres><KodKraju>PL</KodKraju></Adres></Podmiot1><Podmiot2>"
        "<DaneIdentyfikacyjne><KodUE>DE</KodUE><NrVatUE>136695976</NrVatUE><Nazwa>Käufer GmbH</Nazwa>"
        f"</DaneIdentyfikacyjne></Podmiot2>{third}<Fa><KodWaluty>{currency}</KodWaluty><P_1>2026-02-10</P_1>"
        f"<P_2>FV/2026/02/7</P_2><P_15>{total}</P_15><RodzajFaktury>{kind}</RodzajFaktury>{body}</Fa></Faktura>"
    ).encode()


def nav_invoice(*, total: str = "127000", original: str = "", customer: str | None = None) -> str:
    """One invoice of a Hungarian report."""
    reference = f"<invoiceReference><originalInvoiceNumber>{original}</originalInvoiceNumber></invoiceReference>"
    if customer is None:
        customer = (
            "<customerInfo><customerVatData><communityVatNumber>DE136695976</communityVatNumber></customerVatData>"
            "<customerName>Käufer GmbH</customerName><customerAddress><base:simpleAddress><base:countryCode>DE"
            "</base:countryCode></base:simpleAddress></customerAddress></customerInfo>"
        )
    return (
        f"<invoice>{reference if original else ''}<invoiceHead><supplierInfo><supplierTaxNumber><base:taxpayerId>"
        "10597190</base:taxpayerId></supplierTaxNumber><supplierName>Eladó Kft</supplierName><supplierAddress>"
        "<base:detailedAddress><base:countryCode>HU</base:countryCode></base:detailedAddress></supplierAddress>"
        f"</supplierInfo>{customer}<invoiceDetail><invoiceCategory>NORMAL</invoiceCategory><currencyCode>HUF"
        "</currencyCode><paymentDate>2026-06-30</paymentDate></invoiceDetail></invoiceHead><invoiceSummary>"
        f"<summaryGrossData><invoiceGrossAmount>{total}</invoiceGrossAmount></summaryGrossData></invoiceSummary></invoice>"
    )


def nav(*invoices: str, batch: bool = False) -> bytes:
    """Hungary: the report of one invoice, or of a batch of modifications."""
    inner = "".join(invoices) or nav_invoice()
    if batch:
        inner = "".join(
            f"<batchInvoice><batchIndex>{n}</batchIndex>{i}</batchInvoice>" for n, i in enumerate(invoices, 1)
        )
    return (
        f'<InvoiceData xmlns="{OSA}data" xmlns:base="{OSA}base"><invoiceNumber>2026/7</invoiceNumber>'
        f"<invoiceIssueDate>2026-05-15</invoiceIssueDate><invoiceMain>{inner}</invoiceMain></InvoiceData>"
    ).encode()


def body(
    *, number: str = "12", kind: str = "TD01", total: str = "", payments: str | None = None, general: str = ""
) -> str:
    """One invoice of a FatturaPA; `general` is put after the document's own data."""
    if payments is None:
        payments = payment("30.50", "2026-06-30")
    return (
        f"<FatturaElettronicaBody><DatiGenerali><DatiGeneraliDocumento><TipoDocumento>{kind}</TipoDocumento><Divisa>EUR"
        f"</Divisa><Data>2026-05-18</Data><Numero>{number}</Numero>{total}</DatiGeneraliDocumento>{general}</DatiGenerali>"
        "<DatiBeniServizi><DatiRiepilogo><ImponibileImporto>25.00</ImponibileImporto><Imposta>5.50</Imposta>"
        f"</DatiRiepilogo></DatiBeniServizi><DatiPagamento>{payments}</DatiPagamento></FatturaElettronicaBody>"
    )


def payment(amount: str, due: str = "", payee: str = "") -> str:
    """One instalment of a FatturaPA."""
    due = f"<DataScadenzaPagamento>{due}</DataScadenzaPagamento>" if due else ""
    payee = f"<Beneficiario>{payee}</Beneficiario>" if payee else ""
    return f"<DettaglioPagamento>{payee}{due}<ImportoPagamento>{amount}</ImportoPagamento></DettaglioPagamento>"


def fatturapa(*bodies: str, header: str = "") -> bytes:
    """Italy."""
    return (
        f'<p:FatturaElettronica xmlns:p="{FATTURE}"><FatturaElettronicaHeader><CedentePrestatore><DatiAnagrafici>'
        "<IdFiscaleIVA><IdPaese>IT</IdPaese><IdCodice>00743110157</IdCodice></IdFiscaleIVA><Anagrafica><Denominazione>"
        "ALPHA SRL</Denominazione></Anagrafica></DatiAnagrafici><Sede><Nazione>IT</Nazione></Sede></CedentePrestatore>"
        "<CessionarioCommittente><DatiAnagrafici><CodiceFiscale>09876543210</CodiceFiscale><Anagrafica><Nome>Mario</Nome>"
        "<Cognome>Rossi</Cognome></Anagrafica></DatiAnagrafici><Sede><Nazione>IT</Nazione></Sede>"
        f"</CessionarioCommittente>{header}</FatturaElettronicaHeader>{''.join(bodies or (body(),))}"
        "</p:FatturaElettronica>"
    ).encode()


def dte(
    *,
    kind: str = "33",
    folio: str = "25568",
    ident: str = "<FmaPago>2</FmaPago>",
    references: str = "",
    total: str = "230992",
    totals: str = "",
    namespace: str = "",
    tag: str = "Documento",
) -> str:
    """Chile: one document as text, without a declaration; `references` stand after the header."""
    xmlns = f' xmlns="{namespace}"' if namespace else ""
    return (
        f"<DTE{xmlns}><{tag}><Encabezado><IdDoc><TipoDTE>{kind}</TipoDTE><Folio>{folio}</Folio><FchEmis>2026-03-29"
        f"</FchEmis>{ident}</IdDoc><Emisor><RUTEmisor>76399752-9</RUTEmisor><RznSoc>EMISORA SPA</RznSoc></Emisor>"
        "<Receptor><RUTRecep>96874030-K</RUTRecep><RznSocRecep>RECEPTORA S.A.</RznSocRecep></Receptor><Totales>"
        f"{totals}<MntTotal>{total}</MntTotal></Totales></Encabezado>{references}</{tag}></DTE>"
    )


def cession(
    *,
    sequence: str = "1",
    assignor: str = "76399752-9",
    assignee: str = "76389992-6",
    folio: str = "25568",
    amount: str = "230992",
    total: str = "230992",
    concluded: str = "2026-04-04T09:09:52",
) -> str:
    """Chile: one assignment of the document that `dte` makes."""
    return (
        f"<Cesion><DocumentoCesion><SeqCesion>{sequence}</SeqCesion><IdDTE><TipoDTE>33</TipoDTE><RUTEmisor>76399752-9"
        f"</RUTEmisor><Folio>{folio}</Folio><MntTotal>{total}</MntTotal></IdDTE><Cedente><RUT>{assignor}</RUT>"
        f"<RazonSocial>CEDENTE {sequence}</RazonSocial></Cedente><Cesionario><RUT>{assignee}</RUT><RazonSocial>"
        f"CESIONARIO {sequence}</RazonSocial></Cesionario><MontoCesion>{amount}</MontoCesion><UltimoVencimiento>"
        f"2026-04-28</UltimoVencimiento><TmstCesion>{concluded}</TmstCesion></DocumentoCesion></Cesion>"
    )


def aec(*cessions: str, document: str = "") -> bytes:
    """Chile: the record of the assignments `cessions` of one document."""
    return (
        f'<?xml version="1.0" encoding="ISO-8859-1"?><AEC xmlns="{SII}"><DocumentoAEC><Cesiones><DTECedido>'
        f"<DocumentoDTECedido>{document or dte()}</DocumentoDTECedido></DTECedido>{''.join(cessions or (cession(),))}"
        "</Cesiones></DocumentoAEC></AEC>"
    ).encode("iso-8859-1")


def finvoice(
    *,
    kind: str = "INV01",
    total: str = "1240,00",
    due: str = "20260614",
    details: str = "",
    after: str = "",
    origin: str = "Original",
) -> bytes:
    """Finland: `details` stand in the invoice's details, `after` at the end."""
    return (
        '<?xml version="1.0" encoding="ISO-8859-15"?><Finvoice><SellerPartyDetails><SellerPartyIdentifier>1463611-4'
        "</SellerPartyIdentifier><SellerOrganisationName>Myyjä Oyj</SellerOrganisationName><SellerOrganisationTaxCode>"
        "FI14636114</SellerOrganisationTaxCode></SellerPartyDetails><BuyerPartyDetails><BuyerOrganisationName>Ostaja Oy"
        f"</BuyerOrganisationName></BuyerPartyDetails><InvoiceDetails><InvoiceTypeCode>{kind}</InvoiceTypeCode><OriginCode>"
        f"{origin}</OriginCode><InvoiceNumber>6684412</InvoiceNumber>"
        '<InvoiceDate Format="CCYYMMDD">20260501</InvoiceDate>'
        f'{details}<InvoiceTotalVatIncludedAmount AmountCurrencyIdentifier="EUR">{total}'
        "</InvoiceTotalVatIncludedAmount>"
        f'<PaymentTermsDetails><InvoiceDueDate Format="CCYYMMDD">{due}</InvoiceDueDate></PaymentTermsDetails>'
        f"</InvoiceDetails>{after}</Finvoice>"
    ).encode("iso-8859-15")


COMPLETE = {
    "efapiao.xml": efapiao(),
    "efapiao-red.xml": red_efapiao(),
    "efapiao-2019.xml": efapiao_2019(),
    "evoucher.xml": evoucher(),
    "e.ofd": ofd({ATTACHED: efapiao_2019()}),
    "nfe.xml": nfe(),
    "fa.xml": fa(),
    "nav.xml": nav(),
    "fatturapa.xml": fatturapa(body(), body(number="13")),
    "dte.xml": dte().encode(),
    "aec.xml": aec(),
    "finvoice.xml": finvoice(),
}
