"""Contributions as the service answers them, drawn and made up: what tests of the learning loop look through.

Enters: how many. Leaves: plain values in the shapes of the routes. It does not know who serves them.
"""

from __future__ import annotations

import io
from functools import cache
from typing import Any

from PIL import Image

NOW_MS = 1_795_330_000_000
KNOWN = (
    ("Apple___Apple_scab", "Apple: scab"),
    ("Apple___healthy", "Apple: healthy"),
    ("Tomato___Early_blight", "Tomato: early blight"),
)
LEAVES = (
    ("Roundleaf", "Rust"),
    ("Lanceleaf", "Blight"),
    ("Heartleaf", "healthy"),
    ("Lobeleaf", "Mosaic"),
    ("Roundleaf", "Blight"),
    ("Lanceleaf", "Leaf_spot"),
)
SAID = {
    "test_duplicate": (
        "It is the same leaf as a photograph of the locked test, so it cannot be learned from."
    ),
    "label_doubt": "The model and its nearest neighbours say Apple: healthy.",
    "bad_picture": "It is blurred: sharpness 12, wanted 40.",
    "near_duplicate": "It is nearly the same as 2 others of this upload.",
    "new_class": "The model does not know this class.",
}


@cache
def drawn_jpeg(number: int, side_px: int) -> bytes:
    """A drawn leaf; the same number, the same leaf."""
    from leafsight.dataset import draw_leaf

    crop, condition = LEAVES[number % len(LEAVES)]
    target = io.BytesIO()
    pixels = draw_leaf(crop, condition, seed=number, field=number % 2 == 0, side_px=side_px)
    Image.fromarray(pixels).save(target, "JPEG", quality=88)
    return target.getvalue()


def an_id(number: int) -> str:
    """As ids of the service are: later ones are greater."""
    return f"{NOW_MS + number:012x}{number:020x}"


def finding(kind: str, *, blocks: bool = True) -> dict[str, Any]:
    """One of a photograph."""
    return {"kind": kind, "said": SAID[kind], "blocks": blocks}


def contribution(number: int, label: str, display: str, **more: Any) -> dict[str, Any]:
    """One photograph that waits."""
    one = an_id(number)
    return {
        "id": one,
        "created_at": NOW_MS + number,
        "upload": an_id(7),
        "name": f"{label}/IMG_{number:04}.jpg",
        "class_name": label,
        "label": label,
        "display": display,
        "state": "waiting",
        "findings": [],
        "quality": {"sharpness": 310.0},
        "group": one,
        "said": {"verdict": "diagnosis", "class_key": "apple/scab", "display": display, "probability": 0.93},
        "decided_at": None,
        "decided_by": None,
        "reason": None,
        "photograph": f"/v1/contributions/{one}/photograph",
        **more,
    }


def quarantine(count: int, new_class: str = "Bean___rust") -> list[dict[str, Any]]:
    """So many that wait, newest first: known classes, one that nobody declared, some with doubts."""
    made = []
    for number in range(count):
        label, display = (*KNOWN, (new_class, new_class.replace("___", ": ")))[number % 4]
        one = contribution(number, label, display)
        if number % 4 == 3:
            one["said"] = {"verdict": "cannot_tell", "class_key": None, "display": None, "probability": None}
        if number % 11 == 5:
            one["findings"].append(finding("label_doubt"))
            one["said"] = {
                **one["said"],
                "verdict": "diagnosis",
                "display": "Apple: healthy",
                "probability": 0.71,
            }
        if number % 17 == 3:
            one["findings"].append(finding("near_duplicate", blocks=False))
        if number % 23 == 8:
            one["findings"].append(finding("bad_picture"))
        if number == 1:
            one["findings"].append(finding("test_duplicate"))
        if number >= count * 2 // 3:
            one["upload"] = an_id(9)
        made.append(one)
    return made[::-1]
