"""Pictures that stand in a collection more than once, and where that does harm.

Enters: pairs of photographs with their kind, classes, splits. Leaves: findings on copies, on one picture
under two labels, on the same leaf, and on leaks between splits or into another collection. It compares no
pixels.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from leafsight.dataset import PhotoIndex
from leafsight.inspection.findings import Case, Finding, counted, share

KIND_WORDS = {
    "exact": "the same file",
    "pixels": "the same pixels",
    "near": "re-encoded, resized or brightened",
    "flipped": "mirrored",
    "turned": "turned",
    "cropped": "cropped",
    "rotated": "slightly rotated",
    "same_leaf": "the same leaf",
}
SAME_LEAF = "same_leaf"
MEND_SPLITS = "leafsight split --repair plans the smallest change that mends it"
DIVIDE_ANEW = "leafsight split --group-by column,leaf_map,duplicates,copies,same_leaf divides it by leaves"
EQUAL = ("exact", "pixels")
TRAINS, JUDGES = ("train",), ("valid", "test", "calibration")
CLASSES_NAMED = 5


@dataclass(frozen=True, slots=True)
class FoundPair:
    """Two photographs that belong together.

    Attributes:
        one: row of the index.
        other: row of the index, or of the other collection's.
        kind: a key of ``KIND_WORDS``.
        score: 0 to 1, how well they agree.
    """

    one: int
    other: int
    kind: str
    score: float


def copy_findings(
    index: PhotoIndex, pairs: Sequence[FoundPair], groups: Sequence[Sequence[int]]
) -> list[Finding]:
    """Copies, contradictions and leaves photographed more than once.

    Args:
        index: the collection.
        pairs: found in it.
        groups: rows that belong together by these pairs, copies only (not ``same_leaf``).
    """
    classes = index.column("class_name")
    usable = len(index.row_ids())
    copies = [pair for pair in pairs if pair.kind != SAME_LEAF]
    best = _best_pairs(copies, groups)
    found = _conflicts(copies, classes, usable) + _copies(copies, groups, best, classes, usable)
    leaves = [pair for pair in pairs if pair.kind == SAME_LEAF]
    if leaves:
        rows = sorted({row for pair in leaves for row in (pair.one, pair.other)})
        found.append(
            Finding(
                kind="same-leaf",
                part="duplicates",
                weight="know",
                sentence=f"{share(len(rows), usable)} photographs seem to show a leaf that another one shows",
                hint="keep them on one side of a split: leafsight split does",
                count=len(rows),
                of=usable,
                cases=tuple(_cases(leaves)),
                per_class=counted(classes, rows),
            )
        )
    return found


def _best_pairs(pairs: Sequence[FoundPair], groups: Sequence[Sequence[int]]) -> dict[int, list[FoundPair]]:
    """The pairs of each group, by its position."""
    owner = {row: number for number, rows in enumerate(groups) for row in rows}
    mine: dict[int, list[FoundPair]] = defaultdict(list)
    for pair in pairs:
        if pair.one in owner and owner[pair.one] == owner.get(pair.other):
            mine[owner[pair.one]].append(pair)
    return mine


def _copies(
    pairs: Sequence[FoundPair],
    groups: Sequence[Sequence[int]],
    best: Mapping[int, Sequence[FoundPair]],
    classes: Sequence[str],
    usable: int,
) -> list[Finding]:
    if not pairs:
        return []
    kinds = Counter(pair.kind for pair in pairs)
    words = ", ".join(f"{count} {KIND_WORDS[kind]}" for kind, count in kinds.most_common())
    extra = sum(len(rows) - 1 for rows in groups)
    concerned = [row for rows in groups for row in rows]
    cases = [
        Case(
            tuple(rows),
            ", ".join(sorted({KIND_WORDS[pair.kind] for pair in best.get(number, ())})),
            min((pair.score for pair in best.get(number, ())), default=None),
            _first_kind(best.get(number, ())),
        )
        for number, rows in sorted(enumerate(groups), key=lambda item: (-len(item[1]), item[0]))
    ]
    return [
        Finding(
            kind="copies",
            part="duplicates",
            weight="look",
            sentence=f"{share(extra, usable)} photographs repeat another one, or are a second shot of it "
            f"(pairs: {words})",
            hint="harmless inside one split, but they count double; leafsight copy --clean drops exact ones",
            count=extra,
            of=usable,
            cases=tuple(cases),
            per_class=counted(classes, concerned),
        )
    ]


def _first_kind(pairs: Sequence[FoundPair]) -> str:
    return min((pair.kind for pair in pairs), key=list(KIND_WORDS).index, default="")


def _conflicts(pairs: Sequence[FoundPair], classes: Sequence[str], usable: int) -> list[Finding]:
    """One picture under two labels: one of them is wrong, whatever a network learns from it."""
    wrong = [pair for pair in pairs if classes[pair.one] != classes[pair.other]]
    if not wrong:
        return []
    rows = sorted({row for pair in wrong for row in (pair.one, pair.other)})
    return [
        Finding(
            kind="two-labels",
            part="labels",
            weight="mend",
            sentence=f"{len(wrong)} times one picture stands under two labels ({len(rows)} photographs)",
            hint="decide which label is right, or leave both out",
            count=len(rows),
            of=usable,
            cases=tuple(_cases(wrong, classes)),
            per_class=counted(classes, rows),
        )
    ]


def _cases(pairs: Sequence[FoundPair], classes: Sequence[str] = ()) -> list[Case]:
    """A case a pair, the surest first; with the classes of both where they are given."""
    ordered = sorted(pairs, key=lambda pair: (-pair.score, pair.one, pair.other))
    return [
        Case(
            (pair.one, pair.other),
            f"{KIND_WORDS[pair.kind]}: {classes[pair.one]} and {classes[pair.other]}"
            if classes
            else KIND_WORDS[pair.kind],
            pair.score,
            pair.kind,
        )
        for pair in ordered
    ]


def crossing_pairs(
    pairs: Sequence[FoundPair], groups: Sequence[Sequence[int]], sides: Sequence[str | None]
) -> list[FoundPair]:
    """The pairs between different sides, and one for every photograph that only its group ties to a side.

    Of equal files only the first is compared with others. So where A equals B and B was cropped to C, A and C
    are no pair, but A leaks when C is on another side.

    Args:
        pairs: as found.
        groups: rows that belong together.
        sides: of every row, such as its split; ``None`` is on no side.
    """
    crossing = [
        pair
        for pair in pairs
        if sides[pair.one] is not None
        and sides[pair.other] is not None
        and sides[pair.one] != sides[pair.other]
    ]
    tied = {(row, sides[other]) for p in crossing for row, other in ((p.one, p.other), (p.other, p.one))}
    best = _best_pairs(pairs, groups)
    for number, members in enumerate(groups):
        firsts = {side: row for row in reversed(members) if (side := sides[row]) is not None}
        if len(firsts) < 2:
            continue
        mine = best.get(number, ())
        kind = _first_kind([pair for pair in mine if pair.kind not in EQUAL]) or "near"
        score = min((pair.score for pair in mine), default=0.0)
        for row in members:
            for side, first in firsts.items():
                if sides[row] not in (None, side) and (row, side) not in tied:
                    crossing.append(FoundPair(row, first, kind, score))
    return crossing


def crossing_leaves(
    pairs: Sequence[FoundPair], groups: Sequence[Sequence[int]], sides: Sequence[str | None]
) -> list[FoundPair]:
    """What of one leaf is on different sides, by the groups that a split by ``same_leaf`` would keep whole.

    Pairs that no group holds are left out: groups are surer than pairs (``docs/dataset.md``), and what was
    split by them must not be accused again.

    Args:
        pairs: as found; those of other kinds are called the same leaf here.
        groups: rows of one leaf.
        sides: of every row, such as its split; ``None`` is on no side.
    """
    group = {row: number for number, members in enumerate(groups) for row in members}
    inside = [pair for pair in pairs if pair.one in group and group[pair.one] == group.get(pair.other)]
    crossing = crossing_pairs(inside, groups, sides)
    return [FoundPair(pair.one, pair.other, SAME_LEAF, pair.score) for pair in crossing]


def leak_findings(index: PhotoIndex, pairs: Sequence[FoundPair]) -> list[Finding]:
    """Photographs to judge by that are also trained on, for every pair of splits.

    A leak is counted once for every photograph on the judging side, whatever number of relatives it has.
    """
    splits, classes = index.column("split"), index.column("class_name")
    usable = [row for row, fault in enumerate(index.column("fault")) if fault is None]
    sizes: Counter[str | None] = Counter(splits[row] for row in usable)
    class_sizes = Counter((splits[row], classes[row]) for row in usable)
    crossing: dict[tuple[str, str, bool], list[FoundPair]] = defaultdict(list)
    for pair in pairs:
        sides = _sides(splits[pair.one], splits[pair.other])
        if sides is not None:
            judged_first = splits[pair.one] == sides[1]
            turned = pair if judged_first else FoundPair(pair.other, pair.one, pair.kind, pair.score)
            crossing[(*sides, pair.kind == SAME_LEAF)].append(turned)
    found = []
    for (seen, judged, leaf), crossed in sorted(crossing.items()):
        rows = sorted({pair.one for pair in crossed})
        what = "seem to show a leaf that is" if leaf else "are copies of pictures"
        found.append(
            Finding(
                kind="same-leaf-leak" if leaf else "leak",
                part="leaks",
                weight="look" if leaf else "mend",
                sentence=f"leak: {share(len(rows), sizes[judged])} photographs of {judged} {what} in {seen}",
                hint=DIVIDE_ANEW if leaf else MEND_SPLITS,
                count=len(rows),
                of=sizes[judged],
                cases=tuple(_cases(crossed)),
                per_class=counted(classes, rows),
                class_sizes={name: n for (split, name), n in class_sizes.items() if split == judged},
            )
        )
    return found


def _sides(one: str | None, other: str | None) -> tuple[str, str] | None:
    """Which split has seen the picture and which one judges by it; ``None`` where nothing leaks."""
    if one is None or other is None or one == other:
        return None
    order = {name: number for number, name in enumerate((*TRAINS, "valid", "calibration", "test"))}
    first, second = sorted((one, other), key=lambda name: (order.get(name, 1), name))
    return first, second


def against_findings(
    index: PhotoIndex, other: PhotoIndex, pairs: Sequence[FoundPair], name: str
) -> list[Finding]:
    """Photographs of this collection that stand in another one.

    Args:
        index: this collection.
        other: the other one.
        pairs: ``one`` a row of ``index``, ``other`` a row of ``other``.
        name: of the other collection.
    """
    usable, classes = len(index.row_ids()), index.column("class_name")
    paths, labels = other.column("path"), other.column("class_name")
    mine: dict[tuple[int, bool], list[FoundPair]] = defaultdict(list)
    for pair in pairs:
        mine[pair.one, pair.kind == SAME_LEAF].append(pair)
    found = []
    for leaf in (False, True):
        rows = [row for row, same in mine if same == leaf]
        if not rows and leaf:
            continue
        what = "seem to show a leaf that is also" if leaf else "stand also"
        cases = []
        for row in sorted(rows):
            same = mine[row, leaf]
            words = sorted({KIND_WORDS[pair.kind] for pair in same})
            if classes[row] not in {labels[pair.other] for pair in same}:
                words.append("other label")
            score, names = max(pair.score for pair in same), sorted(paths[pair.other] for pair in same)
            cases.append(Case((row,), ", ".join(words), score, _first_kind(same), tuple(names)))
        found.append(
            Finding(
                kind="same-leaf-elsewhere" if leaf else "elsewhere",
                part="leaks",
                weight="know" if not rows else "look" if leaf else "mend",
                sentence=f"{share(len(rows), usable)} photographs {what} in {name}",
                hint="a model trained on one and judged on the other has seen these" if rows else "",
                count=len(rows),
                of=usable,
                cases=tuple(cases),
                per_class=counted(classes, rows),
                class_sizes=index.class_counts(),
            )
        )
    return found
