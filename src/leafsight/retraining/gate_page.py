"""The gate report as a page for people.

Enters: a ``GateReport``, and what is known about the retraining. Leaves: the text of one HTML file without
scripts. It judges nothing.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leafsight.pages import Html, document, join, section, table, tag
from leafsight.retraining.gate_report import Check, ClassRow, GateReport
from leafsight.retraining.snapshot import Snapshot

HEADINGS = {
    "usable": "the file",
    "knows": "classes known",
    "worst_class": "each class",
    "domains": "each domain",
    "parity": "graph and head",
    "accuracy": "accuracy",
    "macro_f1": "mean F1",
    "calibration": "calibration",
    "coverage": "possible conditions",
    "answered": "diagnoses given",
    "answers_right": "diagnoses right",
    "false_silence": "kept back wrongly",
    "leaf_refused": "leaves refused",
    "no_leaf_missed": "no leaf, missed",
    "taught": "taught class",
    "contributions": "contributions",
    "latency": "speed",
    "size": "size",
}
METRICS = {
    "accuracy": "first guess right",
    "macro_f1": "mean F1 of the classes",
    "ece": "calibration error",
    "nll": "negative log-likelihood, nats",
    "answered": "diagnosis given",
    "accuracy_answered": "of these right",
    "set_coverage": "possible conditions hold the truth",
    "mean_set_size": "possible conditions, mean number",
}
LEFT_OUT_SHOWN = 20


def gate_page(report: GateReport, *, title: str = "Gate report", snapshot: Snapshot | None = None) -> str:
    """The page.

    Args:
        report: what was found.
        title: headline and window title.
        snapshot: what the candidate was taught with.
    """
    parts = [
        section("Conditions", "conditions", _conditions(report.checks)),
        *([section("Both models", "models", _measured(report))] if report.measured else []),
        *([section("Class by class", "classes", _classes(report.classes))] if report.classes else []),
        *([section("Taught with", "taught", _taught(snapshot))] if snapshot is not None else []),
        section("What was compared", "compared", _compared(report)),
    ]
    whole = [
        tag("header", [tag("h1", title), _first_screen(report)]),
        tag("main", join(parts)),
        tag("footer", "Written by leafsight. This page holds no script and asks for nothing from outside."),
    ]
    return document(title, whole)


def _first_screen(report: GateReport) -> Html:
    held = sum(check.passed for check in report.checks)
    tiles = [
        ("passed" if report.passed else "not passed", "the gate", ""),
        (f"{held} of {len(report.checks)}", "conditions hold", ""),
        *([(str(report.gained), "gained", f"of {report.photos} photographs")] if report.photos else []),
        *([(str(report.lost), "lost", f"of {report.photos} photographs")] if report.photos else []),
    ]
    shown = [
        tag("li", [tag("b", number), tag("span", words), tag("span", note, class_="note")], class_="tile")
        for number, words, note in tiles
    ]
    return join([tag("p", report.said, class_="lead"), tag("ul", shown, class_="tiles")])


def _conditions(checks: Sequence[Check]) -> Html:
    # What fails comes first: that is what somebody has to decide about.
    ordered = sorted(checks, key=lambda check: check.passed)
    rows = [
        [HEADINGS.get(check.name, check.name), "holds" if check.passed else "fails", check.said]
        for check in ordered
    ]
    return table(["condition", "result", "what was found"], rows, "Conditions of the gate")


def _measured(report: GateReport) -> Html:
    rows = [
        [METRICS.get(name, name), f"{old:.4f}", f"{new:.4f}", f"{new - old:+.4f}"]
        for name, (old, new) in report.measured.items()
    ]
    head = ["on the locked test", "champion", "candidate", "change"]
    return table(head, rows, f"On {report.photos} photographs that teach no model", numeric=(1, 2, 3))


def _classes(rows: Sequence[ClassRow]) -> Html:
    cells = [
        [
            row.name,
            row.where,
            str(row.photos),
            "-" if row.champion is None else str(row.champion),
            str(row.candidate),
            f"{row.low:.0%} to {row.high:.0%}",
        ]
        for row in sorted(rows, key=lambda row: (row.where != "contributions", _change(row)))
    ]
    head = ["class", "photographs from", "photographs", "champion right", "candidate right", "95 % interval"]
    return table(head, cells, "Both models class by class", numeric=(2, 3, 4))


def _change(row: ClassRow) -> float:
    return row.candidate / row.photos - (row.champion or 0) / row.photos


def _taught(snapshot: Snapshot) -> Html:
    rows = [
        [label, *(str(of.get(role, 0)) for role in ("train", "calibration", "probe"))]
        for label, of in snapshot.counts.items()
    ]
    head = ["class", "to learn from", "to calibrate", "held out"]
    parts = [table(head, rows, f"{len(snapshot.rows)} accepted contributions", numeric=(1, 2, 3))]
    if snapshot.left_out:
        parts.append(tag("p", f"{len(snapshot.left_out)} accepted contributions were left out:"))
        parts.append(_left_out(snapshot.left_out))
    return join(parts)


def _left_out(left_out: Mapping[str, str]) -> Html:
    lines = [tag("li", f"{name}: {why}") for name, why in list(left_out.items())[:LEFT_OUT_SHOWN]]
    if len(left_out) > LEFT_OUT_SHOWN:
        lines.append(tag("li", f"and {len(left_out) - LEFT_OUT_SHOWN} more, all in the snapshot"))
    return tag("ul", lines)


def _compared(report: GateReport) -> Html:
    lines = [
        tag("li", ["Champion: ", tag("code", report.champion)]),
        tag("li", ["Candidate: ", tag("code", report.candidate or "could not be opened")]),
        tag("li", "The locked test never takes contributions; held-out contributions taught neither model."),
        tag(
            "li",
            "An interval is a 95 % interval: of a change by resampling whole groups, of a share by Wilson.",
        ),
    ]
    return tag("ul", lines)
