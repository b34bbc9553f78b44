"""The standalone program: built as its recipe says, and started as a person starts it."""

from __future__ import annotations

import importlib.util
import json
import os
import re
import subprocess
import sys
import textwrap
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
from PIL import Image
from tests.desktop.on_disk import answers
from tests.desktop.screen import PATIENCE_S, running

from leafsight import __version__
from leafsight.dataset import draw_leaf
from leafsight.desktop.session.reaching import tried
from leafsight.desktop.session.serving_here import ServiceHere
from leafsight.desktop.session.understanding.studies import load_study

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
REPOSITORY = Path(__file__).resolve().parents[2]
RECIPE = REPOSITORY / "packaging" / "desktop"
MOST_BYTES = 420 * 10**6
BUILT_WITHIN_S, TAUGHT_WITHIN_S = 900.0, 300.0
CROP, CONDITIONS, EACH = "Roundleaf", ("Rust", "Blight"), 16
CANNOT_BE_INSTALLED = 3


def built(test: Any) -> Any:
    """For tests of the program: it is made once, by whoever of several testers has them all."""
    for mark in (pytest.mark.gui, pytest.mark.slow, pytest.mark.xdist_group("standalone")):
        test = mark(test)
    return test


def recipe(name: str) -> ModuleType:
    """A file of the recipe as a module."""
    spec = importlib.util.spec_from_file_location(f"standalone_{name}", RECIPE / f"{name}.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="session")
def program(tmp_path_factory: pytest.TempPathFactory) -> Path:
    if not sys.platform.startswith("linux"):
        pytest.skip("only the Linux build is tried")
    out = tmp_path_factory.mktemp("standalone")
    built = subprocess.run(
        [sys.executable, RECIPE / "build.py", "--out", out],
        capture_output=True, text=True, errors="replace", timeout=BUILT_WITHIN_S, check=False,
    )  # fmt: skip
    if built.returncode == CANNOT_BE_INSTALLED:
        pytest.skip(f"PyInstaller and what goes in cannot be installed: {built.stderr[-500:]}")
    assert built.returncode == 0, built.stderr[-5000:]
    assert [one.name for one in out.iterdir()] == ["leafsight-desktop"]
    assert re.search(r"leafsight-desktop: \d+ MB, made in \d+ s\n$", built.stdout)
    return out / "leafsight-desktop" / "leafsight-desktop"


@pytest.fixture
def leaf(tmp_path: Path) -> Path:
    path = tmp_path / "leaf.jpg"
    Image.fromarray(draw_leaf("Roundleaf", "Rust", seed=1, side_px=256)).save(path, quality=92)
    return path


@pytest.fixture
def new_crop(tmp_path: Path) -> Path:
    """Class folders of a crop that the built-in model does not know."""
    folder = tmp_path / "new crop"
    for number in range(EACH * len(CONDITIONS)):
        condition = CONDITIONS[number % len(CONDITIONS)]
        path = folder / f"{CROP}___{condition}" / f"{number}.jpg"
        path.parent.mkdir(parents=True, exist_ok=True)
        picture = draw_leaf(CROP, condition, seed=number, field=True, side_px=256)
        Image.fromarray(picture).save(path, quality=92)
    return folder


@pytest.fixture
def surroundings(tmp_path: Path) -> dict[str, str]:
    """As on a machine that has no leafsight: nothing of ours on Python's path, no settings."""
    kept = {
        name: value for name, value in os.environ.items() if not name.startswith(("PYTHON", "LEAFSIGHT_"))
    }
    return {**kept, "QT_QPA_PLATFORM": "offscreen", "HOME": str(tmp_path / "home")}


def asked(
    program: Path, env: dict[str, str], *words: object, timeout_s: float = PATIENCE_S
) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [program, *map(str, words)], env=env, capture_output=True, text=True, timeout=timeout_s, check=False
    )


@built
def test_the_window_answers_and_the_command_line_says_the_same(
    program: Path, leaf: Path, surroundings: dict[str, str], tmp_path: Path
) -> None:
    state, said = tmp_path / "state", tmp_path / "said"
    in_spanish = {**surroundings, "LANGUAGE": "es"}
    with running([program, leaf, "--state-dir", state], in_spanish, said) as window:
        in_window = window.until(lambda: answers(state))[leaf.name]
        assert window.end() == 0, window.said
    assert "error" not in said.read_text()
    for warning in ("polib", "es.po"):  # a translation that cannot be read is told there
        assert warning not in said.read_text()
    assert any(program.parent.rglob("languages/es.po"))
    assert any(program.parent.rglob("qtbase_es.qm"))
    done = asked(program, surroundings, "predict", leaf, "--json")
    assert done.returncode == 0, done.stderr
    (in_terminal,) = json.loads(done.stdout)
    for name in ("verdict", "reason", "class_name", "model_hash"):
        assert in_window[name] == in_terminal[name]
    assert asked(program, surroundings, "--version").stdout == f"leafsight, version {__version__}\n"


@built
def test_its_service_looks_into_photographs_and_teaches_a_new_crop_without_torch(
    program: Path, new_crop: Path, surroundings: dict[str, str], tmp_path: Path
) -> None:
    """What is sent is opened by ``-m leafsight.service.upload_check``, and learned from in another child."""
    said = tmp_path / "said"
    words = ["serve", "--port", 0, "--admin-port", 0, "--workers", 1, "--state-dir", tmp_path / "state"]
    with running([program, *words, "--learning-promote", "auto"], surroundings, said) as service:
        (url,) = service.until(lambda: re.findall(r"^ready on (http://\S+)", service.said, re.M))

        def did(*words: object) -> str:
            done = asked(program, surroundings, *words, "--server", url, timeout_s=TAUGHT_WITHIN_S)
            assert done.returncode == 0, done.stderr + service.said
            return done.stdout + done.stderr

        assert "32 of 32 photographs are usable" in did("feedback", "add", new_crop)
        for condition in CONDITIONS:
            did("feedback", "classes", "declare", f"{CROP}___{condition}")
        ids = [one["id"] for one in json.loads(did("feedback", "ls", "--json"))]
        did("feedback", "accept", *ids)
        did("retrain", "--quick")
        leaf = next(iter((new_crop / f"{CROP}___Rust").iterdir()))
        service.until(lambda: "roundleaf/rust" in did("predict", leaf, "--json"))  # taken up in seconds
        assert service.end() == 0, service.said
    assert "Traceback" not in said.read_text()


@built
def test_the_window_starts_its_service_with_itself(program: Path, tmp_path: Path) -> None:
    service = ServiceHere(tmp_path / "state", [str(program)], os.getpid())
    try:
        assert tried(service.server())["classes"] > 1
    finally:
        service.stop()
    assert not service.runs


@built
def test_a_child_that_is_spawned_studies_a_collection_and_is_no_second_window(
    program: Path, new_crop: Path, surroundings: dict[str, str], tmp_path: Path
) -> None:
    """As the page "Understand the data" does it; here a program that looks frozen is in its place."""
    inside = program.parent / "_internal"
    code = f"""
        import sys
        from multiprocessing import get_context, resource_tracker, spawn
        from pathlib import Path
        from leafsight.desktop.session.understanding.studying import Wish, work
        folder, program, inside = Path({str(tmp_path)!r}), {str(program)!r}, Path({str(inside)!r})
        context = get_context("spawn")
        ours, theirs = context.Pipe()
        wish = Wish((Path({str(new_crop)!r}),), folder / "studies", folder / "cache")
        process = context.Process(target=work, args=(theirs, wish))
        resource_tracker.ensure_running()  # it is a process of this Python, which has other flags
        sys.frozen, sys.executable = True, program
        spawn.set_executable(program)
        kept = list(sys.path)
        compiled = map(str, inside.glob("python3.*/lib-dynload"))
        sys.path[:] = [str(inside / "base_library.zip"), *compiled, str(inside)]
        process.start()
        sys.path[:] = kept
        theirs.close()
        while (told := ours.recv())[0] not in ("done", "trouble", "ended"):
            pass
        print(*told, sep="\\n")
        process.join({PATIENCE_S})
        print(process.exitcode)
    """
    env = {**surroundings, "PYTHONPATH": str(REPOSITORY / "src")}
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)],
        env=env, capture_output=True, text=True, timeout=TAUGHT_WITHIN_S, check=False,
    )  # fmt: skip
    said = done.stdout.splitlines()
    assert (said[:1], said[2:]) == (["done"], ["0"]), done.stdout + done.stderr
    study = load_study(Path(said[1]))
    assert study.class_counts == {f"{CROP}___{condition}": EACH for condition in CONDITIONS}
    assert len(list((Path(said[1]) / "pictures").glob("*.png"))) >= 10


@built
def test_what_is_inside_and_what_is_not(program: Path, surroundings: dict[str, str], tmp_path: Path) -> None:
    folder = program.parent
    files = [path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()]
    names = [path.relative_to(folder).as_posix().lower() for path in files]
    assert sum(path.stat().st_size for path in files) < MOST_BYTES
    without = asked(program, surroundings, "average", tmp_path, tmp_path, "--out", tmp_path / "mean")
    assert "this needs 'torch', which is not installed" in without.stderr
    for absent in ("torch", "scipy", "sklearn", "timm"):
        own = [
            name
            for name in names
            if f"/{absent}/" in name or f"/{absent}-" in name or f"lib{absent}." in name
        ]
        assert own == []
    for absent in (
        "qt6qml",
        "qt6quick",
        "qt6pdf",
        "virtualkeyboard",
        "flight",
        ".pyx",
        "/tests/",
    ):
        assert [name for name in names if absent in name] == []
    assert [name for name in names if "translations/" in name and "/qtbase_" not in name] == []
    qt = [path for path in files if re.fullmatch(r"libQt6(Core|Gui|Widgets)\.so\.6", path.name)]
    assert len({path.name for path in qt}) == 3  # files of their own, as the LGPL wants it
    for licence in ("LICENSE", "NOTICE", "LGPL-3.0.txt", "GPL-3.0.txt", "README.txt"):
        assert f"licences/{licence.lower()}" in names
    told = (folder / "licences" / "README.txt").read_text()
    assert re.search(r"^PySide6_Essentials [\d.]+: .*LGPL-3\.0", told, re.M)


@pytest.mark.parametrize(
    ("given", "words"),
    [
        ([], ["desktop"]),
        (["a leaf.jpg", "folder"], ["desktop", "a leaf.jpg", "folder"]),
        (["--fresh"], ["desktop", "--fresh"]),
        (["desktop", "a.jpg"], ["desktop", "a.jpg"]),
        (["predict", "a.jpg", "--json"], ["predict", "a.jpg", "--json"]),
        (["--version"], ["--version"]),
        (["./train"], ["desktop", "./train"]),
    ],
)
def test_photographs_are_for_the_window_and_verbs_for_the_command_line(
    given: list[str], words: list[str]
) -> None:
    assert recipe("entry").words_of(given) == words


@pytest.mark.parametrize(
    ("given", "part"),
    [
        (["-m", "leafsight.service.upload_check", "file"], "leafsight.service.upload_check"),
        (["-m", "http.server"], None),
        (["-m"], None),
        (["predict", "-m", "leafsight.service.upload_check"], None),
    ],
)
def test_only_parts_of_leafsight_are_run_by_name(given: list[str], part: str | None) -> None:
    assert recipe("entry").part_of(given) == part


def test_programs_of_the_system_get_their_own_libraries_back(monkeypatch: pytest.MonkeyPatch) -> None:
    entry = recipe("entry")
    monkeypatch.setattr(sys, "_MEIPASS", "/opt/leafsight/_internal", raising=False)
    for before, after in (
        ({"LD_LIBRARY_PATH": "/opt/leafsight/_internal"}, {}),
        ({"LD_LIBRARY_PATH": "/opt/leafsight/_internal:/own", "LD_LIBRARY_PATH_ORIG": "/own"},
         {"LD_LIBRARY_PATH": "/own"}),
        ({"LD_LIBRARY_PATH": "/own"}, {"LD_LIBRARY_PATH": "/own"}),
        ({}, {}),
    ):  # fmt: skip
        entry.give_back_library_path(before)
        assert before == after


def test_the_icons_of_windows_and_macos_are_drawn(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, qapp: Any
) -> None:
    monkeypatch.setattr(sys, "argv", ["icons.py", str(tmp_path)])
    recipe("icons").main()
    with Image.open(tmp_path / "leafsight.ico") as windows:
        assert (256, 256) in windows.info["sizes"]
    with Image.open(tmp_path / "leafsight.icns") as macos:
        assert macos.size == (1024, 1024)


def test_what_is_pinned_here_and_there_is_the_same_version() -> None:
    def pins(path: Path) -> dict[str, str]:
        lines = path.read_text().splitlines()
        return dict(line.split("==") for line in lines if "==" in line and not line.startswith("#"))

    both = pins(REPOSITORY / "constraints.txt")
    own = pins(RECIPE / "requirements.txt")
    assert {"pyinstaller", "onnx"} <= set(own)
    assert {name: both[name] for name in own if name in both} == {
        name: own[name] for name in own if name in both
    }
