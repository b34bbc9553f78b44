"""What a student writes in Ultralytics: ``YOLO(model.yaml).train(data=FOLDER)``.

Enters: a job. Leaves: JSON lines and answers about the test photographs. Runs on our torch with Ultralytics
and torchvision on the path, and knows nothing of leafsight:
``python -m benchmarks.side_by_side_ultralytics JOB``.

Everything is Ultralytics' own: its head, its augmentation (RandAugment, erasing), its optimiser and schedule
by its own choice, its average of the weights, its loader that decodes in every epoch. Only the backbone is
torchvision's MobileNetV2, named in the model's YAML as Ultralytics' own files name ResNet18, with the padding
and the weights of the common start, and the scaling of pixels belongs to them.
"""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from benchmarks.side_by_side_torchvision import difference, features, torchvision
from benchmarks.side_by_side_work import Diary, Job, asked, same_start
from torch import nn

MODEL = {
    "nc": 1000,
    "backbone": [[-1, 1, "TorchVision", [1280, "mobilenet_v2", None, True, 2]]],
    "head": [[-1, 1, "Classify", ["nc"]]],
}
SPLITS = {"train": "train", "valid": "val"}


def main() -> None:
    job, diary = Job(**asked()), Diary()
    folder = Path(job.answers).with_suffix("")
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    # It asks the network for newer versions, fonts and settings unless it is told not to.
    os.environ |= {"YOLO_CONFIG_DIR": str(folder), "YOLO_OFFLINE": "true", "YOLO_AUTOINSTALL": "false"}
    import ultralytics
    from ultralytics import YOLO

    torch.set_num_threads(job.threads)
    diary.tell(
        "versions",
        ultralytics=ultralytics.__version__,
        torch=torch.__version__,
        torchvision=torchvision.__version__,
    )
    same_start(difference(job), diary)
    names = links(job, folder / "photographs")
    diary.begin()
    watch, made = Watch(diary, job.settings().epochs), trainer_class(job)(overrides=settings(job, folder))
    made.add_callback("on_train_epoch_start", watch.began)
    made.add_callback("on_train_epoch_end", watch.trained)
    made.add_callback("on_fit_epoch_end", watch.judged)
    made.train()
    best = YOLO(str(made.best))
    shown = [row[0] for row in job.listing()["test"]]
    found = {}
    for first in range(0, len(shown), 256):
        part = shown[first : first + 256]
        for path, answer in zip(part, best(part, imgsz=job.side_px, verbose=False), strict=True):
            found[path] = answer.probs.data.float().clamp_min(1e-12).log().numpy()
    order = [list(names).index(best.names[number]) for number in range(len(names))]
    logits = np.stack([found[path] for path in shown])
    np.savez_compressed(job.answers, test=logits[:, np.argsort(order)].astype(np.float32))
    diary.tell("done")


def links(job: Job, folder: Path) -> tuple[str, ...]:
    """Class folders of links, as Ultralytics wants them; their names in the order of the labels."""
    listing = job.listing()
    names = tuple(f"{number:04d}" for number in range(len(listing["classes"])))
    for split, theirs in SPLITS.items():
        for row, (path, label, _) in enumerate(listing[split]):
            place = folder / theirs / names[label]
            place.mkdir(parents=True, exist_ok=True)
            (place / f"{row:06d}{Path(path).suffix.lower()}").symlink_to(path)
    return names


def settings(job: Job, folder: Path) -> dict[str, Any]:
    """What is asked for; everything else is as Ultralytics has it."""
    return {
        "model": str(yaml_file(folder)),
        "data": str(folder / "photographs"),
        "epochs": job.settings().epochs,
        "imgsz": job.side_px,
        "batch": job.batch,
        "dropout": job.dropout,
        "seed": job.seed,
        "device": "cpu",
        "workers": 0,
        "amp": False,
        "plots": False,
        "verbose": False,
        "project": str(folder),
        "name": "run",
    }


def yaml_file(folder: Path) -> Path:
    """The model as a file, as ``yolo11-cls-resnet18.yaml`` is one."""
    import yaml

    path = folder / "yolo11-cls-mobilenetv2.yaml"
    path.write_text(yaml.safe_dump(MODEL), encoding="utf-8")
    return path


class Scaled(nn.Module):
    """0..1, which Ultralytics gives, to -1..1, which the weights want."""

    def forward(self, x: torch.Tensor) -> torch.Tensor:
        return 2 * x - 1


def trainer_class(job: Job) -> Any:
    """Ultralytics' own trainer with the weights of the start in its backbone."""
    from ultralytics.models.yolo.classify import ClassificationTrainer

    class Trainer(ClassificationTrainer):  # type: ignore[misc]
        def get_model(self, *words: Any, **more: Any) -> Any:
            model = super().get_model(*words, **more)
            model.model[0].m = nn.Sequential(Scaled(), features(job))
            return model

    return Trainer


class Watch:
    """Tells every epoch; after the last one Ultralytics judges its best once more, which is no training."""

    def __init__(self, diary: Diary, epochs: int) -> None:
        self.diary, self.epochs, self.kept = diary, epochs, -1
        self._began_s = self._train_s = 0.0

    def began(self, _: Any) -> None:
        self._began_s = time.perf_counter()

    def trained(self, _: Any) -> None:
        self._train_s = time.perf_counter() - self._began_s

    def judged(self, trainer: Any) -> None:
        if self.epochs <= 0:
            return
        self.epochs -= 1
        if trainer.fitness == trainer.best_fitness:
            self.kept = trainer.epoch
        found = float(trainer.metrics["metrics/accuracy_top1"])
        self.diary.tell_time("epoch", stage="whole", epoch=trainer.epoch, valid=found, train_s=self._train_s)
        if self.epochs == 0:
            self.diary.tell_time("end", kept=self.kept)


if __name__ == "__main__":
    main()
