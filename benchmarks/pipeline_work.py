"""What every contender of ``benchmarks.pipeline`` is handed and how its turns are measured.

Enters: a setting and, line by line on standard input, turns. Leaves: one JSON line for each turn. Needs the
standard library only, because it also runs in the environment of a peer.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import resource
import sys
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Protocol

# The augmentation that all contenders make: the ranges of preset ``light``, and a rotation of every picture.
CROP_AREA = (0.7, 1.0)
CROP_RATIO = (0.85, 1.18)
FLIP_PROBABILITY = 0.5
ROTATION_DEGREES = 20.0
COLOUR_PROBABILITY = 0.8
BRIGHTNESS = CONTRAST = (0.85, 1.18)
SATURATION = (0.9, 1.1)

# Whether the decoded pictures are kept in memory. Here, as no program of ours can import their module.
TENSORFLOW_PEERS = {"tf.data": False, "tf.data, cache()": True}

Batch = tuple[Any, Any]
Step = Callable[[Any, Any], None]


@dataclass(frozen=True)
class Setting:
    """What all contenders work on.

    Attributes:
        listing: JSON file: a list of ``[path, label]``; the last photograph is not trained on.
        folder: the photographs as class folders.
        cache: folder of the index and of the packed pixels.
        scratch: ours to write.
        side_px: of the pictures that leave.
        batch: photographs of a batch.
        classes: how many.
        threads: of the steps with a network; 0 leaves torch and TensorFlow their own number, all cores.
        seed: of everything drawn.
    """

    listing: str
    folder: str
    cache: str
    scratch: str
    side_px: int
    batch: int
    classes: int
    threads: int = 0
    seed: int = 0

    def photographs(self) -> tuple[list[str], list[int]]:
        """Paths and labels of what an epoch shows, in the order of the packed cache."""
        rows = json.loads(Path(self.listing).read_text())[:-1]
        return [path for path, _ in rows], [label for _, label in rows]

    def to_json(self) -> str:
        return json.dumps(asdict(self))


class Contender(Protocol):
    """One way from files to batches."""

    versions: dict[str, str]

    def epoch(self, number: int) -> Iterator[Batch]:
        """Every photograph once: batches of pictures and labels, ready for a network."""

    def step(self, network: str) -> Step:
        """One training step of a network of this name; the same object for the same name."""


def serve_turns(contender: Contender) -> None:
    """Take turns until standard input ends."""
    answers = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # whatever a library prints must not stand among the answers

    def tell(values: dict[str, Any]) -> None:
        print(json.dumps(values), file=answers, flush=True)

    tell({"versions": contender.versions})
    for line in sys.stdin:
        tell(take_turn(contender, **json.loads(line)))


def take_turn(contender: Contender, number: int, network: str = "", bare: bool = False) -> dict[str, float]:
    """One epoch.

    Args:
        contender: whose turn it is.
        number: of the epoch; other ones draw other numbers.
        network: what is trained with the batches; empty for input alone.
        bare: the same number of steps on one batch that lies ready: what the network alone costs.

    Returns:
        ``wall_s``, ``cpu_s`` of this process and its children, ``photos``, ``batches``.
    """
    step = contender.step(network) if network else None
    batches, sizes = contender.epoch(number), []
    if bare:
        ready = list(contender.epoch(number))
        batches = iter([ready[0]] * len(ready))
        del ready
    gc.collect()
    began_s, began_cpu_s = time.perf_counter(), cpu_s()
    for inputs, labels in batches:
        sizes.append(len(labels))
        if step is not None:
            step(inputs, labels)
    return {
        "wall_s": time.perf_counter() - began_s,
        "cpu_s": cpu_s() - began_cpu_s,
        "photos": sum(sizes),
        "batches": len(sizes),
    }


def cpu_s() -> float:
    """Processor seconds of this process, all its threads, and its children that have ended."""
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def asked() -> tuple[str, Setting]:
    """Name and setting from the command line of a contender's process."""
    parser = argparse.ArgumentParser()
    parser.add_argument("name")
    parser.add_argument("setting", type=json.loads)
    options = parser.parse_args()
    return options.name, Setting(**options.setting)
