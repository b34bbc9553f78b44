"""The classifier before and after fitting: what goes in, and that the model file's answers come out."""

from __future__ import annotations

import copy
import io
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

pytest.importorskip("sklearn", reason="needs scikit-learn: pip install 'leafsight[sklearn]'")

from PIL import Image
from sklearn.base import clone
from sklearn.exceptions import NotFittedError
from tests.estimator.leaves import SMALL, Leaves, drawn_leaves
from tests.fakes.tiny_bundle import CLASSES
from tests.journeys.small_world import save_picture

from leafsight.bundle import open_bundle
from leafsight.errors import BundleError, UsageError
from leafsight.estimator import InputError, LeafClassifier
from leafsight.inference import BundlePredictor


def new(**params: Any) -> LeafClassifier:
    return LeafClassifier("simple-cnn", overrides=SMALL, **params)


@pytest.fixture(scope="module")
def leaves() -> Leaves:
    return drawn_leaves()


@pytest.fixture(scope="module")
def fitted(leaves: Leaves) -> LeafClassifier:
    return new().fit(leaves.photos, leaves.classes, leaves.groups)


@pytest.fixture(scope="module")
def known(colour_model: Path) -> LeafClassifier:
    return LeafClassifier.from_bundle(colour_model)


def test_a_fit_leaves_what_it_says(fitted: LeafClassifier, leaves: Leaves) -> None:
    assert fitted.classes_.tolist() == ["Rust", "healthy"]
    assert fitted.n_photos_in_ == len(leaves.photos) == 40
    assert [record["epoch"] for record in fitted.history_] == [0]
    assert isinstance(fitted.bundle_, bytes)


def test_answers_are_those_of_the_model_file_bit_for_bit(
    fitted: LeafClassifier, leaves: Leaves, tmp_path: Path
) -> None:
    path = fitted.save_bundle(tmp_path / "leaf.leafsight")
    predictor = BundlePredictor(path, threads=1)
    answers = predictor.predict(list(leaves.photos))
    probabilities = fitted.predict_proba(leaves.photos)
    for row, answer in zip(probabilities, answers, strict=True):
        assert {one.class_name: one.probability for one in answer.top} == dict(
            zip(["Rust", "healthy"], row.tolist(), strict=True)
        )
    assert fitted.predict(leaves.photos).tolist() == [answer.top[0].class_name for answer in answers]
    sets = [sorted(fitted.classes_[row]) for row in fitted.predict_set(leaves.photos)]
    assert sets == [sorted(one.class_name for one in answer.possible) for answer in answers]
    assert fitted.verdicts(leaves.photos) == answers
    assert fitted.content_hash == open_bundle(path).content_hash


def test_rows_sum_to_one_and_the_class_is_the_most_probable(fitted: LeafClassifier, leaves: Leaves) -> None:
    probabilities = fitted.predict_proba(leaves.photos)
    assert probabilities.shape == (40, 2)
    np.testing.assert_allclose(probabilities.sum(axis=1), 1, atol=1e-12)
    assert (fitted.predict(leaves.photos) == fitted.classes_[probabilities.argmax(axis=1)]).all()
    right = fitted.predict(leaves.photos) == np.array(leaves.classes)
    assert fitted.score(leaves.photos, leaves.classes) == right.mean()


def test_photographs_come_in_several_forms(known: LeafClassifier, tmp_path: Path) -> None:
    path = save_picture(tmp_path / "red.png", (200, 30, 30))
    pixels = np.asarray(Image.open(path))
    forms: list[Any] = [
        [path],
        [str(path)],
        [path.read_bytes()],
        [Image.open(path)],
        [pixels],
        pixels[None],
        np.array([str(path)]),
        np.array([pixels, None], object)[:1],
        (one for one in [path]),
    ]
    for form in forms:
        assert known.predict(form).tolist() == ["Apple___Apple_scab"]
    answers = [known.predict_proba(form) for form in forms[:-1]]
    assert all((one == answers[0]).all() for one in answers)


def test_a_pil_picture_stands_upright(known: LeafClassifier) -> None:
    half = np.zeros((40, 20, 3), np.uint8)
    half[:20] = 255
    turned = Image.fromarray(np.rot90(half, -1).copy())
    exif = Image.Exif()
    exif[274] = 8  # turn by 90 degrees against the clock to see it upright
    data = io.BytesIO()
    turned.save(data, "PNG", exif=exif)
    given = Image.open(io.BytesIO(data.getvalue()))
    as_bytes, as_picture, upright = (known.predict_proba([one]) for one in (data.getvalue(), given, half))
    assert (as_bytes == upright).all()
    assert (as_picture == upright).all()


def test_pictures_of_other_modes(known: LeafClassifier) -> None:
    red = Image.new("RGB", (32, 32), (200, 30, 30))
    for mode in ("RGBA", "P", "CMYK", "HSV"):
        assert known.predict([red.convert(mode)]).tolist() == ["Apple___Apple_scab"], mode
    for mode in ("1", "L", "LA"):
        assert known.predict_proba([red.convert(mode)]).shape == (1, 4)
    assert known.predict_proba([Image.new("I;16", (32, 32), 40_000)]).shape == (1, 4)


@pytest.mark.parametrize(
    ("photos", "said"),
    [
        (np.zeros((4, 3)), "X has 2 dimensions"),
        ([[1.0, 2.0]], r"X\[0\] is a list"),
        (np.zeros((2, 8, 8, 3)), r"X\[0\] is float64\[8, 8, 3\]"),
        (np.zeros((2, 8, 8, 4), np.uint8), r"uint8\[8, 8, 4\]"),
        ("leaf.jpg", "one str, not several"),
        ([], "0 samples"),
        (7, "X is a int"),
        (["nowhere.jpg"], r"X\[0\]: nowhere.jpg"),
        ([b"no picture"], r"1 of 1 photographs cannot be read: X\[0\]"),
        ([None], r"X\[0\] is a NoneType"),
        ([Image.new("F", (20, 20))], r"X\[0\]: a picture of mode F"),
    ],
)
def test_what_is_no_photograph_is_a_value_error_that_says_so(
    known: LeafClassifier, photos: Any, said: str
) -> None:
    for ask in (known.predict, known.predict_proba, known.predict_set):
        with pytest.raises(ValueError, match=said) as raised:
            ask(photos)
        assert isinstance(raised.value, UsageError)
        assert raised.value.hint


def test_verdicts_say_of_each_photograph_what_is_wrong_with_it(known: LeafClassifier, tmp_path: Path) -> None:
    path = save_picture(tmp_path / "blue.png", (30, 30, 200))
    flat = np.full((64, 64, 3), 128, np.uint8)
    found = known.verdicts([path, b"no picture", flat])
    assert [one.verdict for one in found] == ["diagnosis", "unreadable", "not_a_leaf"]
    assert found[0].class_name == "Tomato___Early_blight"
    assert known.verdicts([path], crop="apple")[0].top[0].class_name.startswith("Apple")


@pytest.mark.parametrize(
    ("labels", "said"),
    [
        (None, "requires y to be passed, but the target y is None"),
        (["a"] * 4, "only one class: a"),
        (["a", "b"], "4 photographs and 2 labels"),
        (["a", "b", "c ", "a"], "'c ' cannot be a class name"),
        ([0.5, 1.5, 0.5, 1.5], "continuous"),
        ([0.0, 1.0, np.nan, 1.0], "NaN"),
        ([["a", "b"], ["a", "b"], ["a", "b"], ["a", "b"]], "1d array"),
    ],
)
def test_labels_that_cannot_be_learned(labels: Any, said: str) -> None:
    with pytest.raises(ValueError, match=said):
        new().fit(np.zeros((4, 16, 16, 3), np.uint8), labels)


def test_too_few_photographs_are_said_before_any_training(leaves: Leaves) -> None:
    picked = [0, 1, 20, 21]
    with pytest.raises(InputError, match="4 photographs are too few: none is left for"):
        new().fit(leaves.photos[picked], [leaves.classes[one] for one in picked])


def test_photographs_that_cannot_be_read_are_named_by_their_place(leaves: Leaves) -> None:
    photos = [*leaves.photos[:20], b"no picture", *leaves.photos[20:], b"\xff\xd8\xff\xe0 broken"]
    classes = [*leaves.classes[:20], "Rust", *leaves.classes[20:], "Rust"]
    with pytest.raises(InputError, match=r"2 of 42 photographs cannot be used: X\[20\].*X\[41\]"):
        new().fit(photos, classes)


@pytest.mark.parametrize("ask", ["predict", "predict_proba", "predict_set", "verdicts", "save_bundle"])
def test_before_the_fit_it_says_that_it_is_not_fitted(ask: str) -> None:
    with pytest.raises(NotFittedError):
        getattr(new(), ask)("leaf.leafsight" if ask == "save_bundle" else ["leaf.jpg"])
    with pytest.raises(NotFittedError):
        _ = new().content_hash


def test_parameters_stay_as_given_and_can_be_cloned() -> None:
    one = new(random_state=3, work_dir="somewhere", validation_fraction=0.2)
    assert one.get_params()["overrides"] is SMALL
    assert clone(one).get_params() == one.get_params()
    assert one.set_params(recipe="quick").recipe == "quick"


def test_a_recipe_without_all_splits_and_a_fraction_without_training_are_refused(leaves: Leaves) -> None:
    two = (*SMALL, "data.ratios={train=0.8,valid=0.2}")
    with pytest.raises(InputError, match="no share for calibration and test"):
        LeafClassifier("simple-cnn", overrides=two).fit(leaves.photos, leaves.classes)
    with pytest.raises(InputError, match=r"wanted above 0 and below 1/3"):
        new(validation_fraction=0.4).fit(leaves.photos, leaves.classes)
    fewer = (*SMALL, "data.classes=['Rust', 'healthy']")
    with pytest.raises(InputError, match="the recipe makes the classes"):
        classes = ["other" if number < 4 else name for number, name in enumerate(leaves.classes)]
        LeafClassifier("simple-cnn", overrides=fewer).fit(leaves.photos, classes)


def test_from_a_model_file(known: LeafClassifier, colour_model: Path, tmp_path: Path) -> None:
    assert known.classes_.tolist() == sorted(CLASSES)
    assert known.bundle_ == colour_model.read_bytes()
    packed = LeafClassifier.from_bundle(_as_folder(colour_model, tmp_path / "folder.leafsight"))
    red = save_picture(tmp_path / "red.png", (200, 30, 30))
    assert (packed.predict_proba([red]) == known.predict_proba([red])).all()
    assert packed.content_hash == known.content_hash
    with pytest.raises(BundleError, match="there is no bundle"):
        LeafClassifier.from_bundle(tmp_path / "nothing.leafsight")


def _as_folder(model: Path, folder: Path) -> Path:
    from leafsight.bundle import write_bundle

    write_bundle(folder, open_bundle(model).contents(), as_folder=True)
    return folder


def test_a_deep_copy_answers_alike(known: LeafClassifier, tmp_path: Path) -> None:
    red = save_picture(tmp_path / "red.png", (200, 30, 30))
    assert (copy.deepcopy(known).predict_proba([red]) == known.predict_proba([red])).all()


WITHOUT = """
import sys

class Absent:
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] == {missing!r}:
            raise ModuleNotFoundError("not installed", name=name)

sys.meta_path.insert(0, Absent())
from leafsight.errors import MissingExtraError
try:
    from leafsight.estimator import LeafClassifier
    print({asked})
except MissingExtraError as error:
    print(error.hint)
"""


def said_without(missing: str, asked: str) -> str:
    done = subprocess.run(
        [sys.executable, "-c", WITHOUT.format(missing=missing, asked=asked)], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_a_model_file_needs_no_torch_and_what_does_says_how_to_get_it(
    colour_model: Path, tmp_path: Path
) -> None:
    photo = str(save_picture(tmp_path / "red.png", (200, 30, 30)))
    opened = f"LeafClassifier.from_bundle({str(colour_model)!r}).predict([{photo!r}])"
    assert "Apple___Apple_scab" in said_without("torch", opened)
    fit = f"LeafClassifier().fit([{photo!r}] * 2, ['a', 'b'])"
    assert "leafsight[train]" in said_without("torch", fit)
    assert "leafsight[sklearn]" in said_without("sklearn", "0")
