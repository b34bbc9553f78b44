from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

import pytest

import leafsight.evaluation as evaluation
from leafsight.evaluation.report.words import LABELS


def test_everything_promised_is_there() -> None:
    for name in evaluation.__all__:
        assert getattr(evaluation, name) is not None
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = evaluation.nonsense


def test_serving_passes_without_heavy_libraries() -> None:
    options = {
        "not_leaf_classes": (), "crops": {}, "seed": 0, "conformal": "marginal", "alpha": 0.1,
        "target_accuracy": 0.9, "answer_floor": 0.5, "bound_level": 0.9, "not_leaf_threshold": 0.5,
        "far_factor": 2.0,
    }  # fmt: skip
    code = (
        "import sys, types, numpy as np, leafsight.evaluation as e\n"
        f"options = types.SimpleNamespace(**{options!r})\n"
        "c = e.fit_calibration(np.eye(3) * 4, np.arange(3), None, None, None, list('abc'), options)\n"
        "e.decide(c, np.eye(3))\n"
        "heavy = {'pydantic', 'jaxtyping', 'PIL', 'torch', 'scipy', 'matplotlib', 'pyarrow', 'rich'}\n"
        "print(sorted(heavy & set(sys.modules)))\n"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_example_in_the_docs_runs(tmp_path, monkeypatch, capsys) -> None:
    monkeypatch.chdir(tmp_path)
    page = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    examples = re.findall(r"```python\n(.*?)```", page, flags=re.DOTALL)
    for example in examples:
        exec(compile(example, "docs/evaluation.md", "exec"), {})
    said = capsys.readouterr().out
    assert "Interval(value=" in said
    assert "without looking at a leaf" in said
    assert (tmp_path / "report.html").is_file()
    assert (tmp_path / "report.json").is_file()


def test_the_docs_name_every_metric() -> None:
    page = (Path(__file__).parents[2] / "docs" / "evaluation.md").read_text(encoding="utf-8")
    for name in LABELS:
        assert name.startswith("crop_given_") or f"`{name}`" in page, name
