"""Which photographs are shown, and in which order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, get_args

from leafsight.desktop.session.photographs import Photograph

Shown = Literal[
    "all", "diagnosis", "healthy", "cannot_tell", "not_a_leaf", "unusable", "corrected", "confirmed",
    "waiting",
]  # fmt: skip
Order = Literal["coming", "name", "diagnosis", "sure", "unsure"]
SHOWN: tuple[Shown, ...] = get_args(Shown)
ORDERS: tuple[Order, ...] = get_args(Order)
LAST = "\U0010ffff"


def chosen(
    photographs: Iterable[Photograph], *, shown: Shown = "all", order: Order = "coming", words: str = ""
) -> list[int]:
    """Numbers of the photographs to show.

    Args:
        photographs: all, in the order of coming.
        shown: ``diagnosis`` names a disease, ``unusable`` is blurred or unreadable.
        order: ``sure`` has the surest diagnosis first, ``unsure`` what most wants a person's eyes. What waits
            comes last but in the order of coming.
        words: all of them must stand in the name of the file, the diagnosis or the correction; upper and
            lower case are alike.
    """
    wanted = words.lower().split()
    kept = [one for one in photographs if _is_shown(one, shown) and _has(one, wanted)]
    if order == "name":
        kept.sort(key=lambda one: (one.path.name.lower(), one.number))
    elif order == "diagnosis":
        kept.sort(key=lambda one: (_display(one) or LAST, -_probability(one), one.number))
    elif order == "sure":
        kept.sort(key=lambda one: (-_probability(one), one.number))
    elif order == "unsure":
        kept.sort(key=lambda one: (one.waits, _probability(one), one.number))
    return [one.number for one in kept]


def _is_shown(photograph: Photograph, shown: Shown) -> bool:
    prediction = photograph.prediction
    if shown == "all":
        return True
    if shown == "corrected":
        return photograph.is_corrected
    if shown == "confirmed":
        return photograph.is_confirmed
    if shown == "waiting":
        return prediction is None
    if prediction is None:
        return False
    if shown == "unusable":
        return prediction.verdict in ("too_blurred", "unreadable")
    if shown in ("diagnosis", "healthy"):
        return prediction.is_diagnosis and (prediction.condition == "healthy") == (shown == "healthy")
    return prediction.verdict == shown


def _has(photograph: Photograph, words: list[str]) -> bool:
    if not words:
        return True
    said = " ".join((photograph.path.name, _display(photograph), photograph.correction or "")).lower()
    return all(word in said for word in words)


def _display(photograph: Photograph) -> str:
    return (photograph.prediction and photograph.prediction.display) or ""


def _probability(photograph: Photograph) -> float:
    """Of a diagnosis; below all of them where there is none."""
    if photograph.prediction is None or photograph.prediction.probability is None:
        return -1.0
    return photograph.prediction.probability
