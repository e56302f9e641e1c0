"""What every role's client shares: a session, a transport, and the reads that anyone with the right may do."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from types import TracebackType
from typing import Concatenate, ParamSpec, Self, TypeVar

from clients import reads
from clients.changes import following
from clients.exchange import Procedure
from clients.session import Session, resume
from clients.submission import Keeper, Submission
from clients.transport import AsyncTransport, Settings, Transport
from clients.verify import Final
from consensus.checkpoints import KeptCheckpoint
from registry.certificates import SearchCertificate
from registry.genesis import Genesis
from registry.keys import Signer
from registry.parties import Party
from registry.records import Claim, Receivable

__all__ = ["AsyncClient", "Client"]

P = ParamSpec("P")
T = TypeVar("T")


def _settings(urls: Sequence[str], signer: Signer, verify: bool | str) -> Settings:
    return Settings(urls=tuple(urls), signer=signer, verify=verify)


class Client:
    """Blocking base of the role clients. A context manager; everything it returns was verified against `genesis`.

    `urls` are nodes in order of preference, `party` the caller's party id and `signer` its signing key;
    `final_within_s` is how long a submission is waited for; `verify` is a CA file for nodes behind a private one.
    `checkpoints` (`clients.checkpoints.read_checkpoints`) guard against keys of authorities that left and have leaked.
    `keeper` keeps what is sent until its outcome is known, in case the process ends before.
    What is None was not found by the node, or is not for this party to see: that is the node's word.
    """

    def __init__(
        self,
        genesis: Genesis,
        *,
        urls: Sequence[str],
        party: str,
        signer: Signer,
        final_within_s: float = 60.0,
        verify: bool | str = True,
        checkpoints: Sequence[KeptCheckpoint] = (),
        keeper: Keeper | None = None,
    ) -> None:
        self._session = Session(
            genesis=genesis,
            party=party,
            signer=signer,
            final_within_s=final_within_s,
            checkpoints=tuple(checkpoints),
            keeper=keeper,
        )
        self._transport = Transport(_settings(urls, signer, verify))

    def receivable(self, receivable: bytes) -> Receivable | None:
        """The record of a receivable, proved."""
        return self._run(reads.receivable(self._session, receivable))

    def own_receivables(self) -> tuple[Receivable, ...]:
        """What this party registered, or answered for as the debtor, proved; whether it is all is the node's word."""
        return self._run(reads.own_receivables(self._session))

    def claim(self, claim: bytes) -> Claim | None:
        """The record of a claim, proved."""
        return self._run(reads.claim(self._session, claim))

    def party(self, party: str) -> Party | None:
        """The record of a party, proved."""
        return self._run(reads.party(self._session, party))

    def transaction(self, transaction_id: bytes, operations: int) -> Final | None:
        """The verified receipts of a transaction; None if it is not final."""
        return self._run(reads.transaction(self._session, transaction_id, operations))

    def resume(self, submission: Submission) -> Final:
        """Send again what an error left undecided (`ClientError.submission`). Raises `Refused` if a rule refused it.

        Harmless however often: it takes effect once.
        """
        return self._run(resume(self._session, submission))

    def certificate(self, number: str) -> SearchCertificate | None:
        """A search certificate that the node issued to this party before, verified again; None if it has none."""
        return self._run(reads.certificate(self._session, number))

    def call(
        self, procedure: Callable[Concatenate[Session, P], Procedure[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """Do a procedure of this package (its first argument is this client's session) and wait for its result.

        Example: client.call(reads.record, Proposal, proposal)
        """
        return self._run(procedure(self._session, *args, **kwargs))

    @property
    def genesis(self) -> Genesis:
        """What this client believes."""
        return self._session.genesis

    def make(self, function: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """What a function of this package makes for this client's session, such as a draft; nothing is sent.

        Example: client.make(forms.take_out, old, receivable, ...)
        """
        return function(self._session, *args, **kwargs)

    def close(self) -> None:
        """Closes the connections."""
        self._transport.close()

    def _run(self, procedure: Procedure[T]) -> T:
        return self._transport.run(following(self._session, procedure))

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


class AsyncClient:
    """The same for asyncio."""

    def __init__(
        self,
        genesis: Genesis,
        *,
        urls: Sequence[str],
        party: str,
        signer: Signer,
        final_within_s: float = 60.0,
        verify: bool | str = True,
        checkpoints: Sequence[KeptCheckpoint] = (),
        keeper: Keeper | None = None,
    ) -> None:
        self._session = Session(
            genesis=genesis,
            party=party,
            signer=signer,
            final_within_s=final_within_s,
            checkpoints=tuple(checkpoints),
            keeper=keeper,
        )
        self._transport = AsyncTransport(_settings(urls, signer, verify))

    async def receivable(self, receivable: bytes) -> Receivable | None:
        """As `Client.receivable`."""
        return await self._run(reads.receivable(self._session, receivable))

    async def own_receivables(self) -> tuple[Receivable, ...]:
        """As `Client.own_receivables`."""
        return await self._run(reads.own_receivables(self._session))

    async def claim(self, claim: bytes) -> Claim | None:
        """As `Client.claim`."""
        return await self._run(reads.claim(self._session, claim))

    async def party(self, party: str) -> Party | None:
        """As `Client.party`."""
        return await self._run(reads.party(self._session, party))

    async def transaction(self, transaction_id: bytes, operations: int) -> Final | None:
        """As `Client.transaction`."""
        return await self._run(reads.transaction(self._session, transaction_id, operations))

    async def resume(self, submission: Submission) -> Final:
        """As `Client.resume`."""
        return await self._run(resume(self._session, submission))

    async def certificate(self, number: str) -> SearchCertificate | None:
        """As `Client.certificate`."""
        return await self._run(reads.certificate(self._session, number))

    async def call(
        self, procedure: Callable[Concatenate[Session, P], Procedure[T]], /, *args: P.args, **kwargs: P.kwargs
    ) -> T:
        """As `Client.call`."""
        return await self._run(procedure(self._session, *args, **kwargs))

    @property
    def genesis(self) -> Genesis:
        """As `Client.genesis`."""
        return self._session.genesis

    def make(self, function: Callable[Concatenate[Session, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """As `Client.make`."""
        return function(self._session, *args, **kwargs)

    async def aclose(self) -> None:
        """Closes the connections."""
        await self._transport.aclose()

    async def _run(self, procedure: Procedure[T]) -> T:
        return await self._transport.run(following(self._session, procedure))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.aclose()
