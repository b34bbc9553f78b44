"""The tables of the report: numbers of ``results.json`` as text."""

from __future__ import annotations

from typing import Any

from leafsight.loadtest.blocks import Table
from leafsight.loadtest.pooling import Row

NONE = "-"
MIB = 2**20


def latency(row: Row, label: str, what: str = "latency_ms") -> str:
    """A quantile, with its interval where there are enough requests for one."""
    found = row[what]
    if found is None:
        return NONE
    one = found[label]
    if one["interval"] is None:
        return f"{number(one['value'])} (few)"
    return f"{number(one['value'])} ({number(one['interval'][0])}-{number(one['interval'][1])})"


def number(value: float | None) -> str:
    """Three significant digits, whole above a hundred."""
    if value is None:
        return NONE
    return f"{value:.0f}" if abs(value) >= 100 else f"{value:.3g}"


def percent(value: float | None) -> str:
    """A share as percent; never rounded to 0 when it is not."""
    if value is None:
        return NONE
    return "< 0.1 %" if 0 < value < 0.001 else f"{100 * value:.1f} %"


def spread(one: dict[str, float]) -> str:
    """Mean with least and most of the rounds."""
    if one["low"] == one["high"]:
        return f"{one['mean']:.1f}"
    return f"{one['mean']:.1f} ({one['low']:.1f}-{one['high']:.1f})"


def state_of(row: Row) -> str:
    """What is to be thought of a row."""
    if row["is_failed"]:
        return "FAILED"
    if row["generator_bound"]:
        return "generator-bound"
    return "carried" if row["carried"] else "over capacity"


def client_table(rows: list[Row], caption: str) -> Table:
    """What clients saw, a line for each load."""
    head = (
        "set-up", "load", "state", "requests", "answered a second", "p50 ms", "p95 ms", "p99 ms", "refused",
        "failed", "wrong", "lost",
    )  # fmt: skip
    lines = tuple(
        (
            row["setup"], row["load"], state_of(row), str(row["requests"]), spread(row["answered_per_s"]),
            latency(row, "p50"), latency(row, "p95"), latency(row, "p99"), percent(row["refused_share"]),
            percent(row["failed_share"]), str(row["wrong"]), str(sum(row["lost"].values())),
        )
        for row in rows
    )  # fmt: skip
    return Table(caption, head, lines, words=(0, 1, 2))


def server_table(rows: list[Row]) -> Table:
    """What the parts used, a line for each load."""
    head = (
        "set-up", "load", "CPU each", "allowed", "throttled periods", "CPU ms an answer", "memory MiB",
        "with page cache", "limit MiB", "in queue ms (mean)", "inside ms (mean)", "worked on together",
        "database CPU", "proxy CPU", "machine busy", "CPU of others", "speed of a processor",
    )  # fmt: skip
    lines = tuple(
        (
            row["setup"], row["load"], number(row["cpus_used_each"]),
            number(row["cpus_allowed_each"] or None), percent(row["throttled_share"]),
            number(row["cpu_ms_per_answer"]), _mib(row["memory_most_bytes"]),
            _mib(row["memory_peak_bytes"]), _mib(row["memory_limit_bytes"] or None), number(row["queue_ms"]),
            number(row["inside_ms"]), number(row["together"]), number(row["database_cpus_used"]),
            number(row["proxy_cpus_used"]), percent(row["machine_busy"]), number(row["others_cpus"]),
            percent(row["speed"]),
        )
        for row in rows
    )  # fmt: skip
    return Table("What the server used, in the measured time", head, lines, words=(0, 1))


def _mib(value: float | None) -> str:
    return NONE if value is None else f"{value / MIB:.0f}"


def refusal_table(rows: list[Row]) -> Table | None:
    """Refusals: how many, why, and how quickly they came; None without any."""
    lines = tuple(
        (
            row["setup"], row["load"], str(row["refused"]),
            ", ".join(f"{name} {count}" for name, count in row["refused_why"].items()),
            ", ".join(f"{name} {count:g}" for name, count in row["refusals_inside"].items()) or NONE,
            latency(row, "p50", "refusal_ms"), latency(row, "p99", "refusal_ms"),
        )
        for row in rows
        if row["refused"]
    )  # fmt: skip
    head = (
        "set-up",
        "load",
        "refused",
        "as clients saw it",
        "as the service counted (whole load)",
        "p50 ms",
        "p99 ms",
    )
    return Table("Refusals (429, 503)", head, lines, words=(0, 1, 3, 4)) if lines else None


def failure_table(rows: list[Row]) -> Table | None:
    """Failures by kind; None without any."""
    lines = tuple(
        (
            row["setup"], row["load"], str(row["failed"]), percent(row["failed_share"]),
            ", ".join(f"{name} {count}" for name, count in row["failures"].items()),
        )
        for row in rows
        if row["failed"]
    )  # fmt: skip
    return (
        Table("Failures by kind", ("set-up", "load", "failed", "share", "kinds"), lines, words=(0, 1, 4))
        if lines
        else None
    )


def generator_table(rows: list[Row]) -> Table:
    """What the generator used and how late it was."""
    lines = tuple(
        (
            row["setup"], row["load"], percent(row["generator_cpu"]), number(row["generator_late_p99_ms"]),
            row["generator_priority"], row["generator_bound"] or "no",
        )
        for row in rows
    )  # fmt: skip
    head = (
        "set-up",
        "load",
        "of one processor, at most",
        "late p99 ms, at most",
        "priority",
        "bound by the generator",
    )
    return Table("The generator's own limits", head, lines, words=(0, 1, 4, 5))


def saturation_table(found: dict[str, Any]) -> Table:
    """Where each set-up saturates and why."""
    lines = tuple(
        (
            one["setup"], number(one["carried_per_s"]), number(one["over_per_s"]),
            number(one["peak_per_s"]) if one["saturated"] else f"at least {number(one['peak_per_s'])}",
            NONE if one["peak_rounds"] is None else "-".join(number(end) for end in one["peak_rounds"]),
            "; ".join(one["reasons"]),
        )
        for one in found["saturation"]
    )  # fmt: skip
    head = (
        "set-up",
        "carries a second",
        "not any more",
        "most answers a second",
        "from round to round",
        "why",
    )
    return Table("Saturation", head, lines, words=(0, 5))


def scaling_table(found: dict[str, Any]) -> Table:
    """Efficiency of more replicas."""
    lines = tuple(
        (
            one["family"], str(one["replicas"]), number(one["peak_per_s"]),
            "-".join(number(end) for end in one["peak_rounds"]), percent(one["efficiency"]),
            "-".join(percent(end) for end in one["efficiency_rounds"]), str(one["rounds"]),
        )
        for one in found["scaling"]
    )  # fmt: skip
    head = (
        "family",
        "replicas",
        "most answers a second",
        "from round to round",
        "efficiency",
        "from round to round",
        "rounds",
    )
    return Table(
        "Scaling: answers of N replicas over N times those of the fewest, within each round", head, lines
    )


def proxy_table(found: dict[str, Any]) -> Table | None:
    """With and without a proxy at the same rate; None without such pairs."""
    lines = tuple(
        (
            f"{one['replicas']} x {one['model']}", number(one["rate_per_s"]),
            *(" -> ".join(number(ms) for ms in one[f"{label}_ms"]) for label in ("p50", "p95", "p99")),
            number(one["proxy_cpus_used"]),
        )
        for one in found["proxy"]
    )  # fmt: skip
    head = ("replicas x model", "a second", "p50 ms", "p95 ms", "p99 ms", "CPU of the proxy")
    return (
        Table("What the proxy costs: without -> with, where both carried the rate", head, lines)
        if lines
        else None
    )


def model_table(found: dict[str, Any]) -> Table:
    """One model against another."""
    lines = tuple(
        (
            one["setup"], number(one["cpu_ms_per_answer"]), number(one["peak_per_s"]),
            NONE if one["peak_rounds"] is None else "-".join(number(end) for end in one["peak_rounds"]),
        )
        for one in found["models"]
    )  # fmt: skip
    head = ("set-up", "CPU ms an answer (carried rates)", "most answers a second", "from round to round")
    return Table("Processor time of an answer, by set-up and model", head, lines)


def capacity_table(found: dict[str, Any], family: str) -> Table:
    """Containers needed for rates and limits."""
    own = [one for one in found["capacity"] if one["family"] == family]
    limits = sorted({one["p99_ms"] for one in own})
    lines = []
    for rate in sorted({one["rate_per_s"] for one in own}):
        cells = [
            next(one for one in own if (one["rate_per_s"], one["p99_ms"]) == (rate, limit))
            for limit in limits
        ]
        lines.append((number(rate), *(_needed(one) for one in cells)))
    head = ("requests a second", *(f"p99 at most {limit:g} ms" for limit in limits))
    return Table(f"Containers needed: {family} (~ is extrapolated, not measured)", head, tuple(lines))


def _needed(one: dict[str, Any]) -> str:
    if one["replicas"] is None:
        return "not reached"
    return f"~ {one['replicas']}" if one["extrapolated"] else str(one["replicas"])


def groups_table(rows: list[Row], name: str, caption: str, word: str) -> Table:
    """Latencies by size of photograph, or by kind of request."""
    lines = tuple(
        (
            row["setup"],
            row["load"],
            key,
            str(one["count"]),
            number(one["p50"]),
            number(one["p95"]),
            number(one["p99"]),
        )
        for row in rows
        for key, one in row[name].items()
    )
    return Table(
        caption, ("set-up", "load", word, "answered", "p50 ms", "p95 ms", "p99 ms"), lines, words=(0, 1, 2)
    )


def photograph_table(study: dict[str, Any]) -> Table:
    """The photographs that were sent, by size."""
    files, why = study["photographs"]["files"], {one["name"]: one["why"] for one in study["mix"]}
    lines = []
    for size in dict.fromkeys(one["size"] for one in files):
        own = [one for one in files if one["size"] == size]
        sides = sorted({f"{one['width_px']} x {one['height_px']}" for one in own})
        sizes = [one["size_bytes"] / 1e3 for one in own]
        lines.append(
            (
                size, why.get(size, "given"), f"{sum(one['weight'] for one in own):.0f} %", str(len(own)),
                sides[0] if len(sides) == 1 else f"{len(sides)} sizes", f"{min(sizes):.0f}-{max(sizes):.0f}",
            )
        )  # fmt: skip
    mean = sum(one["size_bytes"] * one["weight"] for one in files) / sum(one["weight"] for one in files) / 1e3
    pixels = sum(one["width_px"] * one["height_px"] * one["weight"] for one in files) / 1e6
    lines.append(
        (
            "mean of what is sent",
            "",
            "",
            "",
            f"{pixels / sum(o['weight'] for o in files):.2f} MP",
            f"{mean:.0f}",
        )
    )
    head = ("size", "who sends it", "share", "files", "pixels", "kB each")
    return Table("Photographs", head, tuple(lines), words=(0, 1))
