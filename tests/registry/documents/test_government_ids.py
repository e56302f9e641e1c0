"""What a tax authority calls a document reaches the `gov` fingerprint, the same from every form of the document."""

from __future__ import annotations

import pytest

from clients.documents import listing_of
from registry.documents import Receivable, receivable_of
from registry.fingerprint import inputs
from tests.registry.documents.national import ATTACHED, SII, dte, efapiao, efapiao_2019, evoucher, fa, nfe, ofd
from tests.registry.documents.reading import one

SELLER, DEBTOR = "lei:984500TJEXPORT000197", "lei:984500DEIMPORT000108"
KSEF = "5265877635-20250826-0100001AF629-AF"


def gov_inputs(data: bytes | str, name: str = "f.xml") -> list[bytes]:
    """What of the `gov` kind a registration of the document would put on the ledger, before it is keyed."""
    made = receivable_of(one(data, name))
    assert isinstance(made, Receivable)
    listing = listing_of(made, seller=SELLER, debtor=DEBTOR, seller_country="CN", debtor_country="DE")
    return [value for kind, value in inputs(listing.particulars) if kind == "gov"]


@pytest.mark.parametrize(
    "forms",
    [
        [(efapiao(), "f.xml"), (ofd({ATTACHED: efapiao()}), "f.ofd"), (evoucher(), "xbrl.xml")],
        [(efapiao_2019(), "f.xml"), (ofd({ATTACHED: efapiao_2019()}), "f.ofd")],
        [(nfe(), "f.xml"), (nfe(bill="<dup><dVenc>2026-06-04</dVenc></dup>"), "f.xml")],
        [(dte(), "f.xml"), (dte(namespace=SII), "f.xml"), (dte(folio="0025568"), "f.xml")],
        [(fa(), f"{KSEF}.xml"), (fa(), f"inbox/{KSEF}.xml")],
    ],
    ids=["e-fapiao", "e-fapiao 2019", "NF-e", "DTE", "KSeF"],
)
def test_every_form_of_one_document_gives_one_fingerprint(forms: list[tuple[bytes | str, str]]) -> None:
    found = [gov_inputs(*form) for form in forms]
    assert all(len(values) == 1 for values in found)
    assert len({values[0] for values in found}) == 1


def test_other_documents_give_others() -> None:
    documents = [efapiao(), efapiao(number="2" * 20), efapiao_2019(), nfe(), dte(), dte(folio="1"), dte(kind="34")]
    assert len({gov_inputs(document)[0] for document in documents}) == len(documents)
    assert gov_inputs(fa(), "invoice.xml") == []
