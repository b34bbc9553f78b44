"""What both models say of the same photographs.

Enters: two bundles that remember the locked test, or scores that somebody made of it. Leaves: an ``Exam``:
the same photographs in the same order for both. It does not know what is enough.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from jaxtyping import Bool, Int64, UInt64

from leafsight.bundle import Bundle, Memory
from leafsight.errors import BundleMismatchError
from leafsight.evaluation import Calibration, Decisions, Scores, decide_all
from leafsight.retraining.head import Head

HINT = "judge both models on the same locked test"


@dataclass(frozen=True, eq=False)
class Exam:
    """Photographs that neither model learned from, and the scores of both.

    Attributes:
        names: class name of each photograph.
        groups: what belongs together.
        domains: where each is from.
        champion: scores of the champion, in the order of its classes; None where it was not asked.
        candidate: scores of the candidate, in the order of its classes.
        pixel_hashes: which photographs these are, the first 64 bits of the hash of their pixels; None where
            nobody has to find them again.
    """

    names: tuple[str, ...]
    groups: Int64[np.ndarray, " n"]
    domains: tuple[str, ...]
    champion: Scores | None
    candidate: Scores
    pixel_hashes: UInt64[np.ndarray, " n"] | None = None

    def __len__(self) -> int:
        return len(self.names)


@dataclass(frozen=True, eq=False)
class Answers:
    """What one model says of an exam.

    Attributes:
        classes: that it knows; none where it was not asked.
        labels: of the photographs in these classes; -1 for a class that it does not know.
        decisions: its answers, or None.
        right: whether the first guess is right.
    """

    classes: tuple[str, ...]
    labels: Int64[np.ndarray, " n"]
    decisions: Decisions | None
    right: Bool[np.ndarray, " n"]


def answers_of(calibration: Calibration, scores: Scores | None, names: Sequence[str]) -> Answers:
    """The answers of one model to photographs of these classes."""
    if scores is None:
        return Answers((), np.full(len(names), -1, np.int64), None, np.zeros(len(names), bool))
    place = {name: at for at, name in enumerate(calibration.classes)}
    labels = np.asarray([place.get(name, -1) for name in names], np.int64)
    decisions = decide_all(calibration, scores.logits, scores.embedding)
    return Answers(calibration.classes, labels, decisions, np.asarray(decisions.top == labels, bool))


def locked_test(champion: Bundle, candidate: Bundle) -> Exam:
    """The locked test as both remember it.

    Raises:
        BundleMismatchError: one of them remembers none, or they remember different ones.
        BundleCorruptError: a memory or a head cannot be read.
        EvaluationError: scores that are not finite.
    """
    old, new = _memory(champion), _memory(candidate)
    mine, theirs = old.rows("test"), new.rows("test")
    order = _same(old, mine, new, theirs, champion.classes, candidate.classes)
    theirs = theirs[order]
    return Exam(
        names=tuple(champion.classes[at] for at in old.label[mine]),
        groups=old.group[mine],
        domains=tuple(old.domain_names[at] for at in old.domain[mine]),
        champion=_scores(champion, old, mine),
        candidate=_scores(candidate, new, theirs),
    )


def held_out(champion: Bundle, candidate: Bundle) -> Exam | None:
    """The contributions that the candidate held out; None when there are none.

    The champion is asked about the same embeddings where both have the same backbone. Otherwise it is not
    asked: its scores would have to be made from the photographs.

    Raises:
        BundleCorruptError: a memory or a head cannot be read.
        EvaluationError: scores that are not finite.
    """
    old, new = champion.memory(), _memory(candidate)
    rows = new.rows("probe")
    if not len(rows):
        return None
    same = old is not None and old.backbone == new.backbone
    return Exam(
        names=tuple(candidate.classes[at] for at in new.label[rows]),
        groups=new.group[rows],
        domains=tuple(new.domain_names[at] for at in new.domain[rows]),
        champion=_scores(champion, new, rows) if same else None,
        candidate=_scores(candidate, new, rows),
        pixel_hashes=new.pixel_hash[rows],
    )


def _memory(bundle: Bundle) -> Memory:
    memory = bundle.memory()
    if memory is None or not len(memory.rows("test")):
        raise BundleMismatchError(f"the model {bundle.name} remembers no locked test", hint=HINT)
    return memory


def _scores(bundle: Bundle, memory: Memory, rows: Int64[np.ndarray, " k"]) -> Scores:
    own = bundle.cam_head()
    if own is None:
        raise BundleMismatchError(f"the model {bundle.name} does not end in one dense layer", hint=HINT)
    head = Head(np.asarray(own[0], np.float32), np.asarray(own[1], np.float32))
    embedding = memory.embedding[rows]
    return Scores(head.logits(embedding), embedding)


def _same(
    old: Memory,
    mine: Int64[np.ndarray, " k"],
    new: Memory,
    theirs: Int64[np.ndarray, " m"],
    classes: Sequence[str],
    others: Sequence[str],
) -> Int64[np.ndarray, " k"]:
    """Which row of the candidate's locked test is which of the champion's."""
    known = _identities(new, theirs, others)
    wanted = _identities(old, mine, classes)
    if sorted(known) != sorted(wanted) or 0 in old.pixel_hash[mine]:
        raise BundleMismatchError(
            f"the locked test of the candidate ({len(theirs)} photographs) is not that of the champion"
            f" ({len(mine)})",
            hint=HINT,
        )
    places: dict[tuple[int, str], list[int]] = {}
    for at, one in enumerate(known):
        places.setdefault(one, []).append(at)
    return np.asarray([places[one].pop(0) for one in wanted], np.int64)


def _identities(
    memory: Memory, rows: Int64[np.ndarray, " k"], classes: Sequence[str]
) -> list[tuple[int, str]]:
    pairs = zip(memory.pixel_hash[rows], memory.label[rows], strict=True)
    return [(int(pixels), classes[label]) for pixels, label in pairs]
