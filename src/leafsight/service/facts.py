"""What the database knows of learning and of the model, as figures for Prometheus.

Enters: the database and the model in service. Leaves: figures that are the same whichever process is asked,
so they are looked up, not counted. It does not know HTTP.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import TYPE_CHECKING, Any

from prometheus_client import CollectorRegistry, Metric, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from leafsight.monitoring import alerts_now, drift_now, watch_now
from leafsight.service.clerk_bell import KINDS, TRAINED

if TYPE_CHECKING:
    from leafsight.state import State

CONTRIBUTION_STATES = ("waiting", "accepted", "rejected")
DRIFT_STATES = ("unknown", "too_few", "none", "drift")
WATCH_STATES = ("none", "watching", "passed", "rolled_back")
RETRAINING_STATES = ("idle", "queued", "running")
ENDED = ("done", "failed", "cancelled")
RETRAINING = "retraining"
DAY_MS = 86_400_000


def looked_up(
    state: State, *, model: Mapping[str, Any], promoted_ms: int | None, shadow: str | None, now_ms: int
) -> list[Metric]:
    """The figures.

    Args:
        state: the database.
        model: ``id`` and ``name`` of the model in service.
        promoted_ms: since when it serves; None when it always did.
        shadow: hash of the model in the shadow, or None.
        now_ms: the clock.

    Raises:
        StateBusyError, StateError: the database does not answer.
    """
    return [
        _gauge("leafsight_state_up", "1 while the database answers.", [((), 1.0)]),
        _gauge(
            "leafsight_model_info", "1 for the model in service.", [((model["id"], model["name"]), 1.0)],
            "model", "name",
        ),
        _gauge(
            "leafsight_model_promoted_seconds",
            "When the model in service was promoted, seconds since 1970; 0 for one that never was.",
            [((), (promoted_ms or 0) / 1000)],
        ),
        *_jobs(state),
        *_learning(state),
        *_drift(drift_now(state)),
        *_watch(watch_now(state)),
        *_shadow(state, shadow, now_ms),
        _gauge("leafsight_alerts_waiting", "Alerts not sent yet.", [((), alerts_now(state)["waiting"])]),
    ]  # fmt: skip


def facts_text(families: Sequence[Metric]) -> bytes:
    """The figures as Prometheus reads them."""
    together = CollectorRegistry()
    together.register(_Given(families))
    return generate_latest(together)


def no_facts() -> bytes:
    """What is said while the database does not answer."""
    return facts_text([_gauge("leafsight_state_up", "1 while the database answers.", [((), 0.0)])])


class _Given(Collector):
    def __init__(self, families: Sequence[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _jobs(state: State) -> Iterator[Metric]:
    """Of every kind that there is, also where there are none: an alert has to see the zero."""
    queues = state.claims.queues()
    kinds = sorted({*KINDS, *TRAINED, *queues})
    none = (0, 0)
    counts = {kind: (one.waiting, one.running) if (one := queues.get(kind)) else none for kind in kinds}
    for place, name, words in (
        (0, "leafsight_jobs_waiting", "Jobs that nobody works on, by kind."),
        (1, "leafsight_jobs_running", "Jobs that somebody works on, by kind."),
    ):
        yield _gauge(name, words, [((kind,), float(both[place])) for kind, both in counts.items()], "kind")


def _learning(state: State) -> Iterator[Metric]:
    counted = state.contributions.counts()
    states = [((one,), float(counted["states"].get(one, 0))) for one in CONTRIBUTION_STATES]
    yield _gauge("leafsight_contributions", "Contributions, by state.", states, "state")
    yield _gauge(
        "leafsight_contributions_doubtful",
        "Contributions that wait with a finding.",
        [((), float(counted["doubtful"]))],
    )
    jobs = state.jobs.page(None, 20, kind=RETRAINING).records
    at_work = {job.state for job in jobs}
    present = next((one for one in ("running", "queued") if one in at_work), "idle")
    ended = next((job for job in jobs if job.state in ENDED), None)
    yield _one_of("leafsight_retraining_state", "1 for what retraining is at.", RETRAINING_STATES, present)
    yield _one_of(
        "leafsight_retraining_last_state",
        "1 for how the last retraining ended.",
        ENDED,
        "" if ended is None else ended.state,
    )
    failed_gate = ended is not None and (ended.result or {}).get("gate", {}).get("passed") is False
    yield _gauge(
        "leafsight_retraining_gate_failed",
        "1 when the challenger of the last retraining did not hold the gate.",
        [((), float(failed_gate))],
    )


def _drift(found: Mapping[str, Any]) -> Iterator[Metric]:
    yield _one_of("leafsight_drift_state", "1 for what the last look found.", DRIFT_STATES, found["state"])
    measures = [
        (str(window["photographs"]), one) for window in found["windows"] for one in window["measures"]
    ]
    for name, key in (("leafsight_drift_value", "value"), ("leafsight_drift_limit", "limit")):
        values = [((one["name"], size), float(one[key])) for size, one in measures]
        words = f"{key.title()} of each measure, by photographs of the window."
        yield _gauge(name, words, values, "measure", "window")
    at = [((), found["at_ms"] / 1000)] if "at_ms" in found else []
    yield _gauge("leafsight_drift_look_seconds", "When the last look was, seconds since 1970.", at)


def _watch(found: Mapping[str, Any]) -> Iterator[Metric]:
    yield _one_of("leafsight_watch_state", "1 for where the watch is.", WATCH_STATES, found["state"])
    values = [
        ((one["name"], which), float(one[which]))
        for one in found.get("measures", [])
        for which in ("before", "now")
        if one[which] is not None
    ]
    words = "What is compared after a promotion: shares of the former model and of the new one."
    yield _gauge("leafsight_watch_share", words, values, "measure", "which")


def _shadow(state: State, shadow: str | None, now_ms: int) -> Iterator[Metric]:
    found = None if shadow is None else state.shadows.summary(shadow, now_ms - DAY_MS)
    compared = 0 if found is None else found.compared
    yield _gauge(
        "leafsight_shadow_photographs",
        "Photographs of the last day that both the model in service and the one in the shadow answered.",
        [((), float(compared))],
    )
    share = [((), 1.0 - found.same / compared)] if found is not None and compared else []
    words = "Share of them with another verdict or another class."
    yield _gauge("leafsight_shadow_disagreement_ratio", words, share)


def _one_of(name: str, words: str, states: Sequence[str], present: str) -> GaugeMetricFamily:
    return _gauge(name, words, [((one,), float(one == present)) for one in states], "state")


def _gauge(
    name: str, words: str, values: Sequence[tuple[tuple[str, ...], float]], *labels: str
) -> GaugeMetricFamily:
    family = GaugeMetricFamily(name, words, labels=list(labels))
    for named, value in values:
        family.add_metric(list(named), value)
    return family
