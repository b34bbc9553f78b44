"""What of a model's card is shown, and whether as Markdown: a card is text of nobody known.

Enters: the card. Leaves: text that a window lays out in a moment. Tables of thousands of cells, and lines
without end, take Qt half a minute (30,000 rows of two cells: 33 s); such a card is shown as it is written.
"""

from __future__ import annotations

from leafsight.desktop.session.language import tr

MOST_CHARACTERS = 60_000
MOST_LINES = 1_500
MOST_CELLS = 1_500
MOST_IN_A_LINE = 4_000
MOST_MARKS = 4_000
"""Stars and underscores, of which each may open a word in bold."""
DEEPEST = 24


def readable_card(card: str) -> tuple[str, bool]:
    """What is shown, and whether it is safe to lay it out as Markdown.

    Args:
        card: as the model brings it.
    """
    text = "".join(one for one in card[:MOST_CHARACTERS] if one.isprintable() or one in "\n\t")
    if len(card) > MOST_CHARACTERS:
        text += "\n\n" + tr("The rest is left out: it is too long to show.")
    lines = text.split("\n")
    calm = (
        len(lines) <= MOST_LINES
        and text.count("|") <= MOST_CELLS
        and sum(text.count(mark) for mark in "*_[") <= MOST_MARKS
        and all(len(line) <= MOST_IN_A_LINE and _depth(line) <= DEEPEST for line in lines)
    )
    if calm:
        return text, True
    return "\n".join(line[:MOST_IN_A_LINE] for line in lines), False


def _depth(line: str) -> int:
    """Marks of quotation and indentation before the first word."""
    return len(line) - len(line.lstrip("> \t-*+"))
