from __future__ import annotations

import pytest

from leafsight.errors import ConflictError, NotFoundError, UsageError
from leafsight.registry import check_alias
from leafsight.registry.names import check_text, find_hash, is_hash

ONE, TWO = "abcd" + "0" * 60, "abcd" + "1" * 60
OTHER = "1234" + "5" * 60


@pytest.mark.parametrize("alias", ["serving", "a-b_c", "champion2", "fx", "x" * 64])
def test_good_aliases(alias: str) -> None:
    assert check_alias(alias) == alias


@pytest.mark.parametrize(
    "alias",
    [
        "", ".", "..", "../x", "a/b", "a\\b", "Serving", "1st", "-x", "a b", "a.b", "a\0b", "a\nb",
        "serving\n", "é", "x" * 65, "builtin", "facade", "ab12", "\ud800", "x" * 100_000,
    ],
    ids=lambda alias: ascii(alias)[:20],
)  # fmt: skip
def test_names_that_no_alias_can_have(alias: str) -> None:
    with pytest.raises(UsageError, match="cannot be an alias") as caught:
        check_alias(alias)
    assert len(caught.value.message) < 200
    assert "small letter" in caught.value.hint


def test_a_prefix_of_four_digits_or_more_will_do() -> None:
    everything = {ONE, TWO, OTHER}
    assert find_hash("1234", everything, []) == OTHER
    assert find_hash(ONE, everything, []) == ONE
    assert find_hash("ABCD0", everything, []) == ONE
    for short in ("1", "12", "123"):
        with pytest.raises(NotFoundError, match="too short") as caught:
            find_hash(short, everything, [])
        assert "4 digits" in caught.value.hint


def test_an_ambiguous_prefix_names_what_it_fits() -> None:
    with pytest.raises(ConflictError, match="fits 2 models: abcd00000000, abcd11111111") as caught:
        find_hash("abcd", {ONE, TWO, OTHER}, [])
    assert caught.value.hint == "give more digits of the hash"
    many = {f"aaaa{number:060x}" for number in range(9)}
    with pytest.raises(ConflictError, match=r"fits 9 models: .*, \.\.\.$"):
        find_hash("aaaa", many, [])


@pytest.mark.parametrize(
    "wanted", ["", "ffff", "nothing", "../../etc/passwd", ONE + "0", "a\nb", "x" * 100_000]
)
def test_what_is_not_there_is_told_with_the_way_to_the_list(wanted: str) -> None:
    with pytest.raises(NotFoundError, match="the registry has no model") as caught:
        find_hash(wanted, {ONE}, ["serving"])
    assert "leafsight models ls" in caught.value.hint
    assert len(caught.value.message) < 200
    assert "\n" not in caught.value.message


def test_a_misspelt_alias_gets_the_nearest() -> None:
    with pytest.raises(NotFoundError) as caught:
        find_hash("Serving", {ONE}, ["serving"])
    assert caught.value.hint.startswith("did you mean 'serving'?")


def test_a_hash_is_64_small_hex_digits() -> None:
    assert is_hash(ONE)
    assert not any(is_hash(text) for text in (ONE.upper(), ONE[1:], ONE + "a", ONE + "\n", "g" * 64))


def test_notes_have_a_limit_and_must_be_text() -> None:
    assert check_text("  fine \n", "note", 4) == "fine"
    with pytest.raises(UsageError, match="the note has 5 characters"):
        check_text("12345", "note", 4)
    with pytest.raises(UsageError, match="not valid text"):
        check_text("\udcff", "note", 4)
