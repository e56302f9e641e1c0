"""What authorities look at before they approve: no node is let in by a certificate that is none."""

from __future__ import annotations

from clients.authorities import is_usable
from node.certificates import make_certificate
from tests.node.network_of_nodes import forged_certificate, signing_key


def test_a_certificate_that_is_none_is_said_to_be_of_no_use() -> None:
    assert is_usable(make_certificate(bytes(32), "a node"))
    assert not is_usable(b"no certificate")
    assert not is_usable(forged_certificate(signing_key("somebody").public_key))
