from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra.numpy import arrays
from PIL import Image, ImageFilter

from leafsight.images import (
    ELEMENT_SHAPES,
    MORPHOLOGY_OPERATIONS,
    apply_morphology,
    element_boxes,
    structuring_element,
)

SIZES = (3, 5, 7, 9, 15, 31)

pictures = arrays(np.uint8, st.tuples(st.integers(1, 9), st.integers(1, 9), st.just(3)))
elements = st.tuples(st.sampled_from((1, 3, 5, 7)), st.sampled_from(ELEMENT_SHAPES))
operations = st.sampled_from(MORPHOLOGY_OPERATIONS)
quietly = settings(deadline=None)


def changed(picture: np.ndarray, operation: str, element: tuple[int, str] = (3, "square")) -> np.ndarray:
    return apply_morphology(picture, operation, size_px=element[0], shape=element[1])


def counts(down: int, right: int, radius: int, shape: str) -> bool:
    """Whether a neighbour is under the element, from the words of its definition."""
    if shape == "cross":
        return down == 0 or right == 0
    return shape == "square" or down * down + right * right <= radius * radius


def slow_extreme(picture: np.ndarray, element: tuple[int, str], pick) -> np.ndarray:
    """Pixel by pixel over the neighbours that exist: the obvious way."""
    radius, found = element[0] // 2, np.zeros_like(picture)
    height, width, _ = picture.shape
    for y in range(height):
        for x in range(width):
            under = [
                picture[v, u]
                for v in range(max(0, y - radius), min(height, y + radius + 1))
                for u in range(max(0, x - radius), min(width, x + radius + 1))
                if counts(v - y, u - x, radius, element[1])
            ]
            found[y, x] = pick(under, axis=0)
    return found


def slow(picture: np.ndarray, operation: str, element: tuple[int, str]) -> np.ndarray:
    low = slow_extreme(picture, element, np.min)
    high = slow_extreme(picture, element, np.max)
    whole = picture.astype(int)
    return {
        "erosion": lambda: low,
        "dilation": lambda: high,
        "opening": lambda: slow_extreme(low, element, np.max),
        "closing": lambda: slow_extreme(high, element, np.min),
        "white_top_hat": lambda: whole - slow_extreme(low, element, np.max),
        "black_top_hat": lambda: slow_extreme(high, element, np.min) - whole,
        "gradient": lambda: high.astype(int) - low,
    }[operation]()


@quietly
@given(pictures, operations, elements)
def test_every_operation_is_what_its_definition_says(picture, operation, element):
    before = picture.copy()
    found = changed(picture, operation, element)
    assert (found == slow(picture, operation, element)).all()
    assert found.dtype == np.uint8
    assert found.flags.c_contiguous
    assert (picture == before).all()
    assert not np.shares_memory(found, picture)


@pytest.mark.parametrize("shape", ELEMENT_SHAPES)
@pytest.mark.parametrize("size_px", [15, 31])
def test_large_elements_too(size_px, shape):
    picture = np.random.default_rng(1).integers(0, 256, (19, 23, 3), dtype=np.uint8)
    for operation in ("erosion", "closing"):
        wanted = slow(picture, operation, (size_px, shape))
        assert (changed(picture, operation, (size_px, shape)) == wanted).all()


def test_a_view_that_is_not_contiguous():
    picture = np.random.default_rng(2).integers(0, 256, (12, 14, 3), dtype=np.uint8)
    turned = picture.transpose(1, 0, 2)[::-1]
    assert (changed(turned, "opening") == changed(np.ascontiguousarray(turned), "opening")).all()


@pytest.mark.parametrize("size_px", [3, 7])
def test_squares_are_pillows_rank_filters(size_px):
    picture = np.random.default_rng(3).integers(0, 256, (31, 20, 3), dtype=np.uint8)
    image, element = Image.fromarray(picture), (size_px, "square")
    assert (changed(picture, "erosion", element) == image.filter(ImageFilter.MinFilter(size_px))).all()
    assert (changed(picture, "dilation", element) == image.filter(ImageFilter.MaxFilter(size_px))).all()


# The laws, as in Serra 1982 and Soille 2003, chapters 3 and 4. They hold at the border, too.


@quietly
@given(pictures, elements)
def test_duality(picture, element):
    for one, other in (("erosion", "dilation"), ("opening", "closing"), ("white_top_hat", "black_top_hat")):
        mirrored = changed(255 - picture, other, element)
        wanted = mirrored if one == "white_top_hat" else 255 - mirrored
        assert (changed(picture, one, element) == wanted).all()


@quietly
@given(pictures, elements)
def test_opening_and_closing_are_filters(picture, element):
    opened, closed = (changed(picture, one, element) for one in ("opening", "closing"))
    assert (opened <= picture).all()
    assert (picture <= closed).all()
    assert (changed(opened, "opening", element) == opened).all()
    assert (changed(closed, "closing", element) == closed).all()


@quietly
@given(pictures, elements)
def test_order_and_residues(picture, element):
    found = {one: changed(picture, one, element).astype(int) for one in MORPHOLOGY_OPERATIONS}
    rising = ("erosion", "opening", "closing", "dilation")
    assert all((found[a] <= found[b]).all() for a, b in pairwise(rising))
    assert (found["gradient"] == found["dilation"] - found["erosion"]).all()
    assert (found["gradient"] >= found["white_top_hat"]).all()
    assert (found["gradient"] >= found["black_top_hat"]).all()
    assert (found["white_top_hat"] + found["opening"] == picture).all()


@quietly
@given(pictures, elements, st.data())
def test_more_light_never_gives_less(picture, element, data):
    lighter = np.maximum(picture, data.draw(arrays(np.uint8, picture.shape)))
    for one in ("erosion", "dilation", "opening", "closing"):
        assert (changed(picture, one, element) <= changed(lighter, one, element)).all()


@quietly
@given(pictures, elements, st.data())
def test_erosion_and_dilation_are_adjoint(picture, element, data):
    other = data.draw(arrays(np.uint8, picture.shape))
    under = (changed(picture, "dilation", element) <= other).all()
    assert under == (picture <= changed(other, "erosion", element)).all()


@quietly
@given(pictures, operations, elements)
def test_flips_and_quarter_turns_commute(picture, operation, element):
    for turn in (np.flipud, np.fliplr, np.rot90):
        turned = changed(np.ascontiguousarray(turn(picture)), operation, element)
        assert (turned == turn(changed(picture, operation, element))).all()


@quietly
@given(pictures, operations, elements, st.integers(0, 5), st.integers(0, 5))
def test_translation_commutes_away_from_the_border(picture, operation, element, down, right):
    room = 2 * (element[0] // 2) + 6
    margins = ((room, room), (room, room), (0, 0))
    field = np.pad(picture, margins, constant_values=90)
    moved = np.roll(field, (down, right), (0, 1))
    wanted = np.roll(changed(field, operation, element), (down, right), (0, 1))
    assert (changed(moved, operation, element) == wanted).all()


@quietly
@given(pictures, operations, st.integers(0, 40))
def test_light_added_everywhere_changes_no_residue(picture, operation, light):
    dim = picture // 2
    first, second = changed(dim, operation), changed(dim + np.uint8(light), operation)
    residue = operation in ("white_top_hat", "black_top_hat", "gradient")
    assert (second == first + np.uint8(0 if residue else light)).all()


@quietly
@given(pictures)
def test_a_square_of_five_is_a_square_of_three_twice(picture):
    """Semigroup of convex elements: Matheron 1975; Serra 1982, section V.C."""
    twice = changed(changed(picture, "dilation"), "dilation")
    assert (twice == changed(picture, "dilation", (5, "square"))).all()


@quietly
@given(pictures, st.sampled_from((3, 5, 7)))
def test_smaller_elements_do_less(picture, size_px):
    cross, disc, square = (
        changed(picture, "dilation", (size_px, one)) for one in ("cross", "disc", "square")
    )
    assert (cross <= disc).all()
    assert (disc <= square).all()


# Known pictures.


def plain(height: int, width: int, level: int) -> np.ndarray:
    return np.full((height, width, 3), level, np.uint8)


@pytest.mark.parametrize("size_px", SIZES)
def test_a_square_shrinks_and_grows_by_the_element(size_px):
    """Gonzalez and Woods, section 9.2: a square of side d leaves one of side d - k + 1, or d + k - 1."""
    side, field = 33, plain(99, 99, 10)
    field[33:66, 33:66] = 200
    for operation, wanted in (("erosion", side - size_px + 1), ("dilation", side + size_px - 1)):
        found = changed(field, operation, (size_px, "square")) == 200
        assert found.sum() == 3 * wanted**2
        assert found[49 - wanted // 2 : 50 + wanted // 2, 49 - wanted // 2 : 50 + wanted // 2].all()
    assert (changed(field, "opening", (size_px, "square")) == field).all()


def test_dilation_of_a_point_is_the_element():
    field = plain(41, 41, 0)
    field[20, 20] = 255
    for shape in ELEMENT_SHAPES:
        for size_px in SIZES:
            radius = size_px // 2
            grown = changed(field, "dilation", (size_px, shape))
            inside = grown[20 - radius : 21 + radius, 20 - radius : 21 + radius, 0] == 255
            assert (inside == structuring_element(size_px, shape)).all()
            assert (grown == 255).sum() == 3 * inside.sum()


def test_opening_takes_peaks_off_and_closing_fills_dips():
    """Gonzalez and Woods, figure 9.38: what is narrower than the element goes, what is wider stays."""
    line = np.array([5, 5, 9, 5, 5, 9, 9, 9, 5, 1, 1, 5, 5], np.uint8)
    signal = np.repeat(np.repeat(line[None, :, None], 7, axis=0), 3, axis=2)
    assert changed(signal, "opening")[3, :, 0].tolist() == [5, 5, 5, 5, 5, 9, 9, 9, 5, 1, 1, 5, 5]
    assert changed(signal, "closing")[3, :, 0].tolist() == [5, 5, 9, 9, 9, 9, 9, 9, 5, 5, 5, 5, 5]


def test_top_hats_see_spots_whatever_the_light():
    """Soille 2003, section 4.5: uneven light that is wider than the element vanishes, small spots stay."""
    light = plain(30, 30, 0) + np.arange(60, 210, 5, dtype=np.uint8)[None, :, None]
    spotted = light.copy()
    spotted[10:12, 5:7] += 40
    spotted[20:22, 20:22] -= 40
    wide, middle = (5, "square"), slice(2, -2)
    for operation, level, spot in (("white_top_hat", 40, (10, 5)), ("black_top_hat", 40, (20, 20))):
        clean = changed(light, operation, wide)[:, middle]
        assert (clean == 0).all()
        found = changed(spotted, operation, wide)
        assert found[spot[0], spot[1] + (operation == "black_top_hat"), 0] >= level - 5
        assert (found[0:8, middle] == 0).all()


def test_gradient_of_a_step_is_the_step_and_as_thick_as_the_element_less_one():
    """Rivest, Soille and Beucher 1993: the thickness of an ideal edge."""
    step = plain(20, 40, 30)
    step[:, 20:] = 100
    for size_px in (3, 5, 7):
        rows = changed(step, "gradient", (size_px, "square"))[10, :, 0]
        assert sorted(set(rows.tolist())) == [0, 70]
        assert np.flatnonzero(rows).tolist() == list(range(20 - size_px // 2, 20 + size_px // 2))


def test_channels_do_not_see_each_other():
    field = plain(9, 9, 100)
    field[4, 4, 1] = 250
    grown = changed(field, "dilation")
    assert (grown[:, :, [0, 2]] == 100).all()
    assert (grown[:, :, 1] == 250).sum() == 9


def test_the_border_adds_nothing():
    for level in (0, 128, 255):
        field = plain(4, 6, level)
        for operation in MORPHOLOGY_OPERATIONS:
            residue = operation in ("white_top_hat", "black_top_hat", "gradient")
            assert (changed(field, operation, (31, "disc")) == (0 if residue else level)).all()


# Elements.


def test_discs_are_those_of_the_field():
    assert structuring_element(3, "disc").sum() == 5
    assert structuring_element(5, "disc").astype(int).tolist() == [
        [0, 0, 1, 0, 0],
        [0, 1, 1, 1, 0],
        [1, 1, 1, 1, 1],
        [0, 1, 1, 1, 0],
        [0, 0, 1, 0, 0],
    ]
    # Gauss's circle problem: points with whole coordinates in a circle (OEIS A000328).
    assert [int(structuring_element(2 * r + 1, "disc").sum()) for r in range(8)] == [
        1, 5, 13, 29, 49, 81, 113, 149,
    ]  # fmt: skip


@pytest.mark.parametrize("shape", ELEMENT_SHAPES)
@pytest.mark.parametrize("size_px", [1, *SIZES])
def test_boxes_cover_the_element_and_none_is_idle(size_px, shape):
    wanted, radius = structuring_element(size_px, shape), size_px // 2
    boxes = element_boxes(size_px, shape)

    def covered(some) -> np.ndarray:
        mask = np.zeros_like(wanted)
        for height, width in some:
            mask[radius - height : radius + height + 1, radius - width : radius + width + 1] = True
        return mask

    assert (covered(boxes) == wanted).all()
    for left_out in boxes:
        assert (covered([one for one in boxes if one != left_out]) != wanted).any()


def test_what_cannot_be_is_a_bug_of_the_caller():
    picture = plain(4, 4, 0)
    for size_px in (0, -3, 4):
        with pytest.raises(ValueError, match="odd and at least 1"):
            apply_morphology(picture, "erosion", size_px=size_px)
    # The hook of the test run refuses these words first; without it they are ValueErrors.
    with pytest.raises(Exception, match="melting"):
        apply_morphology(picture, "melting")
    with pytest.raises(Exception, match="star"):
        structuring_element(3, "star")
