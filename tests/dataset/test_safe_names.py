from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.dataset.safe_names import (
    MAX_PART_BYTES,
    numbered,
    safe_name,
    safe_names,
    safe_siblings,
    same_on_disk,
)

NASTY = st.text(alphabet='aAbB .._-é\u0301ßſıİK<>:"|?*\\\x00\x1f\u202e\ud800/ñ㐀𝒳CONul1~', max_size=30)


@pytest.mark.parametrize(
    ("name", "safe"),
    [
        ("leaf 1.JPG", "leaf 1.JPG"),
        ("叶锈病 (2).png", "叶锈病 (2).png"),
        ('a<b>c:d"e/f\\g|h?i*j.jpg', "a_b_c_d_e_f_g_h_i_j.jpg"),
        ("tomato/early blight", "tomato_early blight"),
        ("trailing. . ", "trailing"),
        (" leading.jpg", "leading.jpg"),
        (".hidden.jpg", "_hidden.jpg"),
        ("nul", "_nul"),
        ("NUL.tar.gz", "_NUL.tar.gz"),
        ("com¹.jpg", "_com¹.jpg"),
        ("console.jpg", "console.jpg"),
        ("line\nbreak\x00.jpg", "line_break_.jpg"),
        ("gpj.\u202eexe.jpg", "gpj._exe.jpg"),
        ("caf\udce9.jpg", "caf_.jpg"),
        ("cafe\u0301.jpg", "café.jpg"),
        ("..", "_"),
        (".", "_"),
        ("", "_"),
        ("???", "___"),
    ],
)
def test_what_a_disk_refuses_is_replaced_and_the_rest_stays(name: str, safe: str) -> None:
    assert safe_name(name) == safe


def test_a_long_name_is_cut_at_a_letter_and_keeps_its_ending() -> None:
    cut = safe_name("ж" * 300 + ".jpeg")
    assert cut == "ж" * 97 + ".jpeg"
    assert len(cut.encode()) <= MAX_PART_BYTES
    assert safe_name("x" * 300 + "." + "y" * 300) == "x" * 200
    assert numbered("x" * 196 + ".jpg", 12) == "x" * 192 + "__12.jpg"


@given(NASTY)
def test_every_name_becomes_one_that_stays(name: str) -> None:
    safe = safe_name(name)
    assert safe == safe_name(safe)
    assert unicodedata.is_normalized("NFC", safe)
    assert 1 <= len(safe.encode()) <= MAX_PART_BYTES
    assert not safe.endswith((".", " "))
    assert not safe.startswith((".", " "))


def test_names_that_are_one_on_other_disks_get_numbers() -> None:
    names = ["a/Leaf.jpg", "a/leaf.jpg", "A/leaf.jpg", "a/LEAF.JPG", "b/cafe\u0301.jpg", "b/café.jpg"]
    assert safe_names(names) == {
        "A/leaf.jpg": "A/leaf.jpg",
        "a/LEAF.JPG": "a__2/LEAF.JPG",
        "a/Leaf.jpg": "a__2/Leaf__2.jpg",
        "a/leaf.jpg": "a__2/leaf__3.jpg",
        "b/café.jpg": "b/café.jpg",
        "b/cafe\u0301.jpg": "b/café__2.jpg",
    }


def test_a_name_that_needs_no_change_keeps_it() -> None:
    assert safe_names(["x/a?.jpg", "x/a_.jpg", "x/a__2.jpg", "x/a*.jpg"]) == {
        "x/a_.jpg": "x/a_.jpg",
        "x/a__2.jpg": "x/a__2.jpg",
        "x/a*.jpg": "x/a___2.jpg",
        "x/a?.jpg": "x/a___3.jpg",
    }


def test_nothing_leads_outside() -> None:
    found = safe_names(["../x.jpg", "/etc/x.jpg", "a//b.jpg", "a/./b.jpg", "C:\\x.jpg"])
    assert found == {
        "../x.jpg": "___2/x.jpg",
        "/etc/x.jpg": "_/etc/x.jpg",
        "a//b.jpg": "a/_/b.jpg",
        "a/./b.jpg": "a/___2/b.jpg",
        "C:\\x.jpg": "C__x.jpg",
    }


@given(st.lists(NASTY, max_size=12), st.randoms())
def test_no_two_meet_in_any_order(names: list[str], random: object) -> None:
    found = safe_names(names)
    shuffled = list(names)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert safe_names(shuffled) == found
    on_disk = {tuple(same_on_disk(part) for part in path.split("/")) for path in found.values()}
    assert len(on_disk) == len(set(names))
    folders = {path[:length] for path in on_disk for length in range(1, len(path))}
    assert on_disk.isdisjoint(folders)  # no file is called as a folder is


def test_siblings_have_no_folders() -> None:
    names = ["tomato/blight", "tomato_blight", "Tomato_Blight.v1", "tomato_blight.V1"]
    assert safe_siblings(names, are_folders=True) == {
        "tomato_blight": "tomato_blight",
        "tomato/blight": "tomato_blight__2",
        "Tomato_Blight.v1": "Tomato_Blight.v1",
        "tomato_blight.V1": "tomato_blight.V1__2",
    }


def test_ten_thousand_that_are_alike_take_no_square_of_time() -> None:
    names = [f"a/{'?' * (n % 7 + 1)}{'<' * (n // 7 % 7)}x{n}" for n in range(10_000)]
    assert len(set(safe_names(names).values())) == 10_000
    alike = ["".join(letter) for letter in _spellings("leafphotograph")]
    assert len(set(safe_siblings(alike).values())) == len(alike) == 2**14


def _spellings(word: str) -> list[str]:
    """Every way to write a word in small and large letters."""
    found = [""]
    for letter in word:
        found = [one + form for one in found for form in (letter, letter.upper())]
    return found
