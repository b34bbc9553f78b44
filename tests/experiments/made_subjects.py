"""Subjects of a comparison whose answers are set: no photograph is read and no network asked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from leafsight.dataset import PhotoIndex, PhotoRow, table_of
from leafsight.experiments import Asking, RunScores, Subject

CLASSES = ("healthy", "rust", "scab")
ASKING = Asking(Path("no-pixels"))


def made_index(
    photographs: int = 24,
    *,
    split: str = "test",
    source: str = "leaves",
    group_size: int = 2,
    classes: Sequence[str] = CLASSES,
    first: int = 0,
    contents: str = "content",
    changed: Mapping[int, Mapping[str, Any]] | None = None,
) -> PhotoIndex:
    """An index whose rows are numbered; class and group go by the number, ``group_size`` 0 has no groups."""
    rows = []
    for number in range(first, first + photographs):
        values: dict[str, Any] = {
            "source": source, "root": "/nowhere", "path": f"{number:04d}.jpg",
            "class_name": classes[number // max(group_size, 1) % len(classes)],
            "group": f"leaf-{number // group_size}" if group_size else None,
            "split": split, "content_hash": f"{contents}-{number}",
            "pixel_hash": f"pixels-{contents}-{number}", "look_hash": number * 7919,
        }  # fmt: skip
        rows.append(PhotoRow(**{**values, **(changed or {}).get(number, {})}))
    return PhotoIndex(table_of(rows))


@dataclass
class Judge:
    """Answers rightly but for the photographs in ``wrong``, where it says the next class.

    ``sure`` is the logit of what it says; ``unreadable`` photographs get no answer.
    """

    classes: Sequence[str]
    wrong: frozenset[str] = frozenset()
    sure: Mapping[str, float] = field(default_factory=dict)
    unreadable: frozenset[str] = frozenset()
    asked: list[tuple[PhotoIndex, Asking]] = field(default_factory=list)

    def __call__(self, index: PhotoIndex, how: Asking) -> RunScores:
        self.asked.append((index, how))
        part = index.where(split=how.split)
        names = [
            f"{source}/{path}" for source, path in zip(*map(part.column, ("source", "path")), strict=True)
        ]
        kept = [row for row, name in enumerate(names) if name not in self.unreadable]
        part, names = part.rows(kept), [names[row] for row in kept]
        labels = part.labels_for(self.classes)
        logits = np.zeros((len(names), len(self.classes)), np.float32)
        for row, name in enumerate(names):
            says = (labels[row] + (name in self.wrong)) % len(self.classes)
            logits[row, says] = self.sure.get(name, 3.0)
        return RunScores(
            classes=tuple(self.classes), logits=logits, labels=labels, photos=tuple(names), groups=(),
            sources=tuple(part.column("source")), key="",
        )  # fmt: skip


def made_subject(
    name: str,
    index: PhotoIndex | None,
    *,
    wrong: Sequence[int] = (),
    sure: Mapping[int, float] | None = None,
    unreadable: Sequence[int] = (),
    classes: Sequence[str] = CLASSES,
    **more: Any,
) -> Subject:
    """A run that is wrong about some photographs of source ``leaves``, by number."""

    def names(numbers: Sequence[int]) -> frozenset[str]:
        return frozenset(f"leaves/{number:04d}.jpg" for number in numbers)

    logits = {f"leaves/{number:04d}.jpg": value for number, value in (sure or {}).items()}
    judge = Judge(classes, names(wrong), logits, names(unreadable))
    values: dict[str, Any] = {"path": Path(name), "kind": "run", **more}
    return Subject(name=name, classes=tuple(classes), index=index, judge=judge, **values)
