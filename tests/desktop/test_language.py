"""Another language: files of translators, sentences of other rooms found again, numbers, dates, refusals."""

from __future__ import annotations

from datetime import datetime
from pathlib import Path
from time import perf_counter

import pytest

from leafsight.desktop.session.language import (
    ENGLISH,
    FIGURES,
    FOLDER,
    Figures,
    add_language,
    begin_to_speak,
    is_english,
    languages,
    named,
    of_the_computer,
    read_translation,
    tr,
    translated,
    translation_of,
    trn,
    use_figures,
    use_language,
)
from leafsight.desktop.session.wording import class_name, count, date_and_time, in_bytes, percent, spoken
from leafsight.errors import ConfigError

HEAD = 'msgid ""\nmsgstr ""\n"Content-Type: text/plain; charset=utf-8\\n"\n"Plural-Forms: {rule}\\n"\n\n'
TWO_FORMS = "nplurals=2; plural=(n != 1);"
GERMAN = """
msgid "Close?"
msgstr "Schließen?"

msgid "{first} or {last}"
msgstr "{last} oder {first}"

msgid "{number} photograph"
msgid_plural "{number} photographs"
msgstr[0] "{number} Foto"
msgstr[1] "{number} Fotos"

msgctxt "figure"
msgid "."
msgstr ","

msgctxt "figure"
msgid ","
msgstr "."

msgctxt "name"
msgid "tomato"
msgstr "Tomate"

msgctxt "name"
msgid "early blight"
msgstr "Dürrfleckenkrankheit"

msgctxt "name"
msgid "target spot"
msgstr "Zielfleckenkrankheit"

msgid "{condition} of {crop}"
msgstr "{condition} an {crop}"

msgctxt "said"
msgid "{0} has {1} photographs; {2} are the least"
msgstr "{0} hat {1} Fotos, nötig sind {2}"

msgctxt "said"
msgid "{0} photographs"
msgstr "{0} Fotos"

msgctxt "said"
msgid "the file {0}"
msgstr "die Datei {0}"

msgctxt "said"
msgid "It cannot be: {0}"
msgstr "Es geht nicht: {0}"

msgctxt "said"
msgid "it is empty"
msgstr "sie ist leer"
"""


@pytest.fixture
def german(tmp_path: Path) -> Path:
    """A folder with a file of a translator; it is spoken from now on."""
    (tmp_path / "de.po").write_text(HEAD.format(rule=TWO_FORMS) + GERMAN, encoding="utf-8")
    assert begin_to_speak("de", FIGURES, tmp_path, {}).name == "Deutsch"
    return tmp_path


def test_sentences_of_the_window(german: Path) -> None:
    assert tr("Close?") == "Schließen?"
    assert tr("{first} or {last}", first="a", last="b") == "b oder a"
    assert tr("Nobody translated {this}", this="it") == "Nobody translated it"
    assert trn("{number} photograph", "{number} photographs", 1) == "1 Foto"
    assert trn("{number} photograph", "{number} photographs", 12345) == "12.345 Fotos"
    assert count(2, "photograph") == "2 Fotos"


def test_numbers_are_written_as_the_language_writes_them(german: Path) -> None:
    assert percent(0.1234, 1) == "12,3 %"
    assert in_bytes(2_500_000) == "2,5 MB"
    assert tr("{first} or {last}", first="1,234.5", last="v1.2.3") == "v1.2.3 oder 1.234,5"
    assert tr("{first} or {last}", first=percent(0.5), last=in_bytes(1_234)) == "1,2 kB oder 50 %", (
        "once only"
    )


def test_what_other_rooms_say_is_found_again(german: Path) -> None:
    assert translated("it is empty") == "sie ist leer"
    assert translated("Rust has 1,200 photographs; 20.5 are the least") == (
        "Rust hat 1.200 Fotos, nötig sind 20,5"
    )
    assert translated("the file the file x") == "die Datei die Datei x", "a value may be a sentence of ours"
    assert translated("it is empty; it is empty") == "sie ist leer; sie ist leer"
    assert translated("the file x; it is empty") == "die Datei x; sie ist leer", "not one that stretches"
    assert translated("it is empty\nNobody knows this.") == "sie ist leer\nNobody knows this."
    assert translated("") == translated(None) == ""


def test_of_two_that_fit_the_more_telling_is_meant(german: Path) -> None:
    said = translated("the file x has 4 photographs; 5 are the least")
    assert said == "die Datei x hat 4 Fotos, nötig sind 5"


def test_a_full_stop_more_or_less_makes_no_other_sentence(german: Path) -> None:
    assert translated("it is empty.") == "sie ist leer."
    assert translated("the file x.") == "die Datei x."


def test_lists_are_understood_part_by_part(german: Path) -> None:
    assert translated("1,200 photographs, it is empty, x") == "1.200 Fotos, sie ist leer, x"
    assert translated("the file 1,200 photographs, 3 photographs") == "die Datei 1.200 Fotos, 3 Fotos"


def test_what_is_told_of_may_stretch_over_several_sentences(german: Path) -> None:
    said = translated("It cannot be: Rust has 4 photographs; 5 are the least; it is empty")
    assert said == "Es geht nicht: Rust hat 4 Fotos, nötig sind 5; sie ist leer"


@pytest.mark.parametrize("text", ["x has photographs, " * 90, "It cannot be: " * 140, "the file " * 200])
def test_a_hostile_sentence_takes_little_time(german: Path, text: str) -> None:
    begin = perf_counter()
    assert translated(text)
    assert perf_counter() - begin < 2


def test_a_very_long_sentence_takes_no_time(german: Path) -> None:
    text = "the file " * 500_000
    assert translated(text) == text


def test_names_of_crops_and_conditions(german: Path) -> None:
    assert named("Tomato: early blight") == "Tomate: Dürrfleckenkrankheit"
    assert named("Roundleaf: early blight") == "Roundleaf: Dürrfleckenkrankheit"
    assert class_name("Tomato___Target_Spot") == "Tomate: Zielfleckenkrankheit"
    assert class_name("my_own class") == "My own class"
    assert spoken("Tomato: early blight") == "Dürrfleckenkrankheit an tomate"


def test_english_stays_as_a_collection_spells_it() -> None:
    assert is_english()
    assert class_name("Tomato___Target_Spot") == "Tomato: Target Spot"
    assert translated("it is empty") == "it is empty"


def test_an_entry_that_asks_for_what_is_not_there_is_left_out(tmp_path: Path) -> None:
    """Format fields of a file of nobody known reach nothing but the values that the English sentence has."""
    entries = """
msgid "{path} is gone"
msgstr "{path.__class__.__init__.__globals__}"

msgid "{path} is here"
msgstr "{secret} {path}"

msgid "Close?"
msgstr "Schließen? {why}"
"""
    (tmp_path / "de.po").write_text(HEAD.format(rule=TWO_FORMS) + entries, encoding="utf-8")
    made = read_translation(tmp_path / "de.po")
    assert made.unsound == 2
    use_language(made)
    assert tr("{path} is gone", path="x") == "x is gone"
    assert tr("{path} is here", path="x") == "x is here"
    assert tr("Close?") == "Schließen? {why}"


@pytest.mark.parametrize("rule", ["nplurals=2; plural=(__import__('os'));", "plural=" + "(" * 50 + "n", "x"])
def test_a_plural_rule_that_is_none_is_refused_or_the_usual_one(tmp_path: Path, rule: str) -> None:
    (tmp_path / "de.po").write_text(HEAD.format(rule=rule) + GERMAN, encoding="utf-8")
    if rule == "x":
        assert read_translation(tmp_path / "de.po").counted("{number} photograph", "", 1) == "{number} Foto"
        return
    with pytest.raises(ConfigError, match=r"de\.po cannot be read"):
        read_translation(tmp_path / "de.po")


def test_a_plural_rule_that_cannot_be_reckoned_gives_english(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text(HEAD.format(rule="nplurals=2; plural=(n%0);") + GERMAN, encoding="utf-8")
    use_language(read_translation(tmp_path / "de.po"))
    assert count(2, "photograph") == "2 photographs"
    assert tr("Close?") == "Schließen?"


def test_a_file_that_is_the_name_of_another_reads_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "de.po").write_text(HEAD.format(rule=TWO_FORMS) + GERMAN, encoding="utf-8")
    (tmp_path / "fr.po").write_text(str(tmp_path / "de.po"))
    with pytest.raises(ConfigError):
        read_translation(tmp_path / "fr.po")


def test_a_template_of_nobody_known_cannot_hold_the_window_up(tmp_path: Path) -> None:
    """As a regular expression this one tries some 10^20 ways before it gives up."""
    many = "".join(f"{{{number}}}a" for number in range(10))
    entry = f'\nmsgctxt "said"\nmsgid "{many}b"\nmsgstr "{many}"\n'
    (tmp_path / "de.po").write_text(HEAD.format(rule=TWO_FORMS) + entry, encoding="utf-8")
    use_language(read_translation(tmp_path / "de.po"))
    assert translated("a" * 1_900) == "a" * 1_900
    assert translated("xa" * 9 + "yab") == "xa" * 9 + "ya"


def test_three_plural_forms(tmp_path: Path) -> None:
    rule = "nplurals=3; plural=(n%10==1 && n%100!=11 ? 0 : n%10>=2 && n%10<=4 ? 1 : 2);"
    entries = """
msgid "{number} photograph"
msgid_plural "{number} photographs"
msgstr[0] "{number} foto"
msgstr[1] "{number} fota"
msgstr[2] "{number} fot"
"""
    (tmp_path / "pl.po").write_text(HEAD.format(rule=rule) + entries, encoding="utf-8")
    use_language(read_translation(tmp_path / "pl.po"))
    assert [count(n, "photograph") for n in (1, 2, 5, 21)] == ["1 foto", "2 fota", "5 fot", "21 foto"]


@pytest.mark.parametrize(
    ("data", "why"),
    [
        (b"", "translates nothing"),
        (b"\xff\xfe\x00garbage", "cannot be read"),
        (b'msgid "unclosed', "translates nothing"),
        (b"#" * (4 * 1024 * 1024 + 1), "at most"),
    ],
)
def test_files_that_are_no_translations_are_refused(tmp_path: Path, data: bytes, why: str) -> None:
    path = tmp_path / "de.po"
    path.write_bytes(data)
    with pytest.raises(ConfigError, match=why) as caught:
        add_language(path, tmp_path / "own")
    assert caught.value.hint
    assert not (tmp_path / "own").exists()
    assert translation_of("de", languages(tmp_path))[0] == ENGLISH


@pytest.mark.parametrize("name", ["german.po.txt", "German.po", "en.po", "d.po"])
def test_a_file_is_named_by_its_language(tmp_path: Path, name: str) -> None:
    path = tmp_path / name
    path.write_text(HEAD.format(rule=TWO_FORMS) + GERMAN, encoding="utf-8")
    with pytest.raises(ConfigError, match="not named by a language"):
        add_language(path, tmp_path / "own")


def test_an_own_file_goes_before_the_one_that_comes_with_leafsight(tmp_path: Path) -> None:
    (tmp_path / "es.po").write_text(HEAD.format(rule=TWO_FORMS) + GERMAN, encoding="utf-8")
    (tmp_path / "notes.txt").write_text("no language")
    found = languages(tmp_path, tmp_path / "not there")
    assert found[0] == ENGLISH
    assert {one.code: one.path for one in found}["es"] == tmp_path / "es.po"


def test_the_language_of_the_computer(tmp_path: Path) -> None:
    assert of_the_computer({"LANG": "de_AT.UTF-8"}) == "de_AT"
    assert of_the_computer({"LANG": "de_AT", "LC_ALL": "C"}) == ""
    assert of_the_computer({"LANGUAGE": "sw:en", "LANG": "de"}) == "sw"
    assert of_the_computer({}) == ""
    (tmp_path / "de.po").write_text(HEAD.format(rule=TWO_FORMS) + GERMAN, encoding="utf-8")
    assert begin_to_speak("", FIGURES, tmp_path, {"LANG": "de_AT.UTF-8"}).code == "de"
    assert begin_to_speak("", FIGURES, tmp_path, {"LANG": "xx"}) == ENGLISH
    assert is_english()


def test_sizes_and_dates_as_a_person_wants_them() -> None:
    at = datetime(2026, 11, 24, 14, 9)
    assert date_and_time(at) == "24 Nov 2026, 14:09"
    assert in_bytes(1_048_576) == "1.0 MB"
    for dates, wanted in (
        ("iso", "2026-11-24 14:09"),
        ("day-first", "24/11/2026 14:09"),
        ("month-first", "11/24/2026 2:09 PM"),
    ):
        use_figures(Figures(sizes="binary", dates=dates))  # type: ignore[arg-type]
        assert date_and_time(at) == wanted
    assert date_and_time(datetime(2026, 1, 2, 0, 5)) == "1/2/2026 12:05 AM"
    assert in_bytes(1_048_576) == "1.0 MiB"
    assert in_bytes(1_000) == "1000 bytes"


def test_what_comes_with_leafsight_can_be_read() -> None:
    for path in FOLDER.glob("*.po"):
        assert read_translation(path).unsound == 0, path.name
