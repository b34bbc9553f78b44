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
from benchmarks.pipeline_torch import import_transforms
from benchmarks.side_by_side_work import Diary, Job, asked, same_start
from torch import nn

import_transforms()  # makes torchvision importable beside a torch without CUDA

import fastai  # noqa: E402
import torchvision  # noqa: E402
from fastai.vision import all as vision  # noqa: E402

LIKE_TENSORFLOW = (0, 1, 0, 1)  # padding of a stride of 2 over an even side: left, right, top, bottom


def main() -> None:
    job, diary = Job(**asked()), Diary()
    torch.set_num_threads(job.threads)
    vision.set_seed(job.seed, reproducible=True)
    diary.tell(
        "versions", fastai=fastai.__version__, torch=torch.__version__, torchvision=torchvision.__version__
    )
    same_start(_difference(job), diary)
    diary.begin()
    program, watch = job.settings(), Watch(diary)
    learner = vision.vision_learner(
        loaders(job),
        lambda **_: backbone(job),
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


def backbone(job: Job) -> nn.Module:
    """torchvision's MobileNetV2 with the weights of the start; its classifier is cut off by fastai."""
    network = torchvision.models.mobilenet_v2(weights=None)
    with np.load(job.start, allow_pickle=False) as tensors:
        state = {name: torch.from_numpy(tensors[name]) for name in tensors.files if "." in name}
    missing = network.load_state_dict(state, strict=False)
    lost = [name for name in missing.missing_keys if "classifier" not in name and "num_batches" not in name]
    if lost or missing.unexpected_keys:
        raise SystemExit(f"weights that do not fit: {lost + missing.unexpected_keys}")
    for part in list(network.modules()):
        if isinstance(part, nn.Sequential) and isinstance(part[0], nn.Conv2d) and part[0].stride == (2, 2):
            part[0].padding = (0, 0)
            part[0] = nn.Sequential(nn.ZeroPad2d(LIKE_TENSORFLOW), part[0])
    # fastai looks for the pooling to know where the head begins.
    return nn.Sequential(network.features, nn.AdaptiveAvgPool2d(1))


def _difference(job: Job) -> float:
    with np.load(job.start, allow_pickle=False) as tensors:
        pixels, wanted = tensors["pixels"].astype(np.float32), tensors["embedding"]
    with torch.inference_mode():
        scaled = torch.from_numpy(pixels).permute(0, 3, 1, 2) / 127.5 - 1
        found = backbone(job).eval()(scaled).flatten(1)
    return float(np.abs(found.numpy() - wanted).max())


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
