"""What the images install is what the tests use, file by file."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

import pytest
from packaging.markers import default_environment
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parents[2]
LOCKS = ("serve", "train", "build", "torch", "torch-cuda")
IN_THE_IMAGE = {"serve": ("serve", "web", "telemetry"), "train": ("serve", "web", "telemetry", "train")}
PINNED = re.compile(r"^([A-Za-z0-9][\w.-]*)==(\S+)", flags=re.MULTILINE)


def lock(name: str) -> dict[str, str]:
    text = (ROOT / f"deploy/container/requirements-{name}.txt").read_text()
    return {canonicalize_name(found[0]): found[1] for found in PINNED.findall(text)}


def constraints() -> dict[str, str]:
    return {
        canonicalize_name(name): version
        for name, version in PINNED.findall((ROOT / "constraints.txt").read_text())
    }


def wanted(extras: tuple[str, ...]) -> list[Requirement]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]
    listed = [
        *project["dependencies"],
        *(one for extra in extras for one in project["optional-dependencies"][extra]),
    ]
    return [Requirement(one) for one in listed]


@pytest.mark.parametrize("name", LOCKS)
def test_every_package_has_one_version_and_the_hashes_of_its_files(name: str) -> None:
    text = (ROOT / f"deploy/container/requirements-{name}.txt").read_text()
    entries = re.split(r"\n(?=[A-Za-z0-9])", "\n" + re.sub(r"^#.*\n", "", text, flags=re.MULTILINE))[1:]
    assert entries
    for entry in entries:
        assert PINNED.match(entry), entry
        assert re.findall(r"--hash=sha256:[0-9a-f]{64}\b", entry), entry
    assert len(lock(name)) == len(entries)
    assert "://" not in text.replace("download.pytorch.org", "")


@pytest.mark.parametrize("name", ["serve", "train"])
def test_the_images_have_the_versions_that_are_tested(name: str) -> None:
    tested = constraints()
    different = {
        one: (version, tested.get(one)) for one, version in lock(name).items() if tested.get(one) != version
    }
    assert {one: why for one, why in different.items() if one not in NOT_HERE} == {}


NOT_HERE = {"tzdata", "httpx2-jsfetch", "setuptools"}
"""Of other systems, which a lock for all of them names with a marker; and one that venv brings itself."""


@pytest.mark.parametrize("name", ["serve", "train"])
def test_what_the_extras_ask_for_is_in_the_lock(name: str) -> None:
    locked = lock(name)
    here = {**default_environment(), "extra": ""}
    for one in wanted(IN_THE_IMAGE[name]):
        asked = canonicalize_name(one.name)
        if asked in {"leafsight", "torch"} or (one.marker and not one.marker.evaluate(here)):
            continue
        assert one.specifier.contains(locked[asked]), one


def test_nothing_that_trains_is_in_what_serves() -> None:
    assert not set(lock("serve")) & {
        "torch",
        "onnx",
        "pyarrow",
        "matplotlib",
        "safetensors",
        "sympy",
        "networkx",
    }


def test_torch_is_the_one_that_is_tested_in_both_builds() -> None:
    tested = constraints()["torch"]
    assert lock("torch") == {"torch": f"{tested}+cpu"}
    assert lock("torch-cuda")["torch"] == tested
    assert "torch" not in lock("train")


def test_what_torch_for_cards_and_the_rest_share_has_one_version() -> None:
    cards, rest = lock("torch-cuda"), lock("train")
    assert {one: cards[one] for one in cards.keys() & rest.keys()} == {
        one: rest[one] for one in cards.keys() & rest.keys()
    }
