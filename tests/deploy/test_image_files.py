"""What goes to the builder of the images, and what their files promise, without building them."""

from __future__ import annotations

import importlib.util
import re
import subprocess
from fnmatch import fnmatch
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).resolve().parents[2]
DOCKERFILE = (ROOT / "Dockerfile").read_text()


def goes_to_the_builder(path: str) -> bool:
    """By the rules of .dockerignore: the last pattern that fits a path, or a folder above it, decides."""
    goes = True
    for line in (ROOT / ".dockerignore").read_text().splitlines():
        if line and not line.startswith("#") and fits(path, line.removeprefix("!")):
            goes = line.startswith("!")
    return goes


def fits(path: str, pattern: str) -> bool:
    """The three kinds of patterns that stand there: all, a name anywhere, a path."""
    if pattern.startswith("**/"):
        return any(fnmatch(part, pattern.removeprefix("**/")) for part in path.split("/"))
    assert pattern == "*" or "*" not in pattern, f"this test does not understand {pattern}"
    return pattern == "*" or path == pattern or path.startswith(f"{pattern}/")


def tracked() -> list[str]:
    told = subprocess.run(["git", "ls-files"], cwd=ROOT, capture_output=True, text=True, check=False).stdout
    return told.splitlines() or ["src/leafsight/__init__.py", "README.md"]


@pytest.mark.parametrize(
    "path",
    [
        "data/apple/leaf.jpg",
        "runs/quick/model.leafsight",
        "scratch/photo.jpg",
        ".env",
        ".git/config",
        ".venv/bin/python",
        "leafsight.toml",
        "deploy/compose/secrets/database_password",
        "docs/cli.md",
        "tests/conftest.py",
        "src/leafsight/cli/__pycache__/entry.cpython-311.pyc",
        "src/leafsight/stale.pyc",
    ],
)
def test_neither_photographs_nor_keys_nor_leavings_go_to_the_builder(path: str) -> None:
    assert not goes_to_the_builder(path)


def test_all_that_the_images_are_made_of_goes_there_and_nothing_else() -> None:
    going = [one for one in tracked() if goes_to_the_builder(one)]
    assert {one.split("/")[0] for one in going} <= {
        "src",
        "deploy",
        "pyproject.toml",
        "README.md",
        "LICENSE",
        "NOTICE",
    }
    assert all(one.startswith("deploy/container/") for one in going if one.startswith("deploy/"))
    for words in re.findall(r"^COPY (?!--from)(.+)$", DOCKERFILE, flags=re.MULTILINE):
        for source in words.split()[:-1]:
            named = source.replace("${TORCH}", "torch")
            assert (ROOT / named).exists(), named
            assert goes_to_the_builder(named), named


def test_only_locked_files_are_installed_and_only_wheels() -> None:
    installs = re.findall(r"pip(?: --python \S+)? install[^&\n]*(?:\\\n[^&\n]*)*", DOCKERFILE)
    assert len(installs) == 4
    assert all("--require-hashes" in one for one in installs)
    assert "PIP_ONLY_BINARY=:all:" in DOCKERFILE


@pytest.mark.parametrize("target", ["serve", "train"])
def test_an_image_starts_from_nothing_as_nobody_and_passes_signals_on(target: str) -> None:
    [stage] = re.findall(
        rf"^FROM scratch AS {target}\n(.*?)(?=^FROM|\Z)", DOCKERFILE, flags=re.MULTILINE | re.DOTALL
    )
    assert "USER 10001:10001" in stage
    assert 'ENTRYPOINT ["/usr/bin/tini-static", "--", "/opt/leafsight/bin/leafsight"]' in stage
    assert "STOPSIGNAL SIGTERM" in stage
    assert "RUN " not in stage
    assert "ORT_DISABLE_TELEMETRY=1" in stage
    for label in ("title", "description", "licenses", "version", "revision", "created"):
        assert f"org.opencontainers.image.{label}=" in stage


def script(name: str) -> ModuleType:
    spec = importlib.util.spec_from_file_location(name, ROOT / f"deploy/container/{name}.py")
    assert spec
    assert spec.loader
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_a_package_of_debian_is_named_as_package_addresses_are() -> None:
    stanza = "Package: libc6\nArchitecture: amd64\nVersion: 1:2.36-9+deb12u1"
    named = script("add_application").debian_component(stanza)
    assert named["purl"] == "pkg:deb/debian/libc6@1%3A2.36-9%2Bdeb12u1?arch=amd64"
    assert (named["name"], named["version"]) == ("libc6", "1:2.36-9+deb12u1")


@pytest.mark.parametrize(
    ("name", "leaves"),
    [
        ("json", False),
        ("test", True),
        ("_testcapi.cpython-311.so", True),
        ("config-3.11-x86_64", True),
        ("site-packages", True),
    ],
)
def test_of_pythons_library_only_what_runs_is_taken(name: str, leaves: bool) -> None:
    assert script("root_filesystem").left_out(name) is leaves


def test_a_library_of_a_card_may_be_missing_and_no_other() -> None:
    optional = script("root_filesystem").is_optional
    assert optional("libcuda.so.1 => not found")
    assert not optional("libssl.so.3 => not found")
