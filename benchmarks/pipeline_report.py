"""Turns as Markdown tables.

Enters: the results of ``benchmarks.pipeline``. Leaves: text. Every ratio is the median over the rounds of the
ratio within a round, with the lowest and the highest.
"""

from __future__ import annotations

from collections.abc import Sequence
from statistics import median
from typing import Any

from benchmarks.pipeline_stages import ONCE, STAGES

Turns = dict[str, list[dict[str, float]]]
NAIVE, OURS = "naive", "as in training"
WANTED_OVER_NAIVE = 7.0


def text(results: dict[str, Any]) -> str:
    """The whole report."""
    turns = results["turns"]
    parts = [_heading(results)]
    if "input" in turns:
        parts += [_stages(turns["input"], results["memory"]), _peers(turns["input"], results["memory"])]
        parts += _once(turns["input"])
    parts += [_with_network(name, found) for name, found in turns.items() if name != "input"]
    return "\n\n".join(part for part in parts if part)


def ratio(
    over: Sequence[dict[str, float]], under: Sequence[dict[str, float]], clock: str = "wall_s"
) -> tuple[float, float, float]:
    """Median, lowest and highest of the times' ratios round by round."""
    found = [one[clock] / other[clock] for one, other in zip(over, under, strict=True)]
    return median(found), min(found), max(found)


def break_even(once_s: float, slow_epoch_s: float, quick_epoch_s: float) -> int | None:
    """The first epoch after which work that is done once has paid for itself; None if it never does."""
    gain_s = slow_epoch_s - quick_epoch_s
    # n epochs: once + n * quick <= n * slow.
    return None if gain_s <= 0 else max(1, -int(-once_s // gain_s))


def _heading(results: dict[str, Any]) -> str:
    machine = results["machine"]
    every = [one for found in results["turns"].values() for one in found.values()]
    photos = max((int(turns[0]["photos"]) for turns in every), default=0)
    versions = ", ".join(f"{name} {version}" for name, version in sorted(results["versions"].items()))
    left_out = f" Not installed: {', '.join(results['left_out'])}." if results["left_out"] else ""
    threads = f", threads of a step: {results['threads']}" if results["threads"] else ""
    return (
        f"{machine['when']}, {machine['cores']} cores, {machine['processor']}, load before "
        f"{machine['load_before']}, Python {machine['python']}, {versions}. {photos} photographs "
        f"({results['data']}) to {results['side_px']} px, batches of {results['batch']}, "
        f"{results['rounds']} rounds, files in the page cache{threads}.{left_out}"
    )


def _stages(turns: Turns, memory: dict[str, dict[str, float]]) -> str:
    present = [name for name in STAGES if name in turns]
    rows = []
    for place, name in enumerate(present):
        alone = _times(turns[present[place - 1]], turns[name]) if place else ""
        naive = _times(turns[NAIVE], turns[name]) if NAIVE in turns and name != NAIVE else ""
        naive_cpu = _times(turns[NAIVE], turns[name], "cpu_s") if naive else ""
        rows.append([name, *_costs(turns[name]), alone, naive, naive_cpu, _memory(memory.get(name))])
    titles = ["stage", *COSTS, "times the one before", "times naive", "in processor time", MEMORY]
    judged = ""
    if NAIVE in turns and OURS in turns:
        reached = ratio(turns[NAIVE], turns[OURS])[0]
        kept = "kept" if reached >= WANTED_OVER_NAIVE else "NOT KEPT"
        judged = f"\n\nAt least {WANTED_OVER_NAIVE:.0f} times the naive way: {reached:.1f}, {kept}."
    return _table(titles, rows) + judged if rows else ""


def _peers(turns: Turns, memory: dict[str, dict[str, float]]) -> str:
    rows = []
    for name in (one for one in turns if one not in ONCE and (one not in STAGES or one == OURS)):
        ours = _times(turns[name], turns[OURS]) if OURS in turns and name != OURS else ""
        label = "leafsight, as in training" if name == OURS else name
        less = _times(turns[name], turns[OURS], "cpu_s") if ours else ""
        rows.append([label, *_costs(turns[name]), ours, less, _memory(memory.get(name))])
    titles = ["input of an epoch", *COSTS, "ours is quicker, times", "in processor time", MEMORY]
    return _table(titles, rows) if rows else ""


def _once(turns: Turns) -> list[str]:
    rows = [[name, *_costs(turns[name], photos=_photos(turns))] for name in ONCE if name in turns]
    if len(rows) < len(ONCE) or OURS not in turns:
        return [_table(["once", *COSTS], rows)] if rows else []
    quick_s = _wall_s(turns[OURS])
    said = []
    for names, what in ((("packing",), "packing"), (tuple(ONCE), "indexing and packing")):
        once_s = sum(_wall_s(turns[name]) for name in names)
        for slow in (name for name in turns if name not in ONCE and name not in list(STAGES)[1:]):
            epochs = break_even(once_s, _wall_s(turns[slow]), quick_s)
            said.append([what, slow, "never" if epochs is None else str(epochs)])
    return [_table(["once", *COSTS], rows), _table(["pays for", "against", "after epochs"], said)]


def _with_network(network: str, turns: Turns) -> str:
    rows = []
    for name, found in turns.items():
        bare = next((one for one in turns if one.endswith(", no input") and _same_engine(name, one)), None)
        slower = "" if bare is None or bare == name else _times(found, turns[bare])
        ours = _times(found, turns[OURS]) if OURS in turns and name != OURS else ""
        rows.append([name, *_costs(found), slower, ours])
    return _table([network, *COSTS, "times the steps alone", "ours is quicker, times"], rows)


def _same_engine(contender: str, bare: str) -> bool:
    return contender.startswith(("tf.", "TensorFlow")) == bare.startswith("TensorFlow")


COSTS = ("epoch, s", "photographs/s", "processor, ms a photograph")
MEMORY = "memory idle -> peak, MiB"


def _costs(turns: list[dict[str, float]], photos: float | None = None) -> list[str]:
    wall_s = [turn["wall_s"] for turn in turns]
    photos = photos or turns[0]["photos"]
    cpu_ms = median(turn["cpu_s"] for turn in turns) * 1000 / photos
    spread = f"{median(wall_s):.2f} ({min(wall_s):.2f} to {max(wall_s):.2f})"
    return [spread, f"{photos / median(wall_s):,.0f}", f"{cpu_ms:.3f}"]


def _times(over: list[dict[str, float]], under: list[dict[str, float]], clock: str = "wall_s") -> str:
    middle, low, high = ratio(over, under, clock)
    return f"{middle:.2f} ({low:.2f} to {high:.2f})"


def _memory(turn: dict[str, float] | None) -> str:
    return "" if turn is None else f"{turn['idle_mib']:.0f} -> {turn['peak_mib']:.0f}"


def _wall_s(turns: list[dict[str, float]]) -> float:
    return median(turn["wall_s"] for turn in turns)


def _photos(turns: Turns) -> float:
    return max(turn["photos"] for found in turns.values() for turn in found)


def _table(titles: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    lines = [list(titles), ["---"] * len(titles), *rows]
    return "\n".join(f"| {' | '.join(line)} |" for line in lines)
