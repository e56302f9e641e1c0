"""Old headers and checkpoints over HTTP, from the shared network of real nodes."""

from __future__ import annotations

from clients.checkpoints import checked
from clients.history import ancestor
from tests.clients.stage import Stage


def test_any_old_header_is_proved_by_the_newest(stage: Stage) -> None:
    with stage.financier("f-cn") as client:
        first, second = client.call(ancestor, 1), client.call(ancestor, 2)
        assert second.parent == first.hash
        assert first.parent == client.genesis.id
        assert client.call(checked) == ()
