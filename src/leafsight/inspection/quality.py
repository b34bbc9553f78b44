"""Photographs that are hard to see anything on: blurred, dark, over-exposed, flat, empty, framed.

Enters: an index with measured columns. Leaves: findings. The thresholds are absolute, set by looking at
photographs of nine collections (docs/inspection.md); a collection that is grey on purpose is told so once.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from leafsight.dataset import PhotoIndex
from leafsight.inspection.findings import Case, Finding, counted, share

Values: TypeAlias = np.ndarray[Any, np.dtype[np.float64]]

WHOLE_COLLECTION = 0.5
"""Where more than half is so, it is how the collection is, not a fault of photographs."""


class QualityOptions(BaseModel):
    """From where on a photograph is worth looking at.

    Attributes:
        min_sharpness: squared grey levels; see ``images.Sketch``.
        min_relative_sharpness: the same as a share of the variance of the grey levels. A picture that was
            enlarged keeps its contrast, and with it strong edges, but they are wide.
        min_highlight: the grey level that all but the brightest hundredth stay below, 0 to 1. Not the mean: a
            leaf on black velvet is not dark.
        max_shadow: the grey level of the darkest twentieth, 0 to 1. Not the mean: a leaf on white paper is
            not over-exposed.
        min_contrast: standard deviation of the grey levels, 0 to 0.5.
        min_entropy_bits: of the grey levels, 0 to 8.
        max_margin_share: of the picture that is a margin of one colour, 0 to 1.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    min_sharpness: float = Field(default=20.0, ge=0)
    min_relative_sharpness: float = Field(default=0.01, ge=0)
    min_highlight: float = Field(default=0.35, ge=0, le=1)
    max_shadow: float = Field(default=0.6, ge=0, le=1)
    min_contrast: float = Field(default=0.03, ge=0, le=0.5)
    min_entropy_bits: float = Field(default=4.0, ge=0, le=8)
    max_margin_share: float = Field(default=0.1, ge=0, le=1)


@dataclass(frozen=True, slots=True)
class _Test:
    kind: str
    hint: str
    badness: Callable[[dict[str, Values], QualityOptions], Values]
    text: Callable[[dict[str, Values], int], str]


def _below(name: str, limit: str) -> Callable[[dict[str, Values], QualityOptions], Values]:
    """How many times a value is below its limit; above 1 is bad."""

    def badness(values: dict[str, Values], options: QualityOptions) -> Values:
        worse: Values = getattr(options, limit) / np.maximum(values[name], 1e-9)
        return worse

    return badness


def _above(name: str, limit: str) -> Callable[[dict[str, Values], QualityOptions], Values]:
    """How many times a value is above its limit."""

    def badness(values: dict[str, Values], options: QualityOptions) -> Values:
        worse: Values = values[name] / max(getattr(options, limit), 1e-9)
        return worse

    return badness


def _blurred(values: dict[str, Values], options: QualityOptions) -> Values:
    """Edges that are weak, or wide for the contrast of the picture."""
    variance = np.maximum((255 * values["contrast"]) ** 2, 1.0)
    relative = values["sharpness"] / variance
    weak = options.min_sharpness / np.maximum(values["sharpness"], 1e-9)
    worse: Values = np.maximum(weak, options.min_relative_sharpness / np.maximum(relative, 1e-9))
    return worse


WORDS = {
    "blurred": "are blurred or enlarged",
    "dark": "are dark",
    "over-exposed": "are over-exposed",
    "low-contrast": "have hardly any contrast",
    "low-information": "hold hardly any information",
    "padded": "have an even margin: a frame, padding or a backdrop without grain",
}
TESTS = (
    _Test(
        "blurred",
        "leave out what you cannot diagnose yourself",
        _blurred,
        lambda values, row: f"sharpness {values['sharpness'][row]:.1f}",
    ),
    _Test(
        "dark",
        "leave out what you cannot diagnose yourself",
        _below("highlight", "min_highlight"),
        lambda values, row: f"the brightest parts reach {values['highlight'][row]:.0%}",
    ),
    _Test(
        "over-exposed",
        "leave out what you cannot diagnose yourself",
        _above("shadow", "max_shadow"),
        lambda values, row: f"the darkest parts are at {values['shadow'][row]:.0%}",
    ),
    _Test(
        "low-contrast",
        "fog, a lens cap, or a sheet of paper: look at them",
        _below("contrast", "min_contrast"),
        lambda values, row: f"contrast {values['contrast'][row]:.1%}",
    ),
    _Test(
        "low-information",
        "drawings, icons or empty pictures: look at them",
        _below("entropy_bits", "min_entropy_bits"),
        lambda values, row: f"{values['entropy_bits'][row]:.1f} bits of 8",
    ),
    _Test(
        "padded",
        "a margin tells a network where a photograph came from: crop it, if only some classes have one",
        _above("margin_share", "max_margin_share"),
        lambda values, row: f"{values['margin_share'][row]:.0%} of the picture is margin",
    ),
)
LIGHT = ("dark", "over-exposed")
FOLLOWS_FROM_LIGHT = ("low-contrast", "low-information")
"""Not said again of a photograph that is dark or over-exposed anyway."""

COLUMNS = ("sharpness", "highlight", "shadow", "contrast", "entropy_bits", "margin_share")


def quality_findings(index: PhotoIndex, options: QualityOptions | None = None) -> list[Finding]:
    """Findings on how well things can be seen, one a kind."""
    options = options or QualityOptions()
    rows = np.flatnonzero(~np.isnan(index.numbers("brightness")))
    if not len(rows):
        return []
    values = {name: index.numbers(name)[rows] for name in COLUMNS}
    classes = index.column("class_name")
    found = []
    explained = np.zeros(len(rows), dtype=bool)
    for test in TESTS:
        badness = test.badness(values, options)
        bad = np.flatnonzero((badness > 1) & ~(explained & (test.kind in FOLLOWS_FROM_LIGHT)))
        if test.kind in LIGHT:
            explained[bad] = True
        if len(bad):
            ordered = bad[np.argsort(-badness[bad], kind="stable")]
            cases = [Case((int(rows[at]),), test.text(values, at), float(badness[at])) for at in ordered]
            found.append(_finding(test, cases, len(rows), classes))
    return found


def _finding(test: _Test, cases: Sequence[Case], of: int, classes: Sequence[str]) -> Finding:
    whole = len(cases) > WHOLE_COLLECTION * of
    concerned = [case.rows[0] for case in cases]
    return Finding(
        kind=test.kind,
        part="quality",
        weight="know" if whole else "look",
        sentence=f"{share(len(cases), of)} photographs {WORDS[test.kind]}",
        hint="so is most of this collection, on purpose it seems" if whole else test.hint,
        count=len(cases),
        of=of,
        cases=tuple(cases),
        per_class=counted(classes, concerned),
    )
