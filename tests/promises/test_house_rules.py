"""Sizes, names and doors, as DESIGN.md says them; and which functions the type hook leaves alone."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

REPOSITORY = Path(__file__).resolve().parents[2]
SOURCES = sorted((REPOSITORY / "src").rglob("*.py"))
TESTS = sorted((REPOSITORY / "tests").rglob("*.py"))
FORBIDDEN_NAMES = {"utils", "util", "helpers", "helper", "common", "misc", "core", "manager"}
MOST_LINES, MOST_TEST_LINES, MOST_FUNCTION_LINES = 400, 600, 60
# Law of trust: nothing that is read from a file may run.
FORBIDDEN_CALLS = {"torch.load", "pickle.load", "pickle.loads", "extractall", "eval", "exec"}
NEVER_ON_START = ("PySide6", "torch", "onnxruntime", "pyarrow", "matplotlib", "onnx", "safetensors", "scipy")


def short(path: Path) -> str:
    return str(path.relative_to(REPOSITORY))


@pytest.mark.parametrize("path", SOURCES + TESTS, ids=short)
def test_no_file_is_too_long_or_called_a_bag(path: Path) -> None:
    most = MOST_LINES if path in SOURCES else MOST_TEST_LINES
    assert len(path.read_text().splitlines()) <= most
    assert not FORBIDDEN_NAMES.intersection(path.stem.split("_"))


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_no_function_is_too_long_and_nothing_unsafe_is_called(path: Path) -> None:
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            body = node.body[1:] if ast.get_docstring(node) else node.body
            lines = node.end_lineno - body[0].lineno + 1 if body else 0
            assert lines <= MOST_FUNCTION_LINES, f"{path.name}: {node.name} has {lines} lines"
        if isinstance(node, ast.Call):
            called = ast.unparse(node.func)
            assert called not in FORBIDDEN_CALLS, f"{path.name}:{node.lineno} calls {called}"
            assert not called.endswith(".extractall"), f"{path.name}:{node.lineno} calls {called}"


@pytest.mark.parametrize("path", SOURCES, ids=short)
def test_heavy_libraries_wait_until_they_are_needed(path: Path) -> None:
    """At the top of a module only where the room is loaded lazily or the library is its own."""
    room = path.relative_to(REPOSITORY / "src" / "leafsight").parts[0]
    if room in {"models", "training", "export", "dataset"} or path.parent.name == "window":
        return
    for node in ast.parse(path.read_text()).body:
        names = [one.name for one in node.names] if isinstance(node, ast.Import) else []
        names += [node.module or ""] if isinstance(node, ast.ImportFrom) else []
        for name in names:
            assert name.partition(".")[0] not in NEVER_ON_START, f"{path.name} imports {name} at its top"


@pytest.mark.parametrize("path", sorted((REPOSITORY / "src/leafsight").glob("*/__init__.py")), ids=short)
def test_every_room_has_a_docstring_a_door_and_a_page(path: Path) -> None:
    tree = ast.parse(path.read_text())
    assert ast.get_docstring(tree)
    assert "__all__" in path.read_text()


def test_a_room_is_entered_by_its_door() -> None:
    """``from leafsight.room import name``, never ``from leafsight.room.module import name``."""
    wrong = []
    for path in SOURCES:
        own = path.relative_to(REPOSITORY / "src" / "leafsight").parts[0]
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("leafsight."):
                parts = node.module.split(".")  # type: ignore[union-attr]
                if len(parts) > 2 and parts[1] != own and parts not in KNOWN_SIDE_DOORS:
                    wrong.append(f"{short(path)}:{node.lineno} {node.module}")
    assert wrong == []


# Doors of their own for parts that are heavy and seldom wanted.
KNOWN_SIDE_DOORS = [
    ["leafsight", "dataset", "duplicates"],
    ["leafsight", "dataset", "fetching"],
    ["leafsight", "dataset", "synth"],
    ["leafsight", "evaluation", "report"],
]


def test_functions_that_are_not_watched_are_known() -> None:
    import runtime_types

    for room in (
        "bundle",
        "cli",
        "client",
        "dataset",
        "desktop/session",
        "doctor",
        "evaluation",
        "export",
        "images",
        "inference",
        "inspection",
        "loadtest",
        "models",
        "pages",
        "registry",
        "service",
        "state",
        "training",
        "web",
    ):
        for path in sorted((REPOSITORY / "src" / "leafsight" / room).glob("*.py")):
            if path.stem not in {"timm_adapter", "loggers", "people_locust"}:
                door = f"leafsight.{room.replace('/', '.')}"
                __import__(f"{door}.{path.stem}" if path.stem != "__init__" else door)
    told = (REPOSITORY / "docs" / "development.md").read_text()
    for module in runtime_types.LEFT_OUT:
        assert f"`{module}`" in told
    assert len(runtime_types.UNCHECKED) < 30, sorted(runtime_types.UNCHECKED)


def test_the_types_are_really_watched() -> None:
    from leafsight.images import Preprocessing, prepare

    with pytest.raises(Exception, match="Type-check error"):
        prepare("no picture", Preprocessing())  # type: ignore[arg-type]
