"""The whole search, on drawn pictures and copies of them."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from leafsight.dataset.duplicates import (
    DuplicateOptions,
    DuplicatePair,
    FoundDuplicates,
    find_duplicates,
    finding,
)
from leafsight.dataset.duplicates.candidates import Candidates

SIDE_PX = 128
TURN = Image.Transpose
Copy = Callable[[Image.Image], Image.Image]


def drawn(seed: int) -> Image.Image:
    """Blotches at three scales, so that every part has detail."""
    rng = np.random.default_rng(seed)
    picture = np.zeros((SIDE_PX, SIDE_PX, 3), np.float32)
    for cells, share in ((4, 0.5), (9, 0.3), (21, 0.2)):
        grid = Image.fromarray(rng.integers(0, 256, (cells, cells, 3), dtype=np.uint8))
        picture += share * np.asarray(grid.resize((SIDE_PX, SIDE_PX), Image.Resampling.BICUBIC))
    return Image.fromarray(picture.astype(np.uint8))


def sketches(pictures: list[Image.Image]) -> tuple[np.ndarray, np.ndarray]:
    box = Image.Resampling.BOX
    grey = [np.asarray(picture.convert("L").resize((64, 64), box)) for picture in pictures]
    return np.stack(grey), np.stack([np.asarray(picture.resize((32, 32), box)) for picture in pictures])


def search(pictures: list[Image.Image], **options: object) -> FoundDuplicates:
    grey, rgb = sketches(pictures)
    nothing = [None] * len(pictures)
    return find_duplicates(grey, rgb, nothing, nothing, options=DuplicateOptions(**options))


def relit(picture: Image.Image) -> Image.Image:
    return Image.fromarray(np.clip(np.asarray(picture) * 1.2 - 10, 0, 255).astype(np.uint8))


COPIES: dict[str, tuple[Copy, str]] = {
    "resized": (lambda picture: picture.resize((90, 90), Image.Resampling.BICUBIC), "near"),
    "relit": (relit, "near"),
    "mirrored": (lambda picture: picture.transpose(TURN.FLIP_LEFT_RIGHT), "flipped"),
    "upside down": (lambda picture: picture.transpose(TURN.FLIP_TOP_BOTTOM), "flipped"),
    "quarter turn": (lambda picture: picture.transpose(TURN.ROTATE_90), "turned"),
    "half turn": (lambda picture: picture.transpose(TURN.ROTATE_180), "turned"),
    "transposed": (lambda picture: picture.transpose(TURN.TRANSPOSE), "turned"),
    "corner cut out": (lambda picture: picture.crop((0, 0, 104, 104)), "cropped"),
    "middle cut out": (lambda picture: picture.crop((8, 10, 116, 118)), "cropped"),
    "rotated": (lambda picture: picture.rotate(8, Image.Resampling.BICUBIC), "rotated"),
    "rotated the other way": (
        lambda picture: picture.rotate(-13, Image.Resampling.BICUBIC, fillcolor=(255, 255, 255)),
        "rotated",
    ),
}


@pytest.fixture(scope="module")
def others() -> list[Image.Image]:
    return [drawn(seed) for seed in range(100, 130)]


@pytest.mark.parametrize("name", COPIES)
def test_a_changed_copy_is_found_and_named(name: str, others: list[Image.Image]) -> None:
    change, kind = COPIES[name]
    found = search([drawn(0), *others, change(drawn(0))])
    assert [(pair.one, pair.other, pair.kind) for pair in found.pairs] == [(0, 31, kind)]
    assert found.groups == ((0, 31),)
    assert 0.85 < found.pairs[0].score <= 1


def test_the_change_goes_from_one_to_other(others: list[Image.Image]) -> None:
    clockwise = drawn(0).transpose(TURN.FLIP_LEFT_RIGHT).transpose(TURN.ROTATE_270)
    found = search([drawn(0), clockwise, *others, drawn(1).crop((13, 13, 115, 115)), drawn(1)])
    turned, cut = found.pairs
    assert (turned.one, turned.other) == (0, 1)
    assert turned.change is not None
    assert cut.change is not None
    assert (turned.change.mirrored, turned.change.quarter_turns) == (True, 1)
    assert turned.change.angle_deg == pytest.approx(0, abs=0.5)
    assert cut.change.scale == pytest.approx(128 / 102, abs=0.02)


def test_a_small_clockwise_rotation_has_a_positive_angle(others: list[Image.Image]) -> None:
    found = search([drawn(0), drawn(0).rotate(-9, Image.Resampling.BICUBIC), *others])
    assert found.pairs[0].change is not None
    assert found.pairs[0].change.angle_deg == pytest.approx(9, abs=0.7)


def test_unlike_pictures_are_no_pair(others: list[Image.Image]) -> None:
    assert search(others) == FoundDuplicates((), ())


def test_equal_files_and_pixels_need_no_search() -> None:
    pictures = [drawn(0), drawn(1), drawn(0), drawn(0)]
    grey, rgb = sketches(pictures)
    found = find_duplicates(grey, rgb, ["a", "b", "a", "c"], ["p", "q", "p", "p"])
    assert found.pairs == (DuplicatePair(0, 2, "exact", 1.0), DuplicatePair(0, 3, "pixels", 1.0))
    assert found.groups == ((0, 2, 3),)


def test_photographs_without_hashes_are_equal_to_nothing() -> None:
    grey, rgb = sketches([drawn(0), drawn(1)])
    assert find_duplicates(grey, rgb, [None, None], [None, None]).pairs == ()


def test_a_copy_of_an_equal_pair_joins_both(others: list[Image.Image]) -> None:
    pictures = [drawn(0), drawn(0), drawn(0).transpose(TURN.ROTATE_180), *others]
    grey, rgb = sketches(pictures)
    hashes = ["same", "same", *map(str, range(31))]
    found = find_duplicates(grey, rgb, hashes, hashes)
    assert [(pair.one, pair.other, pair.kind) for pair in found.pairs] == [(0, 1, "exact"), (0, 2, "turned")]
    assert found.groups == ((0, 1, 2),)


def test_flat_pictures_match_only_when_equal(others: list[Image.Image]) -> None:
    rng = np.random.default_rng(0)
    flat = [
        Image.fromarray(np.clip(rng.normal(level, 1, (SIDE_PX, SIDE_PX, 3)), 0, 255).astype(np.uint8))
        for level in (80, 120, 120, 200)
    ]
    assert search([*flat, *others]).pairs == ()


def test_records_say_where_the_sketches_are() -> None:
    pictures = [drawn(seed) for seed in range(20)]
    grey, rgb = sketches([*pictures, drawn(3).transpose(TURN.ROTATE_90)])
    records = np.array([20, -1, 7, 3])
    found = find_duplicates(grey, rgb, [None] * 4, [None] * 4, records=records)
    assert [(pair.one, pair.other, pair.kind) for pair in found.pairs] == [(0, 3, "turned")]


@pytest.mark.parametrize("count", [0, 1, 2])
def test_hardly_any_photographs(count: int) -> None:
    grey, rgb = sketches([drawn(seed) for seed in range(2)])
    found = find_duplicates(grey[:count], rgb[:count], [None] * count, [None] * count)
    assert found == FoundDuplicates((), ())


def test_two_copies_alone_are_found() -> None:
    assert len(search([drawn(0), drawn(0).transpose(TURN.ROTATE_90)]).pairs) == 1


def test_the_same_input_gives_the_same_output(others: list[Image.Image]) -> None:
    pictures = [*others, *(picture.rotate(5) for picture in others[:10])]
    assert search(pictures) == search(pictures)


def test_the_order_of_photographs_does_not_decide(others: list[Image.Image]) -> None:
    copies = [picture.transpose(TURN.ROTATE_90) for picture in others[:10]]
    forward = {(pair.one, pair.other) for pair in search([*others, *copies]).pairs}
    backward = {(39 - pair.other, 39 - pair.one) for pair in search([*others, *copies][::-1]).pairs}
    assert forward == backward == {(number, number + 30) for number in range(10)}


def test_a_higher_threshold_reports_less(others: list[Image.Image]) -> None:
    pictures = [drawn(0), drawn(0).rotate(10), *others]
    score = search(pictures).pairs[0].score
    assert search(pictures, least_score=min(score + 0.001, 1)).pairs == ()


def test_anything_that_gives_rows_by_numbers_will_do(others: list[Image.Image]) -> None:
    grey, rgb = sketches([*others, others[4].transpose(TURN.ROTATE_180)])

    class Rows:
        def __init__(self, rows: np.ndarray) -> None:
            self.rows = rows

        def __getitem__(self, numbers: np.ndarray) -> np.ndarray:
            return self.rows[numbers]

    found = find_duplicates(Rows(grey), Rows(rgb), [None] * 31, [None] * 31)
    assert [(pair.one, pair.other) for pair in found.pairs] == [(4, 30)]


def test_a_grey_copy_is_found_by_its_look(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    rng = np.random.default_rng(5)
    blotches = rng.integers(0, 256, (2, 16, 16), dtype=np.uint8)
    grey = np.concatenate([blotches, blotches[:1]]).repeat(4, axis=1).repeat(4, axis=2)
    rgb = np.stack([grey[:, ::2, ::2]] * 3, axis=-1)

    def by_colour(*_: object) -> Candidates:
        nobody = np.zeros(0, np.int32)
        return Candidates(nobody, nobody, np.zeros((0, 2, 3), np.float32))

    monkeypatch.setattr(finding, "find_candidates", by_colour)
    hashes = [None] * 3
    assert find_duplicates(grey, rgb, hashes, hashes).pairs == ()
    found = find_duplicates(grey, rgb, hashes, hashes, look_hashes=[0b1011, 0xFFFF << 20, 0b1001])
    assert [(pair.one, pair.other, pair.kind) for pair in found.pairs] == [(0, 2, "near")]
    assert found.groups == ((0, 2),)
