"""The reader of Deep Lake sets, with a stand-in for the library."""

from __future__ import annotations

import sys
from pathlib import Path
from types import ModuleType, SimpleNamespace
from typing import Any

import numpy as np
import pytest
from tests.fakes.made_archives import LICENCE, photo

from leafsight.dataset.fetching import Collection, Fetched, FetchOptions, fetch_collection
from leafsight.errors import DatasetError, MissingExtraError, StorageError, UsageError

ADDRESS = "hub://somebody/leaves"
WANTED = Collection.model_validate(
    {"name": "hub", "title": "Hub", "licence": LICENCE, "layout": "hub", "hub": ADDRESS}
)


class Rows:
    """What ``deeplake.query`` gives: rows by number, columns by name."""

    def __init__(
        self, pictures: list[bytes], labels: list[int], names: list[str], columns: tuple[str, str]
    ) -> None:
        self.pictures, self.labels, self.names = pictures, labels, names
        self.schema = SimpleNamespace(columns=[SimpleNamespace(name=name) for name in columns])
        self.read: list[int] = []

    def __len__(self) -> int:
        return len(self.pictures)

    def __getitem__(self, key: int | str) -> Any:
        if isinstance(key, int):
            return {"labels": np.array([self.labels[key]], dtype=np.uint32)}
        if key == "labels":
            return SimpleNamespace(metadata={"class_names": self.names})
        return SimpleNamespace(get_bytes=self._bytes)

    def _bytes(self, number: int) -> bytes:
        self.read.append(number)
        if self.pictures[number] == b"":
            raise RuntimeError("the line broke\nhere is a long trace")
        return self.pictures[number]


@pytest.fixture
def library(monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    module = ModuleType("deeplake")
    module.asked = []  # type: ignore[attr-defined]

    def query(text: str) -> Rows:
        module.asked.append(text)
        return module.rows

    module.query = query  # type: ignore[attr-defined]
    module.rows = Rows([photo(n) for n in range(3)], [0, 1, 0], ["Rust?", "fine"], ("images", "labels"))  # type: ignore[attr-defined]
    monkeypatch.setitem(sys.modules, "deeplake", module)
    return module


def fetch(folder: Path) -> Fetched:
    return fetch_collection(WANTED, folder, FetchOptions(licence_accepted=True))


def test_photographs_come_as_they_were_put_in(library: ModuleType, tmp_path: Path) -> None:
    fetched = fetch(tmp_path / "set")
    assert fetched.classes == {"Rust_": 2, "fine": 1}
    assert (tmp_path / "set" / "Rust_" / "000002.jpg").read_bytes() == photo(2)
    assert library.asked == [f'SELECT * FROM "{ADDRESS}"']
    assert "deeplake" in (tmp_path / "set" / "SOURCE.md").read_text()
    assert not fetch(tmp_path / "set").is_new
    assert len(library.asked) == 1


def test_a_broken_line_keeps_what_came(library: ModuleType, tmp_path: Path) -> None:
    library.rows.pictures[2] = b""
    with pytest.raises(StorageError, match="the line broke here is") as caught:
        fetch(tmp_path / "set")
    assert "ACTIVELOOP_TOKEN" in caught.value.hint
    library.rows.pictures[2] = photo(2)
    library.rows.read.clear()
    assert fetch(tmp_path / "set").photographs == 3
    assert library.rows.read == [2]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"names": []}, "name its classes"),
        ({"labels": [0, 7, 0]}, "label 7 of 2"),
        ({"pictures": [b"GIF89a"] * 3}, "neither JPEG nor PNG"),
        ({"pictures": []}, "no photographs with labels"),
        ({"schema": SimpleNamespace(columns=[SimpleNamespace(name="text")])}, "columns: text"),
    ],
)
def test_sets_of_another_kind(library: ModuleType, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    for name, value in change.items():
        setattr(library.rows, name, value)
    with pytest.raises(DatasetError, match=said):
        fetch(tmp_path / "set")
    assert not (tmp_path / "set").exists()


def test_the_library_is_named_with_its_pip_line(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setitem(sys.modules, "deeplake", None)
    with pytest.raises(MissingExtraError, match="deeplake") as caught:
        fetch(tmp_path / "set")
    assert "pip install 'deeplake>=4" in caught.value.hint
    assert "plantvillage-augmented" in caught.value.hint


def test_an_old_library_is_said(library: ModuleType, tmp_path: Path) -> None:
    del library.query
    with pytest.raises(StorageError, match="too old"):
        fetch(tmp_path / "set")


def test_no_archive_goes_with_it(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="no archive"):
        fetch_collection(WANTED, tmp_path / "set", FetchOptions(licence_accepted=True, archives=(tmp_path,)))
