"""Randomness by counting: every draw is a function of the recipe's seed and of where in the run it happens.

Nothing carries a generator's state from step to step, so a run that was killed goes on with the same numbers,
whatever was in flight.
"""

from __future__ import annotations

import threading
from enum import IntEnum

import numpy as np
import torch

from leafsight.models import Network

# Held while numbers are drawn from the generator of the process, where others must not draw or put it back.
PROCESS_GENERATOR = threading.RLock()


class Purpose(IntEnum):
    """What a seed is for; keeps streams apart that share a position."""

    WEIGHTS = 0
    ORDER = 1
    PICTURES = 2
    DROPOUT = 3
    STATISTICS = 4
    VIEWS = 5
    BACKGROUNDS = 6


def seed_for(seed: int, purpose: Purpose, *position: int) -> int:
    """A seed below 2**63, mixed by NumPy's ``SeedSequence`` (O'Neill's hash), the same on every machine."""
    mixed = np.random.SeedSequence([seed, int(purpose), len(position), *position]).generate_state(
        1, np.uint64
    )[0]
    return int(mixed >> np.uint64(1))


def generator_for(seed: int, purpose: Purpose, *position: int) -> torch.Generator:
    """A CPU generator that starts at ``seed_for``."""
    generator = torch.Generator()
    generator.manual_seed(seed_for(seed, purpose, *position))
    return generator


def seed_dropout(network: Network, seed: int, place: tuple[int, ...], device: torch.device) -> None:
    """Set the generators that dropout draws from on ``device``, at a ``place`` in the run: the step.

    Our own on the CPU has one for itself. That of the process, which every thread draws from, is for a timm
    network's and for a compiled one's. Not ``torch.manual_seed``: where CUDA sleeps, that formats and keeps a
    stack trace at every call.
    """
    value = seed_for(seed, Purpose.DROPOUT, *place)
    network.draw_dropout_from(torch.Generator().manual_seed(value))
    torch.default_generator.manual_seed(value)
    if device.type == "cuda":
        torch.cuda.manual_seed(value)
