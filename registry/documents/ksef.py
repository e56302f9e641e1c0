"""Poland's structured invoice FA(1), FA(2), FA(3) as KSeF, the national e-invoice system, takes it.

The document itself does not carry the number that KSeF gives it on acceptance. KSeF hands files out under that number,
so it is taken from the file's name, if its check characters are right and it begins with the seller's tax number.
What is payable is P_15, the total, less what was paid in parts before the invoice was issued (Platnosc,
KwotaZaplatyCzesciowej); ZnacznikZaplatyCzesciowej, by the schema's annotation, is 1 if paid in part and 2 if paid in
full, in two or more parts. Where the document settles other balances as well (Rozliczenie), the buyer is asked
for DoZaplaty = P_15 + Obciazenia - Odliczenia; deductions may even leave an overpayment (DoRozliczenia) and nothing to
pay. Deductions lower what can be collected, charges are other debts than this invoice: both are a warning.
"""

from __future__ import annotations

import re

from registry.documents.dates import parse_iso
from registry.documents.invoice import (
    NAME_CHARS_MAX,
    GovernmentId,
    Invoice,
    InvoiceReference,
    Kind,
    Notice,
    NoticeCode,
    Party,
    Signal,
    SignalKind,
    Syntax,
)
from registry.documents.parties import party_of
from registry.documents.signals import assignment_notes
from registry.documents.source import Source, bounded, last_due_date, order_numbers
from registry.documents.xml import Cursor
from registry.money import Money

__all__ = ["ROOTS", "read"]

_VERSIONS = ("2021/11/29/11089", "2023/06/29/12648", "2025/06/25/13775")  # FA(1), FA(2), FA(3)
ROOTS = frozenset(f"{{http://crd.gov.pl/wzor/{version}/}}Faktura" for version in _VERSIONS)

COUNTRY = "PL"

_NUMBER = re.compile(r"(?P<body>(?P<nip>[0-9]{10})-[0-9]{8}-[0-9A-F]{12})-(?P<check>[0-9A-F]{2})")
_FACTOR = "1"  # Podmiot3/Rola
_FACTOR_ACCOUNT = "Platnosc/RachunekBankowyFaktora"
_YES = "1"
_PART_PAYMENTS = ("Platnosc/ZaplataCzesciowa", "Platnosc/PlatnosciCzesciowe")  # the second one in FA(1)
_PART_AMOUNT = "KwotaZaplatyCzesciowej"
# What says that all is paid, and with which value.
_PAID = {"Platnosc/Zaplacono": _YES, "Platnosc/ZnacznikZaplatyCzesciowej": "2"}


def read(root: Cursor, source: Source) -> tuple[Invoice, ...]:
    """The invoice or correction at `root`. Raises `DocumentError`."""
    root = root.in_own_namespace()
    fa = root.need("Fa")
    seller, seller_notices = _party(root.need("Podmiot1"))
    buyer, buyer_notices = _party(root.need("Podmiot2"))
    currency = fa.currency("KodWaluty")
    total = fa.need_money("P_15", currency=currency)
    corrects = _corrected(fa)
    left = _left_to_pay(fa, currency)
    paid = _paid_in_part(fa, currency)
    due_date, due_notices = last_due_date(fa, ["Platnosc/TerminPlatnosci/Termin"], parse_iso)
    return (
        Invoice(
            syntax=Syntax.PL_FA,
            kind=Kind.CREDIT_NOTE if corrects and total.minor < 0 else Kind.INVOICE,
            type_code=fa.need_text("RodzajFaktury"),
            number=fa.need_text("P_2"),
            issue_date=fa.need_date("P_1", parse_iso),
            due_date=due_date,
            tax_point_date=fa.date("P_6", parse_iso),
            currency=currency,
            payable=total if paid is None else Money(currency, total.minor - paid.minor),
            gross=total,
            prepaid=paid,
            seller=seller,
            buyer=buyer,
            payee=None,
            order_references=_order_references(fa),
            transport_references=(),
            preceding_invoices=corrects,
            government_id=_government_id(source, seller),
            file=source.file,
            container=source.container,
            digest=source.digest,
            warnings=(*_marks(fa, total, left), *due_notices, *seller_notices, *buyer_notices),
            signals=(*_factors(root, fa), *assignment_notes(root)),
            left_to_pay=left,
        ),
    )


def _nip_of(number: str) -> str | None:
    """The tax number that a KSeF number begins with; None if it is none or its CRC-8 is wrong."""
    found = _NUMBER.fullmatch(number)
    if found is None or _crc8(found["body"].encode()) != int(found["check"], 16):
        return None
    return found["nip"]


def _crc8(data: bytes) -> int:
    """The checksum of KSeF numbers: polynomial 0x07, initial value 0."""
    crc = 0
    for byte in data:
        crc ^= byte
        for _ in range(8):
            crc = (crc << 1 ^ (0x107 if crc & 0x80 else 0)) & 0x1FF
    return crc


def _government_id(source: Source, seller: Party) -> GovernmentId | None:
    stem = re.split(r"[/\\]", source.file)[-1].rpartition(".")[0]
    nip = _nip_of(stem)
    if nip is None or seller.identifier("vat") != COUNTRY + nip:
        return None
    return GovernmentId(COUNTRY, stem)


def _party(node: Cursor) -> tuple[Party, tuple[Notice, ...]]:
    data = node.need("DaneIdentyfikacyjne")
    nip, prefix, number = data.text("NIP"), data.text("KodUE"), data.text("NrVatUE")
    abroad = data.text("KodKraju")
    country = node.text("Adres/KodKraju") or prefix or abroad or (COUNTRY if nip else None)
    identifiers = [
        ("vat", COUNTRY + nip if nip else None),
        ("vat", (prefix or "") + number if number else None),
        ("tax", (abroad or "") + number if (number := data.text("NrID")) else None),
    ]
    return party_of(node, name=data.text("Nazwa", chars_max=NAME_CHARS_MAX), country=country, identifiers=identifiers)


def _corrected(fa: Cursor) -> tuple[InvoiceReference, ...]:
    found = []
    for reference in fa.all("DaneFaKorygowanej"):
        number, ksef = reference.need_text("NrFaKorygowanej"), reference.text("NrKSeFFaKorygowanej")
        government_id = GovernmentId(COUNTRY, ksef) if ksef else None
        found.append(InvoiceReference(number, reference.date("DataWystFaKorygowanej", parse_iso), government_id))
    return bounded(found, file=fa.file, element=f"{fa.path}/DaneFaKorygowanej")


def _order_references(fa: Cursor) -> tuple[str, ...]:
    found = fa.texts("WarunkiTransakcji/Zamowienia/NrZamowienia") + fa.texts("Zamowienie/NrZamowienia")
    return bounded(order_numbers(found), file=fa.file, element=f"{fa.path}/WarunkiTransakcji/Zamowienia")


def _factors(root: Cursor, fa: Cursor) -> list[Signal]:
    """Third parties in the role of a factor, and accounts that are marked as a factor's."""
    signals = []
    for third in root.all("Podmiot3"):
        if third.text("Rola") == _FACTOR:
            party, _ = _party(third)
            text = f"{party.name or 'an unnamed party'} stands as the factor"
            signals.append(Signal(SignalKind.FINANCIER_NAMED, third.path, text, party))
    if fa.all(_FACTOR_ACCOUNT):
        text = "the account to pay is marked as a factor's"
        signals.append(Signal(SignalKind.FACTOR_ACCOUNT, f"{fa.path}/{_FACTOR_ACCOUNT}", text))
    return signals


def _left_to_pay(fa: Cursor, currency: str) -> Money | None:
    """What the buyer is asked for; None if the document settles nothing beside the invoice."""
    if fa.money("Rozliczenie/DoRozliczenia", currency=currency) is not None:
        return Money(currency, 0)
    return fa.money("Rozliczenie/DoZaplaty", currency=currency)


def _paid_in_part(fa: Cursor, currency: str) -> Money | None:
    """What was paid of it before, None if nothing was."""
    parts = [part.money(_PART_AMOUNT, currency=currency) for path in _PART_PAYMENTS for part in fa.all(path)]
    paid = sum(part.minor for part in parts if part is not None)
    return Money(currency, paid) if paid > 0 else None


def _marks(fa: Cursor, total: Money, left: Money | None) -> tuple[Notice, ...]:
    notices = []
    for path, value in _PAID.items():
        if fa.text(path) == value:
            notices.append(Notice(NoticeCode.MARKED_AS_PAID, f"{fa.path}/{path}", "says that it is paid"))
    if left is not None and left != total:
        text = f"after settling other balances {left} of {total} is left to pay"
        notices.append(Notice(NoticeCode.PAYABLE_DIFFERS, f"{fa.path}/Rozliczenie", text))
    return tuple(notices)
