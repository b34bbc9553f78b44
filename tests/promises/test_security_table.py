"""docs/security.md names tests that exist, and leaves no requirement of ASVS V5 out."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
PAGE = ROOT / "docs" / "security.md"
NAMED = re.compile(r"`([a-z_/]+\.py)::(\w+)`")
# https://github.com/OWASP/ASVS/blob/v5.0.0/5.0/en/0x14-V5-File-Handling.md
V5 = [
    "5.1.1",
    *(f"5.2.{n}" for n in range(1, 7)),
    *(f"5.3.{n}" for n in (1, 2, 3)),
    "5.4.1",
    "5.4.2",
    "5.4.3",
]


def rows() -> list[list[str]]:
    """Cells of the rows of all tables that have a column of tests."""
    found: list[list[str]] = []
    wanted = False
    for line in PAGE.read_text().splitlines():
        if not line.startswith("|"):
            wanted = False
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[-1] == "test":
            wanted = True
        elif wanted and not set(cells[0]) <= {"-"}:
            found.append(cells)
    return found


def test_every_test_that_is_named_exists() -> None:
    named = NAMED.findall(PAGE.read_text())
    assert len(named) > 50
    missing = [
        f"{file}::{name}"
        for file, name in named
        if not (ROOT / "tests" / file).is_file()
        or not re.search(rf"^def {name}\(", (ROOT / "tests" / file).read_text(), re.MULTILINE)
    ]
    assert missing == []


@pytest.mark.parametrize("row", rows(), ids=lambda row: row[0][:50])
def test_every_row_has_a_test_or_says_why_not(row: list[str]) -> None:
    assert len(row) == 3, row
    assert NAMED.search(row[2]) or re.match("not applicable$|open", row[2]), row
    if row[2].startswith("not applicable"):
        assert len(row[1]) > 20, "say why"


def test_chapter_5_is_whole_and_in_order() -> None:
    chapter = PAGE.read_text().split("## ASVS 5.0, V5", 1)[1].split("\n## ", 1)[0]
    assert re.findall(r"^\| (5\.\d\.\d) ", chapter, re.MULTILINE) == V5
