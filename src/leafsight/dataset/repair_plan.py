"""A plan of repair, to be read before it is done.

Enters: steps. Leaves: sentences, a table and plain values. It does not know how the steps were chosen.
"""

from __future__ import annotations

import csv
import io
from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

from leafsight.dataset.photo_index import PhotoIndex

CLASSES_SHOWN = 40
STEPS_SHOWN = 10
CONFLICTS_SHOWN = 10
LEFT_OUT = "left out"


@dataclass(frozen=True, slots=True)
class RepairStep:
    """What happens to one photograph.

    Attributes:
        row: its row in the index.
        photograph: its source and path.
        class_name: its class.
        split: where it is.
        to: the split it goes to; ``None`` when it is left out.
        why: which photograph it belongs to, or what else it is called.
    """

    row: int
    photograph: str
    class_name: str
    split: str
    to: str | None
    why: str


@dataclass(frozen=True, slots=True)
class Conflict:
    """The same picture under two labels.

    Attributes:
        classes: its labels.
        splits: where it is.
        photographs: their sources and paths.
        places: their positions among the usable photographs.
    """

    classes: tuple[str, ...]
    splits: tuple[str, ...]
    photographs: tuple[str, ...]
    places: tuple[int, ...]


@dataclass(frozen=True, slots=True)
class RepairPlan:
    """What it takes to make a layout clean.

    Attributes:
        by: ``move`` or ``drop``.
        keep: splits that stay as they are.
        steps: the photographs that change, in the order of the index.
        torn_groups: groups that are in two splits now.
        conflicts: pictures under two labels.
        lost: (class, split) pairs that would have no photograph left.
        before: photographs per split now.
        repaired: the index as it would be; photographs that are left out have no split.
    """

    by: str
    keep: tuple[str, ...]
    steps: tuple[RepairStep, ...]
    torn_groups: int
    conflicts: tuple[Conflict, ...]
    lost: tuple[tuple[str, str], ...]
    before: dict[str, int]
    repaired: PhotoIndex

    @property
    def is_clean(self) -> bool:
        """Whether nothing has to change."""
        return not self.steps

    def counts(self) -> dict[str, dict[str, int]]:
        """Class to change to photographs: ``{"rust": {"valid -> train": 3, "test -> left out": 1}}``."""
        counts = Counter((step.class_name, f"{step.split} -> {step.to or LEFT_OUT}") for step in self.steps)
        table: dict[str, dict[str, int]] = {}
        for (class_name, change), count in sorted(counts.items()):
            table.setdefault(class_name, {})[change] = count
        return table

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, every step included."""
        return {
            "by": self.by,
            "keep": list(self.keep),
            "is_clean": self.is_clean,
            "torn_groups": self.torn_groups,
            "moved": sum(step.to is not None for step in self.steps),
            "left_out": sum(step.to is None for step in self.steps),
            "before": self.before,
            "after": self.repaired.split_counts(),
            "classes": self.counts(),
            "lost": [{"class_name": name, "split": split} for name, split in self.lost],
            "conflicts": [
                {key: value for key, value in asdict(one).items() if key != "places"}
                for one in self.conflicts
            ],
            "steps": [asdict(step) for step in self.steps],
        }

    def to_csv(self) -> str:
        """One line a photograph that changes: photograph, class, split, to, why."""
        text = io.StringIO()
        writer = csv.writer(text, lineterminator="\n")
        writer.writerow(("photograph", "class", "split", "to", "why"))
        for step in self.steps:
            writer.writerow((step.photograph, step.class_name, step.split, step.to or LEFT_OUT, step.why))
        return text.getvalue()

    def lines(self) -> list[str]:
        """Sentences for people, one line each."""
        if self.is_clean:
            return ["clean: no group is in two splits", *self._conflict_lines()]
        moved = sum(step.to is not None for step in self.steps)
        after = self.repaired.split_counts()
        said = [
            f"{self.torn_groups} groups are in two splits or more",
            f"{moved} photographs would move and {len(self.steps) - moved} be left out",
            *(
                f"{name}: {count} photographs, then {after.get(name, 0)}"
                for name, count in self.before.items()
            ),
        ]
        return said + self._class_lines() + self._step_lines() + self._conflict_lines() + self._lost_lines()

    def _class_lines(self) -> list[str]:
        table = sorted(self.counts().items(), key=lambda item: (-sum(item[1].values()), item[0]))
        said = [
            f"{name}: " + ", ".join(f"{count} {change}" for change, count in changes.items())
            for name, changes in table[:CLASSES_SHOWN]
        ]
        return said + _more(len(table) - CLASSES_SHOWN, "classes")

    def _step_lines(self) -> list[str]:
        said = [
            f"{step.photograph}: {step.split} -> {step.to or LEFT_OUT}, {step.why}"
            for step in self.steps[:STEPS_SHOWN]
        ]
        return said + _more(len(self.steps) - STEPS_SHOWN, "photographs; --plan FILE writes them all")

    def _conflict_lines(self) -> list[str]:
        said = [
            f"one picture under {' and '.join(one.classes)}: {', '.join(one.photographs)}"
            for one in self.conflicts[:CONFLICTS_SHOWN]
        ]
        return said + _more(len(self.conflicts) - CONFLICTS_SHOWN, "such pictures")

    def _lost_lines(self) -> list[str]:
        return [f"{name} would have no photograph left in {split}" for name, split in self.lost]


def _more(count: int, what: str) -> list[str]:
    return [f"... and {count} more {what}"] if count > 0 else []
