"""Photographs on which the two models differ, so that a person can look at them.

Enters: what both say of held-out contributions. Leaves: those of which they do not say the same. It judges
neither.
"""

from __future__ import annotations

import numpy as np

from leafsight.evaluation import KINDS
from leafsight.retraining.gate_checks import Pair
from leafsight.retraining.gate_exam import Answers
from leafsight.retraining.gate_report import Difference, Said

MOST = 200
"""More than a person looks at."""


def differences(pair: Pair | None) -> list[Difference]:
    """All of them: first what only the champion has right, then what only the candidate has, then the rest.

    Of a verdict that names no condition the guess behind it does not count. None where the champion was not
    asked, or where nobody knows which photographs they are.
    """
    if pair is None or pair.champion.decisions is None or pair.exam.pixel_hashes is None:
        return []
    found = []
    for row, (pixels, name) in enumerate(zip(pair.exam.pixel_hashes, pair.exam.names, strict=True)):
        before, after = _said(pair.champion, row), _said(pair.candidate, row)
        if _meant(before) != _meant(after):
            found.append(Difference(f"{int(pixels):016x}", name, before, after))
    return sorted(found, key=_weight)


def _weight(one: Difference) -> int:
    return (-1, 1, 0).index(one.candidate.right - one.champion.right)


def _said(answers: Answers, row: int) -> Said:
    decisions = answers.decisions
    assert decisions is not None
    return Said(
        KINDS[int(decisions.kinds[row])],
        answers.classes[int(decisions.top[row])],
        round(float(decisions.confidence[row]), 6),
        bool(np.asarray(answers.right)[row]),
    )


def _meant(said: Said) -> str:
    return said.class_name if said.kind == KINDS[0] else said.kind
