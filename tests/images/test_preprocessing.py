from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.errors import ConfigError
from leafsight.images import Preprocessing

values = st.builds(
    dict,
    side_px=st.integers(8, 2048),
    resize=st.sampled_from(["squash", "crop", "letterbox"]),
    resample=st.sampled_from(["bilinear", "bicubic", "box", "lanczos"]),
    crop_fraction=st.floats(0.01, 1.0),
    mean=st.tuples(*[st.floats(-1000, 1000)] * 3),
    std=st.tuples(*[st.floats(0.001, 1000)] * 3),
)


@given(values)
def test_survives_json(values):
    contract = Preprocessing(**values)
    assert Preprocessing.from_dict(json.loads(json.dumps(contract.to_dict()))) == contract


def test_left_out_values_have_their_defaults():
    assert Preprocessing.from_dict({"side_px": 128}) == Preprocessing(side_px=128)


def test_all_faults_are_reported_at_once_with_the_nearest_key():
    values = {
        "side_px": 7.5,
        "resize": "squish",
        "resample": 3,
        "crop_fraction": 0,
        "mean": [1, 2],
        "std": [1, 0, 1],
        "version": 2,
        "sidepx": 9,
    }
    with pytest.raises(ConfigError) as caught:
        Preprocessing.from_dict(values, "model.lsb")
    faults = {fault.key: fault for fault in caught.value.faults}
    assert set(faults) == set(values)
    assert all(fault.where == "model.lsb" for fault in faults.values())
    assert faults["sidepx"].nearest == "side_px"
    assert faults["resize"].nearest == "squash"
    assert "8 faults" in caught.value.message


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("side_px", True),
        ("side_px", 4),
        ("side_px", 4096),
        ("side_px", "224"),
        ("crop_fraction", 1.01),
        ("crop_fraction", float("nan")),
        ("std", (1.0, float("inf"), 1.0)),
        ("mean", "abc"),
        ("version", 0),
        ("resize", None),
    ],
)
def test_impossible_values_are_refused(key, value):
    with pytest.raises(ConfigError) as caught:
        Preprocessing.from_dict({key: value})
    assert [fault.key for fault in caught.value.faults] == [key]


@pytest.mark.parametrize(("key", "value"), [("side_px", 4), ("crop_fraction", 0.0), ("std", (1.0, 0.0, 1.0))])
def test_the_constructor_refuses_them_as_well(key, value):
    with pytest.raises(ConfigError):
        Preprocessing(**{key: value})


def test_wanted_side_leaves_room_for_the_crop():
    assert Preprocessing(side_px=224).wanted_side_px == 224
    assert Preprocessing(side_px=224, crop_fraction=0.875).wanted_side_px == 256


def test_cannot_be_changed():
    with pytest.raises(AttributeError):
        Preprocessing().side_px = 3  # type: ignore[misc]
