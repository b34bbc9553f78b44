"""A search as one page for people: how it went, what mattered, what each key did, and how far to believe it.

Enters: an outcome. Leaves: the text of an HTML file without scripts, which asks for nothing from outside.
"""

from __future__ import annotations

from collections.abc import Iterable

from leafsight.experiments.search_charts import WIDE, Axis, Dot, scatter, share_bars, spread
from leafsight.experiments.search_outcome import (
    LEAST_FOR_IMPORTANCE,
    SearchOutcome,
    TrialRow,
    doubt_in_words,
    result_in_words,
    shown,
)
from leafsight.experiments.search_range import RangeTest
from leafsight.experiments.search_space import ends
from leafsight.pages import Html, document, figure, folded, section, table, tag
from leafsight.storage import canonical_json

STYLE = """
.pruned { fill:none; stroke:var(--soft); stroke-width:1.4; } .best { fill:var(--s1); }
.asis { fill:var(--s2); } .pair { display:flex; flex-wrap:wrap; gap:4px 30px; }
.pair figure { flex:1 1 340px; max-width:420px; margin:.6em 0; }
"""
DOTS = "Full dots are trials that came to their end, rings those that were pruned, at their last number. "
SEEN = (
    "The search looks at the validation split only. No photograph of the calibration or test split was shown "
    "to a trial, so the test split still tells the truth about the best recipe."
)
COLOURS = "Orange is the best trial, blue the recipe as it stands."


def search_page(outcome: SearchOutcome) -> str:
    """One self-contained page."""
    name = outcome.metric.replace("_", " ").replace("f1", "F1")
    body = [tag("h1", f"Search: {outcome.name}"), tag("p", lead(outcome), class_="lead")]
    if outcome.best is not None:
        body.append(tag("div", [tag("p", doubt_in_words(outcome)), tag("p", SEEN)], class_="limits"))
        body.append(section("The best values", "best", _best(outcome, outcome.best)))
    if any(row.value is not None for row in outcome.trials):
        body.append(section("History", "history", _history(outcome, name)))
        body.append(section("What mattered", "importance", _importance(outcome)))
        body.append(section("Key by key", "slices", _slices(outcome, name)))
    if outcome.tests:
        body.append(section("Range tests of the learning rates", "ranges", _tests(outcome.tests)))
    if outcome.trials:
        body.append(section("Trials", "trials", _trials(outcome, name)))
    return document(f"Search: {outcome.name}", tag("main", body), style=STYLE)


def lead(outcome: SearchOutcome) -> str:
    """The result in a sentence or two."""
    counts = f"{len(outcome.trials)} of {outcome.wanted} trials are finished"
    pruned = len(outcome.trials) - len(outcome.complete)
    counts += f", {pruned} of them ended early. " if pruned else ". "
    if outcome.best is None:
        return counts + "None came to its end yet."
    which = " (the recipe as it stands)" if outcome.best.as_it_stands else ""
    return counts + f"The best is trial {outcome.best.number}{which}: {result_in_words(outcome)}."


def _best(outcome: SearchOutcome, best: TrialRow) -> Html:
    rows = []
    for key, tried in outcome.space.items():
        searched = (
            ", ".join(shown(one) for one in tried.choices)
            if tried.choices
            else f"{shown(tried.low)} to {shown(tried.high)}{', logarithmic' if tried.log else ''}"
        )
        own = shown(outcome.own[key]) if key in outcome.own else "not set"
        rows.append([key, own, shown(best.changes[key]) if key in best.changes else own, searched])
    return table(["key", "recipe", "best", "searched"], rows, "What the recipe says, and the best trial")


def _dot_kind(outcome: SearchOutcome, row: TrialRow) -> str:
    if row is outcome.best:
        return "best"
    if not row.complete:
        return "pruned"
    return "asis" if row.as_it_stands else "mark"


def _history(outcome: SearchOutcome, name: str) -> Html:
    rows = [row for row in outcome.trials if row.value is not None]
    dots = [_dot(outcome, row, float(row.number)) for row in _best_last(outcome, rows)]
    line: list[tuple[float, float]] = []
    for row in rows:
        if row.complete and (not line or float(row.value or 0.0) > line[-1][1]):
            line += [(float(row.number), line[-1][1])] if line else []
            line.append((float(row.number), float(row.value or 0.0)))
    if line:
        line.append((float(rows[-1].number), line[-1][1]))
    x = spread("trial", [float(row.number) for row in rows], whole=True)
    y = spread(f"{name} on validation", [float(row.value or 0.0) for row in rows])
    drawing = scatter("History of the search", x, y, dots, line=line, size=WIDE)
    return figure(drawing, f"{DOTS}{COLOURS} The line is the best so far.")


def _best_last(outcome: SearchOutcome, rows: Iterable[TrialRow]) -> list[TrialRow]:
    """In the order in which dots are drawn: the best lies on top."""
    return sorted(rows, key=lambda row: row is outcome.best)


def _dot(outcome: SearchOutcome, row: TrialRow, x: float) -> Dot:
    value = float(row.value or 0.0)
    changes = ", ".join(f"{key} {shown(one)}" for key, one in row.changes.items())
    said = f"trial {row.number}: {value:.3f}{'' if row.complete else ' (pruned)'}; {changes}"
    return x, value, _dot_kind(outcome, row), said


def _importance(outcome: SearchOutcome) -> Html:
    if not outcome.importance:
        return tag(
            "p",
            f"Not told: it takes {LEAST_FOR_IMPORTANCE} trials run to their end, with different numbers.",
        )
    drawing = share_bars(outcome.importance, "Importance of the keys")
    return figure(
        drawing,
        "How much of what sets the best trials apart from the others lies in each key (PED-ANOVA, Watanabe "
        "et al. 2023). A small share says that the key did not matter inside of its range. With few trials "
        "the order of the keys is as far as this can be believed.",
    )


def _slices(outcome: SearchOutcome, name: str) -> Html:
    rows = [row for row in outcome.trials if row.value is not None]
    y = spread(name, [float(row.value or 0.0) for row in rows])
    drawings = []
    for key, tried in outcome.space.items():
        those = [row for row in _best_last(outcome, rows) if key in row.changes]
        if tried.choices:
            names = [canonical_json(one) for one in tried.choices]
            x = Axis(key, -0.5, len(names) - 0.5, choices=tuple(shown(one) for one in tried.choices))
            dots = [_dot(outcome, row, float(names.index(canonical_json(row.changes[key])))) for row in those]
        else:
            low, high = ends(tried)
            x = Axis(key, low, high, log=tried.log, whole=tried.integer)
            dots = [_dot(outcome, row, float(row.changes[key])) for row in those]
        drawings.append(tag("figure", scatter(f"{name} by {key}", x, y, dots)))
    return tag("div", [tag("div", drawings, class_="pair"), tag("p", DOTS + COLOURS, class_="soft")])


def _tests(tests: Iterable[RangeTest]) -> Html:
    drawings = []
    for test in tests:
        if not test.rates:
            drawings.append(tag("p", f"{test.key}: {test.said}."))
            continue
        x = Axis(test.key, test.rates[0], test.rates[-1], log=True)
        y = spread("loss", test.losses)
        places = list(zip(test.rates, test.losses, strict=True))
        at = test.suggestion or test.low
        nearest = min(places, key=lambda place: abs(place[0] - at))
        dots = [(nearest[0], nearest[1], "best", f"suggestion {shown(at)}")]
        caption = f"{test.said}; tried: {shown(test.low)} to {shown(test.high)}."
        drawings.append(figure(scatter(f"Range test of {test.key}", x, y, dots, line=places), caption))
    words = (
        "A short run with a rising rate before the first trial (Smith 2017); the loss falls fastest at the "
        "orange dot. Each stage was tested from the weights that the run starts from."
    )
    return tag("div", [tag("p", words), tag("div", drawings, class_="pair")])


def _trials(outcome: SearchOutcome, name: str) -> Html:
    keys = list(outcome.space)
    order = outcome.complete + [row for row in outcome.trials if not row.complete]
    rows = [
        [
            f"{row.number}{' (as it stands)' if row.as_it_stands else ''}",
            shown(row.value) if row.value is not None else "",
            "complete" if row.complete else row.note or "pruned",
            str(row.epochs),
            f"{row.duration_s:.0f}",
            *(shown(row.changes[key]) if key in row.changes else "" for key in keys),
        ]
        for row in order
    ]
    head = ["trial", name, "state", "epochs", "seconds", *keys]
    numeric = (1, 3, 4, *range(5, 5 + len(keys)))
    return folded(
        f"All {len(rows)} trials, best first", table(head, rows, "Finished trials", numeric=numeric)
    )
