"""A draft of several signers, offline: what is signed is what was agreed, and can still be sent."""

from __future__ import annotations

import time
from pathlib import Path

import pytest

from clients.cli.countersigning import anything, countersigned
from clients.drafts import draft_to_json
from clients.errors import ClientError
from clients.session import compose
from registry.transactions.claims import Release
from tests.registry.world import genesis, key_of

FIRST, SECOND = key_of("F_CN"), key_of("F_SG")


def drafted(path: Path) -> Path:
    """A draft of two, with the first one's signature."""
    draft = compose(genesis(), [Release(bytes(32))], signers=[FIRST.public_key, SECOND.public_key])
    path.write_text(draft_to_json(draft, {FIRST.public_key: draft.sign(genesis(), FIRST)}))
    return path


def test_the_second_signature_goes_under_the_same_payload(tmp_path: Path) -> None:
    settings = {"signer": SECOND, "genesis": genesis()}
    draft, signatures = countersigned(drafted(tmp_path / "draft.json"), settings, anything, "a draft")
    assert draft.sealed(genesis(), signatures).operations == 1
    with pytest.raises(ClientError, match="is not a release"):
        countersigned(tmp_path / "draft.json", settings, lambda mode, operations: False, "a release")


def test_a_draft_that_can_no_longer_be_sent_is_not_signed(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    hours_ago = time.time_ns() - 3 * 3_600_000_000_000
    with monkeypatch.context() as past:
        past.setattr("clients.session.time.time_ns", lambda: hours_ago)
        path = drafted(tmp_path / "draft.json")
    with pytest.raises(ClientError, match=r"expired at 20.*nothing was signed"):
        countersigned(path, {"signer": SECOND, "genesis": genesis()}, anything, "a draft")
