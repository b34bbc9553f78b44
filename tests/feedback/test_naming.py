"""Names of classes in any spelling."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.errors import UsageError
from leafsight.feedback import ClassNames, clean_class_name

NAMES = ClassNames(
    ["Tomato___Early_blight", "Apple___healthy", "Background_without_leaves"],
    ["Rice___Blast", "Mango___Sooty mould"],
)


@pytest.mark.parametrize(
    ("spelling", "label", "position"),
    [
        ("Tomato___Early_blight", "Tomato___Early_blight", 0),
        ("tomato early blight", "Tomato___Early_blight", 0),
        ("tomato/early_blight", "Tomato___Early_blight", 0),
        ("EARLY BLIGHT of tomato", "Tomato___Early_blight", 0),
        ("apple - Healthy", "Apple___healthy", 1),
        ("not_a_leaf", "Background_without_leaves", 2),
        ("rice blast", "Rice___Blast", None),
        ("mango_sooty_MOULD", "Mango___Sooty mould", None),
    ],
)
def test_what_is_known_is_found_in_any_spelling(spelling: str, label: str, position: int | None) -> None:
    named = NAMES.named(spelling)
    assert (named.label, named.position, named.declared) == (label, position, True)


def test_what_nobody_declared_is_a_new_class_under_its_cleaned_name() -> None:
    named = NAMES.named("  Dahlia\n___ powdery\tmildew ")
    assert (named.label, named.position, named.declared) == ("Dahlia ___ powdery mildew", None, False)
    assert NAMES.named("../../etc/x").label == "etc/x"


@pytest.mark.parametrize("spelling", ["", "  ", "...", "/", "\0", "___"])
def test_a_name_without_a_letter_is_none(spelling: str) -> None:
    with pytest.raises(UsageError):
        clean_class_name(spelling)


@given(st.text(max_size=400))
def test_a_cleaned_name_is_one_line_and_stays_as_it_is(spelling: str) -> None:
    try:
        name = clean_class_name(spelling)
    except UsageError:
        return
    assert 0 < len(name) <= 200
    assert ".." not in name
    assert name.isprintable() or not name.isascii()
    assert clean_class_name(name) == name
