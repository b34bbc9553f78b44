"""Installs what ``benchmarks.side_by_side`` compares with.

Enters: a folder. Leaves: TensorFlow in an environment; torchvision, fastai and Ultralytics as files beside
our own torch.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from benchmarks.pipeline_processes import set_up
from benchmarks.side_by_side_parts import FASTAI, ULTRALYTICS

# Without their dependencies, for pip would take another torch for them; spacy is not needed for pictures.
FASTAI_PACKAGES = (
    "fastai==2.8.*", "fastcore", "fasttransform", "fastprogress<1.1", "fastdownload", "plum-dispatch<2.10",
    "cloudpickle", "pandas", "pyyaml", "scikit-learn", "scipy", "joblib", "threadpoolctl", "requests",
    "beartype", "rich",
)  # fmt: skip
ULTRALYTICS_PACKAGES = (
    "ultralytics==8.4.*", "ultralytics-thop", "opencv-python-headless", "polars", "polars-runtime-32",
    "pyyaml", "psutil", "requests", "urllib3", "idna", "certifi", "charset-normalizer",
)  # fmt: skip


def set_up_peers(venv: Path, tensorflow: str) -> None:
    """Everything that is not there yet."""
    if not (venv / "tensorflow").is_dir():
        set_up(venv, tensorflow)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    for name, packages in ((FASTAI, FASTAI_PACKAGES), (ULTRALYTICS, ULTRALYTICS_PACKAGES)):
        command = [*pip, "--no-deps", "--upgrade", "--target", str(venv / name), *packages]
        print(shlex.join(command), file=sys.stderr, flush=True)
        subprocess.run(command, check=True)
