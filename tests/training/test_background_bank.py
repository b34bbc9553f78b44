"""Masks and where backgrounds come from."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from tests.training.leaf_bank import (
    FIELD_ROWS,
    LABELS,
    PLACE_ROWS,
    PLAIN_ROWS,
    SIDE_PX,
    cut_out,
    draw_cache,
    leaf_shape,
    make_bank,
)

from leafsight.errors import PermissionDeniedError, TrainingError
from leafsight.training import background_masks
from leafsight.training.backgrounds import build_bank


class Counting:
    """A cut-out that knows how often it was asked."""

    def __init__(self) -> None:
        self.calls = 0

    def __call__(self, photo: np.ndarray) -> tuple[bool, np.ndarray | None]:
        self.calls += 1
        return cut_out(photo)


def test_plain_photographs_have_their_mask_and_others_none() -> None:
    bank = make_bank()
    assert np.flatnonzero(bank.is_plain).tolist() == PLAIN_ROWS.tolist()
    assert np.array_equal(bank.leaf_masks(np.array([3]))[0], leaf_shape())
    assert not bank.leaf_masks(FIELD_ROWS).any()


def test_backgrounds_come_only_from_rows_that_train() -> None:
    bank = make_bank()
    assert bank.sources["field"].tolist() == FIELD_ROWS.tolist()
    assert bank.sources["place"].tolist() == PLACE_ROWS.tolist()
    assert (bank.pictures("place", np.arange(50)) == 255).all()
    assert (bank.pictures("field", np.arange(50)) == (10, 20, 200)).all()
    assert bank.field_labels(np.arange(6)).tolist() == LABELS[FIELD_ROWS].tolist()
    # Held-out photographs are pure red; no drawn background may hold that either.
    red = (bank.drawn[..., 0] > 250) & (bank.drawn[..., 1] < 5) & (bank.drawn[..., 2] < 5)
    assert not red.any()


def test_a_place_on_plain_ground_is_never_a_leaf() -> None:
    images = draw_cache()
    images[PLACE_ROWS] = images[PLAIN_ROWS[:2]]
    bank = build_bank(
        images,
        LABELS,
        np.arange(16),
        folder=None,
        fingerprint="x",
        not_a_leaf=[4],
        cut_out=cut_out,
        workers=1,
    )
    assert not bank.is_plain[PLACE_ROWS].any()
    assert bank.sources["place"].tolist() == PLACE_ROWS.tolist()


@pytest.mark.parametrize("share", [0.01, 0.99])
def test_masks_that_must_be_mistakes_are_not_used(share: float) -> None:
    def strange(photo: np.ndarray) -> tuple[bool, np.ndarray | None]:
        mask = np.zeros(photo.shape[:2], bool)
        mask.reshape(-1)[: round(share * mask.size)] = True
        return True, mask

    bank = build_bank(
        draw_cache(), LABELS, np.arange(16), folder=None, fingerprint="x", cut_out=strange, workers=1
    )
    assert not bank.is_plain.any()
    assert "foliage" not in bank.sources


def test_masks_are_kept_and_only_new_rows_are_cut_out(tmp_path: Path) -> None:
    images, counting = draw_cache(), Counting()

    def build(rows: np.ndarray, fingerprint: str = "a") -> np.ndarray:
        bank = build_bank(
            images, LABELS, rows, folder=tmp_path, fingerprint=fingerprint, cut_out=counting, workers=2
        )
        return bank.is_plain.copy()

    first = build(np.arange(10))
    assert counting.calls == 10
    assert np.array_equal(build(np.arange(10)), first)
    assert counting.calls == 10
    build(np.arange(16))
    assert counting.calls == 16
    build(np.arange(10), fingerprint="b")
    assert counting.calls == 26


def test_half_a_mask_file_is_made_anew(tmp_path: Path) -> None:
    counting = Counting()
    for _ in range(2):
        build_bank(
            draw_cache(), LABELS, np.arange(16), folder=tmp_path, fingerprint="a", cut_out=counting, workers=1
        )
        (path,) = tmp_path.iterdir()
        path.write_bytes(path.read_bytes()[:100])
    assert counting.calls == 32


def test_an_interruption_keeps_what_was_done(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("leafsight.training.background_bank.BLOCK_PHOTOS", 4)
    monkeypatch.setattr("leafsight.training.background_bank.SAVED_BLOCKS", 1)

    def interrupted(photo: np.ndarray) -> tuple[bool, np.ndarray | None]:
        if tuple(photo[0, 0]) == (255, 255, 255):
            raise KeyboardInterrupt
        return cut_out(photo)

    def build(cut: object) -> None:
        build_bank(
            draw_cache(), LABELS, np.arange(16), folder=tmp_path, fingerprint="a", cut_out=cut, workers=1
        )  # type: ignore[arg-type]

    with pytest.raises(KeyboardInterrupt):
        build(interrupted)
    counting = Counting()
    build(counting)
    assert counting.calls == 4  # the last block only


def test_a_folder_without_permission_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("tempfile.mkstemp", refuse)
    with pytest.raises(PermissionDeniedError):
        build_bank(
            draw_cache(), LABELS, np.arange(16), folder=tmp_path, fingerprint="a", cut_out=cut_out, workers=1
        )


def test_a_mask_of_another_shape_is_refused() -> None:
    def wrong(_photo: np.ndarray) -> tuple[bool, np.ndarray | None]:
        return True, np.ones((5, 5), bool)

    with pytest.raises(TrainingError, match=r"mask of \(5, 5\)"):
        build_bank(draw_cache(), LABELS, np.arange(2), folder=None, fingerprint="x", cut_out=wrong, workers=1)


def test_rows_and_labels_must_fit() -> None:
    with pytest.raises(TrainingError, match="do not fit"):
        build_bank(draw_cache(), LABELS[:5], np.arange(5), folder=None, fingerprint="x", cut_out=cut_out)
    with pytest.raises(TrainingError, match="do not fit"):
        build_bank(draw_cache(), LABELS, np.array([20]), folder=None, fingerprint="x", cut_out=cut_out)


def test_packed_rows_hold_any_side() -> None:
    assert background_masks.packed_bytes((7, 32, 32, 3)) == 1 + 128
    assert background_masks.packed_bytes((7, 33, 33, 3)) == 1 + 137
    assert make_bank().side_px == SIDE_PX
