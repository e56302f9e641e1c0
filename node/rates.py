"""Token buckets: each caller may do so much per second, and save up a burst. Bounded, however many callers come."""

from __future__ import annotations

from collections import OrderedDict
from typing import NamedTuple

__all__ = ["Buckets"]


class _Bucket(NamedTuple):
    tokens: float
    at_s: float


class Buckets:
    """One bucket per name. Of more than `names_max` names, the one idle longest is forgotten: it was nearly full."""

    def __init__(self, *, per_s: float, burst: int, names_max: int) -> None:
        assert per_s > 0, "a rate"
        assert burst >= 1, "at least one token"
        self._per_s = per_s
        self._burst = float(burst)
        self._names_max = names_max
        self._buckets: OrderedDict[str, _Bucket] = OrderedDict()

    def __len__(self) -> int:
        return len(self._buckets)

    def wait_s(self, name: str, *, now_s: float) -> float:
        """Seconds until this name has a token; 0.0 if it has one now. Takes nothing."""
        return max(0.0, (1.0 - self._level(name, now_s)) / self._per_s)

    def take(self, name: str, *, now_s: float) -> float:
        """Take a token; 0.0 if there was one, else the seconds until there is one."""
        level = self._level(name, now_s)
        if level < 1.0:
            return (1.0 - level) / self._per_s
        self._put(name, level - 1.0, now_s)
        return 0.0

    def charge(self, name: str, tokens: float, *, now_s: float) -> None:
        """Take `tokens` for what was let in already, on credit of up to a burst if need be."""
        self._put(name, max(-self._burst, self._level(name, now_s) - tokens), now_s)

    def _put(self, name: str, tokens: float, now_s: float) -> None:
        self._buckets[name] = _Bucket(tokens, now_s)
        self._buckets.move_to_end(name)
        if len(self._buckets) > self._names_max:
            self._buckets.popitem(last=False)

    def _level(self, name: str, now_s: float) -> float:
        bucket = self._buckets.get(name)
        if bucket is None:
            return self._burst
        return min(self._burst, bucket.tokens + max(0.0, now_s - bucket.at_s) * self._per_s)
