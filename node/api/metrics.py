"""What a node tells Prometheus: how far it is, how fast things become final, what is asked and refused.

Everything lies in a registry of its own, so that several nodes can live in one process, as they do in tests. Values
that the node knows anyway are read when they are asked for.
"""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections import OrderedDict
from collections.abc import Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from node.chain import Committed
from node.intake import Submitted
from node.service import NodeService, PeerReport, Status

__all__ = ["CONTENT_TYPE", "MeasureRequests", "Metrics"]

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
UNKNOWN_ROUTE = "(unknown)"  # paths that callers make up must not become labels
SUBMITTED_MAX = 100_000  # transactions whose time of submission is remembered
FINALITY_S = (0.025, 0.05, 0.075, 0.1, 0.15, 0.2, 0.3, 0.5, 0.75, 1.0, 2.0, 5.0, 10.0, 30.0)
REQUEST_S = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 1.0, 5.0, 30.0)


class Metrics:
    """The node's counters. All methods are called on the event loop."""

    def __init__(self, service: NodeService) -> None:
        self._registry = registry = CollectorRegistry()
        self._submitted: OrderedDict[bytes, float] = OrderedDict()
        self._finality = Histogram(
            "nemodat_finality_seconds",
            "From the acceptance of a transaction by this API until it is final here",
            buckets=FINALITY_S,
            registry=registry,
        )
        self._requests = Counter(
            "nemodat_requests_total", "Requests answered", ("method", "route", "status"), registry=registry
        )
        self._request_seconds = Histogram(
            "nemodat_request_seconds", "Time to answer", ("route",), buckets=REQUEST_S, registry=registry
        )
        self._refused = Counter("nemodat_refused_total", "Requests answered by a problem", ("code",), registry=registry)
        self._submissions = Counter(
            "nemodat_submissions_total", "Transactions submitted to this API, by what became of them", ("code",),
            registry=registry,
        )  # fmt: skip
        self._blocks = Counter("nemodat_blocks_total", "Blocks committed since the start", registry=registry)
        self._transactions = Counter(
            "nemodat_transactions_total", "Transactions committed since the start", registry=registry
        )
        self._operations = Counter(
            "nemodat_operations_total", "Operations executed since the start, by reason code", ("code",),
            registry=registry,
        )  # fmt: skip
        registry.register(_Reading(service))
        service.ledger.listen(self.committed)

    def answered(self, method: str, route: str, status: int, seconds: float) -> None:
        """A request was answered."""
        self._requests.labels(method if method in _METHODS else "other", route, str(status)).inc()
        self._request_seconds.labels(route).observe(seconds)

    def refused(self, code: str) -> None:
        """A request was answered by a problem."""
        self._refused.labels(code).inc()

    def submitted(self, results: Sequence[Submitted]) -> None:
        """Transactions were submitted to the API."""
        accepted = [result for result in results if isinstance(result, bytes)]
        refused = [result.code for result in results if not isinstance(result, bytes)]
        now_s = time.monotonic()
        for id_ in accepted:
            self._submitted.setdefault(id_, now_s)
        while len(self._submitted) > SUBMITTED_MAX:
            self._submitted.popitem(last=False)
        if accepted:
            self._submissions.labels("accepted").inc(len(accepted))
        for code, count in Tally(refused).items():
            self._submissions.labels(code).inc(count)

    def committed(self, committed: Committed) -> None:
        """A block became final here."""
        self._blocks.inc()
        self._transactions.inc(len(committed.transactions))
        for code, count in Tally(receipt.code for receipt in committed.outcome.receipts).items():
            self._operations.labels(code).inc(count)
        if self._submitted:
            now_s = time.monotonic()
            for id_ in committed.transactions:
                since_s = self._submitted.pop(id_, None)
                if since_s is not None:
                    self._finality.observe(now_s - since_s)

    def exposition(self) -> bytes:
        """Everything, in Prometheus's text format."""
        return generate_latest(self._registry)


_METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "PATCH", "DELETE", "OPTIONS"})


class _Reading(Collector):
    """What the service knows, read when Prometheus asks."""

    def __init__(self, service: NodeService) -> None:
        self._service = service

    def collect(self) -> Iterator[Metric]:
        status: Status = self._service.status()
        yield _gauge("nemodat_height", "Height of the newest final block", status["height"])
        yield _gauge("nemodat_tip_age_seconds", "Time since the newest final block", status["tip_age_ms"] / 1000)
        yield _gauge("nemodat_lag_blocks", "Heights behind the network", status["lag"])
        yield _gauge("nemodat_mempool_transactions", "Transactions that wait here", status["mempool"])
        yield _gauge("nemodat_mempool_bytes", "Their size", status["mempool_bytes"])
        yield _gauge("nemodat_gossip_dropped", "Gossiped transactions dropped", status["gossip_dropped"])
        yield _gauge("nemodat_subscribers", "Listeners to events", self._service.hub.subscribers)
        yield _gauge("nemodat_ready", "Whether clients are well served here", int(self._service.ready()))
        yield _gauge("nemodat_voting", "Whether this node votes", int(status["voting"]))
        yield _gauge("nemodat_alarm", "Whether the node needs its operator", int(bool(status["alarm"])))
        yield _gauge("nemodat_accused", "Authorities with evidence against them", len(status["accused"]))
        if status["view"] is not None:
            yield _gauge("nemodat_view", "The consensus engine's view", status["view"])
        protocol = status["protocol"]
        yield _gauge("nemodat_protocol_version", "Protocol version of the next block", protocol["version"])
        yield _gauge("nemodat_protocol_known", "The newest that this software knows", protocol["known"])
        scheduled = protocol["next_version"] or protocol["version"]
        yield _gauge("nemodat_protocol_scheduled", "The newest that is decided", scheduled)
        yield _gauge("nemodat_protocol_from_height", "Where it begins, 0 if none", protocol["from_height"] or 0)
        yield _gauge("nemodat_sync_blocks_per_second", "Blocks fetched a second", status["sync_blocks_per_s"])
        yield from _of_peers(status["peers"])
        peers = GaugeMetricFamily("nemodat_peers", "Connected members", labels=("role",))
        for role, count in Tally(peer["role"] for peer in status["peers"] if peer["connected"]).items():
            peers.add_metric((role,), count)
        yield peers


def _of_peers(reports: Sequence[PeerReport]) -> Iterator[Metric]:
    """Who is slow, who is behind, whose turns come to nothing."""
    trips = GaugeMetricFamily("nemodat_peer_round_trip_seconds", "To a member and back", labels=("peer",))
    heights = GaugeMetricFamily("nemodat_peer_height", "The height that a member claims", labels=("peer",))
    votes = GaugeMetricFamily(
        "nemodat_peer_votes_in_time", "Part of the latest certificates with its vote", labels=("peer",)
    )
    failed = CounterMetricFamily("nemodat_failed_views", "Views of this leader that a quorum gave up", labels=("peer",))
    for peer in reports:
        if peer["round_trip_ms"] is not None:
            trips.add_metric((peer["name"],), peer["round_trip_ms"] / 1000)
        if peer["height"] is not None:
            heights.add_metric((peer["name"],), peer["height"])
        if peer["votes_in_time"] is not None:
            votes.add_metric((peer["name"],), peer["votes_in_time"])
        if peer["role"] == "authority":
            failed.add_metric((peer["name"],), peer["failed_views"])
    yield from (trips, heights, votes, failed)


def _gauge(name: str, text: str, value: float) -> Metric:
    return GaugeMetricFamily(name, text, value=value)


class MeasureRequests:
    """ASGI middleware: counts what is answered by method, route and status, and times it."""

    def __init__(self, app: ASGIApp, metrics: Metrics) -> None:
        self._app = app
        self._metrics = metrics

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one connection."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        started = time.perf_counter()

        async def measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                route = str(getattr(scope.get("route"), "path", UNKNOWN_ROUTE))
                self._metrics.answered(scope["method"], route, int(message["status"]), time.perf_counter() - started)
            await send(message)

        await self._app(scope, receive, measured)
