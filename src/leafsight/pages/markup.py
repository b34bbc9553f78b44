"""HTML that cannot forget to escape: plain strings are text, only ``Html`` is markup.

Class names and paths come from folders that anybody may have named.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape

VOID = frozenset({"meta", "img", "br", "link", "path", "rect", "line", "circle", "polyline", "col"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


Content = str | Iterable[str]


def tag(element: str, inside: Content = "", **attributes: object) -> Html:
    """One element.

    Args:
        element: its name.
        inside: ``Html`` is kept, any other string is escaped; several are set one after another.
        attributes: ``class_`` and ``for_`` lose the underscore, other underscores become hyphens;
            ``None`` and ``False`` leave the attribute out, ``True`` writes it without a value.
    """
    parts = [element]
    for key, value in attributes.items():
        if value is None or value is False:
            continue
        written = key.rstrip("_").replace("_", "-")
        parts.append(written if value is True else f'{written}="{escape(_plain(value))}"')
    opening = " ".join(parts)
    if element in VOID:
        return Html(f"<{opening}/>")
    return Html(f"<{opening}>{join(inside)}</{element}>")


def join(content: Content) -> Html:
    """Several pieces one after another, each escaped unless it is ``Html``."""
    pieces = [content] if isinstance(content, str) else content
    return Html("".join(piece if isinstance(piece, Html) else escape(piece, quote=False) for piece in pieces))


def svg(
    width: float, height: float, title: str, description: str, content: Sequence[str], kind: str = "chart"
) -> Html:
    """The frame of a drawing; what it shows is also said in words.

    Args:
        width: of the drawing in CSS pixels; it shrinks with the page and never grows.
        height: of the drawing in CSS pixels.
        title: its name, said by screen readers.
        description: what it shows, in words.
        content: its pieces.
        kind: the class of the style.
    """
    words = [tag("title", title), tag("desc", description)]
    box = f"0 0 {width:g} {height:g}"
    most = f"max-width:{width:.0f}px"
    return tag("svg", [*words, *content], viewBox=box, role="img", class_=kind, style=most)


def _plain(value: object) -> str:
    # SVG coordinates: a hundredth of a pixel is enough, and keeps the file small.
    return f"{value:.2f}".rstrip("0").rstrip(".") if isinstance(value, float) else str(value)


def table(
    head: Sequence[str], rows: Iterable[Sequence[str]], caption: str, *, numeric: Iterable[int] = ()
) -> Html:
    """An accessible table: caption, column headers with scope, and the first cell of a row as its header.

    Args:
        head: column names.
        rows: cells; ``Html`` is kept.
        caption: said by screen readers and shown above.
        numeric: numbers of the columns that are set to the right.
    """
    right = frozenset(numeric)
    kind = dict.fromkeys(right, "num")
    header = tag("tr", [tag("th", cell, scope="col", class_=kind.get(i)) for i, cell in enumerate(head)])
    body = []
    for row in rows:
        cells = [
            tag("th", cell, scope="row") if index == 0 else tag("td", cell, class_=kind.get(index))
            for index, cell in enumerate(row)
        ]
        body.append(tag("tr", cells))
    inner = tag("table", [tag("caption", caption), tag("thead", header), tag("tbody", body)])
    # Wide tables scroll in their own box, reachable by keyboard, so that the page never scrolls sideways.
    return tag("div", inner, class_="scroll", tabindex="0", role="region", aria_label=caption)


def section(title: str, anchor: str, content: Content) -> Html:
    """A part of the page with a heading that can be linked to."""
    return tag("section", [tag("h2", title, id=anchor), join(content)], aria_labelledby=anchor)


def figure(drawing: Html, caption: Content) -> Html:
    """A drawing with its caption."""
    return tag("figure", [drawing, tag("figcaption", caption)])


def folded(summary: str, content: Content) -> Html:
    """A part that opens on request; printers show it (see the style)."""
    return tag("details", [tag("summary", summary), join(content)])
