"""Two promises of training, each a ratio within one run.

    python benchmarks/training.py head [--rounds 3] [--photos 1500] [--json]
    python benchmarks/training.py step [--rounds 4] [--threads 1] [--preset standard] [--backgrounds 0.5]

``head``: twenty epochs of training the head on a frozen backbone (features, epochs, validation, checkpoints
and all), divided by one pass of the backbone over the same photographs. Promise: at most 1.1.
``step``: images per second of real training (gathered, augmented and made ahead in a background thread;
clipped, averaged, recorded) divided by those of the bare step on random tensors. Promise: at least 0.9 where
a core is free for the background thread.

MobileNetV2, photographs drawn at random: content does not change the cost. Both sides take turns in every
round, and the ratio is the median of the rounds' ratios, so that a noisy machine disturbs both alike. The
ratio of processor time says the same where other programs share the cores.
"""

from __future__ import annotations

import argparse
import json
import os
import shutil
import statistics
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import torch

from leafsight.errors import validated
from leafsight.training import Recipe, TrainingData, build_bank, loop
from leafsight.training.batches import Pictures, split_into_batches
from leafsight.training.interruption import StopRequest
from leafsight.training.machine import prepared_machine
from leafsight.training.prefetch import prefetched
from leafsight.training.run_folder import open_run_folder
from leafsight.training.session import Session, open_session
from leafsight.training.stages import infer

CLASSES = 49
STEPS_A_ROUND = 6


def random_data(photos: int, side_px: int, *, backgrounds: bool) -> TrainingData:
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (photos, side_px, side_px, 3), dtype=np.uint8)
    if backgrounds:
        # A green disc on a plain grey table: what background replacement cuts out.
        grid = np.hypot(*np.meshgrid(*[np.linspace(-1, 1, side_px)] * 2))
        images[:] = np.where(grid[:, :, None] < 0.6, (60, 140, 50), (150, 150, 150)).astype(np.uint8)
        images += rng.integers(0, 10, images.shape, dtype=np.uint8)
    labels = np.arange(photos) % CLASSES
    train_rows = np.arange(photos * 9 // 10)
    rows = {"train": train_rows, "valid": np.arange(photos * 9 // 10, photos)}
    bank = build_bank(images, labels, train_rows, folder=None, fingerprint="") if backgrounds else None
    return TrainingData(images, labels, rows, tuple(map(str, range(CLASSES))), backgrounds=bank)


def recipe_for(arguments: argparse.Namespace, stage: dict[str, Any]) -> Recipe:
    values = {
        "recipe": {"name": "benchmark"},
        "batch_size": arguments.batch,
        "valid_batch_size": arguments.batch,
        "threads": arguments.threads,
        "checkpoint_minutes": 0.0,
        "preprocessing": {"side_px": arguments.side},
        "optimizer": {"ema_decay": 0.999},
        "augmentation": {"preset": arguments.preset},
        "backgrounds": {"probability": arguments.backgrounds},
        "stages": [stage],
    }
    return validated(Recipe, values, "benchmark")


def new_session(recipe: Recipe, data: TrainingData, folder: Path, device: Any, machine: Any) -> Session:
    from leafsight.progress import Silent

    shutil.rmtree(folder, ignore_errors=True)
    opened = open_run_folder(folder, recipe, data, resume=True, force=True)
    return open_session(
        opened,
        recipe,
        data,
        device=device,
        machine=machine,
        pretrained=None,
        progress=Silent(),
        stop=StopRequest(),
        listeners=(),
    )


def seconds_of(work: Callable[[], object]) -> tuple[float, float]:
    """Wall and processor time (of all threads)."""
    began_s, began_cpu_s = time.perf_counter(), time.process_time()
    work()
    return time.perf_counter() - began_s, time.process_time() - began_cpu_s


def median_ratio(over: list[tuple[float, float]], under: list[tuple[float, float]], clock: int) -> float:
    return statistics.median(one[clock] / other[clock] for one, other in zip(over, under, strict=True))


def median_s(times: list[tuple[float, float]]) -> float:
    return statistics.median(wall_s for wall_s, _ in times)


def whole_stage(session: Session) -> None:
    session.enter_stage()
    while not loop.stage_is_over(session):
        loop.train_epoch(session)
        loop.judge_epoch(session)
    session.leave_stage()


def measure_head(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    data = random_data(arguments.photos, arguments.side, backgrounds=False)
    stage = {"name": "head", "epochs": 20, "trainable": "head", "learning_rate": 0.01, "views": 1}
    recipe = recipe_for(arguments, stage)
    passes, stages = [], []
    for number in range(arguments.rounds + 1):
        with prepared_machine("cpu", arguments.threads, "auto") as (device, machine):
            session = new_session(recipe, data, folder / "pass", device, machine)
            pictures = Pictures(data, recipe, device)
            session.setting.network.eval()
            parts = split_into_batches(np.arange(len(data.images)), recipe.valid_batch_size)

            def one_pass(
                setting: Any = session.setting, pictures: Any = pictures, parts: Any = parts
            ) -> None:
                for pixels in prefetched(pictures.plain, parts):
                    infer(setting, setting.network.embed, pixels)

            pass_s = seconds_of(one_pass)
            session.events.close()
            session = new_session(recipe, data, folder / "stage", device, machine)
            stage_s = seconds_of(lambda session=session: whole_stage(session))
            session.events.close()
        if number:  # the first round warms up: late imports, page faults
            passes.append(pass_s)
            stages.append(stage_s)
    return {
        "measure": "20 epochs of head training over one pass of the backbone",
        "ratio": median_ratio(stages, passes, 0),
        "ratio_of_processor_time": median_ratio(stages, passes, 1),
        "promised_at_most": 1.1,
        "pass_s": median_s(passes),
        "stage_s": median_s(stages),
        "ratios": [round(one[0] / other[0], 3) for one, other in zip(stages, passes, strict=True)],
    }


def measure_step(arguments: argparse.Namespace, folder: Path) -> dict[str, Any]:
    steps = STEPS_A_ROUND * (arguments.rounds + 1) + 4
    photos = arguments.batch * steps * 10 // 9 + 10
    data = random_data(photos, arguments.side + 16, backgrounds=arguments.backgrounds > 0)
    recipe = recipe_for(arguments, {"name": "all", "epochs": 1, "learning_rate": 1e-3})
    with prepared_machine("cpu", arguments.threads, "auto") as (device, machine):
        session = new_session(recipe, data, folder / "real", device, machine)
        session.enter_stage()
        session.work.begin_training()
        bare = new_session(recipe, data, folder / "bare", device, machine)
        bare.enter_stage()
        bare.work.begin_training()
        inputs = torch.rand(arguments.batch, 3, arguments.side, arguments.side).mul(255)
        inputs = inputs.contiguous(memory_format=torch.channels_last)
        targets = torch.randint(CLASSES, (arguments.batch,))

        def bare_steps() -> None:
            for _ in range(STEPS_A_ROUND):
                bare.optimizer.zero_grad(set_to_none=True)
                bare.criterion(bare.setting.network(inputs), targets).backward()
                bare.optimizer.step()

        batches = iter(session.work.batches(0, 0))
        seen = 0

        def real_steps() -> None:
            nonlocal seen
            for _ in range(STEPS_A_ROUND):
                batch = next(batches)
                loop.take_step(session, batch)
                seen += len(batch.rows)
                session.state.batch, session.state.seen = batch.index + 1, seen
                loop.tell_step(session, 1.0, steps)

        bare_s, real_s = [], []
        for number in range(arguments.rounds + 1):
            pair = [seconds_of(bare_steps), seconds_of(real_steps)]
            if number:
                bare_s.append(pair[0])
                real_s.append(pair[1])
        batches.close()  # type: ignore[attr-defined]
    each_round = STEPS_A_ROUND * arguments.batch
    return {
        "measure": "images per second of real training over those of the bare step",
        "ratio": median_ratio(bare_s, real_s, 0),
        "ratio_of_processor_time": median_ratio(bare_s, real_s, 1),
        "promised_at_least": 0.9,
        "bare_images_per_s": each_round / median_s(bare_s),
        "real_images_per_s": each_round / median_s(real_s),
        "ratios": [round(one[0] / other[0], 3) for one, other in zip(bare_s, real_s, strict=True)],
    }


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("what", choices=["head", "step"])
    parser.add_argument("--rounds", type=int, default=4)
    parser.add_argument("--photos", type=int, default=1500)
    parser.add_argument("--side", type=int, default=112)
    parser.add_argument("--batch", type=int, default=64)
    parser.add_argument("--threads", type=int, default=1)
    parser.add_argument("--preset", default="standard")
    parser.add_argument("--backgrounds", type=float, default=0.0)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        measured = (measure_head if arguments.what == "head" else measure_step)(arguments, Path(folder))
    setting = {
        key: getattr(arguments, key)
        for key in ("threads", "side", "batch", "preset", "backgrounds", "photos")
    }
    result = measured | {"setting": setting, "cores": os.cpu_count(), "load": os.getloadavg()[0]}
    if arguments.json:
        json.dump(result, sys.stdout, indent=2)
        print()
        return
    for key, value in result.items():
        print(f"{key}: {value:.3f}" if isinstance(value, float) else f"{key}: {value}")


if __name__ == "__main__":
    main()
