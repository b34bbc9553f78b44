"""What is said of photographs that people send, as plain records.

Enters and leaves: values. It does not know how they are found out, nor where they are kept.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, TypeAlias, get_args

FindingKind: TypeAlias = Literal[
    "test_duplicate", "training_duplicate", "duplicate", "near_duplicate", "bad_picture", "not_a_leaf",
    "label_doubt", "new_class", "over_cap", "doubted_source",
]  # fmt: skip
FINDING_KINDS: tuple[FindingKind, ...] = get_args(FindingKind)
"""In the order in which they are said of one photograph."""
REFUSED = "test_duplicate"
"""The one finding that no person can overrule: who learns from the locked test cannot be measured by it."""
WAITING: Final = "waiting"
ACCEPTED: Final = "accepted"
REJECTED: Final = "rejected"
RULE = "rule"
"""Who decided, where no person did."""
MOST_PER_SOURCE = 500
LONGEST_NAME, LONGEST_CLASS = 200, 200


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that was found out about a photograph.

    Attributes:
        kind: one of ``FINDING_KINDS``.
        said: one plain sentence.
        blocks: whether no rule may accept the photograph by itself.
        values: what it was judged by; plain values.
    """

    kind: FindingKind
    said: str
    blocks: bool
    values: Mapping[str, Any] = field(default_factory=dict)

    def to_dict(self) -> dict[str, Any]:
        """Plain values, flat."""
        return {"kind": self.kind, "said": self.said, "blocks": self.blocks, **self.values}


@dataclass(frozen=True, slots=True)
class Sent:
    """A labelled photograph as somebody sent it.

    Attributes:
        name: of the file as its sender calls it; different for all photographs of an upload.
        class_name: what it shows, as its sender spells it.
        file: where its bytes are.
        group: what its sender calls the plant or leaf, where that was said.
    """

    name: str
    class_name: str
    file: Path
    group: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is to be known beside the photographs to judge them.

    Attributes:
        declared: classes that may be learned though the champion does not know them.
        most_per_source: photographs of one class that one source may bring between two trainings.
        brought: how many this source brought already, by label.
        known_before: photographs of known classes that this source brought before.
        doubted_before: how many of those were doubted.
    """

    declared: Sequence[str] = ()
    most_per_source: int = MOST_PER_SOURCE
    brought: Mapping[str, int] = field(default_factory=dict)
    known_before: int = 0
    doubted_before: int = 0


@dataclass(frozen=True, slots=True)
class Judged:
    """What came of looking at one photograph.

    Attributes:
        label: the name of the class that it would be learned as.
        findings: in the order of ``FINDING_KINDS``.
        group: id of the earlier contribution that shows the same, or the position in this upload of the first
            one that does.
    """

    label: str
    findings: tuple[Finding, ...]
    group: str | int

    @property
    def refused(self) -> bool:
        """Whether it may never be learned from."""
        return any(one.kind == REFUSED for one in self.findings)

    @property
    def clean(self) -> bool:
        """Whether a rule may accept it."""
        return not any(one.blocks for one in self.findings)
