"""Which photographs were there before: in the champion's training or test, among earlier ones, in the upload.

Enters: what was seen of photographs. Leaves: findings of copies, and the group of each photograph. Nothing
is chained: a photograph joins the group of the one that it is most like.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Float32, UInt64

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
    white_or_zeros,
)
from leafsight.feedback.looked import Looked
from leafsight.feedback.records import Finding


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


@dataclass(frozen=True, slots=True, eq=False)
class Common:
    """What photographs that were sent have in common, and earlier ones without it.

    Attributes:
        whitening: takes it away; None with too few photographs.
        white: of each earlier contribution; a row of zeros where it has no embedding.
    """

    whitening: Whitening | None
    white: Float32[np.ndarray, "n k"]

    def only(self, rows: Bool[np.ndarray, " n"]) -> Common:
        """The same of these earlier contributions."""
        return Common(self.whitening, self.white[rows])


def common_of(champion: Champion, known: Known, sent: Float32[np.ndarray, "m d"] | None = None) -> Common:
    """What sent photographs have in common counts as much as what the remembered ones have.

    Args:
        champion: what it remembers.
        known: earlier contributions.
        sent: embeddings of more photographs.
    """
    parts = [] if sent is None else [sent]
    rows = known.embedding.any(axis=1)
    if rows.any() and (sent is None or known.embedding.shape[1] == sent.shape[1]):
        parts.append(known.embedding[rows])
    if champion.memory is not None:
        remembered = champion.memory.embedding
    elif parts:
        remembered = parts[0]
    else:
        return Common(None, white_or_zeros(None, known.embedding, len(known)))
    whitening = fit_whitening(remembered, np.concatenate(parts) if parts else None)
    return Common(whitening, white_or_zeros(whitening, known.embedding, len(known)))


def find_twins(
    looked: Looked, labels: list[str], champion: Champion, known: Known, common: Common | None = None
) -> Twins:
    """Hold photographs against everything that came before them.

    Args:
        looked: the photographs.
        labels: of them.
        champion: what it remembers is compared with.
        known: earlier contributions.
        common: of all of them, where that is known already.
    """
    found: list[list[Finding]] = [[] for _ in labels]
    pixel = np.array([short_hash(one) for one in looked.pixel_hash], np.uint64)
    _remembered(looked, pixel, champion, found)
    group: list[str | int] = list(range(len(labels)))
    contradicted = [""] * len(labels)
    if len(labels):
        common = common or common_of(champion, known, looked.embedding)
        whitening = common.whitening
        new = Marks(pixel, looked.look, white_or_zeros(whitening, looked.embedding, len(labels)))
        old = Marks(known.pixel, known.look[:, None], common.white)
        _given_groups(looked, group)
        likeness = _likeness(whitening, COPY_LIKENESS_OF_SENT)
        _among_each_other(looked, labels, match_earlier(new, likeness), found, group, contradicted)
        _among_earlier(labels, known, match(new, old, likeness), found, group)
        _settle(group)
    return Twins(found, group, contradicted)


def _remembered(
    looked: Looked, pixel: UInt64[np.ndarray, " n"], champion: Champion, found: list[list[Finding]]
) -> None:
    held = champion.held
    if held is None or not len(looked):
        return
    new = Marks(pixel, looked.look, white_or_zeros(held.whitening, looked.embedding, len(looked)))
    likeness = _likeness(held.whitening, COPY_LIKENESS)
    tested, trained = match(new, held.tested, likeness).kind, match(new, held.trained, likeness).kind
    for row, findings in enumerate(found):
        if tested[row]:
            findings.append(sentences.locked_test(bool(tested[row] == EQUAL)))
        if trained[row]:
            findings.append(sentences.training_duplicate(bool(trained[row] == EQUAL)))


def _likeness(whitening: Whitening | None, enough: float) -> float:
    return enough if whitening is not None and whitening.decides else NEVER


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
