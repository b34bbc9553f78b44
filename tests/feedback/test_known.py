"""What the child may know of earlier contributions."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from leafsight.errors import StorageError
from leafsight.feedback import known
from leafsight.feedback.known import known_of, load_known, save_known
from leafsight.state import LookAlike, new_id


def light(at: int, by: str | None = "a" * 64, state: str = "waiting") -> LookAlike:
    one = new_id()
    return LookAlike(
        id=one, group_id=one, state=state, label=f"label {at}", pixel_hash=f"{at:064x}"[::-1],  # type: ignore[arg-type]
        look_hash=at or None, embedded_by=by,
        embedding=None if by is None else np.full(4, at + 1, np.float16),
    )  # fmt: skip


def test_it_comes_back_as_it_was(tmp_path: Path) -> None:
    rows = [light(0), light(1, by="b" * 64), light(2, by=None, state="rejected")]
    found = known_of(rows, "a" * 64)
    save_known(found, tmp_path / "known.npz")
    again = load_known(tmp_path / "known.npz")
    for one in (found, again):
        assert one.id.tolist() == [row.id for row in rows]
        assert one.label.tolist() == ["label 0", "label 1", "label 2"]
        assert one.rejected.tolist() == [False, False, True]
        assert one.look.tolist() == [0, 1, 2]
        assert one.embedding.any(axis=1).tolist() == [True, False, False], "another backbone's say nothing"
    assert again.pixel.tolist() == [int(row.pixel_hash[:16], 16) for row in rows]


def test_nothing_known_is_a_file_too(tmp_path: Path) -> None:
    save_known(known_of([], None), tmp_path / "known.npz")
    assert len(load_known(tmp_path / "known.npz")) == 0


def test_one_s_own_are_left_out_and_only_the_newest_have_embeddings(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(known, "MOST_EMBEDDINGS", 2)
    rows = [light(at) for at in range(5)]
    found = known_of(rows, "a" * 64, without=[rows[1].id])
    assert found.label.tolist() == ["label 0", "label 2", "label 3", "label 4"]
    assert found.embedding.any(axis=1).tolist() == [False, False, True, True]


def test_a_pickle_is_not_opened(tmp_path: Path) -> None:
    path = tmp_path / "known.npz"
    columns = {name: np.array([{"a": 1}], dtype=object) for name in known.Known.__slots__}
    with path.open("wb") as file:
        np.savez(file, **columns)  # type: ignore[arg-type]
    with pytest.raises(StorageError):
        load_known(path)
    path.write_bytes(b"nothing")
    with pytest.raises(StorageError):
        load_known(path)
