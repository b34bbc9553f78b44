"""Sketches and embeddings from the one decode, and what a second look reads again."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable, Iterator, Sequence
from copy import deepcopy
from pathlib import Path

import numpy as np
import pytest

from leafsight.dataset import (
    Embedder,
    Embeddings,
    PhotoIndex,
    PhotoRow,
    Seen,
    Sketches,
    Wanted,
    index_photos,
    look_again,
    look_at,
    reading,
)
from leafsight.errors import StorageError
from leafsight.images import DecodeLimits, decode, draw_sketch
from leafsight.progress import Silent

Collection = Callable[..., Path]


@pytest.fixture
def small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "PHOTOS_PER_CHUNK", 4)
    monkeypatch.setattr(reading, "PHOTOS_PER_TASK", 2)


def embedder(tag: str = "mean colour") -> Embedder:
    def square(rgb: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(rgb[:8, :8])

    return Embedder(tag, 3, square, lambda squares: squares.mean(axis=(1, 2), dtype=np.float32))


def opened(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    names: list[str] = []
    real = reading.read_photo

    def noted(path: Path, limits: object) -> bytes:
        names.append(path.name)
        return real(path, limits)

    monkeypatch.setattr(reading, "read_photo", noted)
    return names


def test_every_photograph_has_its_own_sketch(collection: Collection, tmp_path: Path) -> None:
    root = collection({"rust": 5, "healthy": 4})
    (root / "rust" / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    sketches = Sketches(tmp_path / "s")
    index = index_photos(root, sketches=sketches)
    assert len(sketches) == 9
    for file, number, fault in zip(index.files(), index.column("sketch"), index.column("fault"), strict=True):
        if fault is not None:
            assert number is None
            continue
        sketch = draw_sketch(decode(file.read_bytes()))
        assert np.array_equal(sketches.grey(np.array([number]))[0], sketch.grey)
        assert np.array_equal(sketches.rgb(np.array([number]))[0], sketch.rgb)
        assert sketches.file.holds(number, index.column("content_hash")[index.files().index(file)])


def test_pictures_have_the_colours_of_the_small_and_the_detail_of_the_grey(
    collection: Collection, tmp_path: Path
) -> None:
    sketches = Sketches(tmp_path / "s")
    index_photos(collection({"rust": 2, "healthy": 1}), sketches=sketches)
    pictures = sketches.pictures(np.arange(3)).astype(float)
    assert pictures.shape == (3, 64, 64, 3)
    luma = pictures @ [0.299, 0.587, 0.114]
    assert np.abs(luma - sketches.grey(np.arange(3))).mean() < 3
    small = pictures.reshape(3, 32, 2, 32, 2, 3).mean(axis=(2, 4))
    assert np.abs(small - sketches.rgb(np.arange(3))).mean() < 3


def test_a_second_look_opens_only_what_changed(
    collection: Collection, write_photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 3, "healthy": 3})
    sketches = Sketches(tmp_path / "s")
    first = index_photos(root, sketches=sketches)
    write_photo(root / "rust" / "new.jpg", 99)
    names = opened(monkeypatch)
    second = index_photos(root, sketches=sketches, earlier=first)
    assert names == ["new.jpg"]
    assert len(sketches) == 7
    third = index_photos(root, sketches=sketches, earlier=second)
    assert third.table.equals(second.table)
    assert names == ["new.jpg"]


def test_a_lost_sketch_file_is_made_again(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 3, "healthy": 3})
    sketches = Sketches(tmp_path / "s")
    first = index_photos(root, sketches=sketches)
    (tmp_path / "s").unlink()
    names = opened(monkeypatch)
    index_photos(root, sketches=Sketches(tmp_path / "s"), earlier=first)
    assert len(names) == len(Sketches(tmp_path / "s")) == 6


def test_embeddings_come_from_the_same_decode_and_know_their_network(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 3, "healthy": 3})
    names = opened(monkeypatch)
    kept = Embeddings(tmp_path / "e", embedder())
    first = index_photos(root, embeddings=kept)
    assert len(names) == len(kept) == 6
    row = 4
    wanted = decode(first.files()[row].read_bytes())[:8, :8].mean(axis=(0, 1))
    assert kept.get(np.array([first.column("embedding")[row]]))[0] == pytest.approx(wanted, rel=1e-3)
    names.clear()
    index_photos(root, embeddings=Embeddings(tmp_path / "e", embedder()), earlier=first)
    assert names == []
    index_photos(root, embeddings=Embeddings(tmp_path / "e", embedder("another")), earlier=first)
    assert len(names) == 6


def test_a_killed_run_goes_on_from_its_finished_chunks(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, small_chunks: None
) -> None:
    root = collection({"rust": 6, "healthy": 6})
    sketches, parts = Sketches(tmp_path / "s"), []

    def keep(table: object) -> None:
        parts.append(PhotoIndex(table))
        if len(parts) == 2:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        index_photos(root, sketches=sketches, keep=keep, workers=1)
    assert sum(map(len, parts)) == 8
    names = opened(monkeypatch)
    index = index_photos(root, sketches=sketches, earlier=parts)
    assert len(names) == 4
    whole = index_photos(root, sketches=Sketches(tmp_path / "other"))
    assert index.fingerprint() == whole.fingerprint()
    numbers = np.array(index.column("sketch")), np.array(whole.column("sketch"))
    assert np.array_equal(sketches.grey(numbers[0]), Sketches(tmp_path / "other").grey(numbers[1]))


def test_later_of_two_earlier_looks_counts(collection: Collection, tmp_path: Path) -> None:
    root = collection({"rust": 2, "healthy": 2})
    old = index_photos(root)
    sketches = Sketches(tmp_path / "s")
    new = index_photos(root, sketches=sketches)
    assert index_photos(root, earlier=[old, new], sketches=sketches).table.equals(new.table)


def test_a_saved_index_is_looked_at_again_with_its_splits(collection: Collection, tmp_path: Path) -> None:
    root = collection({"rust": 3, "healthy": 3})
    index = index_photos(root)
    index = index.with_column("split", ["train", "test"] * 3).with_column("group", list("aabbcc"))
    (root / "rust" / "leaf 002.jpg").unlink()
    sketches = Sketches(tmp_path / "s")
    again = look_again(index, sketches=sketches)
    assert again.column("split") == index.column("split")
    assert again.column("group") == index.column("group")
    assert [fault is None for fault in again.column("fault")] == [True] * 5 + [False]
    assert len(sketches) == 5


def test_an_index_of_format_one_is_filled_up(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 2, "healthy": 2})
    new = index_photos(root)
    old = new
    for name in ("brightness", "mode", "sharpness"):
        old = old.with_column(name, [None] * 4)
    names = opened(monkeypatch)
    assert index_photos(root, earlier=old).table.equals(new.table)
    assert len(names) == 4


def test_processes_give_what_threads_give(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 5, "healthy": 5})
    (root / "rust" / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    (root / "rust" / "empty.jpg").write_bytes(b"")
    monkeypatch.setattr(reading, "PROCESSES_FROM", 1)
    monkeypatch.setattr(reading, "PHOTOS_PER_TASK", 3)
    apart, together = Sketches(tmp_path / "apart"), Sketches(tmp_path / "together")
    first = index_photos(root, sketches=apart, processes=True, workers=2)
    second = index_photos(root, sketches=together, workers=2)
    assert first.table.equals(second.table)
    assert np.array_equal(apart.grey(np.arange(10)), together.grey(np.arange(10)))


class OnAnotherMachine:
    """Looks at copies of the rows, as one that is sent them does."""

    workers = 2

    def __init__(self) -> None:
        self.asked: list[tuple[int, Wanted]] = []

    def look(self, tasks: Sequence[list[PhotoRow]], wanted: Wanted) -> Iterator[Seen]:
        for rows in tasks:
            self.asked.append((len(rows), wanted))
            yield look_at(deepcopy(rows), wanted, embedder() if wanted.network else None)


def test_who_looks_elsewhere_gives_the_same_files(
    collection: Collection, tmp_path: Path, small_chunks: None
) -> None:
    root = collection({"rust": 5, "healthy": 5})
    (root / "rust" / "broken.jpg").write_bytes(b"\xff\xd8 no more")
    (root / "rust" / "empty.jpg").write_bytes(b"")
    other = OnAnotherMachine()
    tables = [
        index_photos(
            root,
            sketches=Sketches(tmp_path / f"{name}.s"),
            embeddings=Embeddings(tmp_path / f"{name}.e", embedder()),
            elsewhere=elsewhere,
        ).table
        for name, elsewhere in (("here", None), ("there", other))
    ]
    assert tables[0].equals(tables[1])
    for kind in "se":
        assert (tmp_path / f"here.{kind}").read_bytes() == (tmp_path / f"there.{kind}").read_bytes()
    assert sum(count for count, _ in other.asked) == 11  # the empty one is never opened
    assert {(one.sketched, one.network) for _, one in other.asked} == {(True, "mean colour")}


def test_many_who_look_elsewhere_get_larger_chunks() -> None:
    other = OnAnotherMachine()
    wide = reading.Reading(DecodeLimits(), Silent(), elsewhere=other)
    assert wide.chunk() == reading.PHOTOS_PER_CHUNK
    other.workers = 64
    assert wide.chunk() == 64 * reading.TASKS_PER_WORKER * reading.PHOTOS_PER_TASK
    wide.photos_per_chunk = 100
    assert wide.chunk() == 100


def test_a_reader_that_is_killed_is_an_error_that_says_so(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 5, "healthy": 5})
    monkeypatch.setattr(reading, "PROCESSES_FROM", 1)
    monkeypatch.setattr(reading, "_leave_interrupts_to_the_parent", _die)
    with pytest.raises(StorageError, match="a process that read photographs was killed"):
        index_photos(root, sketches=Sketches(tmp_path / "s"), processes=True, workers=2)


def _die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def test_a_photograph_that_changes_after_it_was_read_is_read_again(
    collection: Collection, write_photo: Callable[..., Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 2, "healthy": 2})
    victim = root / "rust" / "leaf 001.jpg"
    real = reading.read_photo

    def swapped(path: Path, limits: object) -> bytes:
        if path == victim:  # somebody saves another picture between our look at the folder and at the file
            write_photo(victim, 77, size=(60, 50))
            os.utime(victim, ns=(5, 5))
        return real(path, limits)

    monkeypatch.setattr(reading, "read_photo", swapped)
    first = index_photos(root)
    monkeypatch.undo()
    row = first.column("path").index("rust/leaf 001.jpg")
    assert first.column("width_px")[row] == 60
    assert first.column("bytes")[row] == victim.stat().st_size
    again = index_photos(root, earlier=first)
    assert again.column("mtime_ns")[row] == 5
    assert again.column("content_hash")[row] == first.column("content_hash")[row]


def test_a_folder_that_disappears_after_it_was_listed(
    collection: Collection, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = collection({"rust": 3, "healthy": 3})
    real = reading._Known.rows

    def gone(self: object, photos: object) -> object:
        if (root / "rust").exists():
            (root / "rust").rename(tmp_path / "elsewhere")
        return real(self, photos)

    monkeypatch.setattr(reading._Known, "rows", gone)
    index = index_photos(root)
    assert [fault is None for fault in index.column("fault")] == [True] * 3 + [False] * 3
    assert "No such file" in index.faults()[0][1]
