"""What was measured, as Markdown.

Enters: the results of ``benchmarks.side_by_side``. Leaves: text. Shares are in per cent, differences in
points of per cent with 95 % intervals; times are means over the seeds.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import fmean
from typing import Any

from benchmarks.side_by_side_curves import best, images_per_s, time_to
from benchmarks.side_by_side_work import PROGRAMS

Record = dict[str, Any]
CLOCKS = {"wall_s": "by the clock", "cpu_s": "of processor time"}


def text(results: dict[str, Any]) -> str:
    """The whole report."""
    clock = results["clock"]
    parts = [_heading(results)]
    for name, found in results["recipes"].items():
        counts = found["photographs"]
        parts.append(
            f"## {name}\n\n{counts['train']:,} photographs train, {counts['valid']:,} validate, "
            f"{counts['test']:,} in {found['test_groups']:,} groups test. Seconds {CLOCKS[clock]}."
        )
        peers = [peer for peer in PROGRAMS if peer in found["records"]]
        parts.append(_speed(found, peers, clock))
        for peer in peers:
            parts += [_equal_time(found, peer, clock), _equal_accuracy(found, peer, clock, results["seeds"])]
    return "\n\n".join(parts) + "\n"


def _heading(results: dict[str, Any]) -> str:
    machine = results["machine"]
    records = [
        one
        for found in results["recipes"].values()
        for runs in found["records"].values()
        for one in runs
        if one
    ]
    versions = sorted({f"{name} {version}" for one in records for name, version in one["versions"].items()})
    starts = [one["start"]["difference"] for one in records if "start" in one]
    said = f" Not installed: {', '.join(results['left_out'])}." if results["left_out"] else ""
    if results["changed"] or results["epochs_scale"] != 1:
        changed = " ".join(results["changed"]) or "nothing set"
        said += f" A trial: {changed}, epochs times {results['epochs_scale']:g}."
    loads = [one["load_before"] for one in records]
    return (
        f"{machine['when']}, {machine['processor']}, cores: {machine['cores']}, "
        f"threads: {results['threads']}, "
        f"Python {machine['python']}, {', '.join(versions)}. Seeds: {', '.join(map(str, results['seeds']))}. "
        f"Load before a part {min(loads):.1f} to {max(loads):.1f}. Embeddings at the start differ by at most "
        f"{max(starts, default=0):.1g}."
        f"{said}"
    )


def _speed(found: dict[str, Any], peers: Sequence[str], clock: str) -> str:
    rows = []
    for name in ("leafsight", *peers):
        runs = found["records"][name]
        speed = fmean(images_per_s(run["epochs"], found["photographs"]["train"]) for run in runs)
        rows.append(
            [
                _title(name),
                str(len(runs[0]["epochs"])),
                _mean(run["end"][clock] for run in runs),
                f"{speed:.0f}",
            ]
        )
    return _table(
        ["", "epochs", "ends after, s", "images/s by the clock while the whole network trains"], rows
    )


def _equal_time(found: dict[str, Any], peer: str, clock: str) -> str:
    in_time = f"leafsight, time of {peer}"
    rows = []
    for name in (peer, in_time, "leafsight"):
        if name not in found["test"]:
            rows.append([_title(name), "no whole schedule fits", "", "", "", "", "", ""])
            continue
        runs, test = found["records"][name], found["test"][name]
        against = found["differences"][peer].get(name)
        epochs = sorted({len(run["epochs"]) for run in runs})
        kept = fmean(run["epochs"][run["end"]["kept"]]["valid"] for run in runs)
        rows.append(
            [
                _title(name),
                " or ".join(map(str, epochs)),
                _mean(run["end"][clock] for run in runs),
                _percent(kept),
                _interval(test["accuracy"]["mean"]),
                _percent(test["by_group"]),
                _interval(test["macro_f1"]["mean"]),
                "" if against is None else _difference(against),
            ]
        )
    titles = ["", "epochs", "ends after, s", "valid", "test", "test, leaf by leaf", "macro F1", "difference"]
    return f"### {_title(peer)}\n\n{_table(titles, rows)}"


def _equal_accuracy(found: dict[str, Any], peer: str, clock: str, seeds: Sequence[int]) -> str:
    """Who had the other's best when; with several seeds each line names its own."""
    rows = []
    for name in (f"leafsight, time of {peer}", "leafsight"):
        runs = found["records"][name]
        for seed, run, other, whole in zip(
            seeds, runs, *(found["records"][one] for one in (peer, "leafsight")), strict=True
        ):
            # A peer that takes longer than the recipe leaves only one schedule to tell of.
            if run is not None and (name == "leafsight" or run["job"] != whole["job"]):
                pair = [_reached(name, run, peer, other, clock), _reached(peer, other, name, run, clock)]
                rows += [[str(seed), *row] for row in pair]
    titles = ["seed", "", "when it is", "s", "of", "had it after, s"]
    if len(seeds) == 1:
        titles, rows = titles[1:], [row[1:] for row in rows]
    return _table(titles, rows)


def _reached(name: str, run: Record, target: str, other: Record, clock: str) -> list[str]:
    """One line: when a run reached the best of another."""
    top, at_s = best(other["epochs"], clock)
    found = time_to(run["epochs"], top, clock)
    when = f"{found:.0f}" if found is not None else f"never in {run['end'][clock]:.0f}"
    return [_title(name), f"{_percent(top)} in validation", when, _title(target), f"{at_s:.0f}"]


def _title(name: str) -> str:
    if name in PROGRAMS:
        return PROGRAMS[name].title
    return "leafsight, the recipe" if name == "leafsight" else "leafsight, a schedule that ends in that time"


def _difference(found: dict[str, Any]) -> str:
    one = found["accuracy"]["mean"]
    low, value, high = (100 * one[key] for key in ("low", "value", "high"))
    return f"{value:+.2f} ({low:+.2f} to {high:+.2f}), p {', '.join(f'{p:.2g}' for p in found['p'])}"


def _interval(one: dict[str, float]) -> str:
    return f"{_percent(one['value'])} ({_percent(one['low'])} to {_percent(one['high'])})"


def _percent(share: float) -> str:
    return f"{100 * share:.2f}"


def _mean(values: Any) -> str:
    return f"{fmean(values):.0f}"


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(titles), ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
