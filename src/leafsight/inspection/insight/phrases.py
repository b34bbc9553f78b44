"""Numbers and names as words: the small pieces of the sentences under the pictures.

Enters: counts, shares, class names. Leaves: text. It does not know what was measured.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

LONGEST_NAME_CHARACTERS = 48
NARROW = "\u00a0"
"""Keeps a number and its unit on one line."""


def photographs(count: int) -> str:
    """``1 photograph``, ``8,343 photographs``."""
    return counted(count, "photograph")


def counted(count: int, noun: str) -> str:
    """A number with its noun: ``1 class``, ``2 classes``."""
    if count == 1:
        return f"1 {noun}"
    return f"{count:,} {noun}{'es' if noun.endswith('s') else 's'}"


def percent(share: float) -> str:
    """A share 0..1 in percent, never rounded to 0 or 100 when it is not."""
    if share <= 0 or share >= 1:
        return with_unit("0" if share <= 0 else "100", "%")
    if share < 0.001 or share > 0.999:
        return (
            f"less than {with_unit('0.1', '%')}" if share < 0.001 else f"more than {with_unit('99.9', '%')}"
        )
    return with_unit(f"{100 * share:.1f}" if share < 0.0995 or share > 0.9 else f"{100 * share:.0f}", "%")


def with_unit(number: str, unit: str) -> str:
    """A number and its unit, never torn apart at the end of a line."""
    return f"{number}{NARROW}{unit}" if unit else number


def times(ratio: float) -> str:
    """``1.4 times``, ``12 times``."""
    return f"{ratio:.1f} times" if ratio < 9.95 else f"{ratio:,.0f} times"


def number(value: float) -> str:
    """Three digits that count, with commas in large numbers."""
    if abs(value) >= 100:
        return f"{value:,.0f}"
    return f"{value:.3g}" if value else "0"


def visible(name: str, most: int = LONGEST_NAME_CHARACTERS) -> str:
    r"""A name from a stranger as it can be printed: control and direction marks escaped, the middle cut.

    Args:
        name: any text; bytes of a file name that are no UTF-8 show as ``\xff``.
        most: characters that are shown.
    """
    plain = name.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
    # Cc control, Cf direction marks, Cs halves of characters, Zl and Zp line ends: they break lines or lie
    # about the order of letters.
    shown = "".join(
        char if unicodedata.category(char) not in {"Cc", "Cf", "Cs", "Zl", "Zp"} else ascii(char)[1:-1]
        for char in plain
    )
    if len(shown) <= most:
        return shown
    ahead = (most - 1) * 2 // 3
    return f"{shown[:ahead]}…{shown[len(shown) - (most - 1 - ahead) :]}"


def named(name: str) -> str:
    """A class name inside a sentence."""
    return f"“{visible(name)}”"


def listed(names: Sequence[str], most: int = 3) -> str:
    """``“a”, “b” and 4 more``."""
    if len(names) == 1:
        return named(names[0])
    if len(names) > most:
        return f"{_quoted(names[:most])} and {len(names) - most} more"
    return f"{_quoted(names[:-1])} and “{visible(names[-1])}”"


def _quoted(names: Sequence[str]) -> str:
    return ", ".join(named(name) for name in names)
