"""Writes what a study found as ``report.md``, with a drawing of each fault beside it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from benchmarks.faults.phases import SLOWER, STRETCH_S
from benchmarks.faults.timeline import timeline

Found = Mapping[str, Any]
TOTALS = ("requests", "ok", "unrecorded", "refused", "failed", "wrong")
HEAD = (
    "fault", "requests", "ok", "refused", "failed", "not recorded", "wrong", "lost",
    "p95 before / during / after, ms", "well again after, s",
)  # fmt: skip


def write_report(out: Path, found: Found) -> None:
    """Write report and drawings into the folder of a study."""
    pictures = out / "pictures"
    pictures.mkdir(exist_ok=True)
    for row in found["faults"]:
        marks = row["marks"]
        drawn = timeline(row["title"], row["per_second"], marks["fault_s"], marks["back_s"], marks["end_s"])
        (pictures / f"{row['name']}.svg").write_text(drawn, encoding="utf-8")
    (out / "report.md").write_text(as_markdown(found), encoding="utf-8")


def as_markdown(found: Found) -> str:
    """The report."""
    lines = [
        "# Faults under load",
        "",
        *_what_it_is(found),
        "",
        _line(HEAD),
        _line(_rules()),
        *map(_row, found["faults"]),
    ]
    lines += ["", _together(found["faults"]), "", *_how_to_read()]
    for row in found["faults"]:
        lines += ["", f"## {row['title']}", "", *_details(row)]
    return "\n".join(lines) + "\n"


def _what_it_is(found: Found) -> list[str]:
    machine, options, versions = found["machine"], found["options"], found["versions"]
    capacity = found.get("capacity_per_s")
    load = f"{found['rate_per_s']:g} photographs a second"
    if capacity:
        load += f", {100 * found['rate_per_s'] / capacity:.0f} % of the {capacity:g} that a closed loop got"
    return [
        f"Set-up: profile full of compose.yaml, {options['replicas']} replicas ({options['cpus']:g} CPU and "
        f"{options['memory']} each), started with {versions['podman']}. Load through the proxy, by TLS, in "
        f"an open loop: {load}; beside it a correction for every fifth answer and an upload every eight "
        "seconds. Nothing is sent a second time.",
        "",
        f"Machine: {machine['processor']}, {machine['cores']} cores, kernel {machine['kernel']}; "
        f"load before {machine['load_before']}; leafsight {versions['leafsight']}, {machine['when']}.",
    ]


def _rules() -> list[str]:
    return ["---", *["---:"] * (len(HEAD) - 2), "---:"]


def _row(row: Found) -> str:
    p95, lost, marks = row["p95_ms"], row["kept"]["lost"], row["marks"]
    well = _seconds(row["well_after_s"])
    if marks["back_s"] - marks["fault_s"] >= 1:
        well = f"{_seconds(row['first_well_after_s'])}; once back {_seconds(row['well_after_back_s'])}"
    cells = [f"[{row['title']}](#{_anchor(row['title'])})", row["requests"], row["ok"], row["refused"]]
    cells += [_failures(row), row["unrecorded"], row["wrong"]]
    cells.append("not known" if lost is None else sum(len(ids) for ids in lost.values()))
    cells.append(" / ".join(_ms(p95[name]) for name in ("before", "during", "after")))
    return _line([*cells, well])


def _together(rows: Sequence[Found]) -> str:
    total = {name: sum(row[name] for row in rows) for name in TOTALS}
    checked = sum(sum(row["kept"]["checked"].values()) for row in rows)
    lost = [row["kept"]["lost"] for row in rows]
    gone = "not known" if None in lost else sum(len(ids) for one in lost for ids in one.values())
    return (
        f"Together {total['requests']:,} requests: {total['ok']:,} ok, {total['unrecorded']:,} of them not "
        f"recorded; {total['refused']:,} refused; {total['failed']:,} failed; {total['wrong']:,} wrong. "
        f"{checked:,} things that were acknowledged were looked for afterwards; lost: {gone}."
    )


def _ms(value: float | None) -> str:
    return "-" if value is None else f"{value:.0f}"


def _failures(row: Found) -> str:
    if not row["failed"]:
        return "0"
    return f"{row['failed']} ({', '.join(f'{count} {kind}' for kind, count in row['failures'].items())})"


def _seconds(value: float | None) -> str:
    return "not while it was watched" if value is None else f"{value:g}"


def _how_to_read() -> list[str]:
    return [
        "Each request stands in one column: *ok*, *refused* (429 or 503, with Retry-After), or *failed* by "
        "its kind. *Not recorded* are answers, among *ok*, that say so themselves. *Wrong* are answers that "
        "are not the photograph's own by the model that they name. *Lost* is what was acknowledged and is "
        "not found afterwards: predictions with `recorded: true`, corrections, uploads.",
        "",
        f"*Well again*: from the fault to the beginning of the first {STRETCH_S:g} s in which nothing failed "
        f"or was refused and whose p95 is within {SLOWER:g} times that before; after the last failure or "
        "refusal where the fault ends by itself. Where somebody outside has to give the broken thing back "
        "(a disk, a network) or ends the disturbance, the first number is the first such stretch after the "
        "fault, also while it lasts, and the second counts from the moment it was back, after the last "
        "failure or refusal.",
    ]


def _details(row: Found) -> list[str]:
    kept, jobs = row["kept"], row["kept"]["jobs"]
    lines = [f"![{row['title']}](pictures/{row['name']}.svg)", "", row["done"], ""]
    lines += [f"- {note}" for note in row["notes"]]
    if row["refused"]:
        lines.append(f"- refused: {_counts(row['refusals'])}")
    if row["failed"]:
        lines.append(f"- failed: {_counts(row['failures'])}; said: {_counts(row['told']) or 'nothing'}")
    if row["unrecorded"]:
        lines.append(
            f"- {row['unrecorded']} answers said that they are not recorded, the last "
            f"{row['recorded_again_after_s']:g} s after the fault"
        )
    checked = kept["checked"]
    lines.append(
        f"- looked for afterwards: {checked['predictions']} predictions, {checked['corrections']} "
        f"corrections, {checked['uploads']} uploads; lost: {_lost(kept)}"
    )
    lines.append(f"- jobs of uploads: {_counts(jobs['states'])}{_again(jobs)}")
    peaks = {name: f"{size / 2**20:.0f} MiB" for name, size in sorted(row["memory_peak_bytes"].items())}
    lines.append(f"- most memory: {', '.join(f'{name} {size}' for name, size in peaks.items())}")
    figures = {name: value for name, value in row["figures"].items() if name != "flood"}
    if figures:
        lines.append(f"- figures: {', '.join(f'{name} {value}' for name, value in figures.items())}")
    if flood := row["figures"].get("flood"):
        lines.append(f"- the flood: {flood['sent']} requests, answered {_counts(flood['answers'])}")
        lines.append(f"- answers to it that nobody should get: {flood['server_errors'] or 'none'}")
    if row["error"]:
        lines.append(f"- **the harness stopped here**: {row['error']}")
    return lines


def _again(jobs: Found) -> str:
    said = ""
    if jobs["again"]:
        said = f"; those that failed said {_counts(jobs['errors'])}; begun again: {_counts(jobs['again'])}"
    unended = len(jobs["without_an_end"])
    return said + (f"; **without an end: {unended}**" if unended else "")


def _lost(kept: Found) -> str:
    if kept["lost"] is None:
        return f"not known ({kept['error']})"
    found = {name: len(ids) for name, ids in kept["lost"].items() if ids}
    return _counts(found) or "nothing"


def _counts(counts: Mapping[str, Any]) -> str:
    return ", ".join(f"{count} {name}" for name, count in counts.items())


def _anchor(title: str) -> str:
    return "".join(one for one in title.lower().replace(" ", "-") if one.isalnum() or one == "-")


def _line(cells: Any) -> str:
    return "| " + " | ".join(str(one).replace("|", "\\|") for one in cells) + " |"
