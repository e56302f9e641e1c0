"""The authorities change while a client works: it follows, change by change, whatever it is doing.

A procedure is wrapped: of every answer the headers are looked at before the procedure sees it, and if one names a set
that is not known, the changes are fetched from the node that answered and verified (`consensus.light`). Likewise, if
the session keeps checkpoints and a header is older than one, the proof is fetched that it is in the history of that
one. So everything that is verified later is verified under the right set, and no procedure needs to think of it.
"""

from __future__ import annotations

import re
from functools import partial
from typing import TypeVar

from clients.errors import ClientError, ProofInvalid, RequestFailed
from clients.exchange import Procedure, Reply, get
from clients.history import ancestry, verify_ancestor
from clients.session import Session
from clients.verify import ANCESTORS_MAX
from consensus.blocks import HEADER_SIZE_MAX, Header
from consensus.errors import ConsensusError
from consensus.light import CHANGES_MAX

__all__ = ["catch_up", "changes_after", "following"]

T = TypeVar("T")

_HEADER = re.compile(rb'"header": ?"([0-9a-f]{2,%d})"' % (2 * HEADER_SIZE_MAX))


def following(session: Session, procedure: Procedure[T]) -> Procedure[T]:
    """The same procedure, whose session follows the changes of the authorities that its answers tell of."""
    step = partial(next, procedure)
    while True:
        try:
            call = step()
        except StopIteration as end:
            result: T = end.value
            return result
        try:
            reply = yield call
            yield from _prepared(session, reply)
            step = partial(procedure.send, reply)
        except ClientError as error:
            step = partial(procedure.throw, error)


def catch_up(session: Session) -> Procedure[None]:
    """Fetch and verify the changes after those that the session has followed. Raises `ProofInvalid`.

    All of them or none: changes that do not lead through the session's checkpoints are not believed.
    """
    trust = session.trust
    trust = trust.following((yield from changes_after(trust.reigns[-1].from_height - 1)))
    trust.whole()
    session.believe(trust)


def changes_after(height: int) -> Procedure[list[bytes]]:
    """All changes of the authorities after this height (0: since genesis), to verify. Raises `ProofInvalid`."""
    found: list[bytes] = []
    after: int | None = height
    while after is not None:
        answer = yield from get(f"/v1/authorities/changes?after={after}")
        changes, following = answer.get("changes"), answer.get("next")
        if not isinstance(changes, list) or (following is not None and type(following) is not int):
            raise ProofInvalid("changes: a list, and the height where it goes on, are expected")
        found += map(_bytes, changes)
        if len(found) > CHANGES_MAX or (following is not None and following <= after):
            raise ProofInvalid("changes: the list does not end")
        after = following
    return found


def _prepared(session: Session, reply: Reply) -> Procedure[None]:
    """Know all that it takes to verify the headers of an answer. Raises `ProofInvalid`."""
    headers = _headers(reply.body)
    if not all(session.trust.knows(header) for header in headers):
        yield from catch_up(session)
    older = sorted({header.height for header in headers if session.trust.awaits_proof(header)})
    if len(older) > ANCESTORS_MAX:
        raise ProofInvalid(f"the answer shows {len(older)} blocks that are older than the checkpoints")
    for height in older:
        yield from _prove(session, height)


def _prove(session: Session, height: int) -> Procedure[None]:
    """Fetch the proof that a header is in the history of the newest checkpoint's. Raises `ProofInvalid`."""
    newest = session.trust.newest_checkpoint
    if newest is None:
        return
    reply = yield ancestry(height, newest.height)
    try:
        answer = reply.json()
    except RequestFailed as error:  # not to be taken for the answer to what the procedure asked
        raise ProofInvalid(f"block {height} is older than the checkpoints, and not proved here: {error}") from error
    session.believe(session.trust.proving(verify_ancestor(newest.header, height, answer)))


def _headers(body: bytes) -> list[Header]:
    """The headers in an answer; what is none is for the procedure to refuse."""
    found: list[Header] = []
    for text in set(_HEADER.findall(body)):
        try:
            found.append(Header.decode(bytes.fromhex(text.decode())))
        except (ConsensusError, ValueError):
            continue
    return found


def _bytes(change: object) -> bytes:
    try:
        return bytes.fromhex(change) if isinstance(change, str) else b""
    except ValueError as error:
        raise ProofInvalid("changes: hexadecimal text is expected") from error
