"""What a head is learned from, and what heads say of photographs that they did not learn from.

Enters: a memory, the head to go on from. Leaves: the head that is served, and logits for the calibration.

A head that is learned from clean photographs only calls a leaf in bad light by the name of a new class: with
three classes of flowers a fifth of the photographs that were made worse went there. So those are learned from
as well. They are made from the calibration photographs, and their likeness to these would flatter the
calibration. Therefore it is fitted on two other heads, each learned without one half of the leaves and asked
about that half (as in cross-fitting; Platt 1999, "Probabilistic Outputs for Support Vector Machines", sec.
2.1).
"""

from __future__ import annotations

import numpy as np
from jaxtyping import Int64

from leafsight.bundle import Memory
from leafsight.progress import Progress
from leafsight.retraining.calibrating import Unseen
from leafsight.retraining.head import Head, Learned, learn_head
from leafsight.retraining.quick_options import QuickOptions

HALVES = 2


def rehearse(
    memory: Memory, base: Head, n_classes: int, options: QuickOptions, progress: Progress
) -> tuple[Learned, Unseen]:
    """Learn the head, and ask heads about what they did not see.

    Args:
        memory: of the candidate.
        base: the head that the original photographs gave.
        n_classes: of the candidate.
        options: strengths and steps.
        progress: advanced by one for each head.

    Raises:
        TrainingError: see ``learn_head``.
    """
    train, home, stressed = (memory.rows(split) for split in ("train", "calibration", "stressed"))
    learned = _learned(memory, np.concatenate([train, stressed]), base, n_classes, options)
    progress.advance(note=f"{learned.steps} steps")
    if not len(stressed):
        return learned, Unseen(*(learned.head.logits(memory.embedding[rows]) for rows in (home, stressed)))
    said = [np.empty((len(rows), n_classes), np.float32) for rows in (home, stressed)]
    for half in range(HALVES):
        others = stressed[memory.group[stressed] % HALVES != half]
        head = _learned(memory, np.concatenate([train, others]), base, n_classes, options).head
        for rows, logits in zip((home, stressed), said, strict=True):
            own = np.flatnonzero(memory.group[rows] % HALVES == half)
            logits[own] = head.logits(memory.embedding[rows[own]])
        progress.advance()
    return learned, Unseen(*said)


def _learned(
    memory: Memory, rows: Int64[np.ndarray, " k"], base: Head, n_classes: int, options: QuickOptions
) -> Learned:
    return learn_head(
        memory.embedding[rows],
        memory.label[rows],
        base,
        n_classes,
        old_pull=options.old_pull,
        new_pull=options.new_pull,
        balance=options.balance,
        most_steps=options.most_steps,
    )
