"""Sharing an amount out in proportion, to the last minor unit."""

from __future__ import annotations

from collections.abc import Sequence

__all__ = ["pro_rata"]


def pro_rata(whole: int, weights: Sequence[int]) -> tuple[int, ...] | None:
    """`whole` minor units in proportion to `weights`, exactly: the parts add up to it. None if all weights are zero.

    Largest remainder (Hamilton): each gets its quota rounded down, and what is left goes, one unit each, to the largest
    remainders. Of equal remainders the earlier weight wins; callers give the weights in the total order of the claims.
    """
    assert whole >= 0, whole
    assert all(weight >= 0 for weight in weights), weights
    total = sum(weights)
    if total == 0:
        return None
    parts = [whole * weight // total for weight in weights]
    by_remainder = sorted(range(len(weights)), key=lambda index: (-(whole * weights[index] % total), index))
    for index in by_remainder[: whole - sum(parts)]:
        parts[index] += 1
    return tuple(parts)
