"""A node that lies is never believed: each lie ends in `ProofInvalid`, on the wire, against a real node's answers."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, replace
from typing import Any

import pytest
from hypothesis import HealthCheck, assume, example, given, settings
from hypothesis import strategies as st

from clients import financier, reads
from clients.errors import ClientError, NotFinal, ProofInvalid, Rejected, RequestFailed, Stale
from clients.exporter import Interrupted, Prepared, Registration
from clients.verify import Final, Trust
from consensus.votes import Kind
from registry.certificates import build_search_certificate, check_search_certificate
from registry.keys import SigningKey
from registry.money import WHOLE
from registry.records import Receivable, decode_record, encode_record
from tests.cast import EXP_CN, Cast
from tests.clients.liar import (
    Forger,
    Liar,
    Place,
    at,
    changed,
    header_of,
    honest,
    leaves,
    lying,
    with_a_signature_twice,
    with_one_signature_less,
)
from tests.clients.stage import Stage, offered, unlike

pytestmark = pytest.mark.processes

FLIPS = settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
PURPOSE = "before paying"


@dataclass(slots=True)
class Trial:
    """One client of each role that knows the liar alone, and the truth."""

    stage: Stage
    liar: Liar
    exporter: Any
    financier: Any
    regulator: Any
    forger: Forger
    prepared: Prepared
    registered: tuple[Registration, ...]
    final: Final
    claims: tuple[bytes, ...]
    other: Registration
    other_final: Final

    @contextmanager
    def telling(self, lie: Callable[[str, Any], Any]) -> Iterator[None]:
        self.liar.lie = lie
        try:
            yield
        finally:
            self.liar.lie = honest

    def answer(self, path: str, *, method: str = "GET") -> Any:
        """What the node answered honestly."""
        return json.loads(self.liar.known[method, path][1])

    @property
    def subject(self) -> bytes:
        return self.registered[0].receivable

    @property
    def receipts_path(self) -> str:
        return f"/v1/transactions/{self.prepared.submission.transaction_id.hex()}"

    @property
    def record_path(self) -> str:
        return f"/v1/receivables/{self.subject.hex()}"


@pytest.fixture(scope="module")
def trial(cast: Cast, supervisor: str) -> Iterator[Trial]:
    stage = Stage(cast)
    with (
        lying(cast.devnet.url("f-cn")) as liar,
        stage.exporter(urls=[liar.url], final_within_s=5.0) as exporter,
        stage.financier("f-sg", urls=[liar.url]) as financier,
        stage.regulator(supervisor, urls=[liar.url]) as regulator,
    ):
        (prepared,) = exporter.prepare([unlike(), unlike(), unlike()])
        registered = exporter.submit(prepared)
        other = exporter.register(unlike())
        claims = tuple(offered(exporter, registered[0].receivable, name, WHOLE // 2) for name in ("f-sg", "f-de"))
        made = Trial(
            stage=stage,
            liar=liar,
            exporter=exporter,
            financier=financier,
            regulator=regulator,
            forger=Forger.of(cast.devnet),
            prepared=prepared,
            registered=registered,
            final=exporter.resume(prepared.submission),
            claims=claims,
            other=other,
            other_final=exporter.transaction(other.receipt.transaction, 1),
        )
        for receivable in (made.subject, other.receivable):
            assert exporter.receivable(receivable) is not None
            assert regulator.claims(receivable) is not None
        assert financier.search(registered[0].dossier.particulars, purpose=PURPOSE)
        yield made


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """The liar asks for most answers once: on a slow machine they are minutes old when the last test hears them."""
    monkeypatch.setattr("clients.session.CLOCKS_APART_MS", 300_000)


def believed(trial: Trial) -> dict[str, Callable[[], Any]]:
    """Every kind of answer that is believed if it is proved, by the path it is asked at."""
    return {
        trial.receipts_path: lambda: trial.exporter.transaction(trial.prepared.submission.transaction_id, 3),
        trial.record_path: lambda: trial.exporter.receivable(trial.subject),
        f"{trial.record_path}/claims": lambda: trial.regulator.claims(trial.subject),
        "/v1/search": lambda: trial.financier.search(trial.registered[0].dossier.particulars, purpose=PURPOSE),
    }


# --- byte by byte ----------------------------------------------------------------------------------------------------

# Read by people; nothing depends on them, and what is returned does not come from them.
NOT_RELIED_ON = frozenset({"record", "transaction_id", "height", "block_hash", "status"})
# More than one number may lead to the same root along the same path; the receipt says itself which one it is.
SAME_PATH = frozenset({"index", "size"})


@FLIPS
@given(data=st.data())
def test_a_changed_byte_anywhere_is_never_believed(trial: Trial, data: st.DataObject) -> None:
    path, ask = data.draw(st.sampled_from(sorted(believed(trial).items())))
    answer = trial.answer(path, method="POST" if path == "/v1/search" else "GET")
    place = data.draw(st.sampled_from([place for place in leaves(answer) if "status" not in place]))
    told = changed(answer, place, data.draw(lies_about(at(answer, place))))
    assume(told != answer)
    with trial.telling(lambda asked, honestly: told if asked == path else honestly):
        if path == "/v1/search" or not told_only(place):
            with pytest.raises(ProofInvalid):
                ask()
            return
        with suppress(ProofInvalid):
            said = ask()
            trial.liar.lie = honest
            assert said == ask()


def told_only(place: Place) -> bool:
    return place[0] in NOT_RELIED_ON or place[-1] in SAME_PATH or "record" in place


def lies_about(value: Any) -> st.SearchStrategy[Any]:
    """Something else in the same place: a bit flipped, a piece cut off, another type."""
    odd = st.sampled_from([None, "", "zz", [], {}, True, -1, 1.5, "0" * 10_000])
    if isinstance(value, str) and value and not set(value) - set("0123456789abcdef") and len(value) % 2 == 0:
        data = bytes.fromhex(value)
        flipped = st.integers(0, 8 * len(data) - 1).map(lambda bit: flip(data, bit).hex())
        return st.one_of(flipped, flipped, st.sampled_from([value[:-2], value + "00", value.upper(), f" {value}"]), odd)
    if type(value) is int:
        return st.one_of(st.sampled_from([value + 1, value - 1, float(value), str(value)]), st.integers(), odd)
    return odd


def flip(data: bytes, bit: int) -> bytes:
    return data[: bit // 8] + bytes([data[bit // 8] ^ 1 << bit % 8]) + data[bit // 8 + 1 :]


@settings(FLIPS, max_examples=40)
@given(
    told=st.one_of(
        st.recursive(
            st.none() | st.booleans() | st.integers() | st.text(max_size=5),
            lambda inner: (
                st.lists(inner, max_size=3)
                | st.dictionaries(
                    st.sampled_from(["results", "receipts", "proof", "status", "record"]), inner, max_size=3
                )
            ),
            max_leaves=6,
        ),
        st.binary(max_size=20),
        st.sampled_from([b"[" * 100_000, b"9" * 5_000, b'{"status":"final"}', b"NaN", b"\xff\xfe"]),
    )
)
@example(told=b'{"":""}')  # an object, though told as bytes
def test_anything_at_all_is_a_typed_error(trial: Trial, told: Any) -> None:
    heard = read_as_json(told)
    with trial.telling(lambda asked, honestly: told):
        for path, ask in believed(trial).items():
            with_not_final = isinstance(heard, dict) and heard.get("status") != "final"
            if path == trial.receipts_path and with_not_final:
                assert ask() is None
            else:
                with pytest.raises(ProofInvalid):
                    ask()
        with pytest.raises(Interrupted) as failure:
            trial.exporter.register(unlike())
    assert isinstance(failure.value.__cause__, ProofInvalid | Rejected)


def read_as_json(told: Any) -> Any:
    """What a client makes of it; None for bytes that are no JSON."""
    if not isinstance(told, bytes):
        return told
    try:
        return json.loads(told)
    except (ValueError, RecursionError):
        return None


# --- receipts --------------------------------------------------------------------------------------------------------


def other_transaction(trial: Trial, answer: Any) -> Any:
    return trial.answer(f"/v1/transactions/{trial.other.receipt.transaction.hex()}")


RECEIPT_LIES: dict[str, Callable[[Trial, Any], Any]] = {
    "another transaction's receipts": other_transaction,
    "another transaction's receipts under this header": lambda trial, answer: (
        answer | {"receipts": other_transaction(trial, answer)["receipts"] * 3}
    ),
    "another block's header": lambda trial, answer: (
        answer | {name: other_transaction(trial, answer)[name] for name in ("header", "finality")}
    ),
    "another block's finality": lambda trial, answer: (
        answer | {"finality": other_transaction(trial, answer)["finality"]}
    ),
    "fewer receipts": lambda trial, answer: answer | {"receipts": answer["receipts"][:-1]},
    "more receipts": lambda trial, answer: answer | {"receipts": answer["receipts"] + answer["receipts"][:1]},
    "receipts in another order": lambda trial, answer: answer | {"receipts": answer["receipts"][::-1]},
    "one receipt for all": lambda trial, answer: answer | {"receipts": answer["receipts"][:1] * 3},
    "no receipts": lambda trial, answer: {"status": "final"},
    "a signature less than a quorum": lambda trial, answer: (
        answer | {"finality": with_one_signature_less(answer["finality"])}
    ),
    "one signature counted twice": lambda trial, answer: (
        answer | {"finality": with_a_signature_twice(answer["finality"])}
    ),
    "notarized, not final": lambda trial, answer: (
        answer | {"finality": trial.forger.finality(header_of(answer), kind=Kind.NOTARIZE)}
    ),
    "two authorities' word": lambda trial, answer: (
        answer | {"finality": trial.forger.finality(header_of(answer), signers=(0, 3))}
    ),
    "finality of another chain": lambda trial, answer: (
        answer | {"finality": trial.forger.finality(header_of(answer), chain=bytes(32))}
    ),
    "a header of another chain": lambda trial, answer: (
        answer | signed_header(trial, answer, chain=bytes(32), genesis_id=bytes(32))
    ),
    "finality of strangers": lambda trial, answer: (
        answer | {"finality": trial.forger.finality(header_of(answer), keys=STRANGERS)}
    ),
    "a header of strangers as authorities": lambda trial, answer: (
        answer | signed_header(trial, answer, authorities=bytes(32))
    ),
}
STRANGERS = tuple(SigningKey.from_seed(bytes([index]) * 32) for index in range(4))


def signed_header(trial: Trial, answer: Any, *, chain: bytes | None = None, **fields: Any) -> dict[str, str]:
    """The answer's header with other fields, signed by the real authorities."""
    header = replace(header_of(answer), **fields)
    return {"header": header.encode().hex(), "finality": trial.forger.finality(header, chain=chain)}


@pytest.mark.parametrize("lie", RECEIPT_LIES.values(), ids=RECEIPT_LIES.keys())
def test_lies_about_receipts(trial: Trial, lie: Callable[[Trial, Any], Any]) -> None:
    assert trial.exporter.resume(trial.prepared.submission) == trial.final

    def told(path: str, answer: Any) -> Any:
        return lie(trial, answer) if path == trial.receipts_path else answer

    with trial.telling(told):
        with pytest.raises(ProofInvalid) as failure:
            trial.exporter.submit(trial.prepared)
        assert failure.value.submission == trial.prepared.submission
        assert str(failure.value).startswith(trial.liar.url)
    assert trial.exporter.submit(trial.prepared) == trial.registered


def test_what_the_authorities_really_signed_is_what_counts(trial: Trial) -> None:
    """The forger's tools are good: with a whole quorum behind it, its certificate verifies."""
    answer = trial.answer(trial.receipts_path)
    forged = answer | {"finality": trial.forger.finality(header_of(answer))}
    genesis = trial.stage.cast.devnet.genesis
    assert Trust(genesis).receipts(trial.final.transaction_id, 3, forged) == trial.final


@pytest.mark.parametrize(
    "results",
    [
        [],
        None,
        [{}],
        [{"transaction_id": "00" * 32}],
        [{"transaction_id": 1}],
        [["transaction_id"]],
        "two",
    ],
)
def test_lies_about_what_was_taken(trial: Trial, results: Any) -> None:
    def told(path: str, answer: Any) -> Any:
        return {"results": results} if path == "/v1/transactions" else answer

    with trial.telling(told), pytest.raises(ProofInvalid):
        trial.exporter.submit(trial.prepared)


def test_never_final_is_not_final_in_time(trial: Trial) -> None:
    lie = {"status": "pending"}
    with (
        trial.telling(lambda path, answer: lie if path == trial.receipts_path else answer),
        trial.stage.exporter(urls=[trial.liar.url], final_within_s=0.3) as exporter,
        pytest.raises(NotFinal) as failure,
    ):
        exporter.submit(trial.prepared)
    assert failure.value.submission == trial.prepared.submission
    assert trial.exporter.resume(trial.prepared.submission) == trial.final


def test_a_node_that_never_gets_it_decided_is_left_for_another(trial: Trial) -> None:
    (prepared,) = trial.exporter.prepare([unlike()])
    path = f"/v1/transactions/{prepared.submission.transaction_id.hex()}"
    urls = [trial.liar.url, trial.stage.cast.devnet.url("f-gb")]
    with (
        trial.telling(lambda asked, answer: {"status": "pending"} if asked == path else answer),
        trial.stage.exporter(urls=urls) as exporter,
    ):
        (outcome,) = exporter.submit(prepared)
    assert outcome.receipt.done


def test_a_rejection_is_one_nodes_word(trial: Trial) -> None:
    (prepared,) = trial.exporter.prepare([unlike()])
    rejection = {"results": [{"code": "bad_signature", "field": "signatures[0]", "detail": "a lie"}]}
    with trial.telling(lambda path, answer: rejection if path == "/v1/transactions" else answer):
        urls = [trial.liar.url, trial.stage.cast.devnet.url("f-gb")]
        with trial.stage.exporter(urls=urls) as exporter:
            assert exporter.submit(prepared)[0].receipt.done
        with pytest.raises(Rejected) as failure:
            trial.exporter.submit(prepared)
    assert (failure.value.code, failure.value.field) == ("bad_signature", "signatures[0]")


# --- records ---------------------------------------------------------------------------------------------------------


def other_record(trial: Trial) -> Any:
    return trial.answer(f"/v1/receivables/{trial.other.receivable.hex()}")


def richer(trial: Trial) -> str:
    """The record with its collectible share doctored."""
    record = decode_record(Receivable, bytes.fromhex(trial.answer(trial.record_path)["proof"]["value"]))
    return encode_record(replace(record, collectible=WHOLE - 1)).hex()


RECORD_LIES: dict[str, Callable[[Trial, Any], Any]] = {
    "another record": lambda trial, answer: other_record(trial),
    "another record's proof": lambda trial, answer: answer | {"proof": other_record(trial)["proof"]},
    "an old header for another key": lambda trial, answer: (
        answer | {"proof": other_record(trial)["proof"] | {"key": answer["proof"]["key"]}}
    ),
    "another value": lambda trial, answer: answer | {"proof": answer["proof"] | {"value": richer(trial)}},
    "no value": lambda trial, answer: answer | {"proof": answer["proof"] | {"value": None}},
    "no proof": lambda trial, answer: {"record": answer["record"]},
    "a proof of nothing": lambda trial, answer: answer | {"proof": None},
    "a state root of its own": lambda trial, answer: (
        answer | {"proof": answer["proof"] | forged_by_strangers(trial, answer["proof"])}
    ),
    "another height": lambda trial, answer: answer | {"proof": answer["proof"] | {"height": 1}},
}


def forged_by_strangers(trial: Trial, proof: Any) -> dict[str, str]:
    header = replace(header_of(proof), state_root=bytes(32))
    return {"header": header.encode().hex(), "finality": trial.forger.finality(header, keys=STRANGERS)}


@pytest.mark.parametrize("lie", RECORD_LIES.values(), ids=RECORD_LIES.keys())
def test_lies_about_a_record(trial: Trial, lie: Callable[[Trial, Any], Any]) -> None:
    def told(path: str, answer: Any) -> Any:
        return lie(trial, answer) if path == trial.record_path else answer

    with trial.telling(told):
        with pytest.raises(ProofInvalid):
            trial.exporter.receivable(trial.subject)
        with pytest.raises(ProofInvalid):
            trial.regulator.claims(trial.subject)
    assert trial.exporter.receivable(trial.subject).id == trial.subject


def test_claims_kept_back_or_of_another_receivable(trial: Trial) -> None:
    path = f"{trial.record_path}/claims"
    assert len(trial.regulator.claims(trial.subject)) == 2

    def fewer(asked: str, answer: Any) -> Any:
        return {"claims": answer["claims"][1:]} if asked == path else answer

    with trial.telling(fewer), pytest.raises(ProofInvalid, match="kept back"):
        trial.regulator.claims(trial.subject)
    offered(trial.exporter, trial.other.receivable, "f-sg")
    trial.liar.known.clear()
    trial.regulator.claims(trial.other.receivable)
    others = trial.answer(f"/v1/receivables/{trial.other.receivable.hex()}/claims")
    with trial.telling(lambda asked, answer: others), pytest.raises(ProofInvalid, match="another receivable"):
        trial.financier.claims(trial.subject)


def test_lies_about_ones_own_receivables(trial: Trial, supervisor: str) -> None:
    path = "/v1/receivables?party=me"
    assert trial.subject in {record.id for record in trial.exporter.own_receivables()}
    mine = trial.answer(path)["receivables"]
    for told in (
        {"receivables": mine[:1], "next": "nonsense"},
        {"receivables": mine[:1], "next": "0" * 63},
        {"receivables": mine[:1], "next": 7},
        {"receivables": [{"record": {"id": "00" * 32}, "proof": mine[0]["proof"]}], "next": None},
        {"receivables": [{"record": {}, "proof": mine[0]["proof"]}], "next": None},
        {"next": None},
    ):
        with trial.telling(lambda asked, answer, told=told: told), pytest.raises(ProofInvalid):
            trial.exporter.own_receivables()
    for_ever = {"receivables": [], "next": "ff" * 32}
    with trial.telling(lambda asked, answer: for_ever), pytest.raises(ProofInvalid, match="next"):
        trial.exporter.own_receivables()
    everybodys = {"receivables": mine[:1], "next": None}
    with trial.telling(lambda asked, answer: everybodys), pytest.raises(ProofInvalid, match="another party"):
        trial.regulator.own_receivables()


def test_another_block_than_asked_for(trial: Trial) -> None:
    first = trial.regulator.header(1)
    trial.regulator.header(2)
    second = trial.answer("/v1/blocks/2")
    with trial.telling(lambda path, answer: second), pytest.raises(ProofInvalid, match="another block"):
        trial.regulator.header(1)
    assert trial.regulator.header(1) == first


def test_denied_existence_is_none_and_no_proof(trial: Trial) -> None:
    """Absence is the node's word, and documented to be; what is listed as a regulator's cannot be denied silently."""
    problem = {"code": "not_found", "status": 404}
    trial.liar.status = 404
    try:
        with trial.telling(lambda path, answer: problem):
            assert trial.exporter.receivable(trial.subject) is None
            with pytest.raises(ClientError, match="no such receivable"):
                trial.regulator.claims(trial.subject)
            with pytest.raises(RequestFailed, match="not_found"):
                trial.regulator.header(1)
    finally:
        trial.liar.status = None


def aged(trial: Trial, answer: Any, ms: int) -> Any:
    """The same answer from so long ago: everything in it is proved and signed, at a time that lies back."""
    if isinstance(answer, dict) and "header" in answer:
        then = header_of(answer).timestamp_ms - ms
        return answer | signed_header(trial, answer, timestamp_ms=then)
    if isinstance(answer, dict):
        return {name: aged(trial, value, ms) for name, value in answer.items()}
    return [aged(trial, value, ms) for value in answer] if isinstance(answer, list) else answer


READS: dict[str, Callable[[Trial], Any]] = {
    "a receivable": lambda trial: trial.exporter.receivable(trial.subject),
    "every claim on it": lambda trial: trial.regulator.claims(trial.subject),
    "a list of one's own": lambda trial: trial.exporter.own_receivables(),
    "the newest block": lambda trial: trial.regulator.header(),
}


@pytest.mark.parametrize("read", READS.values(), ids=READS.keys())
def test_what_is_proved_as_of_long_ago_is_not_believed(trial: Trial, read: Callable[[Trial], Any]) -> None:
    """The claim that has been funded since is not among 'all' of them; a quiet network's last block is recent."""
    trial.liar.known.clear()  # all of it as of now
    truth = read(trial)
    with trial.telling(lambda path, answer: aged(trial, answer, 600_000)), pytest.raises(Stale, match="s old"):
        read(trial)
    with trial.telling(lambda path, answer: aged(trial, answer, 61_000)):
        assert type(read(trial)) is type(truth)


# --- searches --------------------------------------------------------------------------------------------------------


def rebuilt(trial: Trial, answer: Any, *, header: dict[str, str] | None = None, **fields: Any) -> Any:
    """A certificate with other content, numbered and shaped as it must be."""
    answer = answer | (header or {})
    read = check_search_certificate(trial.answer("/v1/search", method="POST"), header_of(answer).state_root)
    usual: dict[str, Any] = {
        "genesis_id": read.genesis_id,
        "requester": read.requester,
        "purpose": read.purpose,
        "height": header_of(answer).height,
        "timestamp_ms": header_of(answer).timestamp_ms,
        "findings": read.findings,
        "header": bytes.fromhex(answer["header"]),
        "finality": bytes.fromhex(answer["finality"]),
        "changes": read.changes,
    }
    return build_search_certificate(**(usual | fields))


def findings(trial: Trial, answer: Any) -> Any:
    return check_search_certificate(answer, header_of(answer).state_root).findings


SEARCH_LIES: dict[str, Callable[[Trial, Any], Any]] = {
    "the same with one fingerprint left out": lambda trial, answer: rebuilt(
        trial, answer, findings=findings(trial, answer)[1:]
    ),
    "results cut": lambda trial, answer: answer | {"results": answer["results"][:-1]},
    "results in another order": lambda trial, answer: rebuilt(trial, answer, findings=findings(trial, answer)[::-1]),
    "matches emptied": lambda trial, answer: changed(answer, ("results", 0, "matches"), []),
    "matches and value emptied": lambda trial, answer: changed(
        changed(answer, ("results", 0, "matches"), []), ("results", 0, "value"), None
    ),
    "value emptied, numbered anew": lambda trial, answer: rebuilt(
        trial,
        answer,
        findings=(replace(findings(trial, answer)[0], value=None), *findings(trial, answer)[1:]),
    ),
    "for somebody else": lambda trial, answer: rebuilt(trial, answer, requester="lei:984500DEBANK00000124"),
    "for another purpose": lambda trial, answer: rebuilt(trial, answer, purpose="none"),
    "of another network": lambda trial, answer: rebuilt(trial, answer, genesis_id=bytes(32)),
    "of another time": lambda trial, answer: rebuilt(trial, answer, timestamp_ms=header_of(answer).timestamp_ms + 1),
    "a signature less than a quorum": lambda trial, answer: rebuilt(
        trial, answer, finality=bytes.fromhex(with_one_signature_less(answer["finality"]))
    ),
    "finality of another chain": lambda trial, answer: rebuilt(
        trial, answer, finality=bytes.fromhex(trial.forger.finality(header_of(answer), chain=bytes(32)))
    ),
    "searched more than it says": lambda trial, answer: answer | {"not_searched": []},
}


def search(trial: Trial) -> Any:
    return trial.financier.search(trial.registered[0].dossier.particulars, purpose=PURPOSE)


RECENT: dict[str, Callable[[Trial, Any], Any]] = {
    "a receivable": lambda trial, client: client.receivable(trial.subject),
    "a claim": lambda trial, client: client.claim(trial.claims[0]),
    "a party": lambda trial, client: client.party(EXP_CN),
    "a party by its identifier": lambda trial, client: client.call(reads.party_named, EXP_CN),
    "every claim on it": lambda trial, client: client.call(reads.all_claims, trial.subject),
    "a list of one's own": lambda trial, client: client.own_receivables(),
    "the newest block": lambda trial, client: client.call(reads.header, None),
    "a search": lambda trial, client: client.call(
        financier.search, trial.registered[0].dossier.particulars, purpose=PURPOSE
    ),
}


@pytest.mark.parametrize("read", RECENT.values(), ids=RECENT.keys())
def test_a_node_that_is_behind_is_followed_by_the_next_one(trial: Trial, read: Callable[[Trial, Any], Any]) -> None:
    """The own node, named first, answers and is behind: it is no reason not to ask the others."""
    behind, up_to_date = trial.liar.url, trial.stage.cast.devnet.url("f-sg")
    nowhere = "http://127.0.0.1:1"
    trial.liar.known.clear()
    with trial.telling(lambda path, answer: old(trial, answer)):
        with trial.stage.exporter(urls=[behind, nowhere, up_to_date]) as client:
            found = read(trial, client)
        with trial.stage.exporter(urls=[behind, nowhere]) as client, pytest.raises(Stale, match="s old"):
            read(trial, client)
    with trial.stage.exporter(urls=[up_to_date]) as client:
        assert type(found) is type(read(trial, client))


def old(trial: Trial, answer: Any) -> Any:
    """The same answer, ten minutes old, whatever it is."""
    return (
        aged_search(trial, answer) if isinstance(answer, dict) and "results" in answer else aged(trial, answer, 600_000)
    )


def aged_search(trial: Trial, answer: Any) -> Any:
    made = header_of(answer)
    return rebuilt(trial, answer, header=signed_header(trial, answer, timestamp_ms=made.timestamp_ms - 600_000))


@pytest.mark.parametrize("lie", SEARCH_LIES.values(), ids=SEARCH_LIES.keys())
def test_lies_about_a_search(trial: Trial, lie: Callable[[Trial, Any], Any]) -> None:
    assert trial.subject.hex() in search(trial)["results"][0]["matches"]
    with trial.telling(lambda path, answer: lie(trial, answer)), pytest.raises(ProofInvalid):
        search(trial)


def test_an_old_search_is_no_search(trial: Trial) -> None:
    """Everything is proved and signed, but ten minutes old: what happened since may be what matters."""
    search(trial)
    with trial.telling(lambda path, answer: aged_search(trial, answer)), pytest.raises(Stale, match="s old"):
        search(trial)


def test_another_certificate_than_asked_for(trial: Trial) -> None:
    first, second = search(trial), search(trial)
    assert first["number"] == second["number"] or trial.financier.certificate(second["number"]) is not None
    other = trial.financier.search(trial.other.dossier.particulars, purpose=PURPOSE)
    with trial.telling(lambda path, answer: other), pytest.raises(ProofInvalid, match="another certificate"):
        trial.financier.certificate(first["number"])
