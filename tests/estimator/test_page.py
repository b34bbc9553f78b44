"""The programs in docs/estimator.md run as they stand there, one after the other."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'leafsight[sklearn]'")

PAGE = (Path(__file__).resolve().parents[2] / "docs" / "estimator.md").read_text()
PROGRAMS = re.findall(r"^```python\n(.*?)^```", PAGE, re.M | re.S)
SEARCHING = next(number for number, program in enumerate(PROGRAMS) if "GridSearchCV" in program)


def run(numbers: list[int], folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> str:
    monkeypatch.chdir(folder)
    names: dict[str, Any] = {}
    for number in numbers:
        exec(compile(PROGRAMS[number], f"docs/estimator.md, program {number}", "exec"), names)
    return str(capsys.readouterr().out)


def test_fitting_asking_and_keeping(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    others = [number for number in range(len(PROGRAMS)) if number != SEARCHING]
    said = run(others, tmp_path, monkeypatch, capsys)
    assert said.startswith("['Rust' 'healthy'] [")
    assert "\n[1. 1. 1.]\n" in said
    assert re.search(r"^True [0-9a-f]{12}$", said, re.M)
    assert "WARNING: a pickle runs code" in said
    assert (tmp_path / "leaf.leafsight").exists()


@pytest.mark.slow
def test_cross_validation_and_search(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: Any) -> None:
    said = run([0, SEARCHING], tmp_path, monkeypatch, capsys).splitlines()
    assert re.fullmatch(r"\[[01]\.\d* +[01]\.\d*\]", said[-2])
    assert said[-1].startswith(("threads=", "model.width="))


def test_every_promise_names_a_test_that_exists() -> None:
    here = Path(__file__).parent
    named = re.findall(r"`(test_\w+\.py): (test_\w+)`", PAGE)
    assert len(named) >= 3
    for file, test in named:
        assert f"def {test}(" in (here / file).read_text(), f"{file}: {test}"
