"""Train, valid, test and the like: stratified, groups whole, the same on every machine.

Enters: an index. Leaves: the index with ``split`` filled. No random generator is used: groups are ordered by
SHA-256 of the seed and their name, and each goes to the split that lacks most of its share.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from pydantic import Field, field_validator

from leafsight.dataset.codes import encoded, text_column
from leafsight.dataset.coverage import split_record
from leafsight.dataset.group_rules import FoundSets, GroupOptions
from leafsight.dataset.groups import group_photos
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.ratios import parse_ratios
from leafsight.dataset.split_balance import balance, deviation
from leafsight.dataset.split_groups import groups_to_place, split_column
from leafsight.dataset.split_plan import Plan, place_groups, shares_of
from leafsight.errors import DatasetError, UsageError


class SplitOptions(GroupOptions):
    """How a collection is split, and what stays together.

    Attributes:
        ratios: name to share; also given as ``"80/10/10"``, ``"5:1"`` or ``"train=0.8,test=0.2"``.
            The part called ``train``, or else the first, is the one that every class must have.
        seed: another seed gives another split.
        keep: splits whose photographs stay where they are, such as a locked ``test``. New photographs that
            belong to a kept group join it, because training on them would leak.
        exact: where a share is off by more than the largest group, move groups until it is not. Changes
            nothing where the shares are within one group already. Not the default, so that splits that
            were made without it stay what they were.
    """

    ratios: dict[str, float] = Field(default_factory=lambda: parse_ratios("80/10/10"))
    seed: int = 0
    keep: tuple[str, ...] = ()
    exact: bool = False

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
    found: Sequence[FoundSets] = (),
) -> PhotoIndex:
    """Fill the columns ``group``, ``group_from`` and ``split``, and the split record.

    Every (source, class) whose groups lie in it alone is shared out by the ratios to within its largest
    group; with ``exact``, so is every other, and the whole collection. Every class has a photograph in the
    first split; every other split gets one where the class has a group to spare, which comes before the
    ratios. Faulty photographs get none.

    Args:
        index: any index.
        options: ratios, seed, grouping, locked splits.
        leaf_map: see ``group_photos``.
        found: see ``group_photos``.

    Raises:
        DatasetError: fewer than two classes, a kept split that no photograph is in, or a class of which kept
            splits leave nothing for training.
        UsageError: every split is kept, so that there is nothing to do.
    """
    options = options or SplitOptions()
    if set(options.ratios) <= set(options.keep):
        raise UsageError("every split is kept; nothing is left to split", hint="leave one out of keep")
    grouped, reports = group_photos(index, options, leaf_map=leaf_map, found=found)
    _require_classes(grouped)
    present = grouped.split_counts()
    if missing := [name for name in options.keep if name not in present]:
        raise DatasetError(
            f"no photograph is in the split '{missing[0]}' that should be kept", hint="leave it out"
        )
    splits = [*options.ratios, *(name for name in options.keep if name not in options.ratios)]
    groups = groups_to_place(grouped, splits, options.keep)
    shares = shares_of(options.ratios, splits, options.keep)
    plan = Plan(groups, splits, shares, splits.index(options.first), options.seed)
    place_groups(plan)
    moved = balance(plan) if options.exact else 0
    holds = deviation(plan).holds
    _require_training(plan, grouped.classes, options.keep)
    done = grouped.with_column("split", split_column(grouped, plan.places, splits, options.keep))
    record = split_record(
        done,
        ratios=options.ratios,
        seed=options.seed,
        group_by=options.group_by,
        name_pattern=options.name_pattern,
        reports=reports,
        keep=list(options.keep),
        within_one_group=holds,
        moved_to_be_exact=moved,
    )
    return done.with_split_record(record)


def adopt_splits(index: PhotoIndex, earlier: PhotoIndex, names: Sequence[str] | None = None) -> PhotoIndex:
    """The splits of an earlier index for the photographs that are in both, by content.

    The way to grow a collection around a locked test: index again, adopt ``("test",)``, then call
    ``split_photos`` with ``keep=("test",)``.

    Args:
        index: the new index; photographs that the earlier one does not know keep what they have.
        earlier: an index with splits.
        names: the splits to take over; ``None`` takes all.
    """
    content = encoded(index.table.column("content_hash"))
    known = encoded(earlier.table.column("content_hash"))
    theirs = encoded(earlier.table.column("split"))
    place = {value: number for number, value in enumerate(content.names())}
    wanted = [names is None or name in names for name in theirs.names()]
    adopted = np.full(len(place) + 1, -1, np.int64)
    told = np.array([*(place.get(value, -1) for value in known.names()), -1], np.int64)[known.codes]
    take = (told >= 0) & np.array([*wanted, False])[theirs.codes]
    adopted[told[take]] = theirs.codes[take]
    mine = encoded(index.table.column("split"))
    new = adopted[content.codes]
    offset = len(theirs.values)
    both = np.where(new >= 0, new, np.where(mine.codes >= 0, mine.codes + offset, -1))
    return index.with_column("split", text_column(both, [*theirs.names(), *mine.names()]))


def _require_classes(index: PhotoIndex) -> None:
    classes = index.classes
    if len(classes) < 2:
        has = f"only the class '{classes[0]}'" if classes else "no usable photograph"
        raise DatasetError(f"there is {has}; a classifier needs two", hint="add a folder for a second class")


def _require_training(plan: Plan, classes: Sequence[str], keep: Sequence[str]) -> None:
    if without := [name for name, held in zip(classes, plan.held, strict=True) if not held[plan.first]]:
        first = plan.splits[plan.first]
        raise DatasetError(
            f"all photographs of {', '.join(without)} are in or belong to kept splits, none is for {first}",
            hint=f"add photographs of other leaves, or keep fewer splits than {', '.join(keep)}",
        )
