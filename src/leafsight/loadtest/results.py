"""All numbers of a study in one object: what ``results.json`` holds, and what the report shows."""

from __future__ import annotations

from collections import Counter
from statistics import median
from typing import Any

from leafsight.loadtest.comparisons import capacity, model_costs, proxy_cost, scaling
from leafsight.loadtest.pooling import Row, is_carried, pooled_rows, wrong_or_lost
from leafsight.loadtest.saturation import OTHERS_CPUS, saturation_of
from leafsight.loadtest.store import StudyFolder

UNSTEADY = 0.1
"""So far from the median may the speed of a processor be."""


def results_of(folder: StudyFolder) -> dict[str, Any]:
    """Everything, from what is stored.

    Raises:
        NotFoundError: the folder holds no study.
    """
    study, cells, rows = folder.study(), folder.cells(), with_speed(pooled_rows(folder))
    rated: dict[str, list[Row]] = {}
    for row in rows:
        if row["rate_per_s"]:
            rated.setdefault(row["setup"], []).append(row)
    saturations = [saturation_of(some) for some in rated.values()]
    found = {
        "study": study,
        "loads": len(cells),
        "rows": [row | {"carried": is_carried(row)} for row in rows],
        "saturation": saturations,
        "scaling": scaling(cells),
        "proxy": proxy_cost(rows),
        "models": model_costs(rows, saturations),
        "capacity": capacity(rows),
        "failures": _failures(rows),
        "references": sorted({cell["reference"]["by"] for cell in cells}),
        "ready_s": sorted({cell["ready_s"] for cell in cells}),
    }
    return found | {"in_words": in_words(found)}


def with_speed(rows: list[Row]) -> list[Row]:
    """Each row with the speed of a processor while it was driven, as a share of the median of all rows."""
    known = [row["speed_mb_s"] for row in rows if row["speed_mb_s"] is not None]
    middle = median(known) if known else None
    return [
        row | {"speed": round(row["speed_mb_s"] / middle, 4) if middle and row["speed_mb_s"] else None}
        for row in rows
    ]


def _failures(rows: list[Row]) -> dict[str, Any]:
    """What went wrong in the whole study, each kind by itself."""
    kinds: Counter[str] = Counter()
    for row in rows:
        kinds.update(row["failures"])
    names = ("predictions", "corrections", "uploads")
    return {
        "kinds": dict(sorted(kinds.items())),
        "requests": sum(row["requests"] for row in rows),
        "ok": sum(row["ok"] for row in rows),
        "refused": sum(row["refused"] for row in rows),
        "failed": sum(row["failed"] for row in rows),
        "wrong": sum(row["wrong"] for row in rows),
        "checked": {name: sum(row["checked"][name] for row in rows) for name in names},
        "lost": {name: sum(row["lost"][name] for row in rows) for name in names},
        "not_checked": sum(len(row["not_checked"]) for row in rows),
    }


def in_words(found: dict[str, Any]) -> list[str]:
    """The study in a few sentences."""
    failures = found["failures"]
    lines = [
        f"{failures['requests']} requests in {found['loads']} loads: {failures['ok']} answered,"
        f" {failures['refused']} refused, {failures['failed']} failed ({failures['wrong']} wrong answers)",
        f"{sum(failures['checked'].values())} accepted things were looked for afterwards:"
        f" {sum(failures['lost'].values())} lost"
        + (f"; in {failures['not_checked']} loads it could not be looked" if failures["not_checked"] else ""),
    ]
    for one in found["saturation"]:
        carried = one["carried_per_s"]
        what = f"carries {carried:g} a second" if carried else "does not carry even the lowest rate"
        over = f", not {one['over_per_s']:g}" if one["over_per_s"] else ""
        bound = "at most" if one["saturated"] else "at least"
        peak = f"; {bound} {one['peak_per_s']:.1f} answers a second" if one["peak_per_s"] else ""
        lines.append(f"{one['setup']}: {what}{over}{peak}; {one['reasons'][0]}")
    for one in found["scaling"]:
        if one["replicas"] != one["base"]:
            low, high = (100 * end for end in one["efficiency_rounds"])
            lines.append(
                f"{one['family']}: {one['replicas']} replicas reach {100 * one['efficiency']:.0f} % of what"
                f" {one['replicas'] / one['base']:g} times {one['base']} would"
                f" ({low:.0f} to {high:.0f} % in {one['rounds']} rounds)"
            )
    disturbed = [row for row in found["rows"] if (row["others_cpus"] or 0.0) >= OTHERS_CPUS]
    if disturbed:
        most = max(row["others_cpus"] for row in disturbed)
        lines.append(
            f"DISTURBED: in {len(disturbed)} of {len(found['rows'])} loads other programs used"
            f" up to {most:.1f} processors of this machine"
        )
    speeds = [row["speed"] for row in found["rows"] if row["speed"] is not None]
    if speeds and max(abs(one - 1) for one in speeds) > UNSTEADY:
        lines.append(
            f"UNSTEADY: a processor of this machine worked at {100 * min(speeds):.0f} to"
            f" {100 * max(speeds):.0f} % of its median speed: loads driven at different times differ by that"
        )
    lost = sum(1 for row in found["rows"] if wrong_or_lost(row))
    return lines + ([f"{lost} loads with wrong answers or losses: see the report"] if lost else [])
