"""A report of the answers: what stands in it, line by line.

Enters: photographs with their answers, in the order of the list. Leaves: lines, each with its look. How they
are drawn, and the pictures beside them, are known to the window.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from leafsight.desktop.session.exporting import Exported
from leafsight.desktop.session.language import in_figures, tr, trn
from leafsight.desktop.session.loading import Model
from leafsight.desktop.session.naming import name_of
from leafsight.desktop.session.wording import (
    also_possible,
    basis,
    date_and_time,
    headline,
    plant_name,
    quality_remarks,
    spoken,
    sureness,
    verdict_name,
)
from leafsight.inference import VERDICTS
from leafsight.storage import readable

Look = Literal["title", "heading", "strong", "sure", "text", "quiet"]
LONGEST_LINE = 600
"""Characters; names and reasons may come from a server or a disk."""


@dataclass(frozen=True, slots=True)
class Line:
    """A line of text, or more where it does not fit into one."""

    look: Look
    text: str


@dataclass(frozen=True, slots=True)
class Report:
    """What is reported.

    Attributes:
        rows: in the order in which they stand.
        model: that answers now; None when it is not known.
        made: when.
        waiting: photographs that are left out because they wait.
    """

    rows: Sequence[Exported]
    model: Model | None
    made: datetime
    waiting: int = 0

    @property
    def title(self) -> str:
        """Also that of the file."""
        return tr("Leaf photographs, diagnosed")


def first_page(report: Report) -> list[Line]:
    """What all photographs have in common, and how to read the rest."""
    lines = [
        Line("title", report.title),
        Line("quiet", tr("Made on {date} with leafsight.", date=date_and_time(report.made))),
        *(Line("quiet", _clean(text)) for text in _models(report)),
        Line("heading", trn("{number} photograph", "{number} photographs", len(report.rows))),
        *(Line("text", text) for text in _counts(report)),
        Line("heading", tr("How to read it")),
    ]
    lines += [Line("text", text) for text in _guide(report)]
    return lines


def block(row: Exported, model: Model | None) -> list[Line]:
    """What is known of one photograph."""
    said = row.prediction
    lines = [
        Line("quiet", readable(row.path.name)),
        Line("strong", headline(said)),
        Line("sure", sureness(said)),
        Line("text", "" if said.is_diagnosis else said.reason),
    ]
    if said.verdict not in ("not_a_leaf", "too_blurred", "unreadable"):
        lines.append(Line("text", also_possible(said)))
    if said.verdict != "unreadable":
        lines.append(Line("text", quality_remarks(said.quality)))
    lines += [Line("text", _person(row, model)), *_plant(row)]
    return [Line(one.look, _clean(one.text)) for one in lines if one.text]


def _models(report: Report) -> list[str]:
    """Each model that gave one of the answers; the photographs of another window may have another."""
    found = Counter((row.prediction.model, row.prediction.model_hash) for row in report.rows)
    found.pop(("", ""), None)  # read by none
    known = list(found)
    if not known and report.model is not None:
        known = [(report.model.name, report.model.hash)]
    return [tr("Model: {name} ({hash}).", name=name, hash=hash_) for name, hash_ in known]


def _counts(report: Report) -> list[str]:
    kinds = Counter(row.prediction.verdict for row in report.rows)
    lines = [
        f"{verdict_name(verdict)}: {in_figures(f'{kinds[verdict]:,}')}"
        for verdict in VERDICTS
        if kinds[verdict]
    ]
    said = Counter(row.said for row in report.rows)
    if said["right"] or said["corrected"]:
        lines.append(
            tr(
                "A person said of {right} that they are right, and corrected {corrected}.",
                right=f"{said['right']:,}",
                corrected=f"{said['corrected']:,}",
            )
        )
    if report.waiting:
        lines.append(
            trn(
                "{number} photograph still waits for its answer and is left out.",
                "{number} photographs still wait for their answers and are left out.",
                report.waiting,
            )
        )
    return lines


def _guide(report: Report) -> list[str]:
    guide = [
        tr("All of this is from photographs alone; look at the plants before you act on it."),
        tr(
            "The model names a condition only where it is sure enough, and says how sure. "
            "Elsewhere it says that it cannot tell, and what cannot be excluded."
        ),
        tr("It knows only the crops and conditions that it was taught; others it may take for one of them."),
    ]
    if any(row.prediction.heatmap is not None for row in report.rows):
        guide.append(
            tr(
                "Where a second picture stands beside a photograph, warm colours show what speaks for the "
                "first guess. They say where, not how sure."
            )
        )
    return guide


def _person(row: Exported, model: Model | None) -> str:
    if row.correction is None:
        return ""
    if row.said == "right":
        return tr("A person says: that is right.")
    return tr("A person says: {condition}.", condition=spoken(name_of(row.correction, model)))


def _plant(row: Exported) -> list[Line]:
    if row.plant is None:
        return []
    said = row.combined
    if said is None:
        return [Line("text", tr("Plant {plant}: no answer yet.", plant=row.plant))]
    answer = ", ".join(part for part in (headline(said), sureness(said)) if part)
    return [
        Line("text", f"{plant_name(row.plant, said.photographs)}: {answer}."),
        Line("quiet", f"{basis(said)} {said.reason if said.used else ''}".strip()),
    ]


def _clean(text: str) -> str:
    """One line of what fonts can draw; half a surrogate pair, or a control character, is none of that."""
    text = text.encode("utf-8", "backslashreplace").decode("utf-8")
    text = "".join(one if one.isprintable() else " " for one in text)
    return text if len(text) <= LONGEST_LINE else f"{text[:LONGEST_LINE]}…"
