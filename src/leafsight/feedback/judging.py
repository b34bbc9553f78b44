"""Everything that is said of photographs in quarantine: copies, pictures, labels, classes, sources.

Enters: what was seen of the photographs of one upload, the champion, earlier contributions, and what is to be
known of their sender. Leaves: a label, findings and a group for each. It opens nothing and decides nothing.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
from jaxtyping import Bool, Int64

from leafsight.errors import UsageError
from leafsight.feedback import sentences
from leafsight.feedback.champion import Champion, Opinion
from leafsight.feedback.consensus import Doubt, Labelled, doubts_of_known, doubts_of_new
from leafsight.feedback.known import Known
from leafsight.feedback.looked import Looked
from leafsight.feedback.naming import ClassNames, Named
from leafsight.feedback.pictures import picture_finding
from leafsight.feedback.records import FINDING_KINDS, Asked, Finding, Judged
from leafsight.feedback.twins import Common, Twins, find_twins

UNNAMED = "unnamed"
KNOWN_SHARE, NEW_SHARE = 0.15, 0.25
"""Of the labels of one source: with more of them doubted, a person has to look at all. Among photographs of
new classes more are doubted without being wrong."""
FEWEST_JUDGED = 10
"""Of fewer labels no share is taken: each doubted one blocks by itself."""


def judge(
    looked: Looked, champion: Champion, known: Known, asked: Asked, common: Common | None = None
) -> list[Judged]:
    """Judge the photographs of one upload.

    Args:
        looked: what was seen of them.
        champion: the model that serves.
        known: earlier contributions, without those of this upload.
        asked: what is to be known of their sender, and which classes were declared.
        common: what sent photographs have in common, where that is known already.

    Raises:
        BundleError: the champion cannot be asked.
    """
    if not len(looked):
        return []
    names = ClassNames(champion.bundle.classes, asked.declared)
    named = [_named(names, one) for one in looked.class_name]
    opinion = _opinion(looked, champion)
    twins = find_twins(looked, [one.label for one in named], champion, known, common)
    doubts = _doubts(looked, champion, known, named, opinion, twins)
    found = [
        [
            *copies,
            *_of_one(looked, champion, row, named[row], opinion),
            *_doubted(doubts[row], named[row].label),
        ]
        for row, copies in enumerate(twins.findings)
    ]
    _caps(found, named, asked)
    _sources(found, named, doubts, asked)
    order = {kind: at for at, kind in enumerate(FINDING_KINDS)}
    return [
        Judged(one.label, tuple(sorted(findings, key=lambda each: order[each.kind])), group)
        for one, findings, group in zip(named, found, twins.group, strict=True)
    ]


def _named(names: ClassNames, spelling: str) -> Named:
    try:
        return names.named(spelling)
    except UsageError:
        return Named(UNNAMED, None, False)


def _opinion(looked: Looked, champion: Champion) -> Opinion:
    if looked.logits is None:
        return champion.opinion(looked.embedding)
    return champion.opinion_of(looked.embedding, looked.logits)


def _of_one(looked: Looked, champion: Champion, row: int, named: Named, opinion: Opinion) -> list[Finding]:
    """What is said of a photograph by itself."""
    from leafsight.inspection import QualityOptions

    found = []
    picture = picture_finding(
        looked.quality[row], min_sharpness=champion.min_sharpness, side_px=champion.side_px,
        limits=QualityOptions(),
    )  # fmt: skip
    if picture is not None:
        found.append(picture)
    is_leaf = named.position is None or champion.labels[named.position].is_leaf
    if is_leaf and opinion.kinds[row] == "not_a_leaf":
        found.append(sentences.not_a_leaf())
    if not named.declared:
        found.append(sentences.new_class(named.label))
    return found


def _doubts(
    looked: Looked,
    champion: Champion,
    known: Known,
    named: Sequence[Named],
    opinion: Opinion,
    twins: Twins,
) -> list[Doubt | None]:
    """Whether each label is borne out; the same pixels under two labels never are."""
    doubts: list[Doubt | None] = [None] * len(named)
    position = np.array([-1 if one.position is None else one.position for one in named], np.int64)
    old, new = np.flatnonzero(position >= 0), np.flatnonzero(position < 0)
    for row, doubt in zip(old.tolist(), _known_doubts(looked, champion, old, position, opinion), strict=True):
        doubts[row] = doubt
    groups = [str(one) for one in twins.group]
    rows = new.tolist()
    sent = Labelled(looked.embedding[new], [named[row].label for row in rows], [groups[row] for row in rows])
    for row, doubt in zip(
        rows, doubts_of_new(champion, sent, _earlier(known, champion, looked)), strict=True
    ):
        doubts[row] = doubt
    for row, other in enumerate(twins.contradicted):
        if other:
            doubts[row] = Doubt(other, "contradiction", 0.0)
    return doubts


def _known_doubts(
    looked: Looked,
    champion: Champion,
    rows: Int64[np.ndarray, " k"],
    position: Int64[np.ndarray, " n"],
    opinion: Opinion,
) -> list[Doubt | None]:
    if not len(rows):
        return []
    part = Opinion(
        opinion.probability[rows], opinion.top[rows], tuple(opinion.kinds[row] for row in rows),
        opinion.possible[rows],
    )  # fmt: skip
    return doubts_of_known(champion, looked.embedding[rows], position[rows], part)


def _earlier(known: Known, champion: Champion, looked: Looked) -> Labelled:
    """Earlier contributions of classes that the champion does not know, and that nobody rejected."""
    classes = np.array(champion.bundle.classes)
    usable: Bool[np.ndarray, " n"] = ~known.rejected & known.embedding.any(axis=1)
    if known.embedding.shape[1] != looked.embedding.shape[1]:
        usable = np.zeros(len(known), bool)
    rows = np.flatnonzero(usable & ~np.isin(known.label, classes))
    labels, groups = known.label[rows].tolist(), known.group_id[rows].tolist()
    return Labelled(known.embedding[rows], labels, groups)


def _doubted(doubt: Doubt | None, label: str) -> list[Finding]:
    return [] if doubt is None else [sentences.label_doubt(doubt, label)]


def _counts(findings: Sequence[Finding]) -> bool:
    """Whether a photograph is one more: neither refused, nor there already."""
    return not any(one.kind in ("test_duplicate", "duplicate") for one in findings)


def _caps(found: list[list[Finding]], named: Sequence[Named], asked: Asked) -> None:
    brought = Counter(dict(asked.brought))
    for findings, one in zip(found, named, strict=True):
        if not _counts(findings):
            continue
        brought[one.label] += 1
        if brought[one.label] > asked.most_per_source:
            findings.append(sentences.over_cap(one.label, asked.most_per_source))


def _sources(
    found: list[list[Finding]], named: Sequence[Named], doubts: Sequence[Doubt | None], asked: Asked
) -> None:
    """Where too many labels of a source are doubted, all of the upload wait for a person."""
    counted = [row for row in range(len(named)) if _counts(found[row])]
    known = [row for row in counted if named[row].position is not None]
    new = [row for row in counted if named[row].position is None and not _scarce(doubts[row])]
    totals = (
        (asked.known_before + len(known), asked.doubted_before + _many(doubts, known), KNOWN_SHARE),
        (len(new), _many(doubts, new), NEW_SHARE),
    )
    for judged, doubted, share in totals:
        if judged >= FEWEST_JUDGED and doubted > share * judged:
            for findings in found:
                findings.append(sentences.doubted_source(doubted, judged))
            return


def _scarce(doubt: Doubt | None) -> bool:
    return doubt is not None and doubt.why == "too_few"


def _many(doubts: Sequence[Doubt | None], rows: Sequence[int]) -> int:
    return sum(doubts[row] is not None for row in rows)
