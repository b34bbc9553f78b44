"""What every contender of ``benchmarks.side_by_side`` is handed, and the diary that it keeps.

Enters: a job on the command line. Leaves: one JSON line for each thing that happens, on standard output.
Needs the standard library only, because it also runs in the environment of a peer.
"""

from __future__ import annotations

import argparse
import json
import os
import time
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from benchmarks.pipeline_work import cpu_s

# Networks with the same weights differ by rounding only; a wrong padding or epsilon is a thousand times that.
TOLERANCE = 2e-3


@dataclass(frozen=True)
class Program:
    """How a peer is written.

    Attributes:
        title: what it is, for people.
        head_epochs: with the backbone frozen.
        epochs: of the whole network after that.
        head_rate: learning rate of the first.
        rate: learning rate of the second.
        batch_statistics: whether batch normalisation learns in the second stage, too.
        class_weights: inverse of the size of a class.
    """

    title: str
    head_epochs: int
    epochs: int
    head_rate: float
    rate: float
    batch_statistics: bool = False
    class_weights: bool = False

    def scaled(self, factor: float) -> Program:
        """The same with fewer or more epochs, at least one of each."""
        counts = {key: max(1, round(getattr(self, key) * factor)) for key in ("head_epochs", "epochs")}
        return Program(**{**asdict(self), **counts})


# keras.io/guides/transfer_learning: the base is called with training=False, first frozen, then at 1e-5.
# The original projects of both recipes freeze, unfreeze and go on at 1e-4, as variant "original" of
# plant-disease-64 does. fastai and Ultralytics: with their own rates, so the two here are not
# asked for.
PROGRAMS = {
    "keras-tutorial": Program("Keras as in its guide to transfer learning", 5, 20, 1e-3, 1e-5),
    "keras-original": Program(
        "Keras as the original project: everything at 1e-4, class weights", 5, 20, 1e-3, 1e-4, True, True
    ),
    "fastai": Program("fastai: vision_learner and fine_tune(20)", 1, 20, 2e-3, 1e-3, True),
    "ultralytics": Program("Ultralytics: YOLO(model.yaml).train(epochs=20)", 0, 20, 0.0, 0.0, True),
}


@dataclass(frozen=True)
class Job:
    """One training by one peer.

    Attributes:
        program: what it does.
        photographs: JSON file: ``classes`` and for each split a list of ``[path, label, name]``.
        start: ``.npz``: the tensors of the backbone by torchvision's names, ``pixels`` (uint8
            ``[n, side, side, 3]``) and the ``embedding`` (float32 ``[n, 1280]``) that leafsight gets of them.
        answers: ``.npz`` that is written: ``test`` (float32 ``[photographs, classes]``, logarithms of
            probabilities or logits).
        side_px: of the pictures.
        batch: photographs of a step.
        dropout: before the dense layer.
        threads: of the arithmetic.
        seed: of everything drawn.
    """

    program: dict[str, Any]
    photographs: str
    start: str
    answers: str
    side_px: int
    batch: int
    dropout: float
    threads: int
    seed: int

    def settings(self) -> Program:
        """How it is written."""
        return Program(**self.program)

    def listing(self) -> dict[str, Any]:
        """Classes and photographs."""
        found: dict[str, Any] = json.loads(Path(self.photographs).read_text(encoding="utf-8"))
        return found


@dataclass
class Diary:
    """JSON lines on what was standard output; whatever a library prints goes to standard error."""

    began: tuple[float, float] = (0.0, 0.0)
    file: Any = field(init=False)

    def __post_init__(self) -> None:
        self.file = os.fdopen(os.dup(1), "w")
        os.dup2(2, 1)

    def begin(self) -> None:
        """The clocks start."""
        self.began = time.perf_counter(), cpu_s()

    def tell(self, kind: str, **values: Any) -> None:
        """Write a line."""
        print(json.dumps({"kind": kind, **values}), file=self.file, flush=True)

    def tell_time(self, kind: str, **values: Any) -> None:
        """Write a line with the seconds since ``begin``: by the clock, and of the processor."""
        wall_s, used_s = time.perf_counter() - self.began[0], cpu_s() - self.began[1]
        self.tell(kind, wall_s=wall_s, cpu_s=used_s, **values)


def asked() -> dict[str, Any]:
    """The job on the command line."""
    parser = argparse.ArgumentParser()
    parser.add_argument("job", type=json.loads)
    found: dict[str, Any] = parser.parse_args().job
    return found


def same_start(difference: float, diary: Diary) -> None:
    """Tell how far the embeddings are apart.

    Raises:
        SystemExit: farther than rounding explains: this would be another network.
    """
    diary.tell("start", difference=difference, tolerance=TOLERANCE)
    if not difference <= TOLERANCE:
        raise SystemExit(
            f"the embeddings differ by up to {difference:.3g}: not the same network, no comparison"
        )
