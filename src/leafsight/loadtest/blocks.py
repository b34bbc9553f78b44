"""A report as a list of blocks, and the two ways to write them: HTML and Markdown."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import groupby

from leafsight.pages import Html, document, figure, join, table, tag


@dataclass(frozen=True, slots=True)
class Heading:
    """A part begins."""

    text: str


@dataclass(frozen=True, slots=True)
class Words:
    """A paragraph, or with several a list."""

    lines: tuple[str, ...]
    warning: bool = False


@dataclass(frozen=True, slots=True)
class Table:
    """A table; the columns ``words`` hold words, all others numbers."""

    caption: str
    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    words: tuple[int, ...] = (0,)


@dataclass(frozen=True, slots=True)
class Picture:
    """A drawing with the name of its file."""

    name: str
    title: str
    drawing: Html
    caption: str


Block = Heading | Words | Table | Picture


def as_html(title: str, lead: str, blocks: Sequence[Block]) -> str:
    """One self-contained page."""
    pieces: list[Html] = [tag("header", [tag("h1", title), tag("p", lead, class_="lead")])]
    body: list[Html] = []
    for pictured, some in groupby(enumerate(blocks), key=lambda pair: isinstance(pair[1], Picture)):
        inner = [_html(number, block) for number, block in some]
        body += [tag("div", inner, class_="two")] if pictured else inner
    return document(title, [*pieces, tag("main", body)])


def _html(number: int, block: Block) -> Html:
    if isinstance(block, Heading):
        return tag("h2", block.text, id=f"part-{number}")
    if isinstance(block, Words):
        inner = (
            tag("p", block.lines[0])
            if len(block.lines) == 1
            else tag("ul", [tag("li", one) for one in block.lines])
        )
        return tag("div", inner, class_="limits") if block.warning else inner
    if isinstance(block, Picture):
        return figure(block.drawing, block.caption)
    numeric = [one for one in range(len(block.head)) if one not in block.words]
    return join([table(block.head, block.rows, block.caption, numeric=numeric)])


def as_markdown(title: str, lead: str, blocks: Sequence[Block], *, pictures: str = "pictures") -> str:
    """The same as Markdown; pictures are files beside it."""
    parts = [f"# {title}", lead]
    for block in blocks:
        if isinstance(block, Heading):
            parts.append(f"## {block.text}")
        elif isinstance(block, Words):
            lines = [one if len(block.lines) == 1 else f"- {one}" for one in block.lines]
            parts.append("\n".join(f"> {one}" if block.warning else one for one in lines))
        elif isinstance(block, Picture):
            parts += [f"![{_cell(block.title)}]({pictures}/{block.name}.svg)", block.caption]
        else:
            parts.append(_markdown_table(block))
    return "\n\n".join(parts) + "\n"


def _markdown_table(block: Table) -> str:
    rules = ["---" if number in block.words else "---:" for number in range(len(block.head))]
    lines = [block.caption + ":", "", _line(block.head), _line(rules), *(_line(row) for row in block.rows)]
    return "\n".join(lines)


def _line(cells: Sequence[str]) -> str:
    return "| " + " | ".join(_cell(one) for one in cells) + " |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|").replace("\n", " ")
