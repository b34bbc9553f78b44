"""The whole check: everything that can be said of a collection that was read, in one report.

Enters: one collection that was read, perhaps a second one to compare with. Leaves: a ``Health``. It reads no
photograph and writes nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any, TypeAlias

import numpy as np
from pydantic import BaseModel, ConfigDict, Field

from leafsight.dataset import ByNumber, FoundSets, GroupOptions, PhotoIndex, Rule, group_photos
from leafsight.dataset.duplicates import find_duplicates
from leafsight.errors import DatasetError, LeafsightError
from leafsight.evaluation import draw_rows, group_codes, measure_shortcuts
from leafsight.inspection.balance import measure_balance
from leafsight.inspection.copies import (
    FoundPair,
    against_findings,
    copy_findings,
    crossing_leaves,
    crossing_pairs,
    leak_findings,
)
from leafsight.inspection.files import file_findings
from leafsight.inspection.findings import Finding
from leafsight.inspection.health import Health, assembled
from leafsight.inspection.judged import (
    balance_facts,
    balance_findings,
    label_findings,
    shortcut_facts,
    shortcut_findings,
)
from leafsight.inspection.labels import find_suspicious_labels
from leafsight.inspection.looked import MOST_EMBEDDED, Looked
from leafsight.inspection.named import name_findings
from leafsight.inspection.quality import QualityOptions, quality_findings
from leafsight.inspection.relatives import find_copies, find_leaves
from leafsight.progress import Progress, Silent

SHORTCUT_PHOTOS = 8_000
"""More make the intervals narrower by a point and the check seconds longer."""

NO_NETWORK = "labels, and leaves photographed several times: no network was asked"
LEAF_RULES: tuple[Rule, ...] = ("column", "leaf_map", "duplicates", "copies", "same_leaf")
FOLD_RULES: tuple[Rule, ...] = (*LEAF_RULES, "capture_runs")
"""A run of the camera is a guess, too coarse to count leaves by. But photographs of one series vouch for each
other's wrong label, so in folds they stay together."""
MINE, THEIRS = "mine", "theirs"

Measured: TypeAlias = tuple[list[Finding], dict[str, Any]]


class CheckOptions(BaseModel):
    """What is looked for.

    Attributes:
        quality: thresholds.
        shortcuts: whether the shortcut meter is asked.
        labels: whether labels are compared with what photographs look like; needs embeddings.
        seed: of folds and resamples.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    quality: QualityOptions = Field(default_factory=QualityOptions)
    shortcuts: bool = True
    labels: bool = True
    seed: int = 0


Measure: TypeAlias = Callable[[Looked, PhotoIndex, CheckOptions, Progress], Measured]


def check_collection(
    looked: Looked,
    *,
    against: Looked | None = None,
    against_name: str = "",
    leaf_map: Mapping[tuple[str, str], str] | None = None,
    options: CheckOptions | None = None,
    progress: Progress | None = None,
) -> Health:
    """Look for everything.

    Args:
        looked: the collection.
        against: another one that may hold the same photographs.
        against_name: what that one is called.
        leaf_map: (class, file) to leaf, where somebody knows; folds then keep leaves together.
        options: what is looked for.
        progress: told of every stage.
    """
    options = options or CheckOptions()
    talk = progress or Silent()
    index = looked.index
    findings = [*file_findings(index), *name_findings(index), *quality_findings(index, options.quality)]
    facts: dict[str, Any] = {}
    silent: list[str] = []
    copies, leaves = find_copies(looked, talk), find_leaves(looked)
    known = {(pair.one, pair.other) for pair in copies.pairs}
    shots = [pair for pair in leaves.pairs if (pair.one, pair.other) not in known]
    findings += copy_findings(index, [*copies.pairs, *shots], copies.groups)
    splits = index.column("split")
    crossing = crossing_pairs(copies.pairs, copies.groups, splits)
    apart = [
        pair
        for pair in crossing_leaves(shots, leaves.groups, splits)
        if not {(pair.one, pair.other), (pair.other, pair.one)} & known
    ]
    findings += leak_findings(index, [*crossing, *apart])
    if against is not None:
        findings += _against(looked, against, against_name, talk)
    together = [FoundSets("copies", copies.groups), FoundSets("same_leaf", leaves.groups)]
    counted, _ = group_photos(index, GroupOptions(group_by=LEAF_RULES), leaf_map=leaf_map, found=together)
    folded, _ = group_photos(index, GroupOptions(group_by=FOLD_RULES), leaf_map=leaf_map, found=together)
    wanted: list[tuple[str, Measure, PhotoIndex]] = [("balance", _balance, counted)]
    if options.shortcuts:
        wanted.append(("shortcuts", _shortcuts, folded))
    if options.labels and looked.embeddings is not None:
        wanted.append(("labels", _labels, folded))
    for part, measure, grouped in wanted:
        try:
            also, facts[part] = measure(looked, grouped, options, talk)
        except LeafsightError as error:  # too small a collection for this part is no error of the check
            silent.append(f"{part}: {error.message}")
        else:
            findings += also
    if looked.embeddings is None:
        silent.append(NO_NETWORK)
    elif len(looked.rows()) > MOST_EMBEDDED:
        silent.append(f"leaves photographed several times: more than {MOST_EMBEDDED:,} photographs")
    return assembled(index, findings, facts, silent)


def _against(looked: Looked, against: Looked, name: str, progress: Progress) -> list[Finding]:
    """Duplicates between two collections: both are searched as one, and pairs inside either are dropped."""
    mine, theirs = looked.rows(), against.rows()
    sides = [looked.index.rows(mine), against.index.rows(theirs)]
    hashes = [
        [value for side in sides for value in side.column(column)]
        for column in ("content_hash", "pixel_hash", "look_hash")
    ]
    both = _Both(looked, against)
    found = find_duplicates(
        ByNumber(both.grey),
        ByNumber(both.rgb),
        hashes[0],
        hashes[1],
        look_hashes=hashes[2],
        records=both.numbers(),
        progress=progress,
    )
    belongs = [MINE] * len(mine) + [THEIRS] * len(theirs)
    pairs = [FoundPair(pair.one, pair.other, pair.kind, pair.score) for pair in found.pairs]
    crossing = crossing_pairs(pairs, found.groups, belongs)
    placed = []
    for pair in crossing:
        one, other = sorted((pair.one, pair.other))
        row, theirs_row = int(mine[one]), int(theirs[other - len(mine)])
        placed.append(FoundPair(row, theirs_row, pair.kind, pair.score))
    return against_findings(looked.index, against.index, placed, name)


class _Both:
    """The sketches of two collections under one numbering: the second follows the first."""

    def __init__(self, one: Looked, other: Looked) -> None:
        self._one, self._other = one, other
        self._offset = len(one.sketches)

    def numbers(self) -> np.ndarray:
        """The number of every comparable photograph, first collection first."""
        return np.concatenate([self._one.sketch_numbers(), self._other.sketch_numbers() + self._offset])

    def grey(self, numbers: np.ndarray) -> np.ndarray:
        """uint8 ``[k, 64, 64]``."""
        return self._read(numbers, self._one.sketches.grey, self._other.sketches.grey)

    def rgb(self, numbers: np.ndarray) -> np.ndarray:
        """uint8 ``[k, 32, 32, 3]``."""
        return self._read(numbers, self._one.sketches.rgb, self._other.sketches.rgb)

    def _read(self, numbers: np.ndarray, one: Any, other: Any) -> np.ndarray:
        first = numbers < self._offset
        mine, theirs = one(numbers[first]), other(numbers[~first] - self._offset)
        out = np.empty((len(numbers), *mine.shape[1:]), np.uint8)
        out[first], out[~first] = mine, theirs
        return out


def _labels_and_groups(looked: Looked, grouped: PhotoIndex) -> tuple[np.ndarray, tuple[str, ...], list[Any]]:
    rows = looked.rows()
    classes = grouped.classes
    groups = grouped.column("group")
    return grouped.labels_for(classes)[rows], classes, [groups[row] for row in rows.tolist()]


def _balance(looked: Looked, grouped: PhotoIndex, options: CheckOptions, progress: Progress) -> Measured:
    labels, classes, groups = _labels_and_groups(looked, grouped)
    report = measure_balance(labels, classes, groups=groups)
    return balance_findings(report), balance_facts(report)


def _shortcuts(looked: Looked, grouped: PhotoIndex, options: CheckOptions, progress: Progress) -> Measured:
    labels, classes, groups = _labels_and_groups(looked, grouped)
    # Drawn before they are read: small pictures of a million photographs would fill the memory.
    chosen = draw_rows(labels, group_codes(groups, len(labels)), SHORTCUT_PHOTOS, options.seed)
    report = measure_shortcuts(
        looked.rgb(chosen),
        labels[chosen],
        classes,
        groups=[groups[row] for row in chosen.tolist()],
        features=looked.features(chosen),
        seed=options.seed,
        most_photos=SHORTCUT_PHOTOS,
        progress=progress,
    )
    report = replace(report, all_photos=len(labels))
    return shortcut_findings(report), shortcut_facts(report)


def _labels(looked: Looked, grouped: PhotoIndex, options: CheckOptions, progress: Progress) -> Measured:
    labels, classes, groups = _labels_and_groups(looked, grouped)
    if len(labels) > MOST_EMBEDDED:
        raise DatasetError(
            f"{len(labels):,} photographs are more than {MOST_EMBEDDED:,}, which fill half a gigabyte",
            hint="check a part of the collection",
        )
    report = find_suspicious_labels(
        labels, classes, features=looked.features(), groups=groups, seed=options.seed
    )
    found = label_findings(report, looked.rows().tolist(), grouped.column("class_name"))
    return found, {
        "lines": report.lines()[-2:],
        "agreement": report.agreement,
        "wrong_share": report.wrong_share,
    }
