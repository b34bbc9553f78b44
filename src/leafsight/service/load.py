"""How much there is to do, how fast it is done: now, in the last minute, over the last quarter of an hour.

Enters: the counters of all processes, looked at every ten seconds. Leaves: differences between two looks, as
rates and quantiles. Every process looks for itself and finds the same, so that any of them can answer, with a
history already when somebody begins to watch. It does not know what is counted, nor who asks.
"""

from __future__ import annotations

import os
import time
from collections import defaultdict, deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from itertools import pairwise
from pathlib import Path
from typing import Any

from leafsight.service.metrics import Metrics

LOOK_S = 10.0
SERIES = 90
WINDOW_S = 60.0
QUANTILES = {"p50": 0.5, "p95": 0.95, "p99": 0.99}
WATCHING = {"/v1/load", "/v1/insight"}
"""Looking at the load is none."""
REFUSED = {"429", "503"}


@dataclass(slots=True)
class Totals:
    """All counters at one moment.

    Attributes:
        at_s: of a clock that never goes back.
        at_ms: of the clock on the wall.
        requests: answered, but those that only watch, by status.
        photographs: that got a verdict.
        refused: requests refused before work, by reason.
        predict: cumulative counts of the latency of diagnoses, by upper bound in seconds.
        waiting: photographs in queues.
        in_flight: requests being answered.
        memory: bytes of each process, by its place in the system.
        models: hash and name of the model of each process.
        started_s: of the service, seconds since 1970.
    """

    at_s: float
    at_ms: int
    requests: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    photographs: float = 0.0
    refused: defaultdict[str, float] = field(default_factory=lambda: defaultdict(float))
    predict: dict[float, float] = field(default_factory=dict)
    waiting: float = 0.0
    in_flight: float = 0.0
    memory: dict[str, float] = field(default_factory=dict)
    models: dict[str, tuple[str, str]] = field(default_factory=dict)
    started_s: float = 0.0

    def read(self, name: str, labels: Mapping[str, str], value: float) -> None:
        """Take one sample of the counters."""
        if name == "leafsight_requests_total" and labels["route"] not in WATCHING:
            if labels["route"].startswith("/v1/"):
                self.requests[labels["status"]] += value
        elif name == "leafsight_verdicts_total":
            self.photographs += value
        elif name == "leafsight_refusals_total":
            self.refused[labels["reason"]] += value
        elif name == "leafsight_predict_seconds_bucket":
            self.predict[float(labels["le"])] = value
        else:
            self._read_process(name, labels, value)

    def _read_process(self, name: str, labels: Mapping[str, str], value: float) -> None:
        pid = labels.get("pid", "")
        if name == "leafsight_queue_photographs":
            self.waiting = value
        elif name == "leafsight_requests_in_flight":
            self.in_flight = value
        elif name == "leafsight_process_memory_bytes":
            self.memory[pid] = value
        elif name == "leafsight_process_model" and value:
            self.models[pid] = (labels["model"], labels["name"])
        elif name == "leafsight_start_seconds":
            self.started_s = value

    @property
    def counted(self) -> dict[str, float]:
        """What rates are made of."""
        requests = self.requests
        refused = sum(requests[status] for status in REFUSED & requests.keys())
        failed = sum(many for status, many in requests.items() if status.startswith("5")) - requests.get(
            "503", 0
        )
        return {
            "requests": sum(requests.values()),
            "photographs": self.photographs,
            "refused": refused,
            "failed": failed,
        }


class Load:
    """The looks of one process at the counters of all.

    Args:
        metrics: the counters.
        now: seconds of a clock that never goes back.
        now_ms: the clock on the wall.
    """

    def __init__(
        self,
        metrics: Metrics,
        now: Callable[[], float] = time.monotonic,
        now_ms: Callable[[], int] = lambda: time.time_ns() // 1_000_000,
    ) -> None:
        self._metrics, self._now, self._now_ms = metrics, now, now_ms
        self._looks: deque[Totals] = deque(maxlen=SERIES + 1)

    def look(self) -> Totals:
        """Read the counters, and remember them if the last look is some time ago. Reads files."""
        totals = Totals(self._now(), self._now_ms())
        for family in self._metrics.families():
            for sample in family.samples:
                totals.read(sample.name, sample.labels, sample.value)
        if not self._looks or totals.at_s - self._looks[-1].at_s >= LOOK_S * 0.9:
            self._looks.append(totals)
        return totals

    def answer(self) -> dict[str, Any]:
        """Load now, with its history. Reads files."""
        newest = self.look()
        looks = list(self._looks)
        before = next((one for one in reversed(looks) if newest.at_s - one.at_s >= WINDOW_S), looks[0])
        counted = newest.counted
        return {
            "at_ms": newest.at_ms,
            "uptime_s": round(max(0.0, newest.at_ms / 1000 - newest.started_s), 1),
            **_between(before, newest),
            "waiting_photographs": int(newest.waiting),
            "in_flight": int(newest.in_flight),
            "totals": {name: int(many) for name, many in counted.items()},
            "refused_by_reason": {name: int(many) for name, many in sorted(newest.refused.items())},
            "processes": _processes(newest),
            "series": [
                {"at_ms": later.at_ms, **_between(earlier, later)} for earlier, later in pairwise(looks)
            ],
        }


def _between(earlier: Totals, later: Totals) -> dict[str, Any]:
    """Rates a second and quantiles of the latency of what was answered between two looks."""
    seconds = later.at_s - earlier.at_s
    first, last = earlier.counted, later.counted
    rates = {name: max(0.0, last[name] - first[name]) / seconds if seconds > 0 else 0.0 for name in last}
    grown = {bound: many - earlier.predict.get(bound, 0.0) for bound, many in later.predict.items()}
    return {
        "window_s": round(seconds, 1),
        "per_second": {name: round(rate, 3) for name, rate in rates.items()},
        "latency_ms": quantiles_ms(grown),
    }


def quantiles_ms(cumulative: Mapping[float, float]) -> dict[str, float]:
    """Quantiles from cumulative counts by upper bound in seconds; empty when nothing was counted.

    Between two bounds times are taken as evenly spread, and the last, open one counts as its lower bound: as
    ``histogram_quantile`` of Prometheus does (https://prometheus.io/docs/prometheus/latest/querying/functions/).
    """
    bounds = sorted(cumulative)
    many = cumulative[bounds[-1]] if bounds else 0.0
    if many <= 0:
        return {}
    return {
        name: round(_quantile(cumulative, bounds, share * many) * 1e3, 2) for name, share in QUANTILES.items()
    }


def _quantile(cumulative: Mapping[float, float], bounds: list[float], rank: float) -> float:
    lower, below = 0.0, 0.0
    for bound in bounds:
        here = cumulative[bound]
        if here >= rank:
            if bound == float("inf"):
                return lower
            return lower + (bound - lower) * (rank - below) / max(here - below, 1e-12)
        lower, below = bound, here
    return lower


def _processes(totals: Totals) -> list[dict[str, Any]]:
    """By number, not by the system's: that is nobody's business."""
    places = sorted(totals.models.keys() | totals.memory.keys())
    answered = []
    for number, pid in enumerate(places, start=1):
        model, name = totals.models.get(pid, ("", ""))
        memory = totals.memory.get(pid)
        answered.append(
            {
                "number": number,
                "memory_bytes": None if memory is None else int(memory),
                "model": model,
                "model_name": name,
            }
        )
    return answered


def resident_bytes() -> int | None:
    """Resident memory of this process; None where the system does not tell."""
    try:
        return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")
    except (OSError, ValueError, IndexError):
        return None
