"""How large the parts of a split are: ``train=0.8,valid=0.1,test=0.1``, ``5:1``, ``80/10/10``."""

from __future__ import annotations

import math
import re
from collections.abc import Mapping

from leafsight.errors import UsageError

# Names for ratios without names, by how many there are.
USUAL_NAMES = {
    2: ("train", "test"),
    3: ("train", "valid", "test"),
    4: ("train", "valid", "calibration", "test"),
}
_HINT = "write train=0.8,valid=0.1,test=0.1 or 80/10/10 or 5:1"
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]{0,39}")


def parse_ratios(text: str | Mapping[str, float | int]) -> dict[str, float]:
    """Name to share, in the order given, adding up to 1.

    Two shares without names are train and test, three train, valid and test, four train, valid, calibration
    and test. Whole numbers may add up to anything; fractions below 1 must add up to 1.

    Raises:
        UsageError: not a ratio, a share that is not above 0, a name twice, or fractions that do not add up.
    """
    shares = dict(text) if isinstance(text, Mapping) else _read(text)
    if len(shares) < 2:
        raise UsageError(f"a split needs at least two parts, got {text!r}", hint=_HINT)
    for name, share in shares.items():
        if not _NAME.fullmatch(name):
            raise UsageError(f"'{name}' cannot be the name of a split", hint="use letters, digits, _ and -")
        if not (math.isfinite(share) and share > 0):
            raise UsageError(f"the share of '{name}' is {share:g}; it must be above 0", hint=_HINT)
    total = math.fsum(shares.values())
    if all(share < 1 for share in shares.values()) and abs(total - 1) > 1e-6:
        raise UsageError(f"the shares in {text!r} add up to {total:g}, not to 1", hint=_HINT)
    return {name: share / total for name, share in shares.items()}


def _read(text: str) -> dict[str, float]:
    parts = [part.strip() for part in re.split(r"[,:/;]", text)]
    if any("=" in part for part in parts):
        return _named(parts, text)
    names = USUAL_NAMES.get(len(parts))
    if names is None:
        raise UsageError(f"{text!r} has {len(parts)} shares without names", hint=_HINT)
    return {name: _number(part, text) for name, part in zip(names, parts, strict=True)}


def _named(parts: list[str], text: str) -> dict[str, float]:
    shares: dict[str, float] = {}
    for part in parts:
        name, equals, share = (piece.strip() for piece in part.partition("="))
        if not equals or name in shares:
            what = f"'{name}' twice" if name in shares else f"'{part}' without a share"
            raise UsageError(f"{text!r} has {what}", hint=_HINT)
        shares[name] = _number(share, text)
    return shares


def _number(text: str, whole: str) -> float:
    try:
        return float(text.removesuffix("%"))
    except ValueError:
        raise UsageError(f"'{text}' in {whole!r} is not a number", hint=_HINT) from None
