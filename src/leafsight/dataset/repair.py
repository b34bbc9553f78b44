"""An existing train, valid and test layout made clean, with as few photographs as possible moved or left out.

Enters: an index whose photographs have splits. Leaves: a plan that says which photograph would go where and
why, and the index as it would be. Files are not touched here; see ``repair_moves``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from typing import Literal

import numpy as np

from leafsight.dataset.codes import combined, encoded, runs_of, scattered, text_column
from leafsight.dataset.coverage import split_record
from leafsight.dataset.folders import SPLIT_FOLDERS
from leafsight.dataset.group_rules import FoundSets, GroupOptions
from leafsight.dataset.groups import group_photos
from leafsight.dataset.photo_index import PhotoIndex
from leafsight.dataset.repair_goals import LEFT_OUT, Layout, Rows, goals_of, laid_out, names_of
from leafsight.dataset.repair_plan import Conflict, RepairPlan, RepairStep
from leafsight.errors import DatasetError


class RepairOptions(GroupOptions):
    """How a layout is mended.

    Attributes:
        by: what happens to the photographs of a torn group that are not on the side where it comes together:
            ``move`` takes them there, except for copies of a picture that is there already, which are left
            out; ``drop`` leaves all of them out.
        keep: splits that stay exactly as they are, such as a published ``test``: what reaches into one from
            elsewhere is left out, whatever ``by`` says.
        drop_conflicting: leave out every picture that stands under two labels. They are named in any case.
    """

    by: Literal["move", "drop"] = "move"
    keep: tuple[str, ...] = ()
    drop_conflicting: bool = False


def plan_repair(
    index: PhotoIndex,
    options: RepairOptions | None = None,
    *,
    leaf_map: Mapping[tuple[str, str], str] | None = None,
    found: Sequence[FoundSets] = (),
) -> RepairPlan:
    """What must change so that no group is in two splits.

    Each torn group comes together where most of its photographs are; equal sides are shared out, so that the
    splits of a class stay as large as they were. When that would take a class out of a split that had it, the
    groups of that class are chosen anew so that it stays, at the least cost. The plan is the smallest for
    groups of one class; groups of several classes are placed first.

    Args:
        index: photographs with splits; those without are left alone.
        options: how to mend, and what belongs together.
        leaf_map: see ``group_photos``.
        found: see ``group_photos``.

    Raises:
        DatasetError: no photograph has a split, a kept split does not exist, or a group is in two of them.
    """
    options = options or RepairOptions()
    if not index.split_counts():
        index = _split_by_source(index)
    if not index.split_counts():
        raise DatasetError(
            "no photograph has a split, so there is nothing to repair",
            hint="give folders called train, valid and test, a CSV with a split column, or a saved index",
        )
    grouped, reports = group_photos(index, options, leaf_map=leaf_map, found=found)
    layout = laid_out(grouped)
    if missing := [name for name in options.keep if name not in layout.splits]:
        raise DatasetError(
            f"no photograph is in the split '{missing[0]}' that should be kept", hint="leave it out"
        )
    conflicts = list(_conflicts(layout))
    gone = np.zeros(len(layout.rows), bool)
    if options.drop_conflicting:
        gone[[place for conflict in conflicts for place in conflict.places]] = True
    goals, torn, lost = goals_of(layout, gone, options.keep, drop=options.by == "drop")
    steps = _steps(layout, goals, torn, conflicts)
    done = grouped.with_column(
        "split", text_column(scattered(np.maximum(goals, -1), layout.rows, len(index)), layout.splits)
    )
    torn_groups = len(np.unique(torn[torn >= 0]))
    told = {
        "by": options.by,
        "keep": list(options.keep),
        "torn_groups": torn_groups,
        "moved": int(((goals >= 0) & (goals != layout.split)).sum()),
        "left_out": int((goals == LEFT_OUT).sum()),
    }
    record = split_record(
        done,
        ratios={},
        seed=0,
        group_by=options.group_by,
        name_pattern=options.name_pattern,
        reports=reports,
        repair=told,
    )
    return RepairPlan(
        by=options.by,
        keep=options.keep,
        steps=tuple(steps),
        torn_groups=torn_groups,
        conflicts=tuple(conflicts),
        lost=tuple((layout.class_names[number], layout.splits[split]) for number, split in lost),
        before=index.split_counts(),
        repaired=done.with_split_record(record),
    )


def _split_by_source(index: PhotoIndex) -> PhotoIndex:
    """Two folders called train and valid that were named one by one are two splits, too."""
    sources = encoded(index.table.column("source"))
    splits = [SPLIT_FOLDERS.get(name.lower()) for name in sources.names()]
    if len(splits) < 2 or None in splits:
        return index
    return index.with_column("split", text_column(sources.codes, [name or "" for name in splits]))


def _conflicts(layout: Layout) -> Iterator[Conflict]:
    """The same file or pixels under two labels; each picture is told once."""
    told = np.zeros(len(layout.rows), bool)
    for column in ("content_hash", "pixel_hash"):
        same = encoded(layout.index.table.column(column), layout.rows).codes
        _, of_picture, _ = combined(same, layout.classes)
        pictures, kinds = np.unique(of_picture, return_counts=True)
        for places in runs_of(np.where(np.isin(same, pictures[kinds > 1]), same, -1)):
            if told[places].all():
                continue
            told[places] = True
            yield Conflict(
                classes=tuple(layout.class_names[number] for number in np.unique(layout.classes[places])),
                splits=tuple(
                    layout.splits[number] for number in np.unique(layout.split[places]) if number >= 0
                ),
                photographs=tuple(names_of(layout, places)),
                places=tuple(places.tolist()),
            )


def _steps(layout: Layout, goals: Rows, torn: Rows, conflicts: Sequence[Conflict]) -> Iterator[RepairStep]:
    """What happens to each photograph that changes, in the order of the index."""
    changed = np.flatnonzero(goals != layout.split)
    stays = {
        int(torn[place]): int(place) for place in np.flatnonzero((torn >= 0) & (goals == layout.split))[::-1]
    }
    relatives = np.array([stays.get(int(torn[place]), int(place)) for place in changed], np.int64)
    labels = {place: conflict.classes for conflict in conflicts for place in conflict.places}
    same = {
        kind: encoded(layout.index.table.column(column), layout.rows).codes
        for kind, column in (("file", "content_hash"), ("picture", "pixel_hash"))
    }
    columns = zip(
        changed.tolist(),
        names_of(layout, changed),
        relatives.tolist(),
        names_of(layout, relatives),
        strict=True,
    )
    for place, name, relative, relative_name in columns:
        kinds = [kind for kind, codes in same.items() if codes[place] == codes[relative] >= 0]
        why = f"same {kinds[0] if kinds else 'group'} as {relative_name}"
        if relative == place:
            others = [one for one in labels[place] if one != layout.class_names[layout.classes[place]]]
            why = f"the same picture is also called {', '.join(others)}"
        yield RepairStep(
            row=int(layout.rows[place]),
            photograph=name,
            class_name=layout.class_names[layout.classes[place]],
            split=layout.splits[layout.split[place]] if layout.split[place] >= 0 else "",
            to=layout.splits[goals[place]] if goals[place] >= 0 else None,
            why=why,
        )
