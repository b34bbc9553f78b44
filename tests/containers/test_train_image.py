"""The image of the worker: torch is there, and nobody needs to be root. What it does, test_full shows."""

from __future__ import annotations

import json

from tests.containers.engine import TRAIN, inspected, python_in
from tests.containers.test_serve_image import TOOLS, files_of


def test_torch_is_there_and_works_without_a_network() -> None:
    program = "import torch, json; print(json.dumps([torch.__version__, float(torch.ones(3).sum())]))"
    version, total = json.loads(python_in(TRAIN, program, "--network", "none", "--read-only"))
    assert version.startswith("2.")
    assert total == 3.0


def test_it_has_no_shell_either() -> None:
    programs = {name.rpartition("/")[2] for name in files_of(TRAIN) if "/bin/" in f"/{name}"}
    assert programs & TOOLS == set()
    about = inspected(TRAIN)["Config"]
    assert (about["User"], about["Cmd"]) == ("10001:10001", ["work"])
