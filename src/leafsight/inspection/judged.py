"""What the measuring parts found, as findings: labels, balance, shortcuts.

Enters: their reports. Leaves: findings, and tables for the page. It measures nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from leafsight.evaluation import Shortcuts
from leafsight.inspection.balance_records import BalanceReport
from leafsight.inspection.findings import Case, Finding, Weight, counted, share
from leafsight.inspection.label_records import LabelReport

MOST_SUSPICIOUS = 200
CLASSES_NAMED = 3
GIVEN_NAMED = 6
LEAST_AGREEMENT = 0.6
"""Where fewer photographs look like their own label, the features do not know these classes; set by us."""


def label_findings(
    report: LabelReport, rows: Sequence[int], class_names: Sequence[str], *, review: float = 0.05
) -> list[Finding]:
    """Photographs that look more like another class than like their label.

    Args:
        report: of ``find_suspicious_labels``.
        rows: row of the index for each photograph of the report.
        class_names: of every row of the index.
        review: share of the photographs that a person may be asked to look at.
    """
    most = max(1, min(MOST_SUSPICIOUS, round(review * len(rows))))
    worst = report.worst(most)
    if not worst:
        return []
    doubtful = int((report.score > 0.5).sum())  # NaN, where nothing could be said, is not above
    doubted = report.agreement < LEAST_AGREEMENT
    cases = tuple(
        Case(
            (rows[one.row],),
            f"labelled {one.given}, looks like {one.suggested}",
            one.score,
        )
        for one in worst
    )
    hint = "look at them, the first are the surest; a photograph of two diseases is no mistake"
    if doubted:
        hint = f"only {report.agreement:.0%} of all photographs look like their own label to this network"
    concerned = [rows[one.row] for one in worst]
    return [
        Finding(
            kind="suspicious-labels",
            part="labels",
            weight="know" if doubted else "look",
            sentence=f"{share(doubtful, len(rows))} photographs look more like another class than their own; "
            f"the {len(worst)} surest are here",
            hint=hint,
            count=len(worst),
            of=len(rows),
            cases=cases,
            per_class=counted(class_names, concerned),
        )
    ]


def balance_findings(report: BalanceReport) -> list[Finding]:
    """Classes that are missing, alone, or too small to be tested."""
    found = []
    if len(report.classes) < 2:
        sentence, hint = "there is only one class", "a classifier needs two"
        found.append(Finding("one-class", "balance", "mend", sentence, hint, report.photos, report.photos))
    small = report.too_small
    if small:
        smallest = sorted(small, key=lambda one: (one.photos, one.name))
        few = ", ".join(f"{one.name} ({one.photos})" for one in smallest[:CLASSES_NAMED])
        named = f": {few}{', ...' if len(smallest) > CLASSES_NAMED else ''}"
        weight: Weight = "look" if len(small) < len(report.classes) else "know"
        found.append(
            Finding(
                kind="small-classes",
                part="balance",
                weight=weight,
                sentence=f"{len(small)} of {len(report.classes)} classes are too small to test{named}",
                hint=report.verdict,
                count=sum(one.photos for one in small),
                of=report.photos,
                per_class={one.name: one.photos for one in smallest},
            )
        )
    return found


def shortcut_findings(report: Shortcuts) -> list[Finding]:
    """The verdict of the shortcut meter."""
    weights: dict[str, Weight] = {"none": "know", "weak": "know", "clear": "look", "strong": "mend"}
    sure = weights[report.strength]
    given = [f"{name} {report.worst.recall[name].value:.0%}" for name in report.worst.given_away]
    named = f"given away: {', '.join(given[:GIVEN_NAMED])}{', ...' if len(given) > GIVEN_NAMED else ''}"
    mend = "judge on photographs from elsewhere, and train with backgrounds replaced (docs/augmentation.md)"
    hint = "" if report.strength == "none" else "; ".join((named, mend)) if given else mend
    return [
        Finding(
            kind="shortcut" if report.strength != "none" else "no-shortcut",
            part="shortcuts",
            weight="look" if sure == "mend" and report.leaves_reach_border else sure,
            sentence=report.verdict,
            hint=hint,
            count=report.photos,
            of=report.all_photos,
        )
    ]


def shortcut_facts(report: Shortcuts) -> dict[str, Any]:
    """Plain values, with a flat table of the views for people."""
    table = [
        {
            "what the model sees": view.sees,
            "balanced accuracy": view.balanced_accuracy.value,
            "low": view.balanced_accuracy.low,
            "high": view.balanced_accuracy.high,
            "accuracy": view.accuracy.value,
            "classes given away": len(view.given_away),
        }
        for view in report.views
    ]
    by_class = [
        {"class": name, **{view.sees: view.recall[name].value for view in report.views}}
        for name in report.classes
    ]
    lines = [report.verdict, f"Chance is {report.chance:.1%}; always naming the largest class is right in "
             f"{report.majority_share:.1%}."]  # fmt: skip
    return {**report.to_dict(), "lines": lines, "shown": {"views": table, "recall by class": by_class}}


def balance_facts(report: BalanceReport) -> dict[str, Any]:
    """Plain values, with a flat table of the classes."""
    table = [
        {
            "class": one.name,
            "photographs": one.photos,
            "groups": one.groups,
            "effective number": one.effective,
            "test groups": one.test_groups,
            "interval low": one.interval.low,
            "interval high": one.interval.high,
        }
        for one in report.classes
    ]
    return {**report.to_dict(), "lines": report.lines()[-2:], "shown": {"what a test could show": table}}
