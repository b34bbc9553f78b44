"""Counters for Prometheus, summed over all processes of the service.

Names end in their unit, as https://prometheus.io/docs/practices/naming/ asks. With several processes
``PROMETHEUS_MULTIPROC_DIR`` names a folder that they share; the supervisor makes it.
"""

from __future__ import annotations

import os

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, generate_latest
from prometheus_client.multiprocess import MultiProcessCollector, mark_process_dead

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
MEDIA_TYPE = "text/plain; version=0.0.4; charset=utf-8"


class Metrics:
    """What one process counts.

    Args:
        registry: where the counters are kept; a new one by default, so that two applications in one process
            (as in tests) do not meet.
    """

    def __init__(self, registry: CollectorRegistry | None = None) -> None:
        self._registry = registry or CollectorRegistry()
        self._requests = Counter(
            "leafsight_requests", "Requests answered.", ["method", "route", "status"], registry=self._registry
        )
        self._seconds = Histogram(
            "leafsight_request_seconds",
            "Time to answer.",
            ["route"],
            buckets=SECONDS,
            registry=self._registry,
        )
        self._verdicts = Counter(
            "leafsight_verdicts", "Verdicts given.", ["verdict"], registry=self._registry
        )
        self._refusals = Counter(
            "leafsight_refusals", "Requests refused before work.", ["reason"], registry=self._registry
        )
        self._waited = Histogram(
            "leafsight_queue_seconds",
            "Time in the queue before inference.",
            buckets=SECONDS,
            registry=self._registry,
        )
        self._waiting = Gauge(
            "leafsight_queue_photographs",
            "Photographs waiting or being diagnosed.",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self._unrecorded = Counter(
            "leafsight_predictions_unrecorded",
            "Answers that the database could not keep.",
            registry=self._registry,
        )
        self._swaps = Counter("leafsight_model_swaps", "Models taken into service.", registry=self._registry)

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def verdict(self, verdict: str) -> None:
        """One diagnosed photograph."""
        self._verdicts.labels(verdict).inc()

    def refused(self, reason: str) -> None:
        """One request that was refused before any work."""
        self._refusals.labels(reason).inc()

    def waited(self, seconds: float) -> None:
        """How long one request stood in the queue."""
        self._waited.observe(seconds)

    def waiting(self, photographs: int) -> None:
        """How many photographs wait or are being diagnosed in this process."""
        self._waiting.set(photographs)

    def unrecorded(self, photographs: int) -> None:
        """Answers that were given but could not be kept."""
        self._unrecorded.inc(photographs)

    def swapped(self) -> None:
        """Another model was taken into service."""
        self._swaps.inc()

    def text(self) -> bytes:
        """All counters, of all processes, as Prometheus reads them."""
        if "PROMETHEUS_MULTIPROC_DIR" not in os.environ:
            return generate_latest(self._registry)
        together = CollectorRegistry()
        MultiProcessCollector(together)  # type: ignore[no-untyped-call]
        return generate_latest(together)


def forget_process(process_id: int) -> None:
    """A process that has ended waits for nothing any more; its counts stay."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        mark_process_dead(process_id)  # type: ignore[no-untyped-call]
