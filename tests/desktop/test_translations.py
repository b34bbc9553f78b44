"""The translations that come with leafsight are whole, and every word of every page goes through them."""

from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

pytest.importorskip("PySide6.QtWidgets", reason="Qt cannot be loaded", exc_type=ImportError)
from tests.desktop.marked_language import collector, marked, outside

from leafsight.desktop.session.language import FOLDER

SCRIPT = Path(__file__).parent / "words_of_every_page.py"
PLACE = re.compile(r"\{\w+\}")
LETTER = re.compile(r"&(?=\w)")
FILES = sorted(FOLDER.glob("*.po"))
LIMIT_S = 600
# What people, disks and models bring: names of files, folders, classes, collections, keys; marks of hashes.
BROUGHT = re.compile(
    r"/\S+( \d\d)?\.jpg|\S*leaf[- ]\d+\.jpg|\S*copy\.jpg|\S*\d\d\.jpg|torn\.jpg|\bleaves\b|new crop"
    r"|\b(Roundleaf|roundleaf|Lanceleaf)(___\w+)?|\bBlight\b|: rust\b|\btrain\b|\btest\b"
    r"|\b[0-9a-f]{8,}\b|\b(field|citrus)-\w+|plantvillage|plant-leaves|leafsight|a crop that we grow now"
)
# The same in every language: keys, units, abbreviations of measures as reports have them, names of languages.
ALIKE = re.compile(
    r"Alt\+\d|\b(kB|MB|px|ms|bytes)\b|\((accuracy|coverage|ECE)\)|English|Español|\bzz\b"
    r"|24 Nov 2026, 14:09|11/24/2026 2:09 PM"
)


def test_there_is_another_language() -> None:
    assert [path.stem for path in FILES] == ["es"]


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_translation_is_whole(path: Path) -> None:
    """Whoever adds a sentence runs ``python packaging/languages/collect.py`` and translates it."""
    collect = collector()
    found = collect.messages()
    made, new, empty = collect.brought_up_to_date(path, found)
    assert new == 0, [one.msgid for one in made if not (one.msgstr or one.msgstr_plural)][:20]
    assert empty == 0, [one.msgid for one in made if not (one.msgstr or all(one.msgstr_plural.values()))][:20]
    assert path.read_text(encoding="utf-8") == f"{made}\n", "run packaging/languages/collect.py"


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_nothing_is_lost_in_translation(path: Path) -> None:
    """Every value stays, a letter for Alt stays one, and so do spaces at the ends that join pieces."""
    made, _, _ = collector().brought_up_to_date(path, collector().messages())
    wrong = []
    for one in made:
        if one.msgctxt == "figure":
            continue
        forms = list(one.msgstr_plural.values()) or [one.msgstr]
        for form in forms:
            english = one.msgid_plural or one.msgid
            lost = set(PLACE.findall(one.msgid)) - set(PLACE.findall(form)) - {"{number}"}
            if (
                lost
                or ("{number}" in one.msgid and "{number}" not in forms[-1])
                or len(LETTER.findall(form)) != len(LETTER.findall(english))
                or (form[:1] == " ", form[-1:] == " ") != (english[:1] == " ", english[-1:] == " ")
            ):
                wrong.append((one.msgid, form))
    assert wrong == []


def test_what_stands_outside_of_a_translated_sentence_is_found() -> None:
    assert outside(marked("{a} of {b}").replace("{a}", "raw").replace("{b}", marked("done"))) == "raw"
    assert outside(f"{marked('known')} not known") == "not known"
    assert outside(marked("all of it")) == ""


@pytest.mark.gui
@pytest.mark.slow
def test_every_word_of_every_page_can_be_translated(tmp_path: Path) -> None:
    """All pages, with drawn leaves, a study, a training and its gate, in a language of brackets."""
    done = subprocess.run(
        [sys.executable, str(SCRIPT), str(tmp_path)],
        env={**os.environ, "QT_QPA_PLATFORM": "offscreen"},
        capture_output=True, text=True, timeout=LIMIT_S,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr[-2000:]
    found = json.loads((tmp_path / "said.json").read_text(encoding="utf-8"))
    assert len(found["said"]) > 500
    bare = {
        (page, text)
        for page, rows in found["bare"].items()
        for _, outer, text in rows
        if re.search(r"[^\W\d_]{2}", ALIKE.sub("", BROUGHT.sub("", outer)))
    }
    assert bare == set()
