"""Whether an answer is the right one: read, counted, and held against what this photograph's answer is.

Enters: status and body of an answer, and what was sent. Leaves: the kind under which the request is
counted, and what the server says it keeps. A photograph's answer is told by its verdict, its probabilities
and the quality measures of its pixels, which no two photographs of a study share: so an answer that belongs
to another photograph is found even where both say "cannot tell".
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from typing import Any, NamedTuple

from leafsight.loadtest.outcomes import INCOMPLETE, MIXED_UP, NO_JSON, OK, WRONG, kind_of

PROBABILITY_TOLERANCE, QUALITY_TOLERANCE = 2e-3, 1e-3
"""Absolute and relative: far above what another order of sums changes, far below what tells two apart."""
Expected = Mapping[str, Mapping[str, Any]]
"""Name of a photograph -> its reference answer, as ``answer_marks`` makes it."""


class Judged(NamedTuple):
    """What became of a request whose answer came.

    Attributes:
        kind: see ``outcomes``.
        ids: of what the server said it keeps.
        told: slug of the problem document of a refusal or failure.
        alternatives: keys of the most probable classes of the first photograph.
    """

    kind: str
    ids: tuple[str, ...] = ()
    told: str = ""
    alternatives: tuple[str, ...] = ()


def answer_marks(said: Mapping[str, Any]) -> dict[str, Any]:
    """What tells the answer about one photograph from all others."""
    top = [[one["key"], one["probability"]] for one in said["top"]]
    return {"verdict": said["verdict"], "key": said["key"], "top": top, "quality": dict(said["quality"])}


def same_marks(one: Mapping[str, Any], other: Mapping[str, Any]) -> bool:
    """Whether two answers are the same, within the rounding of floating-point sums."""
    if (one["verdict"], one["key"]) != (other["verdict"], other["key"]):
        return False
    ours, theirs = dict(map(tuple, one["top"])), dict(map(tuple, other["top"]))
    # Two classes of nearly equal probability may change places, also over the end of the list.
    low = min([*ours.values(), *theirs.values()], default=0.0)
    for key in {*ours, *theirs}:
        if abs(ours.get(key, low) - theirs.get(key, low)) > PROBABILITY_TOLERANCE:
            return False
    if one["quality"].keys() != other["quality"].keys():
        return False
    return all(_close(value, other["quality"][name]) for name, value in one["quality"].items())


def _close(one: float, other: float) -> bool:
    return abs(one - other) <= QUALITY_TOLERANCE * max(abs(one), abs(other), 1e-6)


def judge_prediction(
    status: int, body: bytes, sent: Sequence[str], expected: Expected, *, plant: bool = False
) -> Judged:
    """Judge the answer to ``POST /v1/predict``.

    Args:
        status: of the answer.
        body: all of it.
        sent: names of the photographs, in order.
        expected: reference answers; a photograph without one is only looked at for its form.
        plant: several photographs of one plant were sent together, so there must be a combined answer.
    """
    if (kind := kind_of(status)) != OK:
        return Judged(kind, told=problem_slug(body))
    answer = read_object(body)
    if answer is None:
        return Judged(NO_JSON)
    said = answer.get("predictions")
    if not isinstance(said, list) or len(said) != len(sent) or not all(_is_whole(one) for one in said):
        return Judged(INCOMPLETE)
    if plant and len(sent) > 1 and not _is_combined(answer.get("combined"), len(sent)):
        return Judged(INCOMPLETE)
    ids = tuple(one["id"] for one in said if one.get("recorded") and one.get("id"))
    alternatives = tuple(one["key"] for one in said[0]["top"])
    for name, one in zip(sent, said, strict=True):
        if (kind := _right(name, one, expected)) != OK:
            return Judged(kind, ids, alternatives=alternatives)
    return Judged(OK, ids, alternatives=alternatives)


def _is_whole(said: object) -> bool:
    """Whether an answer about one photograph has all that a person reads."""
    wanted = ("verdict", "key", "top", "quality", "photo", "recorded")
    return isinstance(said, dict) and all(name in said for name in wanted) and bool(said["verdict"])


def _is_combined(combined: object, photographs: int) -> bool:
    return isinstance(combined, dict) and combined.get("photographs") == photographs


def _right(name: str, said: Mapping[str, Any], expected: Expected) -> str:
    if said["photo"] != name:
        return MIXED_UP
    if name not in expected or same_marks(answer_marks(said), expected[name]):
        return OK
    marks = answer_marks(said)
    others = (one for other, one in expected.items() if other != name)
    return MIXED_UP if any(same_marks(marks, one) for one in others) else WRONG


def judge_created(status: int, body: bytes) -> Judged:
    """Judge the answer to a correction or an upload: it must name what it made."""
    if (kind := kind_of(status)) != OK:
        return Judged(kind, told=problem_slug(body))
    answer = read_object(body)
    if answer is None:
        return Judged(NO_JSON)
    made = answer.get("id")
    return Judged(OK, (made,)) if isinstance(made, str) and made else Judged(INCOMPLETE)


def judge_look(status: int, body: bytes, wanted: str) -> Judged:
    """Judge the answer to a look at ``/v1/conditions`` and its like: an object that has ``wanted``."""
    if (kind := kind_of(status)) != OK:
        return Judged(kind, told=problem_slug(body))
    answer = read_object(body)
    if answer is None:
        return Judged(NO_JSON)
    return Judged(OK if wanted in answer else INCOMPLETE)


def read_object(body: bytes) -> dict[str, Any] | None:
    """The JSON object in ``body``, or None."""
    try:
        found = json.loads(body)
    except ValueError:
        return None
    return found if isinstance(found, dict) else None


def problem_slug(body: bytes) -> str:
    """Last part of the type of a problem document (RFC 9457); empty for any other body, such as a proxy's."""
    found = read_object(body)
    kind = found.get("type") if found else None
    return kind.rsplit("/", 1)[-1] if isinstance(kind, str) else ""
