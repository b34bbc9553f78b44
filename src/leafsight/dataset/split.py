"""Train, valid, test and the like: stratified, groups whole, the same on every machine.

Enters: an index. Leaves: the index with ``split`` filled. No random generator is used: groups are ordered by
SHA-256 of the seed and their name, and each goes to the split that lacks most of its share.
"""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from typing import Any

from pydantic import Field, field_validator

from leafsight.dataset.groups import GroupOptions, group_photos
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.ratios import parse_ratios
from leafsight.dataset.split_plan import Group, Plan, place_groups
from leafsight.errors import DatasetError, UsageError


class SplitOptions(GroupOptions):
    """How a collection is split, and what stays together.

    Attributes:
        ratios: name to share; also given as ``"80/10/10"``, ``"5:1"`` or ``"train=0.8,test=0.2"``.
            The part called ``train``, or else the first, is the one that every class must have.
        seed: another seed gives another split.
        keep: splits whose photographs stay where they are, such as a locked ``test``. New photographs that
            belong to a kept group join it, because training on them would leak.
    """

    ratios: dict[str, float] = Field(default_factory=lambda: parse_ratios("80/10/10"))
    seed: int = 0
    keep: tuple[str, ...] = ()

    @field_validator("ratios", mode="before")
    @classmethod
    def _parsed(cls, value: Any) -> Any:
        if isinstance(value, (str, Mapping)):
            try:
                return parse_ratios(value)
            except UsageError as error:
                raise ValueError(str(error)) from error
        return value

    @property
    def first(self) -> str:
        """The split that no class may miss."""
        return "train" if "train" in self.ratios else next(iter(self.ratios))


def split_photos(
    index: PhotoIndex,
    options: SplitOptions | None = None,
    *,
    leaf_map: Mapping[tuple[str, str], str] | None = None,
) -> PhotoIndex:
    """Fill the columns ``group`` and ``split``.

    Every (source, class) is shared out by the ratios as well as whole groups allow. Every class has a
    photograph in the first split; every other split gets one where the class has a group to spare. Faulty
    photographs get none.

    Args:
        index: any index.
        options: ratios, seed, grouping, locked splits.
        leaf_map: see ``group_photos``.

    Raises:
        DatasetError: fewer than two classes, a kept split that no photograph is in, or a class of which kept
            splits leave nothing for training.
        UsageError: every split is kept, so that there is nothing to do.
    """
    options = options or SplitOptions()
    if set(options.ratios) <= set(options.keep):
        raise UsageError("every split is kept; nothing is left to split", hint="leave one out of keep")
    grouped, _ = group_photos(index, options, leaf_map=leaf_map)
    _require_classes(grouped)
    groups = _groups(grouped, options.keep)
    present = grouped.split_counts()
    if missing := [name for name in options.keep if name not in present]:
        raise DatasetError(
            f"no photograph is in the split '{missing[0]}' that should be kept", hint="leave it out"
        )
    place_groups(Plan(options.ratios, options.keep, options.first, options.seed), groups)
    _require_training(groups, options)
    return grouped.with_column("split", _column(grouped, groups, options.keep))


def adopt_splits(index: PhotoIndex, earlier: PhotoIndex, names: Sequence[str] | None = None) -> PhotoIndex:
    """The splits of an earlier index for the photographs that are in both, by content.

    The way to grow a collection around a locked test: index again, adopt ``("test",)``, then call
    ``split_photos`` with ``keep=("test",)``.

    Args:
        index: the new index; photographs that the earlier one does not know keep what they have.
        earlier: an index with splits.
        names: the splits to take over; ``None`` takes all.
    """
    columns = zip(earlier.column("content_hash"), earlier.column("split"), strict=True)
    known = {content: split for content, split in columns if split and (names is None or split in names)}
    known.pop(None, None)
    mine = zip(index.column("content_hash"), index.column("split"), strict=True)
    return index.with_column("split", [known.get(content, split) for content, split in mine])


def fold_photos(
    index: PhotoIndex,
    k: int,
    options: SplitOptions | None = None,
    *,
    held: str = "test",
    leaf_map: Mapping[tuple[str, str], str] | None = None,
) -> list[PhotoIndex]:
    """``k`` indexes; in each, another part is ``held`` out and the rest is ``train``.

    Every usable photograph is held out exactly once.

    Args:
        index: any index.
        k: at least 2.
        options: seed and grouping; ratios and keep are not used.
        held: name of the part that is held out.
        leaf_map: see ``group_photos``.

    Raises:
        UsageError: ``k`` is below 2.
        DatasetError: a class has fewer than two groups, so that a fold would train without it.
    """
    if k < 2:
        raise UsageError(f"{k} folds are not a cross-validation", hint="use 2 or more")
    options = options or SplitOptions()
    equal = options.model_copy(update={"ratios": {f"fold{n}": 1 / k for n in range(k)}, "keep": ()})
    folded = split_photos(index, equal, leaf_map=leaf_map)
    folds = folded.column("split")
    places: dict[str, set[str]] = defaultdict(set)
    for name, fold in zip(folded.column("class_name"), folds, strict=True):
        if fold is not None:
            places[name].add(fold)
    if alone := sorted(name for name, where in places.items() if len(where) < 2):
        raise DatasetError(
            f"all photographs of {', '.join(alone)} belong together and cannot be in train and {held} both",
            hint="add photographs of other leaves, or leave these classes out",
        )
    return [
        folded.with_column(
            "split", [None if f is None else held if f == f"fold{n}" else "train" for f in folds]
        )
        for n in range(k)
    ]


def _require_classes(index: PhotoIndex) -> None:
    classes = index.classes
    if len(classes) < 2:
        has = f"only the class '{classes[0]}'" if classes else "no usable photograph"
        raise DatasetError(f"there is {has}; a classifier needs two", hint="add a folder for a second class")


def _require_training(groups: Sequence[Group], options: SplitOptions) -> None:
    first = options.first
    classes = {class_name for group in groups for _, class_name in group.counts}
    trained = {class_name for group in groups if group.place == first for _, class_name in group.counts}
    if without := sorted(classes - trained):
        raise DatasetError(
            f"all photographs of {', '.join(without)} are in or belong to kept splits, none is for {first}",
            hint=f"add photographs of other leaves, or keep fewer splits than {', '.join(options.keep)}",
        )


def _groups(index: PhotoIndex, keep: Sequence[str]) -> list[Group]:
    """Groups of usable photographs; one that no rule speaks of is its own, named by its content."""
    by_name: dict[str, Group] = {}
    wanted = ("group", "content_hash", "source", "class_name", "split")
    columns = list(zip(*(index.column(name) for name in wanted), strict=True))
    for row in index.row_ids().tolist():
        name, content, source, class_name, split = columns[row]
        group = by_name.setdefault(name or content, Group(name or content, [], Counter()))
        group.members.append(row)
        group.counts[source, class_name] += 1
        if split in keep and group.locked is None:
            group.locked = split
    return list(by_name.values())


def _column(index: PhotoIndex, groups: Sequence[Group], keep: Sequence[str]) -> list[str | None]:
    splits: list[str | None] = [None] * len(index)
    before = index.column("split")
    for group in groups:
        for member in group.members:
            # A group that two kept splits share stays torn; split_summary reports it as a leak.
            splits[member] = before[member] if before[member] in keep else group.place
    return splits
