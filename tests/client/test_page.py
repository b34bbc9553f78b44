"""The programs in docs/client.md run as they stand there, but for the address."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from tests.client.contract_server import ContractServer
from tests.journeys.small_world import save_picture

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "client.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)


@pytest.mark.parametrize("number", range(len(PROGRAMS)))
def test_a_program_of_the_page_runs(
    number: int, server: ContractServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys
) -> None:
    save_picture(tmp_path / "leaf.jpg", (50, 50, 200))
    monkeypatch.chdir(tmp_path)
    server.jobs["j1"] = ["queued", "running", "done"]
    program = PROGRAMS[number].replace("https://leaf.example", server.url)
    exec(compile(program, f"docs/client.md, program {number}", "exec"), {})
    said = capsys.readouterr().out
    assert said.startswith(("leaf.jpg diagnosis Tomato: early blight", "queued {'done': 3}"))


def test_every_promise_names_a_test_that_exists() -> None:
    here = Path(__file__).parent
    for name in re.findall(r"`(test_\w+\.py)", PAGE):
        assert (here / name).exists(), name
    for name in re.findall(r"(test_\w+)`", PAGE.replace(".py`", "")):
        assert any(f"def {name}(" in path.read_text() for path in here.glob("test_*.py")), name
