"""Which photographs were there before: in the champion's training or test, among earlier ones, in the upload.

Enters: what was seen of photographs. Leaves: findings of copies, and the group of each photograph. Nothing
is chained: a photograph joins the group of the one that it is most like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Float32, Int64, UInt64

from leafsight.feedback import sentences
from leafsight.feedback.champion import Champion
from leafsight.feedback.known import Known, short_hash
from leafsight.feedback.likeness import (
    COPY_LIKENESS,
    COPY_LIKENESS_OF_SENT,
    EQUAL,
    NEVER,
    Marks,
    Matches,
    Whitening,
    fit_whitening,
    match,
    match_earlier,
)
from leafsight.feedback.looked import Looked
from leafsight.feedback.records import Finding

TRAINED_ON = ("train", "valid", "calibration", "probe")


@dataclass(frozen=True, slots=True, eq=False)
class Twins:
    """Copies among photographs.

    Attributes:
        findings: of each photograph.
        group: of each: an id of an earlier contribution, or the position of the first one here.
        contradicted: label under which the very same pixels were sent, too; empty where none was.
    """

    findings: list[list[Finding]]
    group: list[str | int]
    contradicted: list[str]


def find_twins(looked: Looked, labels: list[str], champion: Champion, known: Known) -> Twins:
    """Hold photographs against everything that came before them.

    Args:
        looked: the photographs.
        labels: of them.
        champion: what it remembers is compared with.
        known: earlier contributions.
    """
    found: list[list[Finding]] = [[] for _ in labels]
    pixel = np.array([short_hash(one) for one in looked.pixel_hash], np.uint64)
    _remembered(looked, pixel, champion, found)
    group: list[str | int] = list(range(len(labels)))
    contradicted = [""] * len(labels)
    if len(labels):
        whitening = _of_sent(looked, champion, known)
        new = Marks(pixel, looked.look, _white(whitening, looked.embedding, len(labels)))
        old = Marks(known.pixel, known.look[:, None], _white(whitening, known.embedding, len(known)))
        _given_groups(looked, group)
        likeness = _likeness(whitening, COPY_LIKENESS_OF_SENT)
        _among_each_other(looked, labels, match_earlier(new, likeness), found, group, contradicted)
        _among_earlier(labels, known, match(new, old, likeness), found, group)
        _settle(group)
    return Twins(found, group, contradicted)


def _remembered(
    looked: Looked, pixel: UInt64[np.ndarray, " n"], champion: Champion, found: list[list[Finding]]
) -> None:
    memory = champion.memory
    if memory is None or not len(looked):
        return
    whitening = fit_whitening(memory.embedding[memory.split != _stressed()])
    new = Marks(pixel, looked.look, _white(whitening, looked.embedding, len(looked)))

    def against(*splits: str) -> Int64[np.ndarray, " n"]:
        rows = np.concatenate([memory.rows(split) for split in splits])
        white = _white(whitening, memory.embedding[rows], len(rows))
        held = Marks(memory.pixel_hash[rows], memory.look_hash[rows][:, None], white)
        return match(new, held, _likeness(whitening, COPY_LIKENESS)).kind

    tested, trained = against("test"), against(*TRAINED_ON)
    for row, findings in enumerate(found):
        if tested[row]:
            findings.append(sentences.locked_test(bool(tested[row] == EQUAL)))
        if trained[row]:
            findings.append(sentences.training_duplicate(bool(trained[row] == EQUAL)))


def _likeness(whitening: Whitening | None, enough: float) -> float:
    return enough if whitening is not None and whitening.decides else NEVER


def _stressed() -> int:
    from leafsight.bundle import MEMORY_SPLITS

    return MEMORY_SPLITS.index("stressed")


def _of_sent(looked: Looked, champion: Champion, known: Known) -> Whitening | None:
    """What sent photographs have in common counts as much as what the remembered ones have."""
    rows = known.embedding.any(axis=1)
    sent = [looked.embedding]
    if rows.any() and known.embedding.shape[1] == looked.embedding.shape[1]:
        sent.append(known.embedding[rows])
    memory = champion.memory
    remembered = memory.embedding if memory is not None else looked.embedding
    return fit_whitening(remembered, np.concatenate(sent))


def _white(
    whitening: Whitening | None, embedding: Float32[np.ndarray, "n d"], count: int
) -> Float32[np.ndarray, "n k"]:
    """Rows without an embedding stay zero, and so are like nothing."""
    width = 1 if whitening is None else len(whitening.mean)
    if whitening is None or not count or embedding.shape[1] != width:
        return np.zeros((count, width), np.float32)
    white = whitening(embedding)
    white[~embedding.any(axis=1)] = 0
    return white


def _given_groups(looked: Looked, group: list[str | int]) -> None:
    """What its sender says belongs together does."""
    first: dict[str, int] = {}
    for row, given in enumerate(looked.given_group):
        if given:
            group[row] = first.setdefault(given, row)


def _among_each_other(
    looked: Looked,
    labels: list[str],
    matches: Matches,
    found: list[list[Finding]],
    group: list[str | int],
    contradicted: list[str],
) -> None:
    for row, (first, kind) in enumerate(zip(matches.row.tolist(), matches.kind.tolist(), strict=True)):
        if first < 0:
            continue
        group[row] = group[first] if group[row] == row else group[row]
        name = looked.name[first][:100]
        if kind == EQUAL:
            other = labels[first] if labels[first] != labels[row] else None
            found[row].append(sentences.duplicate("", name, other))
            if other is not None:
                contradicted[row], contradicted[first] = other, labels[row]
        else:
            found[row].append(sentences.near_duplicate("", name))


def _among_earlier(
    labels: list[str], known: Known, matches: Matches, found: list[list[Finding]], group: list[str | int]
) -> None:
    for row, (first, kind) in enumerate(zip(matches.row.tolist(), matches.kind.tolist(), strict=True)):
        if first < 0:
            continue
        group[row] = str(known.group_id[first])
        found[row] = [one for one in found[row] if one.kind not in ("duplicate", "near_duplicate")]
        one_id, name = str(known.id[first]), "an earlier contribution"
        if kind == EQUAL:
            other = str(known.label[first])
            wrong = other if other != labels[row] else None
            found[row].append(sentences.duplicate(one_id, name, wrong, bool(known.rejected[first])))
        else:
            found[row].append(sentences.near_duplicate(one_id, name))


def _settle(group: list[str | int]) -> None:
    """Whoever joined a photograph that itself joined an earlier contribution is of that group, too."""
    for row, joined in enumerate(group):
        while isinstance(joined, int) and group[joined] != joined:
            joined = group[joined]
        group[row] = joined
