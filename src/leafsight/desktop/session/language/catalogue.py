"""Translations as translators write them: files of gettext (``.po``), which any editor of such files opens.

Enters: a file of nobody known. Leaves: a translation in which no entry asks for more than the English one
gives. A file that cannot be read is refused whole; an entry that is not sound is left out and counted.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path

from leafsight.desktop.session.language.patterns import PLACE, Templates
from leafsight.errors import ConfigError, require
from leafsight.storage import os_errors_translated, readable

MOST_BYTES = 4 * 1024 * 1024
SAID = "said"
"""Context of the sentences of other rooms: their places are numbered."""
NAME = "name"
"""Context of crops and conditions."""
FIGURE = "figure"
"""Context of how numbers are written."""

Key = tuple[str, str]
"""Context, and English."""


@dataclass(frozen=True)
class Translation:
    """One language.

    Attributes:
        texts: by context and English.
        plurals: forms of a sentence with a count, by its English form for one.
        form: which of the forms a count wants.
        unsound: entries that were left out: they ask for values that the English sentence does not have.
    """

    texts: Mapping[Key, str] = field(default_factory=dict)
    plurals: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    form: Callable[[int], int] = lambda number: int(number != 1)
    unsound: int = 0

    def text(self, english: str, context: str = "") -> str:
        """The sentence, in English where it is not translated."""
        return self.texts.get((context, english), english)

    def counted(self, one: str, many: str, number: int) -> str:
        """The form that a count wants."""
        english, forms = one if number == 1 else many, self.plurals.get(one)
        if forms is None:
            return english
        try:
            at = self.form(number)
        except (ArithmeticError, ValueError):  # a rule of nobody known may divide by nothing
            return english
        return forms[at] if 0 <= at < len(forms) else english

    @cached_property
    def templates(self) -> Templates:
        """The sentences of other rooms."""
        return Templates(english for context, english in self.texts if context == SAID)


def read_translation(path: Path) -> Translation:
    """Read a file of a translator.

    Args:
        path: of a ``.po`` file in UTF-8, at most 4 MB.

    Raises:
        ConfigError: it is no such file, or too large.
        NotFoundError, PermissionDeniedError, StorageError: it cannot be read.
        MissingExtraError: what reads it is not installed.
    """
    polib = require("polib", "desktop")
    name = readable(path.name)
    with os_errors_translated(path):
        size = path.stat().st_size
        if size > MOST_BYTES:
            raise ConfigError(
                f"the translation {name} has {size:,} bytes; at most {MOST_BYTES:,} are read",
                hint="give a file in the format of gettext, such as es.po",
            )
        text = path.read_bytes().decode("utf-8", "replace")
    try:
        found = polib.pofile(f"{text}\n")  # with a line in it, it is never taken for a path
        form = gettext.c2py(_plural_rule(found.metadata.get("Plural-Forms", "")))
    except (OSError, ValueError, SyntaxError, IndexError, KeyError, RecursionError) as error:
        raise ConfigError(
            f"the translation {name} cannot be read: {str(error).splitlines()[0] if str(error) else error!r}",
            hint="give a file in the format of gettext, such as es.po",
        ) from error
    made = _translation(found, form)
    if not made.texts and not made.plurals:
        raise ConfigError(
            f"the translation {name} translates nothing", hint="give one that somebody worked on"
        )
    return made


def _plural_rule(header: str) -> str:
    rule = header.partition("plural=")[2].rstrip("; ").strip()
    return rule or "n != 1"


def _translation(entries: object, form: Callable[[int], int]) -> Translation:
    texts: dict[Key, str] = {}
    plurals: dict[str, tuple[str, ...]] = {}
    unsound = 0
    for one in entries:  # type: ignore[attr-defined]  # polib has no types
        if one.obsolete or "fuzzy" in one.flags:
            continue
        forms = tuple(one.msgstr_plural[at] for at in sorted(one.msgstr_plural)) or (one.msgstr,)
        if not all(forms):
            continue
        if not all(_is_sound(form_, one.msgid, one.msgid_plural) for form_ in forms):
            unsound += 1
        elif one.msgid_plural:
            plurals[one.msgid] = forms
        else:
            texts[one.msgctxt or "", one.msgid] = forms[0]
    return Translation(texts, plurals, form, unsound)


def _is_sound(translated: str, *english: str) -> bool:
    """Whether it asks for nothing that is not there: no other value, and nothing of a value."""
    known = {name for text in english for name in PLACE.findall(text)}
    bare = PLACE.sub("", translated)
    # Where nothing is filled in, braces are text.
    return not known or (set(PLACE.findall(translated)) <= known and "{" not in bare and "}" not in bare)
