"""One drawing for each fault: requests a second by what became of them, with the fault and its end marked."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from leafsight.pages import Html, join, svg, tag

LEFT, TOP, WIDTH, HEIGHT, FOOT, RIGHT = 46.0, 26.0, 640.0, 110.0, 44.0, 12.0
KINDS = (
    ("ok", "answered", "#2b6e4f"), ("unrecorded", "answered, not recorded", "#9cc3a6"),
    ("refused", "refused (429, 503)", "#d9a400"), ("failed", "failed", "#b3402e"),
)  # fmt: skip
STYLE = "svg{background:#fff;font:11px system-ui,sans-serif}text{fill:#3a433e}.axis{stroke:#b9c1ba}"


def timeline(
    title: str, counts: Mapping[str, Sequence[int]], fault_s: float, back_s: float, end_s: float
) -> str:
    """A standalone SVG file.

    Args:
        title: above, and for screen readers.
        counts: a second each, by the names of ``KINDS``.
        fault_s, back_s: what is marked; where both are nearly the same, only the fault.
        end_s: right end.
    """
    seconds = max(1, len(counts["ok"]))
    highest = max((sum(counts[name][at] for name, _, _ in KINDS) for at in range(seconds)), default=1) or 1
    step, bottom = WIDTH / seconds, TOP + HEIGHT
    pieces: list[Html] = [tag("text", title, x=LEFT, y=14, font_weight="bold")]
    for at in range(seconds):
        top = bottom
        for name, _, colour in KINDS:
            if value := counts[name][at]:
                tall = HEIGHT * value / highest
                top -= tall
                pieces.append(_box(LEFT + at * step, top, max(step - 0.4, 0.6), tall, colour))
    for value in sorted({0, highest // 2, highest}):
        level = bottom - HEIGHT * value / highest
        pieces.append(tag("text", str(value), x=LEFT - 6, y=level + 4, text_anchor="end"))
    pieces.append(tag("line", x1=LEFT, x2=LEFT + WIDTH, y1=bottom, y2=bottom, class_="axis"))
    pieces += [
        tag("text", f"{second} s", x=LEFT + second * step, y=bottom + 15, text_anchor="middle")
        for second in range(0, seconds, _tick(seconds))
    ]
    pieces += _mark(fault_s, "fault", step, end_s)
    if back_s - fault_s >= 1:
        pieces += _mark(back_s, "back", step, end_s)
    said = ", ".join(f"{sum(counts[name])} {words}" for name, words, _ in KINDS)
    drawn = svg(LEFT + WIDTH + RIGHT, bottom + FOOT, title, said, [join(pieces), join(_key(bottom + 34))])
    text = str(drawn).replace("<svg ", '<svg xmlns="http://www.w3.org/2000/svg" ', 1)
    at = text.index(">") + 1
    return f"{text[:at]}<style>{STYLE}</style>{text[at:]}\n"


def _box(left: float, top: float, wide: float, tall: float, colour: str) -> Html:
    return tag(
        "rect", x=round(left, 2), y=round(top, 2), width=round(wide, 2), height=round(tall, 2), fill=colour
    )


def _tick(seconds: int) -> int:
    """Distance of the numbers below, so that about ten of them stand there."""
    return next((one for one in (5, 10, 20, 30, 60, 120) if seconds / one <= 12), 300)


def _mark(at_s: float, word: str, step: float, end_s: float) -> list[Html]:
    across = round(LEFT + min(at_s, end_s) * step, 2)
    return [
        tag(
            "line",
            x1=across,
            x2=across,
            y1=TOP - 6,
            y2=TOP + HEIGHT,
            stroke="#1c2420",
            stroke_dasharray="4 3",
        ),
        tag("text", word, x=across + 4, y=TOP + 2),
    ]


def _key(level: float) -> list[Html]:
    pieces, left = [], LEFT
    for _, words, colour in KINDS:
        pieces += [_box(left, level - 9, 10, 10, colour), tag("text", words, x=left + 15, y=level)]
        left += 30 + 6.2 * len(words)
    return pieces
