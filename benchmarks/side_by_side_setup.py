"""Installs what ``benchmarks.side_by_side`` compares with.

Enters: a folder. Leaves: TensorFlow in an environment, torchvision and fastai as files beside our own torch.
"""

from __future__ import annotations

import shlex
import subprocess
import sys
from pathlib import Path

from benchmarks.pipeline_processes import set_up
from benchmarks.side_by_side_parts import FASTAI

# Without their dependencies, for pip would take another torch for them; spacy is not needed for pictures.
FASTAI_PACKAGES = (
    "fastai==2.8.*", "fastcore", "fasttransform", "fastprogress<1.1", "fastdownload", "plum-dispatch<2.10",
    "cloudpickle", "pandas", "pyyaml", "scikit-learn", "scipy", "joblib", "threadpoolctl", "requests",
    "beartype", "rich",
)  # fmt: skip


def set_up_peers(venv: Path, tensorflow: str) -> None:
    """Everything that is not there yet."""
    if not (venv / "tensorflow").is_dir():
        set_up(venv, tensorflow)
    pip = [sys.executable, "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    command = [*pip, "--no-deps", "--upgrade", "--target", str(venv / FASTAI), *FASTAI_PACKAGES]
    print(shlex.join(command), file=sys.stderr, flush=True)
    subprocess.run(command, check=True)
