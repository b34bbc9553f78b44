from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from PIL import Image
from tests.images.drawn_pictures import drawn, encode, exif_with

from leafsight.images import Preprocessing, decode, normalise, prepare, prepare_bytes, resize


@settings(deadline=None, max_examples=40)
@given(
    width=st.integers(8, 120),
    height=st.integers(8, 120),
    side=st.integers(8, 64),
    policy=st.sampled_from(["squash", "crop", "letterbox"]),
    fraction=st.floats(0.05, 1.0),
)
def test_any_picture_becomes_the_square(width, height, side, policy, fraction):
    contract = Preprocessing(side_px=side, resize=policy, crop_fraction=fraction)
    square = prepare(drawn(width, height), contract)
    assert square.shape == (side, side, 3)
    assert square.dtype == np.uint8
    assert square.flags.c_contiguous


def test_squash_stretches_the_whole_picture():
    rgb = drawn(90, 60)
    assert (prepare(rgb, Preprocessing(side_px=32)) == resize(rgb, 32, 32)).all()


def test_crop_takes_the_central_square():
    rgb = drawn(90, 60)
    assert (prepare(rgb, Preprocessing(side_px=32, resize="crop")) == resize(rgb[:, 15:75], 32, 32)).all()
    smaller = Preprocessing(side_px=32, resize="crop", crop_fraction=0.5)
    assert (prepare(rgb, smaller) == resize(rgb[15:45, 30:60], 32, 32)).all()


def test_letterbox_keeps_the_proportions_on_grey():
    square = prepare(drawn(90, 60), Preprocessing(side_px=60, resize="letterbox"))
    assert (square[:10] == 128).all()
    assert (square[50:] == 128).all()
    assert (square[10:50] == resize(drawn(90, 60), 60, 40)).all()


def test_bytes_and_pixels_give_the_same_square():
    contract = Preprocessing(side_px=32)
    for data in (
        encode(Image.fromarray(drawn()), "PNG"),
        encode(Image.fromarray(drawn()), "JPEG", exif=exif_with(6)),
    ):
        assert (prepare_bytes(data, contract) == prepare(decode(data), contract)).all()


@pytest.fixture(scope="module")
def large_jpeg() -> bytes:
    return encode(Image.fromarray(drawn(1600, 1200)), "JPEG", quality=92)


@pytest.mark.parametrize(
    ("policy", "side"), [("squash", 128), ("squash", 224), ("crop", 160), ("letterbox", 160)]
)
def test_scaled_decoding_changes_a_large_photograph_by_less_than_a_level(policy, side, large_jpeg):
    data = large_jpeg
    contract = Preprocessing(side_px=side, resize=policy)
    assert min(decode(data, wanted_side_px=side).shape[:2]) < 1200
    difference = np.abs(prepare_bytes(data, contract).astype(int) - prepare(decode(data), contract))
    assert difference.mean() <= 1


@pytest.mark.parametrize("side", [128, 160, 224])
def test_real_photographs_stay_within_one_level_of_plain_pillow(shared_data, side):
    paths = sorted((shared_data / "plantvillage-native-sample").rglob("*.*"))[::10]
    if not paths:
        pytest.skip("needs data/plantvillage-native-sample")
    for path in paths:
        with Image.open(path) as image:
            plain = np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BILINEAR))
        found = prepare_bytes(path.read_bytes(), Preprocessing(side_px=side))
        assert np.abs(found.astype(int) - plain).mean() <= 1, path


def test_normalise_is_what_the_network_does_inside():
    batch = np.stack([prepare(drawn(), Preprocessing(side_px=8))] * 2)
    contract = Preprocessing(side_px=8, mean=(10.0, 20.0, 30.0), std=(2.0, 4.0, 8.0))
    found = normalise(batch, contract)
    assert found.shape == (2, 3, 8, 8)
    assert found.dtype == np.float32
    for channel, (mean, std) in enumerate(zip(contract.mean, contract.std, strict=True)):
        assert found[1, channel] == pytest.approx((batch[1, :, :, channel] - mean) / std, rel=1e-6)
