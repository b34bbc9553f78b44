"""What a student writes in fastai: ``vision_learner`` and ``fine_tune``.

Enters: a job. Leaves: JSON lines and answers about the test photographs. Runs on our torch with fastai and
torchvision on the path, and knows nothing of leafsight: ``python -m benchmarks.side_by_side_fastai JOB``.

Everything is fastai's own: its head, its transforms, its one-cycle schedule with its rates, its loader that
decodes in every epoch. Only the network is torchvision's MobileNetV2 with the padding and the weights of the
common start, and the scaling of pixels belongs to them.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import torch
from benchmarks.side_by_side_torchvision import difference, features, torchvision  # before fastai
from benchmarks.side_by_side_work import Diary, Job, asked, same_start
from torch import nn

import fastai  # isort: skip
from fastai.vision import all as vision  # isort: skip


def main() -> None:
    job, diary = Job(**asked()), Diary()
    torch.set_num_threads(job.threads)
    vision.set_seed(job.seed, reproducible=True)
    diary.tell(
        "versions", fastai=fastai.__version__, torch=torch.__version__, torchvision=torchvision.__version__
    )
    same_start(difference(job), diary)
    diary.begin()
    program, watch = job.settings(), Watch(diary)
    learner = vision.vision_learner(
        loaders(job),
        # fastai looks for the pooling to know where the head begins.
        lambda **_: nn.Sequential(features(job), nn.AdaptiveAvgPool2d(1)),
        normalize=False,
        ps=job.dropout,
        metrics=vision.accuracy,
        cbs=watch,
    )
    with learner.no_bar(), learner.no_logging():
        learner.fine_tune(program.epochs, base_lr=program.head_rate, freeze_epochs=program.head_epochs)
        diary.tell_time("end", kept=watch.kept)
        learner.remove_cb(watch)
        learner.model.load_state_dict(watch.weights)
        shown = learner.dls.test_dl([row[0] for row in job.listing()["test"]])
        answers, _ = learner.get_preds(dl=shown)
    order = np.argsort(np.asarray(learner.dls.vocab))
    logits = answers.clamp_min(1e-12).log().numpy()[:, order]
    np.savez_compressed(job.answers, test=logits.astype(np.float32))
    diary.tell("done")


def loaders(job: Job) -> Any:
    """Training and validation photographs."""
    listing = job.listing()
    rows = [*listing["train"], *listing["valid"]]
    block = vision.DataBlock(
        blocks=(
            vision.ImageBlock,
            vision.CategoryBlock(vocab=list(range(len(listing["classes"]))), sort=False),
        ),
        get_x=lambda row: row[0],
        get_y=lambda row: row[1],
        splitter=vision.IndexSplitter(range(len(listing["train"]), len(rows))),
        item_tfms=vision.Resize(job.side_px, method=vision.ResizeMethod.Squish),
        batch_tfms=[*vision.aug_transforms(), vision.Normalize.from_stats(*[[0.5] * 3] * 2, cuda=False)],
    )
    return block.dataloaders(rows, bs=job.batch, device=torch.device("cpu"), num_workers=0)


class Watch(vision.Callback):  # type: ignore[misc]
    """Tells every epoch and keeps the weights that validation likes best."""

    def __init__(self, diary: Diary) -> None:
        super().__init__()
        self.diary, self.best, self.count, self.kept = diary, -1.0, 0, -1
        self.weights: dict[str, torch.Tensor] = {}
        self._began_s = self._train_s = 0.0

    def before_epoch(self) -> None:
        self._began_s = time.perf_counter()

    def after_train(self) -> None:
        self._train_s = time.perf_counter() - self._began_s

    def after_epoch(self) -> None:
        found = float(self.learn.recorder.metrics[0].value)
        if found > self.best:
            state = self.learn.model.state_dict()
            self.best, self.kept = found, self.count
            self.weights = {name: tensor.clone() for name, tensor in state.items()}
        stage = "head" if self.learn.opt.frozen_idx else "whole"
        self.diary.tell_time("epoch", stage=stage, epoch=self.learn.epoch, valid=found, train_s=self._train_s)
        self.count += 1


if __name__ == "__main__":
    main()
