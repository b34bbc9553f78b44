"""What a server says about learning, made sure of: another version says more, less, or in other words.

Enters: plain values of an answer. Leaves: the fields that the page Teach reads, each of its type; what is not
known here goes along unread. Without what the page cannot do without it is a ``RemoteError``. It asks
nothing itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leafsight.desktop.session.language import tr, translated
from leafsight.desktop.session.photographs import Trouble
from leafsight.desktop.session.wording import is_number
from leafsight.errors import (
    AuthenticationError,
    ForbiddenError,
    LeafsightError,
    NotFoundError,
    RemoteError,
)

Plain = dict[str, Any]
VERSION_HINT = "the server may be older or newer than this window: compare their versions"
STATES = ("waiting", "accepted", "rejected")
COUNTED = ("contributions", "added", "refused", "clean", "accepted")
MOST_WHOLE = 10**15
"""A larger number says nothing here, and not every part of a window can show it."""


def not_taught_here(error: LeafsightError) -> Trouble | None:
    """What keeps a person from teaching a server that answers; None where it is something else."""
    if isinstance(error, NotFoundError):
        return Trouble(
            tr("At this address nothing is learned from photographs."),
            tr("The server may be older than this window, or taught at another address: ask its operator."),
        )
    if isinstance(error, AuthenticationError | ForbiddenError):
        return Trouble(
            tr("Teaching wants a key with the scope admin."),
            tr("Such a key is given on the page Settings."),
        )
    return None


def summary_of(plain: object) -> Plain:
    """How many contributions there are, by state and class."""
    found = _needed(plain, "states", Mapping)
    labels = [_label(one) for one in _rows(found.get("labels")) if _text(one.get("label"))]
    return {**found, "states": _wholes(found["states"], STATES), "labels": labels}


def contributions_of(plain: object) -> tuple[list[Plain], str | None]:
    """The contributions of a page, and where the next one begins."""
    found = _needed(plain, "contributions", list)
    after = found.get("next")
    rows = [_contribution(one) for one in _rows(found["contributions"]) if _text(one.get("id"))]
    return rows, after if isinstance(after, str) and after else None


def decision_of(plain: object) -> Plain:
    """What came of a decision."""
    found = _needed(plain, "changed", int)
    skipped = [
        {**one, "id": _text(one.get("id")), "why": _text(one.get("why"))}
        for one in _rows(found.get("skipped"))
    ]
    return {**found, "changed": _whole(found["changed"]), "skipped": skipped}


def retrainings_of(plain: object) -> Plain:
    """Trainings, how much is new to learn (None where that is not said), and by which ways."""
    found = _needed(plain, "retrainings", list)
    rows = [_row(one) for one in _rows(found["retrainings"]) if _text(one.get("id"))]
    since = _object(found.get("trigger")).get("accepted_since")
    paths = {
        str(name): {**_object(one), "why_not": _text(_object(one).get("why_not"))}
        for name, one in _object(found.get("paths")).items()
    }
    new = _whole(since) if is_number(since) else None
    return {
        **found,
        "retrainings": rows,
        "trigger": {**_object(found.get("trigger")), "accepted_since": new},
        "paths": paths,
    }


def outcome_of(plain: object) -> Plain:
    """A training in full; its ``gate`` is None where the server does not say whether it held."""
    found = _needed(plain, "id", str)
    row = _row(found)
    gate = _gate(found.get("gate")) or _gate(row["result"].get("gate"))
    result = {
        **row["result"],
        "candidate": _text(row["result"].get("candidate")),
        "photographs": _whole(row["result"].get("photographs")),
        "classes_added": _texts(row["result"].get("classes_added")),
        "why_not": _text(row["result"].get("why_not")),
        "gate": gate,
    }
    rows = [
        {"pixel_hash": _text(one.get("pixel_hash")), "id": _text(one.get("id")) or None}
        for one in _rows(_object(found.get("snapshot")).get("rows"))
    ]
    return {**found, **row, "result": result, "gate": gate, "snapshot": {"rows": rows}}


def labels_of(labels: object) -> list[Plain]:
    """Classes of a model that have a name."""
    rows = _rows(list(labels) if isinstance(labels, tuple) else labels)
    return [{**one, "class_name": _text(one["class_name"])} for one in rows if _text(one.get("class_name"))]


def upload_of(plain: object) -> Plain:
    """An upload: its id, state, and the job that looks into it, None where there is none."""
    found = _needed(plain, "state", str)
    job = found.get("job")
    if not isinstance(job, Mapping):
        return {**found, "job": None}
    result = job.get("result")
    return {
        **found,
        "job": {
            "state": _text(job.get("state")),
            "progress": _wholes(job.get("progress"), ("done", "total")),
            "result": _looked_into(result) if isinstance(result, Mapping) and result else None,
            "error": _error(job.get("error")),
        },
    }


def is_doubtful(one: Plain) -> bool:
    """Whether something speaks against it, beside that its class was not known when it came."""
    return any(found["blocks"] and found["kind"] != "new_class" for found in one["findings"])


def remarks(one: Plain) -> list[str]:
    """What is said of one photograph, beside what is said of its class."""
    return [translated(found["said"]) for found in one["findings"] if found["kind"] != "new_class"]


def differing(outcome: Plain) -> list[Plain]:
    """Held-out contributions on which the two models of a training differ, with their ids where known.

    Args:
        outcome: a training in full.
    """
    rows = (outcome.get("snapshot") or {}).get("rows") or ()
    ids = {str(row.get("pixel_hash", ""))[:16]: row.get("id") for row in rows}
    found = (outcome.get("gate") or {}).get("differ") or ()
    return [{**one, "id": ids.get(one["pixel_hash"])} for one in found]


def _looked_into(found: Mapping[str, Any]) -> Plain:
    twice = _object(found.get("twice"))
    made = found.get("contributions")
    photographs = found.get("photographs")
    return {
        "refused": _error(found.get("refused")),
        "photographs": _whole(photographs) if is_number(photographs) else None,
        "usable": _whole(found.get("usable")),
        "classes": _whole(found.get("classes")),
        "class_counts": _wholes(found.get("class_counts")),
        "faults": _wholes(found.get("faults")),
        "faulty": [
            {"photograph": _text(one.get("photograph")), "fault": _text(one.get("fault"))}
            for one in _rows(found.get("faulty"))
        ],
        "notes": _texts(found.get("notes")),
        "twice": {
            "photographs": _whole(twice.get("photographs")),
            "examples": [_texts(one) for one in _list(twice.get("examples"))],
        },
        "contributions": _wholes(made, COUNTED) if isinstance(made, Mapping) else None,
        "left_out": _whole(found.get("left_out")),
    }


def _label(one: Mapping[str, Any]) -> Plain:
    return {
        **one,
        "label": _text(one.get("label")),
        "display": _text(one.get("display")) or _text(one.get("label")),
        "known": one.get("known") is True,
        "declared": one.get("declared") is True,
        **_wholes(one, STATES),
    }


def _contribution(one: Mapping[str, Any]) -> Plain:
    findings = [
        {
            **found,
            "kind": _text(found.get("kind")),
            "said": _text(found.get("said")) or _text(found.get("kind")),
            "blocks": found.get("blocks") is not False,  # what is not known to be harmless is looked at
        }
        for found in _rows(one.get("findings"))
    ]
    said = one.get("said")
    return {
        **one,
        **{name: _text(one.get(name)) for name in ("id", "name", "label", "state")},
        "display": _text(one.get("display")) or _text(one.get("label")),
        "findings": findings,
        "said": _said(said) if isinstance(said, Mapping) and _text(said.get("verdict")) else None,
    }


def _said(found: Mapping[str, Any]) -> Plain:
    display, probability = _text(found.get("display")), _number(found.get("probability"))
    verdict = _text(found.get("verdict"))
    if verdict == "diagnosis" and not display:
        verdict = "cannot_tell"
    return {**found, "verdict": verdict, "display": display, "probability": probability}


def _row(one: Mapping[str, Any]) -> Plain:
    """A training as lists have it."""
    result = _object(one.get("result"))
    return {
        **one,
        **{name: _text(one.get(name)) for name in ("id", "state", "path", "reason")},
        "progress": _progress(_object(one.get("progress"))),
        "result": {**result, "gate": dict(_object(result.get("gate")))},
        "error": _error(one.get("error")),
    }


def _progress(found: Mapping[str, Any]) -> Plain:
    metrics = {
        str(name): one for name, one in _object(found.get("metrics")).items() if _number(one) is not None
    }
    share = _number(found.get("share"))
    return {
        "part": _text(found.get("part")),
        "step": _text(found.get("step")),
        **_wholes(found, ("done", "total")),
        "share": None if share is None else min(1.0, max(0.0, share)),
        "eta_s": _number(found.get("eta_s")),
        "metrics": metrics,
    }


def _gate(plain: object) -> Plain | None:
    found = _object(plain)
    if not isinstance(found.get("passed"), bool):
        return None
    checks = [_check(one) for one in _rows(found.get("checks")) if isinstance(one.get("passed"), bool)]
    classes = [_class(one) for one in _rows(found.get("classes")) if _whole(one.get("photos"))]
    differ = [_difference(one) for one in _rows(found.get("differ"))]
    measured = {
        str(name): list(pair)
        for name, pair in _object(found.get("measured")).items()
        if isinstance(pair, list) and len(pair) == 2 and None not in map(_number, pair)
    }
    return {
        **found,
        **{name: _text(found.get(name)) for name in ("said", "champion", "candidate")},
        **_wholes(found, ("photos", "gained", "lost", "differing")),
        "checks": checks,
        "classes": classes,
        "differ": differ,
        "measured": measured,
    }


def _check(one: Mapping[str, Any]) -> Plain:
    numbers = {name: _number(one.get(name)) for name in ("value", "low", "limit")}
    return {**one, **numbers, "name": _text(one.get("name")), "said": _text(one.get("said"))}


def _class(one: Mapping[str, Any]) -> Plain:
    champion = one.get("champion")
    return {
        **one,
        "name": _text(one.get("name")),
        "where": _text(one.get("where")),
        "photos": _whole(one.get("photos")),
        "champion": _whole(champion) if is_number(champion) else None,
        "candidate": _whole(one.get("candidate")),
        "low": _number(one.get("low")),
        "high": _number(one.get("high")),
    }


def _difference(one: Mapping[str, Any]) -> Plain:
    sides = {}
    for side in ("champion", "candidate"):
        found = _object(one.get(side))
        sides[side] = {
            "kind": _text(found.get("kind")),
            "class_name": _text(found.get("class_name")),
            "probability": _number(found.get("probability")),
            "right": found.get("right") is True,
        }
    return {"pixel_hash": _text(one.get("pixel_hash")), "name": _text(one.get("name")), **sides}


def _error(plain: object) -> Plain | None:
    """Two sentences; None where nothing went wrong."""
    if isinstance(plain, str) and plain:
        return {"message": plain, "hint": ""}
    found = _object(plain)
    return {"message": _text(found.get("message")), "hint": _text(found.get("hint"))} if found else None


def _needed(plain: object, name: str, kind: type) -> Mapping[str, Any]:
    found = _object(plain)
    if not isinstance(found.get(name), kind) or isinstance(found.get(name), bool):
        raise RemoteError(f"the server's answer has no {name!r} that can be used", hint=VERSION_HINT)
    return found


def _object(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _rows(value: object) -> list[Mapping[str, Any]]:
    return [one for one in _list(value) if isinstance(one, Mapping)]


def _texts(value: object) -> list[str]:
    return [one for one in _list(value) if isinstance(one, str)]


def _text(value: object) -> str:
    return value if isinstance(value, str) else ""


def _number(value: object) -> float | None:
    return value if is_number(value) and abs(value) <= MOST_WHOLE else None


def _whole(value: object) -> int:
    return int(value) if is_number(value) and 0 <= value <= MOST_WHOLE else 0


def _wholes(value: object, names: tuple[str, ...] = ()) -> dict[str, int]:
    """Whole numbers by name: these, or all that are numbers."""
    found = _object(value)
    return {str(name): _whole(found.get(name)) for name in names or [n for n in found if is_number(found[n])]}
