"""What the commands of `nemodat pool` read and write: rules, rows, scopes, and drafts for the other side to sign."""

from __future__ import annotations

import csv
import datetime
import hashlib
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from rich.table import Table

from clients import pools
from clients.cli.context import console, show, subject, tabulate, text_of
from clients.cli.countersigning import Signed, countersigned
from clients.drafts import draft_to_json
from clients.errors import ClientError
from clients.financier import FinancierClient
from clients.session import compose
from registry.documents import DOCUMENT_BYTES_MAX, DocumentError
from registry.fingerprint import account_fingerprint
from registry.money import Money
from registry.pools import BorrowingBase, FacilityRules, PoolRow, borrowing_base, rate_of, read_rows
from registry.records.facilities import Facility
from registry.transactions.envelope import ALL
from registry.transactions.facilities import Scope
from registry.transactions.operations import Operation

__all__ = [
    "RULES_TEMPLATE",
    "accepted_drafts",
    "amended_scope",
    "base_of",
    "described",
    "digest_of",
    "end_of_day_ms",
    "facility_of",
    "rows_of",
    "rules_of",
    "scope_of",
    "show_base",
    "two_sided",
    "until_text",
    "write_drafts",
    "write_outcomes",
]

RULES_TEMPLATE = """\
# What seller and financier agree. Only the digest goes on the ledger; both sides keep this file as it is.
salt = "{salt}"
currency = "USD"            # of the borrowing base
limit = "5000000.00"
advance_rate = "85%"        # of what is eligible, less the dilution reserve

[eligibility]
currencies = ["USD"]
debtor_countries = []       # none: any
kinds = ["invoice"]
tenor_days_max = 120        # from issue to due
overdue_days_max = 60       # from due to the day of the base
concentration_max = "25%"   # of all that is eligible, on one debtor
cross_ageing_max = "50%"    # a debtor with more of it overdue is out with everything
contra = "deduct"           # what the seller owes a debtor: ignore, deduct, exclude
grade_min = "document"      # self_asserted, document, tax_verified, customs_verified, debtor_confirmed

[dilution]
window_days = 90            # of credit notes
factor = "150%"
"""

# --- what two sides sign --------------------------------------------------------------------------------------------


def two_sided(
    client: FinancierClient,
    settings: dict[str, Any],
    other: str,
    steps: Sequence[Operation],
    drafts: Path,
    accept: bool,
    what: str,
) -> None:
    """Write the draft of one all-or-nothing transaction, or accept the other side's."""
    if not accept:
        write_drafts(client, settings, other, [steps], drafts, ALL)
        return
    ((draft, signatures),) = accepted_drafts(settings, [steps], drafts, ALL)
    receipt = client.send(draft, signatures).receipts[-1]
    show({what: receipt.subject.hex(), "transaction": receipt.transaction.hex()})


def write_drafts(
    client: FinancierClient,
    settings: dict[str, Any],
    other: str,
    batches: Sequence[Sequence[Operation]],
    folder: Path,
    mode: str,
) -> None:
    """One draft for each transaction, signed by this side, into a folder without any. Raises `ClientError`."""
    other_key = client.call(pools.key_of, other)
    folder.mkdir(parents=True, exist_ok=True)
    if any(folder.glob("*.json")):
        raise ClientError(f"{folder}: has drafts already: accept or remove them first")
    signer = settings["signer"]
    for number, steps in enumerate(batches, start=1):
        keys = [signer.public_key, other_key]
        draft = compose(settings["genesis"], steps, signers=keys, mode=mode)
        signatures = {signer.public_key: draft.sign(settings["genesis"], signer)}
        (folder / f"{number:04}.json").write_text(draft_to_json(draft, signatures) + "\n", encoding="utf-8")
    show({"drafts": str(folder), "transactions": len(batches), "to_sign": other})


def accepted_drafts(
    settings: dict[str, Any], batches: Sequence[Sequence[Operation]], folder: Path, mode: str
) -> list[Signed]:
    """The other side's drafts with this side's signature too. Raises `ClientError` if one is not what was expected."""
    files = sorted(folder.glob("*.json"))
    if len(files) != len(batches):
        raise ClientError(f"{folder}: has {len(files)} drafts, {len(batches)} are expected: nothing was sent")
    made: list[Signed] = []
    for file, steps in zip(files, batches, strict=True):

        def agreed(found: str, operations: Sequence[Operation], steps: Sequence[Operation] = steps) -> bool:
            return found == mode and pools.same(steps, operations)

        made.append(countersigned(file, settings, agreed, "what this command would write"))
    return made


# --- what is read and shown -----------------------------------------------------------------------------------------


def base_of(
    facility: str, pool: Path, rules: Path, as_of: datetime.datetime, drawn: str, rate: list[str]
) -> BorrowingBase:
    """The base of the rows in a file, as the options of a command say."""
    agreed = rules_of(rules)
    return borrowing_base(
        subject(facility, "facility"),
        agreed,
        rows_of(pool),
        as_of=as_of.date(),
        drawn_minor=Money.parse(drawn, currency=agreed.currency).minor,
        rates=[rate_of(text) for text in rate],
    )


def show_base(found: BorrowingBase, *, as_json: bool) -> None:
    """The base as a table, and its digest."""
    table = Table("", found.currency)
    rows = [("gross", found.gross), *((f"- {reason}", amount) for reason, amount in found.ineligible)]
    rows += [("= eligible", found.eligible), ("- dilution reserve", found.reserve), ("available", found.available)]
    rows += [("drawn", found.drawn), ("shortfall", found.shortfall)]
    for name, amount in rows:
        table.add_row(name, Money(found.currency, amount).text)
    counted = sum(1 for one in found.rows if one.eligible)
    if as_json:
        figures = {name.lstrip("-= ").replace(" ", "_"): Money(found.currency, amount).text for name, amount in rows}
        whole = {"counted": counted, "receivables": len(found.rows), "digest": found.digest.hex()}
        show({"currency": found.currency, "finding": found.finding} | whole | figures)
        return
    tabulate(table, as_json=False)
    console.print(f"{counted} of {len(found.rows)} receivables count; {found.finding}; digest {found.digest.hex()}")


def write_outcomes(found: BorrowingBase, file: Path) -> None:
    """Every row as CSV: what is outstanding and eligible in the base's currency, and why the rest is not."""
    with file.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.writer(stream)
        writer.writerow(("receivable", "outstanding", "eligible", "excluded"))
        for one in found.rows:
            amounts = (Money(found.currency, amount).text for amount in (one.outstanding, one.eligible))
            excluded = ";".join(f"{reason}:{Money(found.currency, amount).text}" for reason, amount in one.excluded)
            writer.writerow((one.row.receivable.hex(), *amounts, excluded))


def rows_of(pool: Path) -> tuple[PoolRow, ...]:
    """The rows of a pool's file. Raises `ClientError`, `FieldError`, `OSError`."""
    with pool.open("rb") as file:
        data = file.read(DOCUMENT_BYTES_MAX + 1)
    try:
        return read_rows(pool.name, data)
    except DocumentError as error:
        raise ClientError(str(error)) from error


def rules_of(file: Path) -> FacilityRules:
    """The rules document in a file. Raises `ClientError`, `FieldError`, `OSError`."""
    return FacilityRules.from_toml(text_of(file, "a rules document"))


def scope_of(
    settings: dict[str, Any], seller: str, blanket: str, filing: Path | None, until: datetime.datetime | None
) -> Scope | tuple[()]:
    """A blanket as the options of a command say: none, all, or some debtors. Raises `ClientError`."""
    if blanket == "none":
        return ()
    if filing is None or until is None:
        raise ClientError("a blanket needs --filing and --until")
    debtors = [] if blanket == "all" else blanket.split(",")
    key = settings["genesis"].fingerprint_key
    accounts = tuple(account_fingerprint(key, seller=seller, debtor=debtor.strip()) for debtor in debtors)
    return Scope(accounts, digest_of(filing), end_of_day_ms(until))


def amended_scope(
    settings: dict[str, Any], record: Facility, blanket: str, filing: Path | None, until: datetime.datetime | None
) -> Scope | tuple[()]:
    """As `scope_of`; or "keep": the blanket that the facility has, if any, as it is. Raises `ClientError`."""
    if blanket != "keep":
        return scope_of(settings, record.seller, blanket, filing, until)
    if filing is not None or until is not None:
        raise ClientError("the blanket keeps its filing and last day: --filing and --until go with another --blanket")
    if record.blanket == "none":
        return ()
    if not record.blanket_stands(time.time_ns() // 1_000_000):
        raise ClientError("the blanket has lapsed: say --blanket none, or what another one covers")
    return Scope(record.debtors, record.filing_digest, record.blanket_until_ms)


def facility_of(client: FinancierClient, facility: str) -> Facility:
    """The facility with this id in hex. Raises `ClientError`."""
    return client.call(pools.facility, subject(facility, "facility"))


def described(record: Facility) -> dict[str, Any]:
    """A facility for people and programs."""
    stands = record.blanket_stands(time.time_ns() // 1_000_000)
    return {
        "id": record.id.hex(),
        "state": record.state,
        "seller": record.seller,
        "financier": record.financier,
        "terms_digest": record.terms_digest.hex(),
        "rules_digest": record.rules_digest.hex(),
        "blanket": record.blanket if stands or record.blanket == "none" else f"{record.blanket} (lapsed)",
        "blanket_debtors": len(record.debtors),
        "blanket_until": until_text(record),
        "base_as_of": record.base_as_of,
        "base_digest": record.base_digest.hex(),
        "base_finding": record.base_finding,
    }


def until_text(record: Facility) -> str:
    """When its blanket lapses, "" if it has none."""
    if not record.blanket_until_ms:
        return ""
    return datetime.datetime.fromtimestamp(record.blanket_until_ms // 1_000, tz=datetime.UTC).isoformat()


def end_of_day_ms(day: datetime.datetime) -> int:
    """The last millisecond of a day in UTC."""
    return int((day.replace(tzinfo=datetime.UTC) + datetime.timedelta(days=1)).timestamp()) * 1_000 - 1


def digest_of(file: Path) -> bytes:
    """The SHA-256 of a file."""
    return hashlib.sha256(file.read_bytes()).digest()
