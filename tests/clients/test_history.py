"""Old headers and checkpoints over HTTP, from the shared network of real nodes."""

from __future__ import annotations

from clients.checkpoints import checked
from clients.history import ancestor
from tests.clients.stage import Stage


def test_any_old_header_is_proved_by_the_newest(stage: Stage) -> None:
    with stage.financier("f-cn") as client:
        first = client.call(ancestor, 1)
        assert first.height == 1
        assert first.parent == client.genesis.id
        assert client.call(checked) == ()
