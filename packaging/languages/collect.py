"""Collects every English sentence that the window can show, and brings the files of translators up to date.

    python packaging/languages/collect.py              # every languages/*.po
    python packaging/languages/collect.py --new fr     # a file for another language
    python packaging/languages/collect.py --check      # say what is missing; nothing is written

Three kinds of sentences are found by reading the source: those of the window (arguments of ``tr``, ``trn``
and ``count``, and the tables below), those of other rooms that reach it with their values already in them
(context ``said``, places numbered), and names of crops and conditions (context ``name``). The cards are read
as they lie.
"""

from __future__ import annotations

import argparse
import ast
import json
import re
import sys
import tomllib
from collections.abc import Iterator, Sequence
from pathlib import Path

import polib

sys.path.insert(0, str(Path(__file__).parent))

from wordings import (
    Words,
    assigned,
    filled_in,
    is_sentence,
    is_text,
    is_worded,
    local_words,
    pieces,
    shared_words,
    variants,
)

SOURCE = Path(__file__).parents[2] / "src" / "leafsight"
WINDOW = SOURCE / "desktop"
LANGUAGES = WINDOW / "languages"
TABLES = {
    "session/wording.py": (
        "NOT_MEASURED", "NOT_KNOWN", "SENTENCES", "VERDICT_NAMES", "CONFIDENCES", "UNLIKELY", "MONTHS",
        "PLACES",
    ),
    "session/teach_words.py": ("PARTS", "TITLES", "STATES", "OUTCOMES"),
    "session/model_words.py": ("ROLES", "SPLITS", "PRECISIONS", "TRAININGS", "KINDS", "MEASURES"),
    "session/understanding/phrases.py": ("KINDS", "WEIGHTS", "STEP_WORDS"),
    "window/contents.py": ("TITLES",),
    "window/diagnose.py": ("EVERY_CROP",),
    "window/filters.py": ("SHOWN_WORDS", "ORDER_WORDS"),
    "window/settings_language.py": ("SIZE_WORDS",),
    "window/teach_look.py": ("FILTER_WORDS", "DONE_WORDS"),
    "window/teach_model.py": ("PATH_WORDS", "WAY_WORDS"),
    "window/teach_outcome.py": ("WHY_NOT", "MEASURES"),
    "window/theme.py": ("LOOK_WORDS",),
}  # fmt: skip
"""Constants whose words are said through ``tr``."""
SPEAKING_ROOMS = (
    "bundle", "client", "dataset", "desktop", "errors", "evaluation", "feedback", "images", "inference",
    "inspection", "registry", "retraining", "service", "state", "storage", "taxonomy", "training",
)  # fmt: skip
"""Their errors reach the window."""
TELLING = (
    "inspection", "inference/judging.py", "inference/combining.py", "evaluation/verdict.py",
    "evaluation/shortcut_records.py", "feedback", "retraining/gate", "retraining/publish.py",
    "retraining/snapshot.py", "service/callers.py",
)  # fmt: skip
"""Here every sentence does, not only those of errors."""
NOT_TOLD = (
    "inspection/page.py", "inspection/insight/page.py", "inspection/insight/charts.py",
    "inspection/health.py",
    "retraining/gate_page.py",
    "desktop/session/language",
)  # fmt: skip
SAID_AS_VALUES = {
    "bundle/containers.py": ("_where_cut",),
    "images/formats.py": ("STRANGERS", "_looks_like", "_iso_media"),
    "inference/combining.py": ("LEFT_OUT",),
    "inspection/copies.py": ("KIND_WORDS",),
    "inspection/files.py": ("MODE_WORDS", "FAULT_WORDS"),
    "inspection/insight/grouping.py": ("strength",),
    "inspection/insight/tones.py": ("_direction",),
}
"""Tables and functions whose words other rooms put into their sentences, single words among them."""
RECORDS = ("Trouble", "Fault", "Finding", "Case", "Verdict")
LOGGED = ("debug", "info", "warning", "error", "exception", "getLogger", "tr", "trn", "count", "compile")
HEADER = (
    "The window of leafsight. Places such as {name} stay as they are; '&' comes before the letter"
    " that Alt presses."
)
TITLING = tuple(
    f"inspection/insight/{name}.py" for name in ("capture", "embedding_map", "looks", "sizes", "tones")
)
"""Here a capitalised word by itself is a title."""
KIND_BEFORE = re.compile(r"^[a-z]+(-[a-z]+)+: ")
"""Of a fault: ``empty-file: the file has no bytes``; people see what follows."""
NOUNS = ("counted",)
"""``counted(3, "photograph")``."""
NAMING = {"Axis": 0, "Measure": 1}
"""Records made of words, single ones among them, and where in them these begin."""
OURS_ALONE = (
    "AssertionError", "AttributeError", "KeyError", "NotImplementedError", "RuntimeError", "TypeError",
    "ValueError",
)  # fmt: skip
"""Errors that tell programmers something."""
CARD_TEXTS = ("what_it_is", "looks_like", "told_apart", "growers_do", "ask_an_expert")

Message = tuple[str, str, str]
"""Context, English for one, English for many (empty where nothing is counted)."""


def messages() -> dict[Message, set[str]]:
    """Every sentence, with the files that say it."""
    found: dict[Message, set[str]] = {}
    for path in sorted(WINDOW.rglob("*.py")):
        for message in _of_the_window(path):
            found.setdefault(message, set()).add(_place(path))
    for message, place in _names():
        found.setdefault(message, set()).add(place)
    for room in SPEAKING_ROOMS:
        for path in sorted((SOURCE / room).rglob("*.py")):
            for text in _said(path):
                if ("", text, "") not in found:
                    found.setdefault(("said", text, ""), set()).add(_place(path))
    return found


def _place(path: Path) -> str:
    return path.relative_to(SOURCE).as_posix()


def _of_the_window(path: Path) -> Iterator[Message]:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            texts = [
                one.value for one in node.args if isinstance(one, ast.Constant) and isinstance(one.value, str)
            ]
            if node.func.id == "tr" and texts:
                yield "", texts[0], ""
            elif node.func.id == "trn" and len(texts) == 2:
                yield "", texts[0], texts[1]
            elif node.func.id == "count" and texts:
                many = texts[1] if len(texts) > 1 else f"{texts[0]}s"
                yield "", f"{{number}} {texts[0]}", f"{{number}} {many}"
    wanted = TABLES.get(path.relative_to(WINDOW).as_posix(), ())
    for node in tree.body:
        if isinstance(node, ast.Assign):
            names = {
                one.id for target in node.targets for one in ast.walk(target) if isinstance(one, ast.Name)
            }
            if names & set(wanted):
                yield from (("", text, "") for text in _in_table(node.value, names))


def _in_table(value: ast.expr, names: set[str]) -> Iterator[str]:
    """The texts of a table: values of a dict, words among keys and numbers in a row."""
    if isinstance(value, ast.Dict):
        value = ast.Tuple([one for one in value.values if one is not None])
    if isinstance(value, ast.Constant):
        yield value.value
        return
    parts = (
        value.elts
        if isinstance(value, ast.Tuple | ast.List)
        else value.args
        if isinstance(value, ast.Call)
        else []
    )
    texts = [one.value for one in parts if isinstance(one, ast.Constant) and isinstance(one.value, str)]
    is_row = any(not isinstance(one, ast.Constant) or not isinstance(one.value, str) for one in parts) or (
        len(texts) > 1 and texts[0].islower() and " " not in texts[0] and texts[1][:1].isupper()
    )
    for text in texts:
        if not is_row or len(texts) == 1 or " " in text or text[:1].isupper():
            yield text
    for one in parts:
        if isinstance(one, ast.Tuple | ast.Call):
            yield from _in_table(one, names)


def _said(path: Path) -> Iterator[str]:
    place = _place(path)
    if place.startswith(NOT_TOLD):
        return
    tree = ast.parse(path.read_text(encoding="utf-8"))
    telling = place.startswith(TELLING)
    words = shared_words(tree)
    yield from _values_said(tree, words, SAID_AS_VALUES.get(place, ()))
    if place.startswith(TITLING):
        yield from (
            one.value for one in ast.walk(tree) if is_text(one) and re.fullmatch("[A-Z][a-z]+", one.value)
        )
    docstrings = {id(node.value) for node in ast.walk(tree) if isinstance(node, ast.Expr)}
    docstrings &= {id(node) for node in ast.walk(tree) if isinstance(node, ast.Constant)}
    yield from _sentences(tree, docstrings | pieces(tree, words), words, wanted=telling)


def _values_said(tree: ast.Module, words: Words, wanted: Sequence[str]) -> Iterator[str]:
    """The words of a table, or what a function gives back."""
    for name, value in assigned(tree.body):
        if name in wanted:
            inside = value.values if isinstance(value, ast.Dict) else ast.walk(value)
            yield from (one.value for one in inside if is_text(one))
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef) and function.name in wanted:
            known = {**words, **local_words(function)}
            for node in ast.walk(function):
                if isinstance(node, ast.Return) and node.value is not None:
                    yield from (text for text in variants(node.value, known) if re.search("[a-z]", text))


def _sentences(node: ast.AST, passed_over: set[int], words: Words, *, wanted: bool) -> Iterator[str]:
    if isinstance(node, ast.FunctionDef):
        words = {**words, **local_words(node)}
        passed_over = passed_over | pieces(node, local_words(node))
    if isinstance(node, ast.Call):
        name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
        if name in LOGGED or name in OURS_ALONE:
            return
        if name in ("start", "step") and node.args and isinstance(node.args[0], ast.JoinedStr | ast.Constant):
            yield from (text for text in variants(node.args[0], words) if is_sentence(text) or text.isalpha())
            return
        if name in NOUNS and len(node.args) == 2 and isinstance(node.args[1], ast.Constant):
            noun = str(node.args[1].value)
            yield from (f"1 {noun}", f"{{0}} {noun}{'es' if noun.endswith('s') else 's'}")
            return
        if name in NAMING and wanted:
            yield from (one.value for one in node.args[NAMING[name] :] if is_text(one))
            node = ast.Tuple([one for one in node.args if not is_text(one)])
        wanted = wanted or name.endswith(("Error", "_error")) or name in RECORDS
    if isinstance(node, ast.Subscript):
        yield from _sentences(node.value, passed_over, words, wanted=wanted)
        return
    if isinstance(node, ast.Assign) and not wanted:
        names = [getattr(one, "id", getattr(one, "attr", "")) for one in node.targets]
        wanted = any(
            re.search(r"HINT|WHY|REASON|_hint$|^hint$|^why$|message|fault$|^reason$|^too_large$", one)
            for one in names
        )
    if is_worded(node, words):
        if wanted and id(node) not in passed_over:
            yield from (KIND_BEFORE.sub("", text) for text in variants(node, words) if is_sentence(text))
        for value in filled_in(node):
            if value is not node and not isinstance(value, ast.Name):
                yield from _sentences(value, passed_over, words, wanted=wanted)
        return
    for child in ast.iter_child_nodes(node):
        yield from _sentences(child, passed_over, words, wanted=wanted)


def _names() -> Iterator[tuple[Message, str]]:
    vocabulary = json.loads((SOURCE / "taxonomy" / "vocabulary.json").read_text(encoding="utf-8"))
    for group in ("crops", "conditions"):
        for one in vocabulary[group]:
            yield ("name", one["name"], ""), "taxonomy/vocabulary.json"
    for mark in ".,":
        yield ("figure", mark, ""), "desktop/session/language/figures.py"
    for path in sorted((SOURCE / "taxonomy" / "cards").glob("*.toml")):
        for card in tomllib.loads(path.read_text(encoding="utf-8")).values():
            for key in CARD_TEXTS:
                if card.get(key):
                    yield ("", card[key], ""), _place(path)


def brought_up_to_date(path: Path, found: dict[Message, set[str]]) -> tuple[polib.POFile, int, int]:
    """The file with what is there now; how many entries are new, and how many are without translation."""
    old = polib.pofile(str(path)) if path.exists() else polib.POFile()
    known = {(one.msgctxt or "", one.msgid, one.msgid_plural): one for one in old if not one.obsolete}
    made = polib.POFile(wrapwidth=110)
    made.metadata = old.metadata or {
        "Content-Type": "text/plain; charset=utf-8",
        "Content-Transfer-Encoding": "8bit",
        "Language": path.stem,
        "Plural-Forms": "nplurals=2; plural=(n != 1);",
    }
    made.header = old.header or HEADER
    new = empty = 0
    for message in sorted(found, key=lambda one: (one[0], sorted(found[one])[0], one[1])):
        context, one, many = message
        entry = known.get(message)
        new += entry is None
        kept = polib.POEntry(
            msgid=one, msgctxt=context or None, occurrences=[(place, "") for place in sorted(found[message])]
        )
        if many:
            kept.msgid_plural = many
            kept.msgstr_plural = dict(entry.msgstr_plural) if entry else {0: "", 1: ""}
            empty += not all(kept.msgstr_plural.values())
        else:
            kept.msgstr = entry.msgstr if entry else ""
            empty += not kept.msgstr
        made.append(kept)
    return made, new, empty


def main() -> int:
    """Bring every file up to date."""
    wishes = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    wishes.add_argument("--new", metavar="CODE", help="begin a file for this language")
    wishes.add_argument("--check", action="store_true", help="write nothing; 1 where something is missing")
    wish = wishes.parse_args()
    found = messages()
    paths = sorted(LANGUAGES.glob("*.po"))
    if wish.new:
        paths.append(LANGUAGES / f"{wish.new}.po")
    missing = 0
    for path in paths:
        made, new, empty = brought_up_to_date(path, found)
        print(f"{path.name}: {len(made)} sentences, {new} new, {empty} not translated")
        missing += new + empty
        if not wish.check:
            path.write_text(str(made) + "\n", encoding="utf-8")
    return int(wish.check and missing > 0)


if __name__ == "__main__":
    sys.exit(main())
