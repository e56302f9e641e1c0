"""The stage of the clients' tests: the shared network of four real nodes."""

from __future__ import annotations

import pytest

from clients import transport
from tests.cast import Cast
from tests.clients.stage import Stage, admit, newcomer


@pytest.fixture(autouse=True)
def impatient(monkeypatch: pytest.MonkeyPatch) -> None:
    """The rounds through the nodes follow one another quickly."""
    monkeypatch.setattr(transport, "BACKOFF_S", 0.01)


@pytest.fixture
def stage(cast: Cast) -> Stage:
    """Blocking clients."""
    return Stage(cast)


@pytest.fixture
def asyncio_stage(cast: Cast) -> Stage:
    """Asyncio clients, called like blocking ones."""
    return Stage(cast, "asyncio")


@pytest.fixture(scope="session")
def supervisor(cast: Cast) -> str:
    """The party id of a regulator, admitted by the authorities."""
    party = newcomer("regulator")
    admit(Stage(cast), [party])
    return party.id
