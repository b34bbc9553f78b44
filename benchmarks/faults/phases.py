"""The arithmetic of one fault: before, during, after; counts a second; how long until it was well again."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.faults.rows import Row

from leafsight.loadtest import quantile
from leafsight.loadtest.outcomes import CORRECTION, OK, PHOTOGRAPH, REFUSED, UPLOAD, WRONG_KINDS

STRETCH_S, STEP_S, SLOWER = 5.0, 0.5, 1.5
"""Well again: a stretch of 5 s in which nothing failed or was refused, and whose p95 is within 1.5 times that
of the baseline."""


@dataclass(frozen=True, slots=True)
class Marks:
    """Moments of one fault, in seconds after the start of the load.

    Attributes:
        warm_s: what begins before is not looked at.
        fault_s: the fault began.
        back_s: what was broken was given back, or the disturbance ended; equal to ``fault_s`` where nobody
            outside has to give anything back.
        end_s: the load ended.
    """

    warm_s: float
    fault_s: float
    back_s: float
    end_s: float


def p95_ms(rows: Sequence[Row], from_s: float, until_s: float) -> float | None:
    """Of the answered photographs that began in [from_s, until_s)."""
    took = sorted(
        row.took_s for row in rows
        if row.deed == PHOTOGRAPH and row.kind == OK and from_s <= row.begun_s < until_s
    )  # fmt: skip
    return round(quantile(took, 0.95) * 1e3, 1) if took else None


def stretch_is_well(rows: Sequence[Row], from_s: float, limit_ms: float) -> bool:
    """Whether all that began in the stretch from ``from_s`` on was answered, and quickly enough."""
    some = [row for row in rows if from_s <= row.begun_s < from_s + STRETCH_S]
    found = p95_ms(some, from_s, from_s + STRETCH_S)
    return found is not None and found <= limit_ms and not any(row.is_bad for row in some)


def well_again(rows: Sequence[Row], from_s: float, until_s: float, limit_ms: float) -> float | None:
    """The start of the first well stretch in [from_s, until_s]; None where there is none."""
    at = from_s
    while at + STRETCH_S <= until_s:
        if stretch_is_well(rows, at, limit_ms):
            return at
        at += STEP_S
    return None


def last_bad(rows: Sequence[Row], from_s: float, until_s: float) -> float | None:
    """When the last request began that was not answered as it should be; None where all were."""
    bad = [row.begun_s for row in rows if row.is_bad and from_s <= row.begun_s < until_s]
    return max(bad, default=None)


def last_unrecorded(rows: Sequence[Row], from_s: float) -> float | None:
    """When the last photograph was sent whose answer says that it is not recorded."""
    return max((row.begun_s for row in rows if row.recorded is False and row.begun_s >= from_s), default=None)


def counted(rows: Sequence[Row]) -> dict[str, Any]:
    """Each request in exactly one place."""
    failures = Counter(row.kind for row in rows if row.failed)
    refusals = Counter(row.told or "no reason given" for row in rows if row.kind == REFUSED)
    return {
        "requests": len(rows),
        "ok": sum(row.kind == OK for row in rows),
        "refused": sum(refusals.values()),
        "failed": sum(failures.values()),
        "failures": dict(sorted(failures.items())),
        "refusals": dict(sorted(refusals.items())),
        "told": dict(
            sorted(Counter(f"{row.kind}: {row.told}" for row in rows if row.failed and row.told).items())
        ),
        "unrecorded": sum(row.recorded is False for row in rows),
        "wrong": sum(failures[kind] for kind in WRONG_KINDS),
        "by_deed": {
            deed: {
                "requests": sum(row.deed == deed for row in rows),
                "ok": sum(row.deed == deed and row.kind == OK for row in rows),
            }
            for deed in (PHOTOGRAPH, CORRECTION, UPLOAD)
        },
    }


def summed(rows: Sequence[Row], marks: Marks) -> dict[str, Any]:
    """Everything that the table says of one fault.

    ``well_after_s`` is counted from the fault to the start of the first well stretch after the last failure
    or refusal before ``end_s``; ``first_well_after_s`` to the first one at all. ``well_after_back_s`` is the
    same from the moment at which the broken thing was back. Negative numbers do not occur: well at once is 0.
    """
    rows = [row for row in rows if row.begun_s >= marks.warm_s]
    baseline = p95_ms(rows, marks.warm_s, marks.fault_s)
    limit_ms = SLOWER * baseline if baseline is not None else 0.0
    bad_s = last_bad(rows, marks.fault_s, marks.end_s)
    bad_back_s = last_bad(rows, marks.back_s, marks.end_s)
    unrecorded_s = last_unrecorded(rows, marks.fault_s)

    def after(begun_s: float, found_s: float | None) -> float | None:
        return None if found_s is None else round(max(0.0, found_s - begun_s), 1)

    first = well_again(rows, marks.fault_s, marks.end_s, limit_ms)
    final = well_again(rows, marks.fault_s if bad_s is None else bad_s + STEP_S / 2, marks.end_s, limit_ms)
    back = well_again(
        rows, marks.back_s if bad_back_s is None else bad_back_s + STEP_S / 2, marks.end_s, limit_ms
    )
    return {
        **counted(rows),
        "marks": asdict(marks),
        "before": counted([row for row in rows if row.begun_s < marks.fault_s]),
        "p95_ms": {
            "before": baseline,
            "during": p95_ms(rows, marks.fault_s, max(marks.back_s, marks.fault_s + STRETCH_S)),
            "after": p95_ms(rows, max(marks.back_s, marks.fault_s + STRETCH_S), marks.end_s),
        },
        "first_well_after_s": after(marks.fault_s, first),
        "well_after_s": after(marks.fault_s, final),
        "well_after_back_s": after(marks.back_s, back),
        "last_bad_after_s": after(marks.fault_s, bad_s),
        "recorded_again_after_s": after(marks.fault_s, unrecorded_s),
        "per_second": per_second(rows, marks.end_s),
    }


def per_second(rows: Sequence[Row], end_s: float) -> dict[str, list[int]]:
    """Requests that began in each second: answered and recorded, answered only, refused, failed."""
    length = max(1, math.ceil(end_s))
    found = {name: [0] * length for name in ("ok", "unrecorded", "refused", "failed")}
    for row in rows:
        at = min(int(row.begun_s), length - 1)
        if row.kind == OK:
            found["unrecorded" if row.recorded is False else "ok"][at] += 1
        else:
            found["refused" if row.kind == REFUSED else "failed"][at] += 1
    return found
