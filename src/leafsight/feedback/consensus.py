"""Whether a label is borne out: by the champion, by what it remembers, by photographs of the same class.

Enters: what the champion says of photographs, their embeddings and labels. Leaves: which labels are doubted,
and what the photograph looks like instead. It does not know the right labels.

For classes that the champion knows, its probability and the nearest remembered photographs decide; those of
the same sender have no say, because they may all be wrong in the same way. For new classes there is nobody
else to ask: ridge regression out of fold over them, earlier contributions and remembered photographs
(``inspection.find_suspicious_labels``). ``docs/feedback.md`` says how the limits were set.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, Int64

from leafsight.errors import DatasetError
from leafsight.feedback.champion import Champion, Opinion
from leafsight.feedback.likeness import unit_length

LEAST_SHARE_OF_TOP = 0.5
"""A label is doubted whose probability is below this share of the most probable class's."""
NEIGHBOURS, LEAST_AGREEING = 10, 0.3
FEWEST_OF_CLASS = 5
"""Of a new class with fewer photographs, copies not counted, nothing can be said."""
REMEMBERED_PER_CLASS = 30
MOST_COMPARED = 6000
SUSPICIOUS = 0.5
ROWS_AT_ONCE = 1024


@dataclass(frozen=True, slots=True)
class Doubt:
    """Why a label is doubted.

    Attributes:
        instead: name of the class that the photograph looks like; empty when nobody can say.
        why: ``champion``, ``neighbours``, ``others`` (photographs of the same class) or ``too_few``.
        probability: of the label, by whoever doubts; 0 to 1.
    """

    instead: str
    why: str
    probability: float


@dataclass(frozen=True, slots=True, eq=False)
class Labelled:
    """Photographs of classes that the champion does not know.

    Attributes:
        embedding: of each.
        label: of each.
        group: equal for those that show the same.
    """

    embedding: Float32[np.ndarray, "n d"]
    label: Sequence[str]
    group: Sequence[str]


def doubts_of_known(
    champion: Champion,
    embedding: Float32[np.ndarray, "n d"],
    position: Int64[np.ndarray, " n"],
    opinion: Opinion,
) -> list[Doubt | None]:
    """Doubts about labels of the champion's own classes.

    Args:
        champion: that serves.
        embedding: of the photographs.
        position: of each label in the champion's classes.
        opinion: what the champion says of them.
    """
    rows = np.arange(len(position))
    given, best = opinion.probability[rows, position], opinion.probability[rows, opinion.top]
    unlikely = given < LEAST_SHARE_OF_TOP * best
    alone, others = _neighbours(champion, embedding, position)
    names = champion.bundle.classes
    found: list[Doubt | None] = []
    for row in rows.tolist():
        if unlikely[row]:
            found.append(Doubt(names[int(opinion.top[row])], "champion", float(given[row])))
        elif alone[row]:
            found.append(Doubt(names[int(others[row])], "neighbours", float(given[row])))
        else:
            found.append(None)
    return found


def doubts_of_new(champion: Champion, new: Labelled, earlier: Labelled) -> list[Doubt | None]:
    """Doubts about labels of classes that the champion does not know.

    Args:
        champion: that serves.
        new: photographs that are judged.
        earlier: contributions that came before and were not rejected.
    """
    if not len(new.label):
        return []
    kept = slice(max(0, len(earlier.label) - max(0, MOST_COMPARED - len(new.label))), None)
    old_names, old_groups = list(earlier.label)[kept], list(earlier.group)[kept]
    remembered, known, apart = _remembered_sample(champion)
    names = sorted({*new.label, *old_names})
    number = {name: at for at, name in enumerate(names)}
    labels = np.array([number[name] for name in (*new.label, *old_names)], np.int64)
    groups = [*new.group, *old_groups]
    scarce = _scarce(labels, groups, len(names))
    parts = [new.embedding, earlier.embedding[kept], remembered]
    features = np.concatenate([one for one in parts if len(one)]).astype(np.float32)
    found = _suspicious(
        np.concatenate([labels, known + len(names)]), [*names, *champion.bundle.classes], features,
        [*groups, *apart], len(new.label),
    )  # fmt: skip
    return [
        Doubt("", "too_few", 0.0) if scarce[number[name]] else doubt
        for name, doubt in zip(new.label, found, strict=True)
    ]


def _neighbours(
    champion: Champion, embedding: Float32[np.ndarray, "n d"], position: Int64[np.ndarray, " n"]
) -> tuple[Bool[np.ndarray, " n"], Int64[np.ndarray, " n"]]:
    """Whether too few of the nearest remembered photographs have the label, and which label most have."""
    remembered, labels = champion.remembered
    alone, others = np.zeros(len(position), bool), position.copy()
    if not len(labels):
        return alone, others
    counts = np.bincount(labels, minlength=len(champion.labels))
    nearest = min(NEIGHBOURS, len(labels))
    for at in range(0, len(position), ROWS_AT_ONCE):
        part = slice(at, at + ROWS_AT_ONCE)
        near = np.argpartition(-(unit_length(embedding[part]) @ remembered.T), nearest - 1, axis=1)
        votes = labels[near[:, :nearest]]
        wanted = LEAST_AGREEING * np.minimum(nearest, counts[position[part]])
        alone[part] = (votes == position[part, None]).sum(axis=1) < wanted
        others[part] = [int(np.bincount(row).argmax()) for row in votes]
    return alone, others


def _remembered_sample(
    champion: Champion,
) -> tuple[Float32[np.ndarray, "k d"], Int64[np.ndarray, " k"], list[str]]:
    """Some training photographs of every class: what a new class is not."""
    memory = champion.memory
    if memory is None:
        return np.zeros((0, 1), np.float32), np.zeros(0, np.int64), []
    rows = memory.rows("train")
    order = rows[np.argsort(memory.label[rows], kind="stable")]
    labels = memory.label[order]
    starts = np.searchsorted(labels, labels)
    kept = order[np.arange(len(order)) - starts < REMEMBERED_PER_CLASS]
    return memory.embedding[kept], memory.label[kept], [f"memory:{one}" for one in memory.group[kept]]


def _scarce(labels: Int64[np.ndarray, " n"], groups: Sequence[str], classes: int) -> list[bool]:
    """Classes with too few different photographs."""
    different: list[set[str]] = [set() for _ in range(classes)]
    for label, group in zip(labels.tolist(), groups, strict=True):
        different[label].add(group)
    return [len(one) < FEWEST_OF_CLASS for one in different]


def _suspicious(
    labels: Int64[np.ndarray, " n"],
    names: Sequence[str],
    features: Float32[np.ndarray, "n d"],
    groups: Sequence[str],
    judged: int,
) -> list[Doubt | None]:
    from leafsight.inspection import find_suspicious_labels

    try:
        report = find_suspicious_labels(labels, names, features=features, groups=groups)
    except DatasetError:  # one class alone, and nothing to hold it against
        return [Doubt("", "too_few", 0.0)] * judged
    found: list[Doubt | None] = []
    for row in range(judged):
        if np.isnan(report.score[row]):
            found.append(Doubt("", "too_few", 0.0))
        elif report.score[row] > SUSPICIOUS:
            instead = names[int(report.suggested[row])]
            found.append(Doubt(instead, "others", float(report.probability_given[row])))
        else:
            found.append(None)
    return found
