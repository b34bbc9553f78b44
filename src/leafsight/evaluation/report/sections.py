"""The parts of the page, each from the evaluation alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leafsight.evaluation.report import charts, words
from leafsight.evaluation.results import ClassResult, Evaluation, Slice
from leafsight.pages import Html, figure, folded, join, section, table, tag

TILES = ("accuracy", "macro_f1", "accuracy_answered", "answered", "crop_given_accuracy", "ece")
DOMAIN_COLUMNS = (
    "accuracy",
    "macro_f1",
    "crop_given_accuracy",
    "answered",
    "accuracy_answered",
    "ece",
    "set_coverage",
)
LABELLED_CLASSES = 25
COVERAGE_ROWS = 40
ANSWERS = {"diagnosis": "diagnosis", "cannot_tell": "cannot tell", "not_a_leaf": "not a leaf"}


def first_screen(evaluation: Evaluation) -> Html:
    """The headline with its intervals, what it means, and the limits."""
    metrics = evaluation.overall.metrics
    tiles = [
        tag(
            "li",
            [
                tag("span", words.label(name)[:1].upper() + words.label(name)[1:]),
                tag("b", words.value(name, metrics[name])),
                tag("span", words.span(name, metrics[name]), class_="range"),
                tag("span", words.direction(name), class_="note"),
            ],
            class_="tile",
        )
        for name in TILES
        if name in metrics
    ]
    means = [tag("h3", "What this means"), tag("ul", [tag("li", said) for said in words.meaning(evaluation)])]
    limits = [
        tag("h3", "What it does not mean"),
        tag("ul", [tag("li", said) for said in words.limits(evaluation)]),
    ]
    return join(
        [
            tag("p", words.lead(evaluation), class_="lead"),
            tag("ul", tiles, class_="tiles"),
            tag("div", [tag("div", means), tag("div", limits, class_="limits")], class_="words"),
        ]
    )


def domains(evaluation: Evaluation) -> Html:
    """Each domain by itself."""
    shown = [name for name in DOMAIN_COLUMNS if any(name in part.metrics for part in evaluation.domains)]
    head = ["from", "photographs", "groups", "", *(words.label(name) for name in shown)]
    rows = []
    for part in evaluation.domains:
        cells = [_cell(part, name) for name in shown]
        accuracy = charts.bar(part.metrics["accuracy"], width=90)
        rows.append([part.name, f"{part.photos:,}", f"{part.groups:,}", accuracy, *cells])
    note = tag(
        "p",
        "Where a photograph is from often matters more than what it shows. Means over classes count the "
        "classes that each place has. The bar is the accuracy, the whisker its interval.",
        class_="soft",
    )
    right = range(4, 4 + len(shown))
    return section(
        "By origin", "domains", [note, table(head, rows, "Results by origin", numeric=(1, 2, *right))]
    )


def _cell(part: Slice, name: str) -> Html:
    interval = part.metrics.get(name)
    return join(
        [words.value(name, interval), tag("br"), tag("small", words.span(name, interval), class_="soft")]
    )


def per_class(evaluation: Evaluation) -> Html:
    """Every class, the hardest first."""
    has_sets = any(entry.set_coverage is not None for entry in evaluation.per_class)
    head = ["class", "photographs", "recall", "", "interval", "precision", "F1", "F1 interval"]
    head += ["in the set"] if has_sets else []
    rows = [_class_row(entry, has_sets) for entry in words.weakest(evaluation.per_class)]
    note = tag(
        "p",
        "Ordered by F1, the hardest first. Recall: of the photographs of this class, the share that was "
        "recognised. Precision: of the answers with this class, the share that was right. Their intervals "
        "are Wilson's, on independent groups. A class without test photographs has no numbers and counts in "
        "no mean.",
        class_="soft",
    )
    right = (1, 2, 4, 5, 6, 7, 8)
    return section("By class", "classes", [note, table(head, rows, "Results by class", numeric=right)])


def _class_row(entry: ClassResult, has_sets: bool) -> list[str]:
    if not entry.photos:
        called = f"answered {entry.answered} times" if entry.answered else "never answered"
        return [entry.name, "0", "none", Html(""), called, *[""] * (4 if has_sets else 3)]
    cells = [
        entry.name,
        f"{entry.photos:,}",
        words.value("recall", entry.recall),
        charts.bar(entry.recall, width=110),
        words.span("recall", entry.recall),
        words.value("precision", entry.precision) if entry.answered else "never answered",
        words.value("f1", entry.f1),
        words.span("f1", entry.f1),
    ]
    return [*cells, words.value("coverage", entry.set_coverage)] if has_sets else cells


def confusion(evaluation: Evaluation) -> Html:
    """The matrix, with names where they fit, and the pairs that are mistaken most."""
    few = len(evaluation.classes) <= LABELLED_CLASSES
    drawing = charts.confusion_heatmap(evaluation.confusion, evaluation.classes, labelled=few)
    caption = (
        "Rows are the truth, columns the answer; the shade is the share of the row, mistakes in red."
        + ("" if few else " Point at a cell for its classes. The order is that of the model.")
    )
    rows = [
        (pair.true, pair.answer, str(pair.photos), f"{100 * pair.share:.1f} %")
        for pair in evaluation.confused
    ]
    pairs = (
        table(
            ("truth", "answer", "photographs", "of that class"),
            rows,
            "Most frequent mistakes",
            numeric=(2, 3),
        )
        if rows
        else tag("p", "There is no mistake.")
    )
    drawn = figure(drawing, caption)
    content = (
        [tag("div", [drawn, pairs], class_="two")]
        if few and len(evaluation.classes) <= 12
        else [drawn, pairs]
    )
    return section("What is mistaken for what", "confusion", content)


def confidence(evaluation: Evaluation) -> Html:
    """Reliability and what is gained by keeping silent."""
    diagram = figure(
        charts.reliability_diagram(evaluation.reliability),
        "Dots on the dashed line mean that a stated probability comes true as often as it says; below the "
        "line the model is too sure. Whiskers are Wilson intervals; the bars show how many photographs are "
        "there.",
    )
    parts = [evaluation.overall, *evaluation.domains] if len(evaluation.domains) > 1 else [evaluation.overall]
    lines = [(part.name, [(point.coverage, point.risk) for point in part.risk_coverage]) for part in parts]
    keys = [f"{part.name} (area {part.metrics['aurc'].value:.3f})" for part in parts]
    curve = charts.line_chart(
        lines, "Risk-coverage curve", "share of photographs answered", "share of answers wrong"
    )
    told = figure(
        join([curve, charts.line_key(keys)]),
        "The surest photographs are answered first. A good model stays low until nearly all are answered.",
    )
    rows = [
        (
            f"{entry.low:.2f} to {entry.high:.2f}",
            str(entry.photos),
            f"{entry.confidence:.3f}",
            f"{entry.accuracy:.3f}",
        )
        for entry in evaluation.reliability
        if entry.photos
    ]
    listed = table(
        ("confidence", "photographs", "mean", "right"), rows, "Reliability table", numeric=(1, 2, 3)
    )
    return section(
        "How sure, and rightly so?",
        "confidence",
        [tag("div", [diagram, told], class_="two"), folded("The reliability diagram as a table", listed)],
    )


def sets(evaluation: Evaluation) -> Html:
    """What a person is told: verdicts, sets, and whether sets keep their promise in every class."""
    sizes = _size_bars(evaluation.set_sizes)
    kinds = [(ANSWERS.get(kind, kind), count) for kind, count in evaluation.verdicts.items()]
    drawn = tag(
        "div",
        [
            figure(charts.count_bars(kinds, "Kinds of answer"), "What a person would have been told."),
            figure(
                charts.count_bars(sizes, "Set sizes"), "Classes that could not be excluded, per photograph."
            ),
        ],
        class_="two",
    )
    covered = [
        (entry.name, entry.set_coverage)
        for entry in evaluation.per_class
        if entry.photos and entry.set_coverage is not None
    ]
    covered.sort(key=lambda entry: (entry[1].value, entry[0]))
    promised = 1.0 - float((evaluation.calibration or {"alpha": 0.0})["alpha"])
    more = (
        f" The {COVERAGE_ROWS} lowest of {len(covered)} classes are shown."
        if len(covered) > COVERAGE_ROWS
        else ""
    )
    by_class = figure(
        charts.coverage_chart(covered[:COVERAGE_ROWS], promised),
        "How often the set holds the true class. The promise is made for the mean over photographs like "
        f"those of the calibration, not for each class or another place. Red: surely below it.{more}",
    )
    return section("What a person is told", "answers", [drawn, by_class])


def _size_bars(sizes: Sequence[int], most: int = 6) -> list[tuple[str, int]]:
    shown = [
        ("1 class" if size == 1 else f"{size} classes", count) for size, count in enumerate(sizes[:most], 1)
    ]
    return [*shown, ("more", sum(sizes[most:]))] if len(sizes) > most else shown


def gallery(evaluation: Evaluation, images: Mapping[int, Html]) -> Html:
    """The surest of the wrong answers, with their pictures where there are any."""
    items = []
    for mistake in evaluation.mistakes:
        facts = [
            ("answer", f"{mistake.answer} ({mistake.probability:.2f})"),
            ("truth", f"{mistake.true} ({mistake.probability_of_true:.2f})"),
            ("told", ANSWERS.get(mistake.kind, "")),
            ("from", mistake.domain),
        ]
        listed = [piece for name, said in facts if said for piece in (tag("dt", name), tag("dd", said))]
        picture = tag("div", images[mistake.row], class_="pictures") if mistake.row in images else Html("")
        items.append(tag("li", [picture, tag("dl", listed)]))
    note = tag(
        "p",
        "The surest wrong answers. Look for wrong labels among them: the model may be right.",
        class_="soft",
    )
    body = [note, tag("ul", items, class_="gallery")] if items else tag("p", "There is no mistake.")
    return section("Worst mistakes", "mistakes", body)
