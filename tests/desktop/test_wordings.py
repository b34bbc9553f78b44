"""How the collector reads a sentence in the source: whole, once for every case."""

from __future__ import annotations

from pathlib import Path

import pytest
from tests.desktop.marked_language import collector

HEAD = """
SHADES = {"d": "dark", "l": "light"}
WHOLE = "we need the leaves"

def say(count, name):
    BEFORE
    raise LeafsightError(SENTENCE)
"""


@pytest.mark.parametrize(
    ("before", "sentence", "found"),
    [
        ("pass", 'f"{count} leaves of {name} are dark"', {"{0} leaves of {1} are dark"}),
        ("pass", "f\"it {'is' if count == 1 else 'was'} dark\"", {"it is dark", "it was dark"}),
        ('more = f", and {count} more" if count else ""', 'f"the leaf {name}{more}"',
         {"the leaf {0}", "the leaf {0}, and {1} more"}),
        ('end = "it is dark" if count else "it is light"', '"we see that " + end',
         {"we see that it is dark", "we see that it is light"}),
        ("pass", 'f"{count} leaves are {SHADES[name]}"', {"{0} leaves are dark", "{0} leaves are light"}),
        ("pass", 'f"{count} leaves are {SHADES.get(name, name)}"',
         {"{0} leaves are dark", "{0} leaves are light", "{0} leaves are {1}"}),
        ('end = "dark"; end = "light"', 'f"the leaf is {end}"', {"the leaf is {0}"}),
        ("pass", 'f"{WHOLE}; {name} is gone"', {"we need the leaves; {0} is gone"}),
        ("pass", 'f"a leaf  {name}  a row of a table"', set()),
    ],
)  # fmt: skip
def test_a_sentence_is_found_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, before: str, sentence: str, found: set[str]
) -> None:
    collect = collector()
    monkeypatch.setattr(collect, "SOURCE", tmp_path)
    path = tmp_path / "room.py"
    path.write_text(HEAD.replace("BEFORE", before).replace("SENTENCE", sentence), encoding="utf-8")
    assert set(collect._said(path)) == found
