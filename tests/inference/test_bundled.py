from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.tiny_bundle import (
    CLASSES,
    GREY,
    LABELS,
    RED,
    SIDE,
    coloured,
    tiny_calibration,
    tiny_contents,
    tiny_numpy,
)

from leafsight.bundle import Bundle, write_bundle
from leafsight.errors import BundleCorruptError, BundleError
from leafsight.evaluation import decide
from leafsight.images import DecodeLimits, Preprocessing, prepare, prepare_bytes
from leafsight.inference import BundlePredictor

Build = Callable[..., BundlePredictor]


def test_the_numbers_are_those_of_numpy(predictor: BundlePredictor) -> None:
    photos = [np.random.default_rng(seed).integers(0, 256, (40, 50, 3), dtype=np.uint8) for seed in range(9)]
    squares = np.stack([prepare(photo, Preprocessing(side_px=SIDE)) for photo in photos])
    logits, embedding, _ = tiny_numpy(squares)
    calibration = tiny_calibration()
    scaled = np.exp(logits / 0.8)
    wanted = scaled / scaled.sum(axis=1, keepdims=True)
    said = decide(calibration, logits, embedding)
    for row, one in enumerate(predictor.predict(photos)):
        assert [candidate.probability for candidate in one.top] == pytest.approx(
            sorted(wanted[row], reverse=True), abs=1e-5
        )
        assert one.verdict == said[row].kind
        assert one.unfamiliarity == pytest.approx(said[row].unfamiliarity, abs=1e-4)
        assert one.not_leaf_probability == pytest.approx(wanted[row, 3], abs=1e-5)
        assert [candidate.class_name for candidate in one.possible] == [
            CLASSES[number] for number in said[row].candidates
        ]


def test_bytes_and_pixels_give_the_same_logits_where_nothing_is_scaled(
    predictor: BundlePredictor, shared_data: Path
) -> None:
    """Golden parity on a real photograph, 256 px: too small for scaled decoding at this side times two."""
    from leafsight.images import decode

    folder = shared_data / "plantvillage"
    photo = next(path for path in sorted(folder.rglob("*")) if path.suffix.lower() in (".jpg", ".jpeg"))
    data = photo.read_bytes()
    rgb = decode(data)
    side = min(rgb.shape[:2])
    big = Preprocessing(side_px=side)
    np.testing.assert_array_equal(prepare_bytes(data, big), prepare(rgb, big))
    small = prepare(prepare(rgb, big), Preprocessing(side_px=SIDE))
    again = prepare(prepare_bytes(data, big), Preprocessing(side_px=SIDE))
    np.testing.assert_array_equal(
        predictor.network.run(small[None]).logits, predictor.network.run(again[None]).logits
    )


def test_prepared_bytes_decoded_pixels_and_predict_agree(
    predictor: BundlePredictor, jpeg: Callable[[np.ndarray], bytes]
) -> None:
    data = jpeg(coloured(RED, side=SIDE + 9))  # short side below 4 * SIDE: decoded whole
    square = prepare_bytes(data, predictor.preprocessing)
    scores = predictor.scores(square[None])
    logits, _, _ = tiny_numpy(square[None])
    np.testing.assert_allclose(scores.logits, logits, atol=1e-5)
    (one,) = predictor.predict([data])
    probabilities = tiny_calibration().probabilities(scores.logits)[0]
    assert one.top[0].probability == pytest.approx(probabilities.max(), abs=1e-7)


def test_a_large_photograph_is_decoded_as_prepare_bytes_does(
    predictor: BundlePredictor, jpeg: Callable[[np.ndarray], bytes]
) -> None:
    rng = np.random.default_rng(3)
    data = jpeg(rng.integers(0, 256, (300, 420, 3), dtype=np.uint8))
    (one,) = predictor.predict([data])
    scores = predictor.scores(prepare_bytes(data, predictor.preprocessing)[None])
    probabilities = tiny_calibration().probabilities(scores.logits)[0]
    assert [c.probability for c in one.top] == pytest.approx(sorted(probabilities, reverse=True), abs=1e-9)


def test_path_bundle_and_folder_give_the_same_predictor(tiny: Bundle, tmp_path: Path) -> None:
    write_bundle(tmp_path / "folder", tiny_contents(), as_folder=True)
    photo = coloured(RED)
    found = [
        BundlePredictor(source).predict([photo])[0].to_dict() | {"timing_ms": 0}
        for source in (tiny, tiny.path, str(tiny.path), tmp_path / "folder")
    ]
    assert found[1:] == found[:-1]
    assert found[0]["model"] == "tiny"
    assert found[0]["model_hash"] == tiny.content_hash


def test_every_step_is_timed(predictor: BundlePredictor) -> None:
    predictor.warm_up()
    (one,) = predictor.predict([coloured(RED)], heatmap=True)
    assert set(one.timing_ms) == {"decode", "prepare", "quality", "network", "judge"}
    assert all(value >= 0 for value in one.timing_ms.values())


def test_a_blurred_photograph_is_said_to_be_so(build: Build) -> None:
    predictor = build(min_sharpness=1.0)
    flat = np.full((64, 64, 3), RED, np.uint8)
    blurred, sharp = predictor.predict([flat, coloured(RED)], heatmap=True)
    assert blurred.verdict == "too_blurred"
    assert blurred.class_name is None
    assert blurred.top[0].key == "apple/scab"
    assert "sharp" in blurred.reason
    assert blurred.hint
    assert sharp.verdict == "diagnosis"


def test_a_low_probability_is_no_diagnosis(build: Build) -> None:
    predictor = build(calibration=tiny_calibration(temperature=20.0, not_leaf_threshold=0.9))
    (one,) = predictor.predict([coloured(RED)])
    assert one.verdict == "cannot_tell"
    assert one.probability is None
    assert one.top[0].probability < 0.6
    assert len(one.possible) > 1
    assert one.hint


def test_a_stranger_is_not_a_leaf(build: Build) -> None:
    predictor = build(calibration=tiny_calibration(far_factor=0.01))
    (one,) = predictor.predict([coloured(RED)])
    assert one.verdict == "not_a_leaf"
    assert one.unfamiliarity is not None
    assert one.unfamiliarity > 0.01


def test_so_many_classes_are_listed_as_were_asked_for(tiny: Bundle) -> None:
    for top in (1, 3, 100):
        (one,) = BundlePredictor(tiny, top=top).predict([coloured(RED)])
        assert len(one.top) == min(top, len(CLASSES))


def test_limits_reach_the_decoder(tiny: Bundle, jpeg: Callable[[np.ndarray], bytes]) -> None:
    predictor = BundlePredictor(tiny, limits=DecodeLimits(max_pixels=1000, min_side_px=20))
    large, small = predictor.predict([jpeg(coloured(RED)), coloured(RED, side=10)])
    assert (large.verdict, small.verdict) == ("unreadable", "unreadable")
    assert (large.error or {})["type"] == "image-too-large"
    assert (small.error or {})["type"] == "image"


def test_a_crop_of_one_class_is_no_certainty(build: Build) -> None:
    predictor = build()
    (one,) = predictor.predict([coloured(RED)], crop="tomato")
    assert [candidate.key for candidate in one.top] == ["tomato/early_blight"]
    assert one.verdict != "diagnosis"
    (other,) = predictor.predict([coloured(GREY)], crop="tomato")
    assert other.verdict == "not_a_leaf"


def test_a_crop_outside_the_vocabulary_is_found_by_its_labels(build: Build) -> None:
    labels = (
        replace(
            LABELS[0], class_name="Quinoa___mildew", key="quinoa/mildew", crop="quinoa", condition="mildew"
        ),
        *LABELS[1:],
    )
    classes = tuple(label.class_name for label in labels)
    predictor = build(labels=labels, calibration=tiny_calibration(classes=classes))
    (one,) = predictor.predict([coloured(RED)], crop="Quinoa")
    assert [candidate.class_name for candidate in one.top] == ["Quinoa___mildew"]


def test_no_leaf_is_no_condition_of_a_crop_whatever_its_name(build: Build) -> None:
    labels = (*LABELS[:3], replace(LABELS[3], class_name="Tomato___no_leaf"))
    classes = tuple(label.class_name for label in labels)
    predictor = build(labels=labels, calibration=tiny_calibration(classes=classes))
    (one,) = predictor.predict([coloured(GREY)], crop="tomato")
    assert [candidate.key for candidate in one.top] == ["tomato/early_blight"]
    assert one.verdict == "not_a_leaf"


@pytest.mark.parametrize(
    ("changes", "word"),
    [
        ({"calibration": {}, "calibration_arrays": {}}, "no calibration"),
        ({"calibration_arrays": {}}, "not complete"),
        ({"calibration": {"format": 99}}, "format"),
        ({"preprocessing": {"side_px": SIDE, "resize": "wrap"}}, "resize"),
        ({"preprocessing": {"side_px": SIDE, "version": 2}}, "version"),
        ({"network": b"broken"}, "cannot be loaded"),
    ],
)
def test_a_bundle_whose_parts_cannot_be_used(tmp_path: Path, changes: dict[str, object], word: str) -> None:
    path = tmp_path / "x.leafsight"
    write_bundle(path, replace(tiny_contents(), **changes))  # type: ignore[arg-type]
    with pytest.raises(BundleError, match=word):
        BundlePredictor(path)


def test_a_calibration_for_other_classes_is_refused(build: Build) -> None:
    with pytest.raises(BundleCorruptError, match="another list of classes"):
        build(calibration=tiny_calibration(classes=CLASSES[::-1]))


def test_the_predictor_names_the_altered_network(tmp_path: Path) -> None:
    path = tmp_path / "folder"
    write_bundle(path, tiny_contents(), as_folder=True)
    (path / "network.onnx").write_bytes(b"x")
    with pytest.raises(BundleCorruptError, match=r"network\.onnx"):
        BundlePredictor(path)


@pytest.mark.parametrize("pass_size", [1, 3, 8])
def test_the_size_of_a_pass_changes_no_answer(tiny: Bundle, pass_size: int) -> None:
    photos = [coloured((40 * n, 200 - 30 * n, 20), seed=n) for n in range(6)]
    expected = BundlePredictor(tiny).predict(photos)
    found = BundlePredictor(tiny, pass_size=pass_size).predict(photos)
    assert [one.verdict for one in found] == [one.verdict for one in expected]
    for one, other in zip(found, expected, strict=True):
        assert one.log_probabilities == pytest.approx(other.log_probabilities, abs=1e-5)
        assert one.quality == other.quality
