"""Photographs whose names say that they show one thing: ``00000061_012.jpg`` is a twelfth picture.

Enters: an index. Leaves: a finding. It opens no file; what it says is a guess from names, a person decides.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Sequence
from pathlib import PurePosixPath

from leafsight.dataset import PhotoIndex
from leafsight.inspection.findings import Case, Finding, counted, share

PATTERNS = (r"([0-9]+)[_-][0-9]+\.", r"([A-Za-z]+[_-]?[0-9]+)[_-][0-9]+\.")
"""What names one thing, then the number of a picture of it. ``IMG_3028.jpg`` and ``rust_12.jpg`` do not."""

LEAST_NAMED, LEAST_SHARING, LARGEST_SHARE = 0.5, 0.1, 0.1
"""Of the photographs: that are named so, that share a name, that may share one and the same. More
of one are a date or a batch, not one plant."""
SMALL_GROUP = 16


def name_findings(index: PhotoIndex) -> list[Finding]:
    """The finding that photographs of one thing are known by their names alone, or nothing."""
    columns = (index.column(name) for name in ("fault", "group_from", "given_group"))
    rows = [
        row
        for row, (fault, basis, given) in enumerate(zip(*columns, strict=True))
        if fault is None and given is None and basis != "given"
    ]
    for pattern in PATTERNS:
        groups = _groups(index, rows, pattern)
        if groups:
            return [_finding(index, groups, pattern, len(rows))]
    return []


def _groups(index: PhotoIndex, rows: Sequence[int], pattern: str) -> list[tuple[int, ...]]:
    """Rows that share a name, the largest set first; nothing where names are not made so."""
    found, paths, sources = re.compile(pattern), index.column("path"), index.column("source")
    named: dict[tuple[str, str], list[int]] = defaultdict(list)
    for row in rows:
        if match := found.match(PurePosixPath(paths[row]).name):
            named[sources[row], match[1]].append(row)
    count = sum(map(len, named.values()))
    groups = sorted(
        (tuple(group) for group in named.values() if len(group) > 1), key=lambda one: (-len(one), one)
    )
    if not groups or count < LEAST_NAMED * len(rows) or sum(map(len, groups)) < LEAST_SHARING * count:
        return []
    return groups if len(groups[0]) <= max(SMALL_GROUP, LARGEST_SHARE * count) else []


def _finding(index: PhotoIndex, groups: Sequence[tuple[int, ...]], pattern: str, of: int) -> Finding:
    splits, classes = index.column("split"), index.column("class_name")
    torn = {group for group in groups if len({splits[row] for row in group} - {None}) > 1}
    cases = [Case(group, _sides([splits[row] for row in group]), float(group in torn)) for group in groups]
    rows = [row for group in groups for row in group]
    of_which = f"; {len(torn)} of these {len(groups)} sets are in two splits or more" if torn else ""
    sentence = (
        f"{share(len(rows), of)} photographs share the beginning of their names with another, as several "
        f"pictures of one leaf, plant or patient do{of_which}"
    )
    return Finding(
        kind="named-together",
        part="leaks",
        weight="look",
        sentence=sentence,
        hint=f"if so, keep them together: leafsight split --name-pattern '{pattern}', in recipes "
        "data.name_pattern",
        count=len(rows),
        of=of,
        cases=tuple(sorted(cases, key=lambda case: (-(case.score or 0.0), -len(case.rows), case.rows))),
        per_class=counted(classes, rows),
    )


def _sides(splits: Sequence[str | None]) -> str:
    """``train 2, test 1``; nothing where there are no splits."""
    counts = Counter(split for split in splits if split is not None)
    return ", ".join(f"{name} {count}" for name, count in counts.most_common())
