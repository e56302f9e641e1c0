"""The bytes of consensus: everything encodes one way, and nothing else decodes."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from consensus.authorities import Authority, AuthoritySet, faulty_max, quorum_of
from consensus.blocks import TRANSACTIONS_MAX, Block, Header, transactions_root
from consensus.errors import AuthorityError, BlockError, CertificateError, MessageError, ParametersError
from consensus.light import verify_decided, verify_header
from consensus.messages import (
    BlockRequest,
    Body,
    Bundle,
    Decided,
    DecidedRequest,
    HeldVotes,
    Message,
    Proposal,
    Resend,
    VotesRequest,
    decode_message,
    encode_message,
)
from consensus.parameters import Parameters
from consensus.votes import Certificate, Kind, Vote, assemble, signed_bytes
from registry.codec import decode, encode
from registry.keys import DOMAIN_VOTE
from registry.merkle import log
from tests.consensus.fixtures import GENESIS_ID, authorities_of, block_of, certificate_of, key_of, vote_of

FOUR = authorities_of(4)
BLOCK = block_of(FOUR, height=1, parent=GENESIS_ID, proposer=1, transactions=(b"one", b"two"))
NOTARIZED = certificate_of(Kind.NOTARIZE, 1, 0, BLOCK.hash, (0, 1, 3), 4)
NULLIFIED = certificate_of(Kind.NULLIFY, 1, 1, None, (0, 2, 3), 4)
FINAL = certificate_of(Kind.FINALIZE, 1, 0, BLOCK.hash, (0, 1, 2, 3), 4)
VOTE = vote_of(1, Kind.NOTARIZE, 1, 2, BLOCK.hash)

EVERY_MESSAGE: list[Message] = [
    Proposal(VOTE, BLOCK, Bundle(NOTARIZED, (NULLIFIED,))),
    VOTE,
    NOTARIZED,
    Resend(1, (VOTE,), Bundle(None, (NULLIFIED,))),
    Decided(BLOCK, FINAL),
    Body(BLOCK),
    HeldVotes(1, (VOTE,)),
    DecidedRequest(3),
    BlockRequest(1, BLOCK.hash),
    VotesRequest(1),
]


@pytest.mark.parametrize("message", EVERY_MESSAGE, ids=lambda message: type(message).__name__)
def test_every_message_comes_back_as_it_went(message: Message) -> None:
    data = encode_message(message)
    assert decode_message(data) == message
    assert message.height in (1, 3)


@given(st.sampled_from(EVERY_MESSAGE), st.data())
def test_damaged_bytes_are_a_message_error_or_another_message(message: Message, data: st.DataObject) -> None:
    good = encode_message(message)
    at = data.draw(st.integers(0, len(good) - 1))
    bad = good[:at] + bytes([data.draw(st.integers(0, 255))]) + good[at + 1 :]
    try:
        again = decode_message(bad)
    except MessageError:
        return
    assert encode_message(again) == bad


@given(st.binary(max_size=200))
def test_noise_is_a_message_error(noise: bytes) -> None:
    with pytest.raises(MessageError):
        decode_message(noise)


def wrong(message: Message, change: dict[int, object]) -> bytes:
    fields = decode(encode_message(message))
    assert isinstance(fields, list)
    for index, value in change.items():
        fields[index] = value  # type: ignore[assignment]
    return encode(fields)


@pytest.mark.parametrize(
    "data",
    [
        b"",
        encode([]),
        encode([99, 1]),
        encode([True, 1]),
        encode([8]),
        encode([8, 0]),
        encode([8, True]),
        encode([8, "1"]),
        encode([9, 1, b"short"]),
        encode([2, [9, 1, 0, None, bytes(32), bytes(64)]]),
        encode([2, [2, 1, 0, bytes(32), bytes(32), bytes(64)]]),
        encode([2, [1, 1, 0, None, bytes(32), bytes(64)]]),
        encode([2, [2, 1, -1, None, bytes(32), bytes(64)]]),
        encode([2, [2, 1, 0, None, bytes(31), bytes(64)]]),
        encode([3, [2, 1, 0, None, b"", []]]),
        encode([3, [2, 1, 0, None, b"\x01", [bytes(64)] * 65]]),
        encode([6, [1, 2]]),
        wrong(EVERY_MESSAGE[0], {1: VOTE.to_value()[:5]}),
        wrong(EVERY_MESSAGE[0], {1: vote_of(1, Kind.NULLIFY, 1, 2, None).to_value()}),
        wrong(EVERY_MESSAGE[0], {1: vote_of(1, Kind.NOTARIZE, 1, 2, bytes(32)).to_value()}),
        wrong(EVERY_MESSAGE[0], {3: [FINAL.to_value(), []]}),
        wrong(EVERY_MESSAGE[0], {3: [None, [NOTARIZED.to_value()]]}),
        wrong(EVERY_MESSAGE[0], {3: [None, [NULLIFIED.to_value()] * 257]}),
        wrong(EVERY_MESSAGE[3], {1: 2}),
        wrong(EVERY_MESSAGE[3], {2: [VOTE.to_value()] * 33}),
        wrong(EVERY_MESSAGE[4], {2: NOTARIZED.to_value()}),
    ],
)
def test_what_is_not_exactly_a_message_is_refused(data: bytes) -> None:
    with pytest.raises(MessageError):
        decode_message(data)


def test_a_body_cannot_be_swapped_under_a_good_hash() -> None:
    other = Block(BLOCK.header, (b"one", b"TWO"))
    assert other.hash == BLOCK.hash
    with pytest.raises(BlockError, match="transactions_root"):
        Block.decode(other.encode())


def test_blocks_are_bounded() -> None:
    with pytest.raises(BlockError, match="transactions"):
        Block(BLOCK.header, (b"x",) * (TRANSACTIONS_MAX + 1))
    with pytest.raises(BlockError, match="each has"):
        Block(BLOCK.header, (b"",))
    with pytest.raises(BlockError, match="block: at most"):
        Block(BLOCK.header, (bytes(1024 * 1024),) * 4)
    with pytest.raises(BlockError, match="height"):
        block_of(FOUR, height=0, parent=GENESIS_ID, proposer=1)


def test_header_round_trip_and_hash_cover_every_field() -> None:
    header = BLOCK.header
    assert Header.decode(header.encode()) == header
    hashes = {header.hash}
    fields = header.to_value()
    for index in range(1, 12):
        value = fields[index]
        changed = list(fields)
        changed[index] = value + 1 if isinstance(value, int) else bytes(32)
        hashes.add(Header.from_value(changed).hash)
    assert len(hashes) == 12


def test_transactions_root_is_the_rfc_9162_tree() -> None:
    """The registry proves entries under this root with its own code."""
    for count in range(70):
        items = [bytes([number]) for number in range(count)]
        assert transactions_root(items) == log.root(items)


@pytest.mark.parametrize(
    "fields",
    [
        {0: 0},
        {0: 65_536},
        {0: True},
        {1: bytes(31)},
        {2: 0},
        {2: 2**53},
        {2: "1"},
        {3: None},
        {4: bytes(33)},
        {5: -1},
        {11: "x"},
    ],
    ids=str,
)
def test_a_header_with_a_wrong_field_is_refused(fields: dict[int, object]) -> None:
    values = [fields.get(index, value) for index, value in enumerate(BLOCK.header.to_value())]
    with pytest.raises(BlockError):
        Header.decode(encode(values))  # type: ignore[arg-type]


@pytest.mark.parametrize("data", [b"", encode([1]), encode(7), bytes(600)])
def test_what_is_no_header_and_no_block(data: bytes) -> None:
    with pytest.raises(BlockError):
        Header.decode(data)
    with pytest.raises(BlockError):
        Block.decode(data)


@pytest.mark.parametrize(
    "fields",
    [
        {"genesis_id": b""},
        {"base_ms": 1},
        {"base_ms": 2_000, "cap_ms": 1_000},
        {"cap_ms": 10**9},
        {"heartbeat_ms": 10},
    ],
    ids=str,
)
def test_parameters_that_no_engine_can_run_with(fields: dict[str, object]) -> None:
    with pytest.raises(ParametersError):
        Parameters(**{"genesis_id": GENESIS_ID, **fields})  # type: ignore[arg-type]


def test_quorums_of_small_sets() -> None:
    assert [(n, faulty_max(n), quorum_of(n)) for n in range(1, 8)] == [
        (1, 0, 1),
        (2, 0, 2),
        (3, 0, 3),
        (4, 1, 3),
        (5, 1, 4),
        (6, 1, 5),
        (7, 2, 5),
    ]


@given(st.integers(1, 64))
def test_two_quorums_share_more_than_the_faulty(n: int) -> None:
    assert 2 * quorum_of(n) - n > faulty_max(n)
    assert n - faulty_max(n) >= quorum_of(n)  # the honest alone are a quorum


def test_leaders_take_turns() -> None:
    assert [FOUR.leader(5, view).name for view in range(4)] == [
        "authority-1",
        "authority-2",
        "authority-3",
        "authority-0",
    ]
    assert FOUR.index_of(key_of(2).public_key) == 2
    assert FOUR.index_of(bytes(32)) is None
    assert FOUR.digest != AuthoritySet(FOUR.members[::-1]).digest


@pytest.mark.parametrize(
    "members",
    [
        (),
        (Authority("a", bytes(32)), Authority("b", bytes(32))),
        (Authority("a", bytes(32)), Authority("a", b"1" * 32)),
        tuple(Authority(str(i), bytes([i]) * 32) for i in range(65)),
    ],
)
def test_impossible_sets_are_refused(members: tuple[Authority, ...]) -> None:
    with pytest.raises(AuthorityError):
        AuthoritySet(members)


@pytest.mark.parametrize(("name", "key"), [("", bytes(32)), ("x" * 129, bytes(32)), ("a", bytes(31))])
def test_impossible_members_are_refused(name: str, key: bytes) -> None:
    with pytest.raises(AuthorityError):
        Authority(name, key)


def test_a_certificate_of_a_quorum_verifies_and_gives_its_votes_back() -> None:
    for certificate, signers in ((NOTARIZED, [0, 1, 3]), (FINAL, [0, 1, 2, 3])):
        certificate.verify(GENESIS_ID, FOUR)
        assert list(certificate.signers()) == signers
        for vote in certificate.votes(FOUR):
            vote.verify(GENESIS_ID)


def test_certificates_that_prove_nothing_are_refused() -> None:
    few = certificate_of(Kind.FINALIZE, 1, 0, BLOCK.hash, (0, 1), 4)
    foreign = certificate_of(Kind.FINALIZE, 1, 0, BLOCK.hash, (0, 1, 5), 4)
    long = Certificate(Kind.FINALIZE, 1, 0, BLOCK.hash, FINAL.bitmap + b"\x00", FINAL.signatures)
    missing = Certificate(Kind.FINALIZE, 1, 0, BLOCK.hash, FINAL.bitmap, FINAL.signatures[:3])
    swapped = Certificate(Kind.FINALIZE, 1, 0, BLOCK.hash, FINAL.bitmap, FINAL.signatures[::-1])
    other_view = Certificate(Kind.FINALIZE, 1, 1, BLOCK.hash, FINAL.bitmap, FINAL.signatures)
    for bad, word in (
        (few, "quorum"),
        (foreign, "bit 5"),
        (long, "bitmap"),
        (missing, "signatures"),
        (swapped, "fails"),
        (other_view, "fails"),
    ):
        with pytest.raises(CertificateError, match=word):
            bad.verify(GENESIS_ID, FOUR)
    with pytest.raises(CertificateError, match="fails"):
        FINAL.verify(bytes(32), FOUR)


def test_a_light_client_believes_only_a_final_header_of_its_chain() -> None:
    verify_header(GENESIS_ID, FOUR, BLOCK.header, FINAL)
    verify_decided(GENESIS_ID, FOUR, Decided(BLOCK, FINAL))
    other = block_of(FOUR, height=1, parent=GENESIS_ID, proposer=2)
    for genesis_id, authorities, header, certificate, word in (
        (bytes(32), FOUR, BLOCK.header, FINAL, "genesis_id"),
        (GENESIS_ID, authorities_of(5), BLOCK.header, FINAL, "authorities"),
        (GENESIS_ID, FOUR, BLOCK.header, NOTARIZED, "kind"),
        (GENESIS_ID, FOUR, other.header, FINAL, "block"),
        (GENESIS_ID, FOUR, BLOCK.header, certificate_of(Kind.FINALIZE, 2, 0, BLOCK.hash, (0, 1, 2), 4), "height"),
        (GENESIS_ID, FOUR, BLOCK.header, certificate_of(Kind.FINALIZE, 1, 0, BLOCK.hash, (0, 1), 4), "quorum"),
    ):
        with pytest.raises(CertificateError, match=word):
            verify_header(genesis_id, authorities, header, certificate)


def test_a_vote_signs_exactly_its_place() -> None:
    signature = key_of(0).sign(DOMAIN_VOTE, GENESIS_ID, signed_bytes(Kind.NULLIFY, 7, 3, None))
    Vote(Kind.NULLIFY, 7, 3, None, key_of(0).public_key, signature).verify(GENESIS_ID)
    assert (
        assemble(kind=Kind.NULLIFY, height=7, view=3, block=None, signatures={9: signature}, n=10).bitmap == b"\x00\x02"
    )
