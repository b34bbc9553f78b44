"""The health of a collection: every finding, worst first, with what was and what was not looked at.

Enters: findings and measured facts. Leaves: one report that the terminal, the page and JSON show. It finds
nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from leafsight.dataset import PhotoIndex
from leafsight.inspection.findings import Finding, share, worst_first

MARKS = {"mend": "MEND", "look": "look", "know": "know"}
NAMED_IN_LINES = 2
CLASSES_NAMED = 4


@dataclass(frozen=True, slots=True)
class Health:
    """What a check found.

    Attributes:
        index: the collection; cases of findings are rows of it.
        findings: worst first.
        class_counts: usable photographs by class.
        facts: measured parts that are more than findings, such as ``balance`` and ``shortcuts``, as plain
            values.
        not_looked: sentences on what was not done, and why.
    """

    index: PhotoIndex
    findings: tuple[Finding, ...]
    class_counts: Mapping[str, int]
    facts: Mapping[str, Any] = field(default_factory=dict)
    not_looked: tuple[str, ...] = ()

    @property
    def is_clean(self) -> bool:
        """Whether nothing must be mended before training."""
        return not any(finding.weight == "mend" for finding in self.findings)

    @property
    def photographs(self) -> int:
        """Rows of the index, faulty ones included."""
        return len(self.index)

    @property
    def usable(self) -> int:
        """Photographs without a fault."""
        return sum(self.class_counts.values())

    def names(self) -> list[str]:
        """The name of every row."""
        return [
            f"{source}/{path}"
            for source, path in zip(self.index.column("source"), self.index.column("path"), strict=True)
        ]

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON."""
        names = self.names()
        return {
            "photographs": self.photographs,
            "usable": self.usable,
            "class_counts": dict(self.class_counts),
            "is_clean": self.is_clean,
            "findings": [finding.to_dict(names) for finding in self.findings],
            **self.facts,
            "not_looked_at": list(self.not_looked),
            "notes": list(self.index.notes),
        }

    def lines(self) -> list[str]:
        """Sentences for the terminal, worst first."""
        names = self.names()
        said = [
            f"{self.usable} of {self.photographs} photographs are usable, in {len(self.class_counts)} classes"
        ]
        for finding in self.findings:
            said.append(f"{MARKS[finding.weight]}  {finding.sentence}{_examples(finding, names)}")
            if finding.class_sizes and finding.per_class:
                said.append(f"      by class: {_by_class(finding)}")
            if finding.hint and finding.weight != "know":
                said.append(f"      {finding.hint}")
        if not self.findings:
            said.append("nothing was found to mend")
        said += [f"not looked at: {what}" for what in self.not_looked]
        return said + list(self.index.notes)


def _by_class(finding: Finding) -> str:
    shown = [
        f"{name} {share(count, finding.class_sizes.get(name, 0))}"
        for name, count in list(finding.per_class.items())[:CLASSES_NAMED]
    ]
    rest = len(finding.per_class) - len(shown)
    return "; ".join(shown) + (f"; and {rest} more classes" if rest > 0 else "")


def _examples(finding: Finding, names: Sequence[str]) -> str:
    cases = [
        " = ".join([*(names[row] for row in case.rows[:NAMED_IN_LINES]), *case.elsewhere[:1]])
        + (f" ({case.text})" if case.text else "")
        for case in finding.cases[:NAMED_IN_LINES]
    ]
    more = f", and {len(finding.cases) - len(cases)} more" if len(finding.cases) > len(cases) else ""
    return f": {'; '.join(cases)}{more}" if cases else ""


def assembled(
    index: PhotoIndex,
    findings: Sequence[Finding],
    facts: Mapping[str, Any] | None = None,
    not_looked: Sequence[str] = (),
) -> Health:
    """A report of these findings."""
    return Health(index, worst_first(findings), index.class_counts(), facts or {}, tuple(not_looked))
