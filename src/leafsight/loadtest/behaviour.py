"""What people do with a service, as plain values: no HTTP, no Locust.

A person comes again and again with one of these, and pauses in between. The shares are assumptions of the
study, stated with every report.
"""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass

from leafsight.loadtest.outcomes import BURST, LOOK, PHOTOGRAPH, PLANT, UPLOAD

SHARES = {PHOTOGRAPH: 0.60, BURST: 0.14, PLANT: 0.12, UPLOAD: 0.04, LOOK: 0.10}
"""Of 100 visits: one photograph; several, one request after the other; several of one plant in one request; a
labelled photograph to learn from; a look at what the model can name, or at an earlier answer."""
CORRECTED = 0.10
"""Of the answers to single photographs, so many are corrected or confirmed by the person."""
RIGHT = 0.6
"""Of those, so many say that the answer was right."""
BURST_PHOTOGRAPHS, PLANT_PHOTOGRAPHS = (3, 6), (2, 4)
BURST_PAUSE_S = 0.5
LOOKS = (("/v1/conditions", "conditions"), ("/v1/models", "models"), ("/v1/about", "model"))
"""Where people look, and what an answer there must have."""
MOST_PLANT_MEGAPIXELS = 20.0
"""Several files of 12 MP in one request are over what people wait for; the page makes them smaller."""


@dataclass(frozen=True, slots=True)
class Visit:
    """One thing that a person wants.

    Attributes:
        kind: one of the keys of ``SHARES``.
        photographs: numbers of the photographs, in order.
    """

    kind: str
    photographs: tuple[int, ...] = ()


def next_visit(choice: random.Random, weights: Sequence[float], megapixels: Sequence[float]) -> Visit:
    """Draw what a person does next.

    Args:
        choice: the person's own chance.
        weights: of the photographs.
        megapixels: of the photographs.
    """
    kind = choice.choices(list(SHARES), list(SHARES.values()))[0]
    if kind == LOOK:
        return Visit(kind)
    count = 1
    if kind == BURST:
        count = choice.randint(*BURST_PHOTOGRAPHS)
    elif kind == PLANT:
        count = choice.randint(*PLANT_PHOTOGRAPHS)
    chosen = choice.choices(range(len(weights)), weights, k=count)
    if kind == PLANT:
        while len(chosen) > 1 and sum(megapixels[one] for one in chosen) > MOST_PLANT_MEGAPIXELS:
            chosen.remove(max(chosen, key=lambda one: megapixels[one]))
        if len(set(chosen)) == 1:
            kind = PHOTOGRAPH if len(chosen) == 1 else kind
    return Visit(kind, tuple(chosen))


def think(choice: random.Random, mean_s: float) -> float:
    """How long a person pauses: exponential, cut at five times the mean."""
    return min(choice.expovariate(1 / mean_s), 5 * mean_s) if mean_s > 0 else 0.0
