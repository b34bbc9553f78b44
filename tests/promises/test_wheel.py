"""The wheel holds what it must, installs and starts."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

from leafsight.training import recipe_names

REPOSITORY = Path(__file__).resolve().parents[2]
BUILTIN = REPOSITORY / "src/leafsight/bundle/builtin/plant-leaves.leafsight"
pytestmark = pytest.mark.slow


def done(*words: object, **more: object) -> subprocess.CompletedProcess[str]:
    return subprocess.run([str(word) for word in words], capture_output=True, text=True, timeout=300, **more)  # type: ignore[call-overload, no-any-return]


@pytest.fixture(scope="module")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("wheel")
    built = done(
        sys.executable, "-m", "pip", "wheel", REPOSITORY, "--no-deps", "--no-build-isolation", "--quiet",
        "--wheel-dir", folder,
    )  # fmt: skip
    assert built.returncode == 0, built.stderr
    return next(folder.glob("leafsight-*.whl"))


def test_it_holds_what_it_must_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    wanted = {
        "leafsight/py.typed",
        "leafsight/taxonomy/vocabulary.json",
        "leafsight/taxonomy/cards/tomato.toml",
        "leafsight/desktop/languages/es.po",
        "leafsight/pages/style.css",
        "leafsight/inspection/insight/insight.js",
        "leafsight/inspection/insight/insight.css",
        *(f"leafsight/training/recipes/{name}.toml" for name in recipe_names()),
    }
    if BUILTIN.exists():
        wanted.add("leafsight/bundle/builtin/plant-leaves.leafsight")
    assert wanted <= names
    assert {name.split("/")[0].split("-")[0] for name in names} == {"leafsight"}
    assert not [name for name in names if "cache" in Path(name).parts[-2] or name.endswith(".pyc")]


def test_it_installs_and_starts(wheel: Path, tmp_path: Path) -> None:
    assert done(sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv").returncode == 0
    python = tmp_path / "venv" / "bin" / "python"
    installed = done(
        sys.executable,
        "-m",
        "pip",
        "--python",
        python,
        "install",
        "--no-deps",
        "--no-index",
        "--quiet",
        wheel,
    )
    assert installed.returncode == 0, installed.stderr
    # Its dependencies come from here, so that nothing is downloaded; leafsight itself is the installed one.
    packages = next(path for path in sys.path if path.endswith("site-packages"))
    environment = {**os.environ, "PYTHONPATH": packages}
    where = done(python, "-c", "import leafsight; print(leafsight.__file__)", env=environment, cwd=tmp_path)
    assert str(tmp_path) in where.stdout or "src" in where.stdout
    said = done(tmp_path / "venv" / "bin" / "leafsight", "--version", env=environment, cwd=tmp_path)
    assert said.returncode == 0, said.stderr
    card = done(
        tmp_path / "venv" / "bin" / "leafsight", "show", "tomato early blight", env=environment, cwd=tmp_path
    )
    assert "Tomato: early blight" in card.stdout, card.stderr
