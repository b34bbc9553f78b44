"""Hold the queueing model against a load study: what it foretells of each load, and what was measured.

    python -m benchmarks.scale.check --measured benchmarks/scale/measured.json --study docs/load/results.json

Enters: what a photograph costs (``demands.py``, measured one photograph at a time) and the results of
``leafsight loadtest``. Nothing of the study goes into the model but the set-up, the rate, and how fast a
processor of the machine was then (which the study measures without the service), so this is a prediction and
no fit. Leaves: a table in Markdown, and the errors in a sentence.
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scale.model import Answer, Demand, simulate
from benchmarks.scale.plan import HERE

STUDY = HERE.parents[1] / "docs" / "load" / "results.json"
QUANTILES = ("p50", "p95", "p99")
BELOW = 0.85
"""Up to this share of the capacity the model is held to its quantiles; above, the least change is a lot."""


@dataclass(frozen=True, slots=True)
class Compared:
    """One load, foretold and measured.

    Attributes:
        setup: its name in the study.
        rate: requests a second that really came.
        model: what was foretold.
        measured_ms: of the answered, by quantile.
        refused: share of all, measured.
        busy: share of the processor time allowed, measured.
    """

    setup: str
    rate: float
    model: Answer
    measured_ms: dict[str, float]
    refused: float
    busy: float

    def foretold_ms(self, name: str) -> float:
        """A quantile of the model."""
        return 1e3 * float(getattr(self.model, f"{name}_s"))

    def error(self, name: str) -> float:
        """Of a quantile, as a share of what was measured; negative where the model is too quick."""
        return self.foretold_ms(name) / self.measured_ms[name] - 1


def compare(measured: dict[str, Any], study: dict[str, Any]) -> Iterator[Compared]:
    """Each load of arrivals on the model that was measured."""
    for row in study["rows"]:
        if not row["rate_per_s"] or row["model"] != "built-in" or not row["latency_ms"]:
            continue
        rate, cpus = row["offered_per_s"]["mean"], row["cpus_allowed_each"]
        name = "cpu_s" if row["proxy"] else "direct_cpu_s"
        slower = measured["speed_mb_s"] / (row["speed_mb_s"] or measured["speed_mb_s"])
        demands = [Demand(one["weight"], one[name] * slower, one["spread"]) for one in measured["sizes"]]
        yield Compared(
            setup=row["setup"],
            rate=rate,
            model=simulate(demands, rate=rate, replicas=row["replicas"], cpus=cpus),
            measured_ms={name: row["latency_ms"][name]["value"] for name in QUANTILES},
            refused=row["refused_share"],
            busy=row["cpus_used_each"] / cpus,
        )


def table(found: Sequence[Compared]) -> str:
    """Foretold / measured."""
    lines = [
        "| set-up | photographs a second | p50 ms | p95 ms | p99 ms | refused | quota used |",
        "|---|---|---|---|---|---|---|",
    ]
    for one in found:
        cells = [f"{one.foretold_ms(name):.0f} / {one.measured_ms[name]:.0f}" for name in QUANTILES]
        refused = f"{100 * one.model.refused:.1f} / {100 * one.refused:.1f} %"
        busy = f"{100 * one.model.busy:.0f} / {100 * one.busy:.0f} %"
        lines.append(f"| {one.setup} | {one.rate:.1f} | {' | '.join(cells)} | {refused} | {busy} |")
    return "\n".join(lines) + "\n"


def in_words(found: Sequence[Compared]) -> str:
    """The errors: below the knee those of quantiles, everywhere those of processor time and refusals."""
    below = [one for one in found if one.model.busy <= BELOW]
    above = [one for one in found if one.model.busy > BELOW]
    lines = []
    for name in QUANTILES:
        errors = [one.error(name) for one in below if math.isfinite(one.error(name))]
        if errors:
            lines.append(f"{name}: {spread(errors)}")
    if below:
        lines.append(f"quota used: {spread([one.model.busy / one.busy - 1 for one in below])}")
    said = f"{len(below)} loads up to {100 * BELOW:.0f} % of the capacity: " + "; ".join(lines) + "."
    if above:
        apart = [100 * (one.model.refused - one.refused) for one in above]
        said += (
            f" {len(above)} loads above: refused {statistics.fmean(apart):+.1f} points on the mean,"
            f" {min(apart):+.1f} to {max(apart):+.1f}."
        )
    return said


def under_load(found: Sequence[Compared]) -> float:
    """How many times the foretold processor time a photograph needed: the median below the knee."""
    return statistics.median(one.busy / one.model.busy for one in found if one.model.busy <= BELOW)


def spread(errors: Sequence[float]) -> str:
    """Median, least and most, as percents."""
    return (
        f"{100 * statistics.median(errors):+.0f} % at the median,"
        f" {100 * min(errors):+.0f} to {100 * max(errors):+.0f} %"
    )


def main() -> int:
    """Print the table and the errors."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measured", type=Path, default=HERE / "measured.json")
    parser.add_argument("--study", type=Path, default=STUDY, help="results.json of leafsight loadtest")
    given = parser.parse_args()
    found = list(compare(json.loads(given.measured.read_text()), json.loads(given.study.read_text())))
    if not found:
        raise SystemExit("error: the study has no arrivals at the built-in model")
    print(table(found))
    print("Foretold / measured. " + in_words(found))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
