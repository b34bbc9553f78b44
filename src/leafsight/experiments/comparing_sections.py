"""What the page of a comparison says about answers, each part from what was found alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import numpy as np

from leafsight.evaluation import Interval
from leafsight.evaluation.report import words
from leafsight.experiments import comparing_words as say
from leafsight.experiments.comparing_charts import difference_chart
from leafsight.experiments.comparing_records import AnsweredPhoto, ComparedRuns
from leafsight.pages import Html, figure, folded, join, section, table, tag

METRICS = ("accuracy", "macro_f1", "group_accuracy", "balanced_accuracy", "ece", "nll", "brier")
CLASSES_DRAWN = 40


def first_screen(found: ComparedRuns) -> Html:
    """The headline of every pair, the accuracies, what it means and what it does not."""
    leads = [tag("p", say.headline(pair), class_="lead") for pair in found.pairs]
    tiles = [
        _tile(name, evaluation.overall.metrics["accuracy"])
        for name, evaluation in zip(found.names, found.evaluations, strict=True)
    ]
    means = [say.chance(pair) for pair in found.pairs]
    overall = found.evaluations[0].overall
    means.append(
        f"On {say.counted(len(found.differing))} of {overall.photos:,} they do not give the same answer."
    )
    means.append(say.all_wrong(found))
    return join(
        [
            *leads,
            tag("ul", tiles, class_="tiles"),
            tag("div", [_listed("What this means", means), _limits(found)], class_="words"),
        ]
    )


def _tile(name: str, accuracy: Interval) -> Html:
    return tag(
        "li",
        [
            tag("span", name),
            tag("b", words.value("accuracy", accuracy)),
            tag("span", words.span("accuracy", accuracy), class_="range"),
            tag("span", "accuracy", class_="note"),
        ],
        class_="tile",
    )


def _listed(title: str, said: Sequence[str]) -> Html:
    return tag("div", [tag("h3", title), tag("ul", [tag("li", one) for one in said])])


def _limits(found: ComparedRuns) -> Html:
    return tag("div", _listed("What it does not mean", say.limits(found)), class_="limits")


def numbers(found: ComparedRuns) -> Html:
    """One row a run, and the differences to the first with paired intervals."""
    measured = [evaluation.overall for evaluation in found.evaluations]
    names = [name for name in METRICS if name in measured[0].metrics]
    rows = [
        [subject, f"{part.photos:,}", *(_cell(name, part.metrics.get(name)) for name in names)]
        for subject, part in zip(found.names, measured, strict=True)
    ]
    head = ["run", "photographs", *(words.label(name) for name in names)]
    whole = table(head, rows, "Every run", numeric=range(1, len(head)))
    compared = [name for name in names if name in found.pairs[0].comparison.differences]
    gaps = [
        [pair.run, *(_difference(name, pair.comparison.differences[name]) for name in compared)]
        for pair in found.pairs
    ]
    gap_head = [f"minus {found.names[0]}", *(words.label(name) for name in compared)]
    caption = f"Differences to {found.names[0]}, those of percentages in points; bold where 0 is not inside"
    differences = table(gap_head, gaps, caption, numeric=range(1, len(gap_head)))
    level = round(100 * found.evaluations[0].settings["confidence"])
    note = tag(
        "p",
        f"Intervals are {level} % bootstrap intervals over whole groups of photographs. Those of the "
        "differences are paired: in every resample both meet the same photographs, so they are narrower than "
        "two intervals side by side suggest. A difference whose interval holds 0 may be none.",
        class_="soft",
    )
    return section("Numbers", "numbers", [note, whole, differences])


def _cell(name: str, interval: Interval | None) -> Html:
    return join(
        [words.value(name, interval), tag("br"), tag("small", words.span(name, interval), class_="soft")]
    )


def _difference(name: str, interval: Interval) -> Html:
    if not np.isfinite(interval.value):
        return Html("not defined")
    value = _signed(name, interval.value)
    ends = f"{_signed(name, interval.low)} to {_signed(name, interval.high)}"
    sure = interval.low > 0 or interval.high < 0
    return join([tag("b", value) if sure else value, tag("br"), tag("small", ends, class_="soft")])


def _signed(name: str, value: float) -> str:
    return f"{value + 0.0:+.3f}" if name in words.NOT_SHARES else f"{100.0 * value + 0.0:+.1f}"


def tests(found: ComparedRuns) -> Html:
    """What chance alone would do: both tests, adjusted where there are several pairs."""
    head, rows = say.comparison_tests(found)
    shown = table(head, rows, "Paired tests", numeric=range(1, len(head)))
    note = tag("p", say.method_of_tests(found), class_="soft")
    return section("Could this be chance?", "tests", [shown, note])


def photographs(found: ComparedRuns, shown: Sequence[AnsweredPhoto], images: Mapping[int, Html]) -> Html:
    """The photographs of which not all say the same, the most surprising first."""
    title, every = "Photographs on which they differ", len(found.differing)
    if not every:
        return section(title, "photographs", tag("p", "All give the same answer to every photograph."))
    more = f" Shown are {len(shown)} of {every:,}; all are in the JSON beside this page."
    note = (
        "First those on which both are sure of different things: look there for wrong labels."
        f"{more if every > len(shown) else ''}"
    )
    items = [_photo(found.names, one, images.get(one.row, Html(""))) for one in shown]
    gallery = tag("ul", items, class_="gallery")
    return section(title, "photographs", [tag("p", note, class_="soft"), gallery])


def wrong(found: ComparedRuns, shown: Sequence[AnsweredPhoto], images: Mapping[int, Html]) -> Html:
    """The photographs that no run has right, first those of which all are sure."""
    title, every = "Photographs that all have wrong", len(found.all_wrong)
    if not every:
        return section(title, "wrong", tag("p", say.all_wrong(found)))
    more = f" Shown are {len(shown)} of {every:,}; all are in the JSON beside this page."
    note = f"First those of which all are sure.{more if every > len(shown) else ''}"
    items = [_photo(found.names, one, images.get(one.row, Html(""))) for one in shown]
    body = [tag("p", say.all_wrong(found)), tag("p", note, class_="soft"), tag("ul", items, class_="gallery")]
    return section(title, "wrong", body)


def _photo(names: Sequence[str], one: AnsweredPhoto, image: Html) -> Html:
    facts = [tag("dt", "label"), tag("dd", one.label)]
    for name, said in zip(names, one.answers, strict=True):
        mark = "right" if said.right else "wrong"
        told = f"{said.answer} ({said.probability:.2f}), {mark}"
        facts += [tag("dt", name), tag("dd", told, class_=mark)]
    facts += [tag("dt", "which"), tag("dd", one.photo)]
    picture = tag("div", image, class_="pictures") if image else Html("")
    return tag("li", [picture, tag("dl", facts)])


def confusions(found: ComparedRuns) -> Html:
    """Pairs of classes that are mistaken more or less often than by the first run."""
    parts = []
    for pair in found.pairs:
        rows = [
            [one.true, one.answer, f"{one.before:,}", f"{one.after:,}", f"{one.after - one.before:+,}"]
            for one in pair.confusions
        ]
        head = ("truth", "answer", pair.against, pair.run, "change")
        title = f"Mistakes of {pair.run} beside those of {pair.against}, the largest changes first"
        parts.append(
            table(head, rows, title, numeric=(2, 3, 4))
            if rows
            else tag("p", f"{pair.run} makes every mistake as often as {pair.against}.")
        )
    return section("What is mistaken for what", "confusions", parts)


def classes(found: ComparedRuns) -> Html:
    """F1 of every class, the largest differences first."""
    parts = []
    for pair in found.pairs:
        rows = sorted(
            pair.comparison.f1_differences.items(), key=lambda entry: (-abs(entry[1].value), entry[0])
        )
        more = f" The {CLASSES_DRAWN} largest of {len(rows)} are drawn." if len(rows) > CLASSES_DRAWN else ""
        caption = (
            f"F1 of {pair.run} minus F1 of {pair.against}, in points, with paired intervals. To the right of "
            f"the line {pair.run} is better.{more}"
        )
        drawn = difference_chart(rows[:CLASSES_DRAWN], f"F1 by class: {pair.run} minus {pair.against}")
        listed = [
            [name, _signed("f1", one.value), f"{_signed('f1', one.low)} to {_signed('f1', one.high)}"]
            for name, one in rows
        ]
        head = ("class", "points", "interval")
        as_table = folded("The same as a table", table(head, listed, "F1 by class", numeric=(1, 2)))
        parts += [figure(drawn, caption), as_table]
    return section("By class", "classes", parts)
