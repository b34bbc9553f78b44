"""Which photographs are fair to compare on: the same for all, and none that trained one of them.

Enters: indexes and what was answered. Leaves: photographs in one order for all, and how many of them are
known from training. Nobody is asked anything here.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace

import numpy as np

from leafsight.dataset import PhotoIndex
from leafsight.errors import EvaluationError
from leafsight.experiments.run_scores import RunScores

LEARNED_FROM = ("train", "valid")  # validation photographs chose the epoch
LOOK_BITS = 4  # of 64 in which a picture and its smaller or re-encoded copy may differ, as in ``dataset``

Identity = tuple[str, str]


def identities(index: PhotoIndex) -> list[Identity]:
    """Name (``source/path``) and content hash of every row: the same photograph has both the same."""
    contents = (content or "" for content in index.column("content_hash"))
    return list(zip(names_of(index), contents, strict=True))


def names_of(index: PhotoIndex) -> list[str]:
    """What ``RunScores`` calls the photographs."""
    columns = zip(index.column("source"), index.column("path"), strict=True)
    return [f"{source}/{path}" for source, path in columns]


def common_names(parts: Sequence[PhotoIndex]) -> tuple[str, ...]:
    """Photographs that stand in every index, in the order of the first.

    Raises:
        EvaluationError: there is none, or one has another class in another index.
    """
    known = [dict(zip(identities(part), part.column("class_name"), strict=True)) for part in parts]
    shared = [identity for identity in known[0] if all(identity in other for other in known[1:])]
    if not shared:
        raise EvaluationError(
            "the runs have no photograph of this split in common",
            hint="--data judges all of them on other photographs",
        )
    relabelled = [one for one in shared if len({classes[one] for classes in known}) > 1]
    if relabelled:
        raise EvaluationError(
            f"{len(relabelled)} photographs have another class in another run's index, such as "
            f"{relabelled[0][0]}",
            hint="--data INDEX says which classes hold",
        )
    return tuple(name for name, _ in shared)


def seen_in_training(judged: PhotoIndex, own: PhotoIndex) -> int:
    """How many of the judged photographs are in the training or validation split of ``own``.

    The same file, the same pixels, or the same name with the same look (a smaller copy) is the same
    photograph. A name alone is not: every collection has a ``0001.jpg``.

    Args:
        judged: what a model is asked about.
        own: the index that it was trained by.
    """
    rows = np.concatenate([own.row_ids(split=split) for split in LEARNED_FROM])
    learned = own.rows(rows)
    contents = set(_known(learned, "content_hash")) | set(_known(learned, "pixel_hash"))
    looks = dict(zip(names_of(learned), learned.column("look_hash"), strict=True))
    columns = zip(
        names_of(judged),
        judged.column("content_hash"),
        judged.column("pixel_hash"),
        judged.column("look_hash"),
        strict=True,
    )
    return sum(
        content in contents or pixels in contents or _looks_alike(look, looks.get(name))
        for name, content, pixels, look in columns
    )


def _known(index: PhotoIndex, column: str) -> Iterator[str]:
    return (value for value in index.column(column) if value)


def _looks_alike(one: int | None, other: int | None) -> bool:
    if one is None or other is None:
        return False
    return (one ^ other).bit_count() <= LOOK_BITS


def in_order(scores: RunScores, names: Sequence[str], classes: Sequence[str], shown: PhotoIndex) -> RunScores:
    """The answers about some photographs, with rows and classes in the order of all others.

    Args:
        scores: of one run.
        names: photographs that it was asked about.
        classes: the same as its own, in any order.
        shown: one row a name, whose labels, groups and sources hold for all.
    """
    rows = {name: row for row, name in enumerate(scores.photos)}
    places = [rows[name] for name in names]
    columns = [scores.classes.index(name) for name in classes]
    groups = shown.column("group")
    return replace(
        scores,
        classes=tuple(classes),
        logits=np.ascontiguousarray(scores.logits[np.ix_(places, columns)]),
        labels=shown.labels_for(classes),
        photos=tuple(names),
        groups=tuple(groups) if any(groups) else (),
        sources=tuple(shown.column("source")),
    )
