"""What a copy holds and what it does not."""

from __future__ import annotations

from collections import Counter
from dataclasses import asdict, dataclass
from typing import Any

# Photographs that were meant to be copied and could not be.
LOST_KINDS = ("changed", "gone", "unreadable")
_WORDS = {
    "faulty": "cannot be used",
    "duplicate": "exact duplicates beyond the first",
    "two-labels": "the same picture under two labels",
    "listed": "in the list of what to leave out",
    "changed": "changed since they were indexed",
    "gone": "are not there any more",
    "unreadable": "could not be read",
}


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A photograph that is not in the copy.

    Attributes:
        source_path: collection and name in it.
        label: its class.
        split: its split, if it has one.
        kind: ``faulty``, ``duplicate``, ``two-labels``, ``listed``, ``changed``, ``gone`` or ``unreadable``.
        reason: why, in a sentence.
    """

    source_path: str
    label: str
    split: str | None
    kind: str
    reason: str


@dataclass(frozen=True, slots=True)
class CopyReport:
    """A finished copy.

    Attributes:
        out: its folder.
        layout: ``folders`` or ``shards``.
        photographs: how many are in it.
        classes: names; the place of one is its number in shards.
        splits: photographs per split; empty when the index has none.
        linked: photographs that share their bytes on the disk with the originals.
        copied: photographs that were written anew.
        not_linked: of those copied, how many should have been linked and could not be.
        shards: how many tars there are.
        left_out: everything that is not in the copy.
        notes: what else should be known.
    """

    out: str
    layout: str
    photographs: int
    classes: tuple[str, ...]
    splits: dict[str, int]
    linked: int
    copied: int
    not_linked: int
    shards: int
    left_out: tuple[LeftOut, ...]
    notes: tuple[str, ...]

    @property
    def is_complete(self) -> bool:
        """Whether everything that was meant to be copied was."""
        return not any(one.kind in LOST_KINDS for one in self.left_out)

    def to_dict(self) -> dict[str, Any]:
        """The report as plain values, for ``--json``; what was left out is counted by kind, too."""
        kinds = Counter(one.kind for one in self.left_out)
        return {**asdict(self), "complete": self.is_complete, "left_out_counts": dict(sorted(kinds.items()))}

    def lines(self) -> list[str]:
        """The report for a person."""
        where = f"{self.shards} shards in {self.out}" if self.layout == "shards" else self.out
        lines = [f"{self.photographs} photographs of {len(self.classes)} classes in {where}"]
        if self.splits:
            lines.append("splits: " + ", ".join(f"{name} {count}" for name, count in self.splits.items()))
        if self.linked:
            lines.append(f"{self.linked} are hard links: changing a file of the copy changes its original")
        if self.copied:
            why = f" ({self.not_linked} could not be linked)" if self.not_linked else ""
            lines.append(f"{self.copied} were copied{why}")
        for kind, words in _WORDS.items():
            if count := sum(one.kind == kind for one in self.left_out):
                lines.append(f"left out: {count} {words}")
        return [*lines, *self.notes]
