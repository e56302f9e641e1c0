"""A pool drawn through the SDK: receivables registered beforehand, each a funded claim of the financier afterwards."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any

from bench_load import claims_on, registrations, sign_each
from demo_cast import AUTHORITIES, demo_key

from clients import pools
from clients.base import Client
from clients.pools import Drawing
from node.devnet import Devnet

__all__ = ["pool_drawn"]

BATCH = 100  # receivables under one signature, when they are registered


def pool_drawn(devnet: Devnet, *, seller: str, count: int, load: Callable[..., Any]) -> dict[str, Any]:
    """How long `count` drawings take, from the first signature to the last verified receipt."""
    financier = AUTHORITIES[0][1]
    key = demo_key(financier)
    listed = sign_each(devnet.genesis, [demo_key(seller)], registrations(count), per_signature=BATCH)
    load("receivables of the pool", listed)
    urls = [devnet.url(name) for name, *_ in AUTHORITIES]

    def countersign(draft: Any) -> dict[bytes, bytes]:
        return {key.public_key: draft.sign(devnet.genesis, key)}

    with Client(devnet.genesis, urls=urls, party=seller, signer=demo_key(seller)) as client:
        terms = pools.opening(seller=seller, financier=financier, terms=bytes(32), rules=bytes(32))
        opened = client.call(pools.agree, financier, terms, countersign=countersign)
        facility = client.call(pools.facility, opened.subject)
        started = time.monotonic()
        drawings: Sequence[Any] = client.call(
            pools.draw, facility, [Drawing(id_) for id_ in claims_on(listed)], countersign=countersign
        )
        seconds = time.monotonic() - started
    if len(drawings) != count or not all(isinstance(one, pools.Drawn) for one in drawings):
        raise RuntimeError("not every receivable was drawn")
    return {"drawings": count, "seconds": round(seconds, 1), "per_s": round(count / seconds, 1)}
