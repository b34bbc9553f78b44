from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.remembered import tiny_memory
from tests.fakes.tiny_bundle import tiny_contents, write_tiny_bundle

from leafsight.bundle import (
    MEMORY_SPLITS,
    Memory,
    builtin_bundle_path,
    companion_of,
    open_bundle,
    write_bundle,
    write_companion,
)
from leafsight.bundle.memory import CODES, DESCRIPTION, HASHES, read_memory
from leafsight.errors import BundleCorruptError, BundleError, BundleMismatchError

COLUMNS = ("label", "split", "group", "domain", "contributed", "pixel_hash", "look_hash")


def test_what_is_remembered_comes_back(tmp_path: Path) -> None:
    memory = tiny_memory()
    found = open_bundle(write_tiny_bundle(tmp_path / "a.leafsight", memory=memory)).memory()
    assert found is not None
    for column in COLUMNS:
        np.testing.assert_array_equal(getattr(found, column), getattr(memory, column))
    spread = memory.embedding.max(axis=1) - memory.embedding.min(axis=1)
    assert (np.abs(found.embedding - memory.embedding).max(axis=1) <= spread / 255 / 2 + 1e-6).all()
    about = (found.backbone, found.base_classes, found.domain_names)
    assert about == (memory.backbone, memory.base_classes, memory.domain_names)
    assert sum(len(found.rows(split)) for split in MEMORY_SPLITS) == len(found)


def test_a_bundle_without_one_remembers_nothing(tmp_path: Path) -> None:
    assert open_bundle(write_tiny_bundle(tmp_path / "a.leafsight")).memory() is None


def test_passed_on_it_does_not_change_any_more(tmp_path: Path) -> None:
    first = open_bundle(write_tiny_bundle(tmp_path / "a.leafsight", memory=tiny_memory())).memory()
    assert first is not None
    second = open_bundle(write_tiny_bundle(tmp_path / "b.leafsight", memory=first)).memory()
    assert second is not None
    np.testing.assert_array_equal(second.embedding, first.embedding)


@pytest.mark.parametrize("memory", [None, tiny_memory()], ids=["none", "some"])
def test_contents_written_again_have_the_same_hash(tmp_path: Path, memory: Memory | None) -> None:
    bundle = open_bundle(write_tiny_bundle(tmp_path / "a.leafsight", memory=memory, weights=b"torch"))
    assert write_bundle(tmp_path / "b.leafsight", bundle.contents()).content_hash == bundle.content_hash


def test_it_may_lie_beside_the_bundle(tmp_path: Path) -> None:
    path, memory = write_tiny_bundle(tmp_path / "a.leafsight"), tiny_memory()
    write_companion(companion_of(path), open_bundle(path).content_hash, memory.to_parts())
    found = open_bundle(path).memory()
    assert found is not None
    np.testing.assert_array_equal(found.label, memory.label)
    assert open_bundle(path).contents().memory is None
    write_companion(companion_of(path), "0" * 64, memory.to_parts())
    with pytest.raises(BundleMismatchError, match="another bundle"):
        open_bundle(path).memory()


@pytest.mark.parametrize(
    "damage",
    [
        lambda data: data[:-1],
        lambda data: data + b"x",
        lambda data: data[:-9] + b"y" + data[-8:],
        lambda data: b"{}\n" + data,
        lambda data: data.replace(b"memory/codes.npy", b"../../codes.npy0"),
        lambda data: b"",
    ],
    ids=["cut", "longer", "altered", "no parts", "another name", "empty"],
)
def test_a_damaged_companion_is_our_error(tmp_path: Path, damage: Callable[[bytes], bytes]) -> None:
    path = write_tiny_bundle(tmp_path / "a.leafsight")
    beside = companion_of(path)
    write_companion(beside, open_bundle(path).content_hash, tiny_memory().to_parts())
    beside.write_bytes(damage(beside.read_bytes()))
    with pytest.raises(BundleCorruptError, match=r"a\.memory"):
        open_bundle(path).memory()


def test_a_folder_holds_one_too(tmp_path: Path) -> None:
    write_bundle(tmp_path / "a", tiny_contents(memory=tiny_memory()), as_folder=True)
    found = open_bundle(tmp_path / "a").memory()
    assert found is not None
    assert len(found) == len(tiny_memory())


def test_the_built_in_model_remembers_its_locked_test() -> None:
    bundle = open_bundle(builtin_bundle_path())
    memory, head = bundle.memory(), bundle.cam_head()
    assert memory is not None
    assert head is not None
    rows = memory.rows("test")
    assert len(rows) == bundle.provenance["photographs"]["test"]
    right = (memory.embedding[rows] @ head[0].T + head[1]).argmax(axis=1) == memory.label[rows]
    published = bundle.metrics["test"]["overall"]["metrics"]["accuracy"]["value"]
    # In 8 bits a photograph on the border of two classes may fall to the other side.
    assert abs(right.mean() - published) <= 3 / len(rows)
    assert not memory.contributed.any()
    assert memory.base_classes == len(bundle.classes)


BAD: list[tuple[dict[str, Any], str]] = [
    ({"label": np.full(12, 9)}, "label outside"),
    ({"label": np.full(12, -1)}, "label outside"),
    ({"split": np.full(12, 6)}, "split outside"),
    ({"domain": np.full(12, 2)}, "domain outside"),
    ({"group": np.full(12, 2**32)}, "group outside"),
    ({"contributed": np.ones(12, bool)}, "contribution in the locked test"),
    ({"embedding": np.full((12, 5), np.nan, np.float32)}, "NaN"),
    ({"embedding": np.zeros((12, 4), np.float32)}, "shape"),
    ({"backbone": "abc"}, "no hash"),
    ({"domain_names": ()}, "0 domains"),
    ({"base_classes": 0}, "0 base classes"),
    ({"base_classes": 5}, "5 base classes"),
]


@pytest.mark.parametrize(("changes", "words"), BAD, ids=[f"{next(iter(c))}-{w}" for c, w in BAD])
def test_rows_that_do_not_fit_are_refused(changes: dict[str, Any], words: str) -> None:
    memory = replace(tiny_memory(), **changes)
    with pytest.raises((BundleError, BundleCorruptError), match=words):
        parts = memory.to_parts()
        read_memory(parts.__getitem__, 4, 5)


@pytest.mark.parametrize(
    ("part", "data"),
    [
        (DESCRIPTION, b"{"),
        (DESCRIPTION, b"[]"),
        (DESCRIPTION, b'{"version": 2, "splits": [], "backbone": "", "base_classes": 1, "domain_names": []}'),
        (CODES, b"\x93NUMPY"),
        (HASHES, b""),
    ],
)
def test_damaged_parts_are_our_error(part: str, data: bytes) -> None:
    parts = {**tiny_memory().to_parts(), part: data}
    with pytest.raises(BundleCorruptError):
        read_memory(parts.__getitem__, 4, 5)


def test_rows_of_another_length_are_our_error() -> None:
    longer = tiny_memory(per_split=3).to_parts()
    with pytest.raises(BundleCorruptError, match="shapes"):
        read_memory({**tiny_memory().to_parts(), CODES: longer[CODES]}.__getitem__, 4, 5)


def test_a_memory_without_all_its_parts_is_named(tmp_path: Path) -> None:
    contents = tiny_contents(memory=tiny_memory())

    class Forgetful(type(contents)):  # type: ignore[misc]
        def part_bytes(self) -> dict[str, bytes]:
            return {name: data for name, data in super().part_bytes().items() if name != HASHES}

    fields = {name: getattr(contents, name) for name in contents.__dataclass_fields__}
    write_bundle(tmp_path / "a.leafsight", Forgetful(**fields))
    with pytest.raises(BundleCorruptError, match="hashes"):
        open_bundle(tmp_path / "a.leafsight").memory()
