"""Whether anything that was accepted is lost: what clients were told against what the service still has."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Iterable, Sequence
from typing import Any

from leafsight.errors import RemoteError
from leafsight.loadtest.asking import ask, ask_json
from leafsight.loadtest.engines import Running
from leafsight.loadtest.outcomes import CORRECTION, OK, UPLOAD, Outcome

PAGE, MOST_PAGES = 200, 500
TRIES, PAUSE_S = 5, 1.0
Lost = dict[str, list[str]]


def find_lost(running: Running, outcomes: Iterable[Outcome]) -> dict[str, Any]:
    """Look for everything that the service said it keeps.

    Predictions are looked for in the list of all, and one by one if they are not in it; a correction with its
    prediction; an upload by its id. What is not there is looked for again a few times: a write may be under
    way.

    Returns:
        ``checked`` and ``lost``, each by ``predictions``, ``corrections``, ``uploads``: numbers and ids.
        ``error`` says why nothing could be checked; then nothing is known, which is not the same as nothing
        lost.
    """
    wanted = _wanted(outcomes)
    checked = {name: len(ids) for name, ids in wanted.items()}
    front = running.fronts[0]
    try:
        missing = _not_listed(running, set(wanted["predictions"]))
        lost: Lost = {
            "predictions": _still_missing(
                sorted(missing), lambda one: _is_there(running, f"/v1/predictions/{one}")
            ),
            "corrections": _still_missing(
                sorted(wanted["corrections"]),
                lambda one: _has_correction(running, wanted["corrections"][one], one),
            ),
            "uploads": _still_missing(
                sorted(wanted["uploads"]), lambda one: _is_there(running, f"/v1/uploads/{one}")
            ),
        }
    except RemoteError as error:
        return {"checked": checked, "lost": None, "error": f"{front}: {error.message}"}
    return {"checked": checked, "lost": lost, "error": ""}


def _wanted(outcomes: Iterable[Outcome]) -> dict[str, dict[str, str]]:
    """Ids by what they are; of a correction also its prediction."""
    found: dict[str, dict[str, str]] = {"predictions": {}, "corrections": {}, "uploads": {}}
    for one in outcomes:
        # An answer that was wrong is a failure, yet what it says is kept must be there.
        if one.deed == CORRECTION and one.kind == OK:
            found["corrections"].update(dict.fromkeys(one.ids, one.about))
        elif one.deed == UPLOAD and one.kind == OK:
            found["uploads"].update(dict.fromkeys(one.ids, ""))
        elif one.deed not in (CORRECTION, UPLOAD):
            found["predictions"].update(dict.fromkeys(one.ids, ""))
    return found


def _not_listed(running: Running, wanted: set[str]) -> set[str]:
    """Those of ``wanted`` that the list of predictions, newest first, does not have."""
    after, missing = "", set(wanted)
    for _ in range(MOST_PAGES):
        if not missing:
            break
        page = ask_json(
            running.fronts[0],
            f"/v1/predictions?limit={PAGE}" + (f"&after={after}" if after else ""),
            key=running.key,
        )
        missing -= {one.get("id") for one in page["predictions"]}
        if not page.get("next"):
            break
        after = page["next"]
    return missing


def _still_missing(ids: Sequence[str], is_there: Callable[[str], bool]) -> list[str]:
    missing = list(ids)
    for attempt in range(TRIES):
        missing = [one for one in missing if not is_there(one)]
        if not missing or attempt == TRIES - 1:
            break
        time.sleep(PAUSE_S)
    return missing


def _is_there(running: Running, path: str) -> bool:
    """Whether it is found; refusals are waited for.

    Raises:
        RemoteError: the server says neither yes nor no.
    """
    return _found(running, path) is not None


def _has_correction(running: Running, prediction: str, correction: str) -> bool:
    found = _found(running, f"/v1/predictions/{prediction}")
    return found is not None and any(one.get("id") == correction for one in found.get("corrections", ()))


def _found(running: Running, path: str) -> dict[str, Any] | None:
    status = 0
    for _ in range(TRIES):
        status, body = ask(running.fronts[0], "GET", path, key=running.key)
        if status == 200:
            found: dict[str, Any] = json.loads(body)
            return found
        if status == 404:
            return None
        time.sleep(PAUSE_S)
    raise RemoteError(f"the server answers GET {path} with status {status}", hint="its log says why")
