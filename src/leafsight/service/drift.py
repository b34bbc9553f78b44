"""Whether the photographs and answers of late look like those of an earlier time.

Enters: predictions of one model from two windows. Leaves: for each measure how it was and how it is, how far
that differs, how far chance alone differs, and one sentence. It does not know where predictions are kept.

Photographs that one key sent within one hour of the clock are one occasion: see ``permuting`` of room
``monitoring`` for why that matters. With too few of either it says so and judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from leafsight.monitoring import PERMUTATIONS, Spread, deals, means_differ, p_values, shares_differ

if TYPE_CHECKING:
    from leafsight.state import SampledPrediction

State = Literal["too_few", "no_earlier_time", "none", "small", "drift"]
LEAST_PHOTOGRAPHS = 50
LEAST_OCCASIONS = 8
MOST_OCCASIONS = 200
"""Of each window; where there are more, neighbours count as one. Bounds the time that a look takes."""
FALSE_ALARMS = 0.01
"""How often all measures together may call chance a difference, in looks at independent photographs."""
SMALL_INDEX, SMALL_SHARE = 0.1, 0.02
"""Population stability index and explained share above what chance makes, below which a difference is small.
0.1 is the custom of those who watch scores (Siddiqi 2006); see ``benchmarks/drift.py`` for what is found."""
KINDS = 10
HOUR_MS = 3_600_000
QUANTILES = {"p05": 0.05, "p50": 0.5, "p95": 0.95}


@dataclass(frozen=True, slots=True)
class _Windows:
    """Both windows in one row: first the reference, then the recent one."""

    rows: list[SampledPrediction]
    reference: int
    units: np.ndarray
    reference_units: int

    @property
    def occasions(self) -> tuple[int, int]:
        """Of the reference and of the recent window."""
        return self.reference_units, int(self.units.max(initial=-1)) + 1 - self.reference_units

    @property
    def photographs(self) -> tuple[int, int]:
        """Of the reference and of the recent window."""
        return self.reference, len(self.rows) - self.reference


def compared(
    reference: Sequence[SampledPrediction],
    recent: Sequence[SampledPrediction],
    *,
    permutations: int = PERMUTATIONS,
) -> dict[str, Any]:
    """The comparison as plain values: ``state``, ``said``, ``measures`` and what was looked at.

    Args:
        reference: predictions of the earlier window; empty when there is no such time yet.
        recent: of the later one, answered by the same model.
        permutations: deals beside the real one.
    """
    both = _joined(reference, recent)
    found = _described(both)
    enough = min(both.photographs) >= LEAST_PHOTOGRAPHS and min(both.occasions) >= LEAST_OCCASIONS
    if enough:
        _judge(found, both, permutations)
    state = _state(found, enough, bool(reference) or not recent)
    windows = [
        {"photographs": many, "occasions": times}
        for many, times in zip(both.photographs, both.occasions, strict=True)
    ]
    return {
        "state": state,
        "said": _said(state, found),
        "reference": windows[0],
        "recent": windows[1],
        "measures": found,
        "least": {"photographs": LEAST_PHOTOGRAPHS, "occasions": LEAST_OCCASIONS},
        "false_alarms": FALSE_ALARMS,
    }


def _joined(reference: Sequence[SampledPrediction], recent: Sequence[SampledPrediction]) -> _Windows:
    first, second = _units(reference), _units(recent)
    many = int(first.max(initial=-1)) + 1
    return _Windows([*reference, *recent], len(reference), np.concatenate([first, second + many]), many)


def _units(rows: Sequence[SampledPrediction]) -> np.ndarray:
    """For each photograph its occasion, counted from 0 in the order of time."""
    named = [(row.created_ms // HOUR_MS, row.key_id or "") for row in rows]
    places = {name: place for place, name in enumerate(sorted(set(named)))}
    together = -(-len(places) // MOST_OCCASIONS) or 1
    return np.array([places[name] // together for name in named], dtype=np.int64)


def _numbers(rows: Sequence[SampledPrediction]) -> dict[str, np.ndarray]:
    """The measures that are numbers, NaN where one is not known; those that nobody has are left out."""
    columns: dict[str, list[float]] = {
        "probability": [_top(row.answer) for row in rows],
        "unfamiliarity": [_number(row.answer.get("unfamiliarity")) for row in rows],
    }
    for name in sorted({name for row in rows for name in row.quality}):
        columns[name] = [_number(row.quality.get(name)) for row in rows]
    arrays = {name: np.array(values, dtype=np.float64) for name, values in columns.items()}
    return {name: values for name, values in arrays.items() if np.isfinite(values).any()}


def _top(answer: Mapping[str, Any]) -> float:
    """The probability of the most probable class, whatever the verdict."""
    top = answer.get("top")
    first = top[0] if isinstance(top, list) and top else {}
    return _number(first.get("probability")) if isinstance(first, dict) else float("nan")


def _number(value: Any) -> float:
    usable = isinstance(value, int | float) and not isinstance(value, bool) and np.isfinite(value)
    return float(value) if usable else float("nan")


def _described(both: _Windows) -> list[dict[str, Any]]:
    """Every measure as it was and as it is; nothing is judged."""
    split = both.reference
    verdicts = np.array([row.verdict for row in both.rows], dtype=object)
    classes = np.array([row.class_key for row in both.rows], dtype=object)
    found = [
        {"name": name, "kind": "shares", "reference": _shares(all_[:split]), "recent": _shares(all_[split:])}
        for name, all_ in (("verdict", verdicts), ("class", classes))
    ]
    found += [
        {"name": name, "kind": "numbers", "reference": _range(all_[:split]), "recent": _range(all_[split:])}
        for name, all_ in _numbers(both.rows).items()
    ]
    embedded = [row.embedding is not None for row in both.rows]
    if any(embedded):
        counts = [{"photographs": sum(some)} for some in (embedded[:split], embedded[split:])]
        found.append({"name": "look", "kind": "embedding", "reference": counts[0], "recent": counts[1]})
    return found


def _shares(values: np.ndarray) -> dict[str, Any]:
    known = [value for value in values if value is not None]
    names, counts = np.unique(np.array(known, dtype=str), return_counts=True)
    order = sorted(zip(counts.tolist(), names.tolist(), strict=True), key=lambda one: (-one[0], one[1]))
    shares = {name: round(count / len(known), 4) for count, name in order}
    return {"photographs": len(known), "shares": shares}


def _range(values: np.ndarray) -> dict[str, Any]:
    known = values[np.isfinite(values)]
    if not known.size:
        return {"photographs": 0}
    quantiles = np.quantile(known, list(QUANTILES.values()))
    said = dict(zip(QUANTILES, (float(f"{one:.4g}") for one in quantiles), strict=True))
    return {"photographs": int(known.size), "mean": float(f"{known.mean():.4g}"), **said}


def _judge(found: list[dict[str, Any]], both: _Windows, permutations: int) -> None:
    """Add to each measure, where both windows have enough of it, how it differs and what chance does."""
    dealt = deals(*both.occasions, permutations)
    numbers = _numbers(both.rows)
    judged: list[tuple[dict[str, Any], Spread]] = []
    for one in found:
        if min(one["reference"]["photographs"], one["recent"]["photographs"]) < LEAST_PHOTOGRAPHS:
            continue
        spread = _spread(one["name"], both, numbers, dealt)
        if spread is not None:
            judged.append((one, spread))
    alone, together = p_values([spread for _, spread in judged])
    for (one, spread), p, p_together in zip(judged, alone, together, strict=True):
        size, chance = float(spread.size[0]), spread.by_chance
        least = SMALL_SHARE if one["kind"] == "embedding" else SMALL_INDEX
        differs = p_together <= FALSE_ALARMS
        one["difference"] = {
            "size": round(size, 4),
            "by_chance": round(chance, 4),
            "p": round(p, 4),
            "p_of_all": round(p_together, 4),
            "differs": differs,
            "large": differs and size - chance >= least,
        }


def _spread(name: str, both: _Windows, numbers: dict[str, np.ndarray], dealt: np.ndarray) -> Spread | None:
    if name in ("verdict", "class"):
        said = [row.verdict if name == "verdict" else row.class_key for row in both.rows]
        known = np.array([value is not None for value in said])
        _, kinds = np.unique(np.array([value or "" for value in said])[known], return_inverse=True)
        return _of_kinds(both.units[known], kinds, dealt)
    if name in numbers:
        known = np.isfinite(numbers[name])
        values = numbers[name][known]
        # Tenths of both windows together: what is dealt out anew must not change the limits.
        limits = np.unique(np.quantile(values, np.linspace(0, 1, KINDS + 1)[1:-1]))
        return _of_kinds(both.units[known], np.searchsorted(limits, values, side="right"), dealt)
    return _of_embeddings(both, dealt)


def _of_kinds(units: np.ndarray, kinds: np.ndarray, dealt: np.ndarray) -> Spread | None:
    many = int(kinds.max()) + 1
    if many < 2:
        return None
    counts = np.zeros((dealt.shape[1], many))
    np.add.at(counts, (units, kinds), 1)
    return shares_differ(counts[:, counts.any(axis=0)], dealt)


def _of_embeddings(both: _Windows, dealt: np.ndarray) -> Spread | None:
    chosen = [(unit, row.embedding) for unit, row in zip(both.units, both.rows, strict=True)]
    widths = {one.size for _, one in chosen if one is not None}
    if len(widths) != 1:
        return None
    width, units = widths.pop(), dealt.shape[1]
    sums, sizes, squares = np.zeros((units, width)), np.zeros(units), 0.0
    for unit, one in chosen:
        if one is None or not np.isfinite(one).all():
            continue
        vector = one.astype(np.float64)
        sums[unit] += vector
        sizes[unit] += 1
        squares += float(vector @ vector)
    return means_differ(sums, sizes, squares, dealt)


def _state(found: list[dict[str, Any]], enough: bool, earlier: bool) -> State:
    if not earlier:
        return "no_earlier_time"
    if not enough:
        return "too_few"
    judged = [one["difference"] for one in found if "difference" in one]
    if any(one["large"] for one in judged):
        return "drift"
    return "small" if any(one["differs"] for one in judged) else "none"


def _said(state: State, found: list[dict[str, Any]]) -> str:
    if state == "no_earlier_time":
        return "There is no earlier time of this model to compare with yet."
    if state == "too_few":
        return (
            f"Too few photographs to tell: at least {LEAST_PHOTOGRAPHS} on {LEAST_OCCASIONS} occasions are "
            "needed, both lately and before. An occasion is what one key sent within an hour."
        )
    names = [_NAMES.get(one["name"], f"the {one['name']}") for one in found if _matters(one, state)]
    what = " and ".join(filter(None, [", ".join(names[:-1]), *names[-1:]]))
    if state == "drift":
        return f"Drift: more changed than chance makes, namely {what}."
    if state == "small":
        return f"A small change, but more than chance makes, in {what}."
    return "No difference but what chance makes."


def _matters(one: dict[str, Any], state: State) -> bool:
    return bool(one.get("difference", {}).get("large" if state == "drift" else "differs"))


_NAMES = {
    "verdict": "the verdicts",
    "class": "the conditions that were named",
    "probability": "the probabilities",
    "unfamiliarity": "how familiar the photographs are",
    "look": "what the photographs look like to the model",
    "entropy_bits": "the range of tones",
}
