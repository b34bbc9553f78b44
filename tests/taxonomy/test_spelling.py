from __future__ import annotations

from hypothesis import example, given
from hypothesis import strategies as st

from leafsight.taxonomy.spelling import as_key, as_words, readings, squash

CROPS = {"pepper": "pepper", "bellpepper": "pepper", "corn": "corn"}


@given(st.text())
@example("A\u00af")  # a macron that stands alone until its space is dropped
def test_squash_is_stable(text: str) -> None:
    assert squash(squash(text)) == squash(text)


@given(st.text(), st.sampled_from([" ", "_", "-", ",", "(", ")", "'", "\n"]))
def test_squash_ignores_what_stands_between(text: str, sign: str) -> None:
    assert squash(text + sign) == squash(text)


def test_squash_treats_ascii_and_other_scripts_alike() -> None:
    assert squash("Café-Rust") == "caférust"
    assert squash("ＴＯＭＡＴＯ") == squash("tomato")


def test_keys_and_words() -> None:
    assert as_key("  My-Class (2) ") == "my_class_2"
    assert as_key("???") == "???"
    assert as_words("Brown__streak\n disease") == "Brown streak disease"


def test_the_longest_crop_is_read_first() -> None:
    assert next(readings("bellpepperspot", CROPS)) == ("pepper", "spot")


def test_words_that_say_nothing_are_tried_away() -> None:
    found = list(readings("cornleafblight", CROPS))
    assert found[0] == ("corn", "leafblight")
    assert ("corn", "blight") in found
    assert ("corn", "rust") in readings("cornrustleaf", CROPS)
    assert ("corn", "rust") in readings("rustofcorn", CROPS)
    assert ("corn", "rust") in readings("corncornrust", CROPS)


def test_no_crop_no_reading() -> None:
    assert list(readings("rust", CROPS)) == []
    assert list(readings("", CROPS)) == []
