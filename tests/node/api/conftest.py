"""One node for all tests of the API; those that need other limits start their own."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from node.clock import clock_ms
from registry.money import WHOLE
from registry.transactions.claims import Offer, Reserve
from registry.transactions.receivables import Confirm
from tests.node.api.live import Live, running
from tests.registry.world import invoice, mark, name_id, salt_of


@pytest.fixture(scope="session")
def live(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    with running(tmp_path_factory.mktemp("api")) as node:
        yield node


@dataclass(frozen=True)
class Story:
    """EXP_CN registered `receivable`, IMP_DE confirmed it; it was offered to F_SG (reserved) and to F_DE."""

    receivable: str
    reserved: str
    offered: str


@pytest.fixture(scope="session")
def story(live: Live) -> Story:
    (registered,) = live.do("EXP_CN", invoice("story"))
    assert registered.done, registered
    (confirmed,) = live.do(
        "IMP_DE",
        Confirm(registered.subject, salt_of("story"), name_id("IMP_DE"), mark("commitment story"), WHOLE, mark("text")),
    )
    assert confirmed.done, confirmed
    until_ms = clock_ms() + 3_600_000
    claims = []
    for financier in ("F_SG", "F_DE"):
        (offered,) = live.do(
            "EXP_CN", Offer(registered.subject, name_id(financier), WHOLE // 2, mark("terms"), until_ms)
        )
        assert offered.done, offered
        claims.append(offered.subject)
    (reserved,) = live.do("F_SG", Reserve(claims[0], 600_000))
    assert reserved.done, reserved
    return Story(registered.subject.hex(), claims[0].hex(), claims[1].hex())
