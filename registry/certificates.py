"""What is handed out and kept: search certificates and state proofs, as JSON, checked offline (registry.md 8).

Both prove entries of the state tree, present or absent, under one state root. They carry the header that has this root
and the certificate that makes the header final, as opaque bytes: whoever checks takes the root from a header that the
light client has accepted, compares height and time with it, and calls `check_...` here. What is checked here says
nothing without that. A search certificate also carries every change of the authorities below its header, so that the
genesis file alone leads the light client to it, years later and offline; who asks for a proof follows the changes.

A search certificate proves, for each fingerprint, exactly which receivables held it as of a height. Requester and
purpose are what the node was told. It cannot prove what was never registered: `not_searched` says so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, TypeVar, cast

from registry.codec import DIGEST_SIZE, Value, decode, encode, tagged_digest
from registry.errors import CodecError, FieldError
from registry.fingerprint import SEARCHED_LEVELS
from registry.limits import PRINT_HOLDERS_MAX, SEARCH_MAX, TIME_MAX_MS
from registry.merkle.hashing import ProofError
from registry.merkle.proofs import Proof, decode_proof, verify_absence, verify_presence
from registry.state import holders_of, print_key

__all__ = [
    "CHANGES_MAX",
    "FORMAT",
    "CertificateError",
    "Finding",
    "SearchCertificate",
    "StateProof",
    "build_search_certificate",
    "build_state_proof",
    "check_search_certificate",
    "check_state_proof",
]

FORMAT: Final = "nemodat-search-certificate-v1"
NUMBER_CHARS: Final = 32
TEXT_CHARS_MAX: Final = 200  # requester, purpose
KEY_BYTES_MAX: Final = 256
VALUE_BYTES_MAX: Final = 64 * 1024
PROOF_BYTES_MAX: Final = 16 * 1024
HEADER_BYTES_MAX: Final = 4 * 1024
FINALITY_BYTES_MAX: Final = 16 * 1024
CHANGE_BYTES_MAX: Final = 20 * 1024  # one change of the authorities (`consensus.light`)
CHANGES_MAX: Final = 1024  # of one certificate
HEIGHT_MAX: Final = 2**53 - 1  # exact in every JSON reader
# No search here can see these, whatever it asks for.
NEVER_SEARCHED: Final = ("assignments that were not registered in this network", "official registers")

_SEARCH_FIELDS: Final = (
    "format",
    "number",
    "genesis_id",
    "requester",
    "purpose",
    "height",
    "timestamp_ms",
    "results",
    "not_searched",
    "header",
    "finality",
    "changes",
)
_RESULT_FIELDS: Final = ("kind", "level", "fingerprint", "matches", "value", "proof")
_PROOF_FIELDS: Final = ("key", "value", "proof", "height", "header", "finality")

_UNPRINTABLE: Final = re.compile(r"[\x00-\x1f\x7f\ud800-\udfff]")  # controls, and halves of characters

T = TypeVar("T")


class CertificateError(FieldError):
    """A certificate or proof that is not well formed, or does not prove what it says. `field` names the place."""


@dataclass(frozen=True, slots=True)
class Finding:
    """What the state has under one fingerprint: the stored value (None: nothing) and the proof of that."""

    kind: str
    fingerprint: bytes
    value: bytes | None
    proof: Proof

    @property
    def matches(self) -> tuple[bytes, ...]:
        """The ids of the receivables that hold the fingerprint."""
        return () if self.value is None else holders_of(self.value)


@dataclass(frozen=True, slots=True)
class SearchCertificate:
    """A search certificate, read. `header`, `finality` and `changes` are for the light client."""

    number: str
    genesis_id: bytes
    requester: str
    purpose: str
    height: int
    timestamp_ms: int
    findings: tuple[Finding, ...]
    not_searched: tuple[str, ...]
    header: bytes
    finality: bytes
    changes: tuple[bytes, ...]

    @property
    def matches(self) -> dict[str, tuple[bytes, ...]]:
        """All matching receivables by level ("block", "review"), no id twice within a level."""
        found: dict[str, dict[bytes, None]] = {"block": {}, "review": {}}
        for finding in self.findings:
            found[SEARCHED_LEVELS[finding.kind]].update(dict.fromkeys(finding.matches))
        return {level: tuple(ids) for level, ids in found.items()}


@dataclass(frozen=True, slots=True)
class StateProof:
    """Proof that the state has `value` (None: nothing) under `key`, as of the state root of `header`."""

    key: bytes
    value: bytes | None
    proof: Proof
    height: int
    header: bytes
    finality: bytes


def build_search_certificate(
    *,
    genesis_id: bytes,
    requester: str,
    purpose: str,
    height: int,
    timestamp_ms: int,
    findings: Sequence[Finding],
    header: bytes,
    finality: bytes,
    changes: Sequence[bytes],
) -> dict[str, Any]:
    """The certificate of a search, ready for JSON; bytes are lower-case hex. `findings` in the order of the query,
    `changes` all changes of the authorities below `height`, oldest first.

    Raises `CertificateError` for a text, number or list that the checker would refuse.
    """
    certificate = {
        "format": FORMAT,
        "genesis_id": genesis_id.hex(),
        "requester": requester,
        "purpose": purpose,
        "height": height,
        "timestamp_ms": timestamp_ms,
        "results": [_result(finding) for finding in findings],
        "not_searched": list(_not_searched(findings)),
        "header": header.hex(),
        "finality": finality.hex(),
        "changes": [change.hex() for change in changes],
    }
    read = _read_search(certificate | {"number": "0" * NUMBER_CHARS})
    return {"format": FORMAT, "number": _number(read)} | certificate


def check_search_certificate(certificate: object, state_root: bytes) -> SearchCertificate:
    """The certificate of a JSON value, with every result proven against `state_root` (32 bytes).

    Raises `CertificateError`.
    """
    read = _read_search(certificate)
    if read.number != _number(read):
        raise CertificateError("number", "does not belong to this content")
    for index, finding in enumerate(read.findings):
        key = print_key(finding.kind, finding.fingerprint)
        _check_proof(state_root, key, finding.value, finding.proof, f"results[{index}].proof")
    return read


def build_state_proof(
    *, key: bytes, value: bytes | None, proof: Proof, height: int, header: bytes, finality: bytes
) -> dict[str, Any]:
    """The proof of one entry of the state, ready for JSON; bytes are lower-case hex."""
    return {
        "key": key.hex(),
        "value": None if value is None else value.hex(),
        "proof": _proof_hex(proof),
        "height": height,
        "header": header.hex(),
        "finality": finality.hex(),
    }


def check_state_proof(proof: object, state_root: bytes) -> StateProof:
    """The proof of a JSON value, proven against `state_root` (32 bytes). Raises `CertificateError`."""
    fields = _object(proof, "proof", _PROOF_FIELDS)
    read = StateProof(
        key=_hex(fields["key"], "key", most=KEY_BYTES_MAX),
        value=_value(fields["value"], "value"),
        proof=_proof(fields["proof"], "proof"),
        height=_integer(fields["height"], "height", most=HEIGHT_MAX),
        header=_hex(fields["header"], "header", most=HEADER_BYTES_MAX),
        finality=_hex(fields["finality"], "finality", most=FINALITY_BYTES_MAX),
    )
    _check_proof(state_root, read.key, read.value, read.proof, "proof")
    return read


def _result(finding: Finding) -> dict[str, Any]:
    return {
        "kind": finding.kind,
        "level": SEARCHED_LEVELS.get(finding.kind),
        "fingerprint": finding.fingerprint.hex(),
        "matches": [match.hex() for match in finding.matches],
        "value": None if finding.value is None else finding.value.hex(),
        "proof": _proof_hex(finding.proof),
    }


def _proof_hex(proof: Proof) -> str:
    return encode(_proof_value(proof)).hex()


def _proof_value(proof: Proof) -> Value:
    return cast("Value", proof.encode())


def _not_searched(findings: Sequence[Finding]) -> tuple[str, ...]:
    """The kinds that were not asked for, in the order of `SEARCHED_LEVELS`, then what no search here can see."""
    asked = {finding.kind for finding in findings}
    return (*(kind for kind in SEARCHED_LEVELS if kind not in asked), *NEVER_SEARCHED)


def _number(certificate: SearchCertificate) -> str:
    """The number: the first 32 hex digits of the digest over everything else."""
    content = encode(
        [
            certificate.genesis_id,
            certificate.requester,
            certificate.purpose,
            certificate.height,
            certificate.timestamp_ms,
            [
                [finding.kind, finding.fingerprint, finding.value, _proof_value(finding.proof)]
                for finding in certificate.findings
            ],
            certificate.not_searched,
            certificate.header,
            certificate.finality,
            certificate.changes,
        ]
    )
    return tagged_digest(FORMAT.encode(), content).hex()[:NUMBER_CHARS]


def _check_proof(state_root: bytes, key: bytes, value: bytes | None, proof: Proof, field: str) -> None:
    if value is None:
        if not verify_absence(state_root, key, proof):
            raise CertificateError(field, "does not prove absence under the state root")
    elif not verify_presence(state_root, key, value, proof):
        raise CertificateError(field, "does not prove the value under the state root")


def _read_search(certificate: object) -> SearchCertificate:
    fields = _object(certificate, "certificate", _SEARCH_FIELDS)
    if fields["format"] != FORMAT:
        raise CertificateError("format", f"is not {FORMAT}")
    findings = _list(fields["results"], "results", _finding, most=SEARCH_MAX)
    not_searched = _list(fields["not_searched"], "not_searched", _text, most=len(SEARCHED_LEVELS) + len(NEVER_SEARCHED))
    if not_searched != _not_searched(findings):
        raise CertificateError("not_searched", "does not list what the results leave out")
    return SearchCertificate(
        number=_text(fields["number"], "number"),
        genesis_id=_digest(fields["genesis_id"], "genesis_id"),
        requester=_text(fields["requester"], "requester"),
        purpose=_text(fields["purpose"], "purpose"),
        height=_integer(fields["height"], "height", most=HEIGHT_MAX),
        timestamp_ms=_integer(fields["timestamp_ms"], "timestamp_ms", most=TIME_MAX_MS),
        findings=findings,
        not_searched=not_searched,
        header=_hex(fields["header"], "header", most=HEADER_BYTES_MAX),
        finality=_hex(fields["finality"], "finality", most=FINALITY_BYTES_MAX),
        changes=_list(fields["changes"], "changes", _change, most=CHANGES_MAX),
    )


def _change(value: object, field: str) -> bytes:
    return _hex(value, field, most=CHANGE_BYTES_MAX)


def _finding(value: object, field: str) -> Finding:
    fields = _object(value, field, _RESULT_FIELDS)
    kind = _text(fields["kind"], f"{field}.kind")
    if SEARCHED_LEVELS.get(kind) is None or fields["level"] != SEARCHED_LEVELS[kind]:
        raise CertificateError(f"{field}.level", "is not the level of a known kind")
    finding = Finding(
        kind=kind,
        fingerprint=_digest(fields["fingerprint"], f"{field}.fingerprint"),
        value=_value(fields["value"], f"{field}.value"),
        proof=_proof(fields["proof"], f"{field}.proof"),
    )
    stated = _list(fields["matches"], f"{field}.matches", _digest, most=PRINT_HOLDERS_MAX)
    try:
        proven = finding.matches
    except (CodecError, TypeError) as error:
        raise CertificateError(f"{field}.value", "is not a list of receivables") from error
    if stated != proven:
        raise CertificateError(f"{field}.matches", "are not those of the value")
    return finding


def _object(value: object, field: str, names: Sequence[str]) -> Mapping[str, Any]:
    if not isinstance(value, dict) or set(value) != set(names):
        raise CertificateError(field, f"is an object with exactly {', '.join(names)}")
    return value


def _list(value: object, field: str, read: Callable[[object, str], T], *, most: int) -> tuple[T, ...]:
    if not isinstance(value, list) or len(value) > most:
        raise CertificateError(field, f"is a list of at most {most}")
    return tuple([read(item, f"{field}[{index}]") for index, item in enumerate(value)])


def _text(value: object, field: str) -> str:
    if not isinstance(value, str) or len(value) > TEXT_CHARS_MAX or _UNPRINTABLE.search(value):
        raise CertificateError(field, f"is text without control characters, at most {TEXT_CHARS_MAX} characters")
    return value


def _integer(value: object, field: str, *, most: int) -> int:
    if type(value) is not int or not 0 <= value <= most:
        raise CertificateError(field, f"is an integer from 0 to {most}")
    return value


def _hex(value: object, field: str, *, most: int) -> bytes:
    if isinstance(value, str) and len(value) <= 2 * most:
        try:
            data = bytes.fromhex(value)
        except ValueError:
            data = b""
        if data.hex() == value:
            return data
    raise CertificateError(field, f"is lower-case hex of at most {most} bytes")


def _digest(value: object, field: str) -> bytes:
    data = _hex(value, field, most=DIGEST_SIZE)
    if len(data) != DIGEST_SIZE:
        raise CertificateError(field, f"is {DIGEST_SIZE} bytes")
    return data


def _value(value: object, field: str) -> bytes | None:
    return None if value is None else _hex(value, field, most=VALUE_BYTES_MAX)


def _proof(value: object, field: str) -> Proof:
    try:
        return decode_proof(decode(_hex(value, field, most=PROOF_BYTES_MAX)))
    except (CodecError, ProofError) as error:
        raise CertificateError(field, str(error)) from error
