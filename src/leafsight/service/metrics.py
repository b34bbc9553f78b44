"""Counters for Prometheus, summed over all processes of the service.

Names end in their unit, as https://prometheus.io/docs/practices/naming/ asks. With several processes
``PROMETHEUS_MULTIPROC_DIR`` names a folder that they share; the supervisor makes it, and says which process
has ended (``ended_counts``).
"""

from __future__ import annotations

import os
import time
from collections.abc import Iterable
from pathlib import Path

from prometheus_client import CollectorRegistry, Counter, Gauge, Histogram, Metric, generate_latest
from prometheus_client.registry import Collector

from leafsight.service.ended_counts import fold_process, read_counts

FOLDER = "PROMETHEUS_MULTIPROC_DIR"
TICKS = 2.0**20
"""Parts of a second in which times are summed up."""

SECONDS = (0.005, 0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0)
PREDICT_SECONDS = (
    0.005, 0.0075, 0.01, 0.015, 0.02, 0.03, 0.04, 0.06, 0.08, 0.12, 0.16, 0.25, 0.35, 0.5, 0.75, 1.0, 1.5,
    2.0, 3.0, 5.0, 10.0, 30.0,
)  # fmt: skip
"""Closer together, for quantiles: within half of the value everywhere."""
PREDICT = "/v1/predict"
PROBABILITIES = (0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, 0.8, 0.9, 0.95, 0.99, 1.0)
MOST_CLASSES, OTHER = 200, "(other)"
"""Classes that are counted by name in one process; a model may know a thousand, and Prometheus keeps a series
for each of them, for ever."""
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
        self._handed_over = Counter(
            "leafsight_connections_handed_over",
            "Connections that went on at another process: its line was shorter, or this one ended.",
            registry=self._registry,
        )
        self._together = Histogram(
            "leafsight_batch_photographs",
            "Photographs taken from the queue and worked on together.",
            buckets=(1, 2, 4, 8, 16, 32),
            registry=self._registry,
        )
        self._pass_size = Gauge(
            "leafsight_batch_size_chosen",
            "Photographs in one pass of the network at most.",
            multiprocess_mode="livemax",
            registry=self._registry,
        )
        self._predict = Histogram(
            "leafsight_predict_seconds",
            "Time to answer requests for diagnoses; refused and failed ones are not among them.",
            buckets=PREDICT_SECONDS,
            registry=self._registry,
        )
        self._of_diagnoses()
        self._of_the_process()

    def _of_diagnoses(self) -> None:
        """What was said, and what a model in the shadow was asked."""
        self._classes: set[str] = set()
        self._diagnoses = Counter(
            "leafsight_diagnoses",
            "Diagnoses given, by class; those beyond the first 200 classes together.",
            ["class"],
            registry=self._registry,
        )
        self._confidence = Histogram(
            "leafsight_confidence",
            "Probability of the most probable class, whatever the verdict.",
            buckets=PROBABILITIES,
            registry=self._registry,
        )
        self._shadowed = Counter(
            "leafsight_shadow_answers",
            "Photographs that a model in the shadow was offered: answered, or dropped as there was no time.",
            ["outcome"],
            registry=self._registry,
        )

    def _of_the_process(self) -> None:
        """What each process says of itself; forgotten when it ends, but for the first start of all."""
        self._in_flight = Gauge(
            "leafsight_requests_in_flight",
            "Requests being answered.",
            multiprocess_mode="livesum",
            registry=self._registry,
        )
        self._memory = Gauge(
            "leafsight_process_memory_bytes",
            "Resident memory of each process; pages that processes share count in each.",
            multiprocess_mode="liveall",
            registry=self._registry,
        )
        self._model = Gauge(
            "leafsight_process_model",
            "1 for the model that a process answers with.",
            ["model", "name"],
            multiprocess_mode="liveall",
            registry=self._registry,
        )
        self._started = Gauge(
            "leafsight_start_seconds",
            "When the service started, seconds since 1970.",
            multiprocess_mode="min",
            registry=self._registry,
        )
        self._started.set(time.time())
        self._held = ("", "")

    def request(self, method: str, route: str, status: int, seconds: float) -> None:
        """One answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(_exact(seconds))
        if route == PREDICT and status < 400:
            self._predict.observe(_exact(seconds))

    def verdict(self, verdict: str, class_key: str | None = None, probability: float | None = None) -> None:
        """One diagnosed photograph: its verdict, its class if one was named, and the highest probability."""
        self._verdicts.labels(verdict).inc()
        if class_key is not None:
            if len(self._classes) < MOST_CLASSES:
                self._classes.add(class_key)
            self._diagnoses.labels(class_key if class_key in self._classes else OTHER).inc()
        if probability is not None:
            self._confidence.observe(_exact(probability))

    def shadowed(self, outcome: str, photographs: int = 1) -> None:
        """What became of photographs that a model in the shadow was offered."""
        self._shadowed.labels(outcome).inc(photographs)

    def refused(self, reason: str) -> None:
        """One request that was refused before any work."""
        self._refusals.labels(reason).inc()

    def waited(self, seconds: float) -> None:
        """How long one request stood in the queue."""
        self._waited.observe(_exact(seconds))

    def waiting(self, photographs: int) -> None:
        """How many photographs wait or are being diagnosed in this process."""
        self._waiting.set(photographs)

    def together(self, photographs: int) -> None:
        """How many photographs were taken from the queue together."""
        self._together.observe(photographs)

    def pass_size(self, photographs: int) -> None:
        """How many photographs go through the network at once."""
        self._pass_size.set(photographs)

    def unrecorded(self, photographs: int) -> None:
        """Answers that were given but could not be kept."""
        self._unrecorded.inc(photographs)

    def handed_over(self) -> None:
        """A connection went on at another process."""
        self._handed_over.inc()

    def swapped(self) -> None:
        """Another model was taken into service."""
        self._swaps.inc()

    def in_flight(self, requests: int) -> None:
        """How many requests this process is answering."""
        self._in_flight.set(requests)

    def process(self, memory_bytes: int | None, model: str, name: str) -> None:
        """What this process takes and answers with; told now and then."""
        if memory_bytes is not None:
            self._memory.set(memory_bytes)
        if self._held != (model, name):
            if self._held[0]:
                self._model.labels(*self._held).set(0)
            self._held = (model, name)
        self._model.labels(model, name).set(1)

    def text(self) -> bytes:
        """All counters, of all processes, as Prometheus reads them."""
        return generate_latest(self._all())

    def families(self) -> Iterable[Metric]:
        """The same as values; reads a file or more of each process."""
        return self._all().collect()

    def request_counts(self) -> dict[str, float]:
        """Requests for diagnoses since the start of this server: ``since``, ``answered``, ``failed``.

        Refused ones (429, 503) and those with a fault of their own are neither. Reads files.
        """
        found = {"since": 0.0, "answered": 0.0, "failed": 0.0}
        for family in self.families():
            for sample in family.samples:
                if sample.name == "leafsight_start_seconds":
                    found["since"] = sample.value
                elif sample.name == "leafsight_requests_total" and sample.labels["route"] == PREDICT:
                    status = sample.labels["status"]
                    failed = status.startswith("5") and status != "503"
                    if failed or status.startswith("2"):
                        found["answered"] += sample.value
                        found["failed"] += sample.value * failed
        return found

    def _all(self) -> CollectorRegistry:
        if FOLDER not in os.environ:
            return self._registry
        together = CollectorRegistry()
        together.register(_Together(Path(os.environ[FOLDER])))
        return together


class _Together(Collector):
    """The counters of all processes, as a source of the library."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def collect(self) -> Iterable[Metric]:
        return read_counts(self._folder)


def forget_process(process_id: int) -> None:
    """A process that has ended waits for nothing any more; its counts stay.

    Raises:
        StorageError: they stay in files of their own, because they cannot be put together now.
    """
    if FOLDER in os.environ:
        fold_process(Path(os.environ[FOLDER]), process_id)


def _exact(seconds: float) -> float:
    """To the microsecond, and such that sums are the same in whatever order they are made.

    Sums that are rounded differ by order in the last digit, and a total that goes back by one digit is a new
    beginning to Prometheus, which then counts all of it once more.
    """
    return round(seconds * TICKS) / TICKS
