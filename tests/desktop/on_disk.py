"""What a window and a store leave on the disk, as another program finds it there."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from leafsight.registry import SERVING, open_registry
from leafsight.state import JobRecord, State, open_state


def journal(state: Path) -> list[dict[str, Any]]:
    """What a window writes down as it happens, line by line."""
    return [json.loads(line) for line in (state / "desktop" / "open.jsonl").read_text().splitlines()]


def kept(state: Path) -> dict[str, dict[str, Any]]:
    """Photographs that are open, by the name of their file, as the journal has them last."""
    found: dict[str, dict[str, Any]] = {}
    for one in journal(state):
        if "path" in one:
            name = Path(one["path"]).name
            found.pop(name, None) if one.get("gone") else found.__setitem__(name, one)
    return found


def answers(state: Path) -> dict[str, dict[str, Any]]:
    """Of open photographs, by the name of their file."""
    return {name: one["prediction"] for name, one in kept(state).items() if one.get("prediction")}


def answered(state: Path) -> set[str]:
    """Names of open photographs that have their answer."""
    return set(answers(state))


def sendings(state: Path) -> list[dict[str, Any]]:
    """What was given to learn from, as the window has it in its outbox."""
    found: list[dict[str, Any]] = json.loads((state / "desktop" / "outbox" / "outbox.json").read_text())[
        "sendings"
    ]
    return found


def parts(store: Path) -> list[Path]:
    """Of uploads that did not come to their end yet."""
    return list((store / "blobs" / "parts").glob("*/*"))


@contextmanager
def opened(store: Path) -> Iterator[State]:
    """Its database."""
    if not (store / "leafsight.db").is_file():  # it would be made
        raise FileNotFoundError(store)
    with open_state(f"sqlite:///{store / 'leafsight.db'}") as state:
        yield state


def given(store: Path) -> Counter[tuple[str, str]]:
    """How many photographs of each class and state there are to learn from: ``waiting`` and so on."""
    with opened(store) as state:
        rows = [state.contributions.get(one) for one in state.contributions.ids()]
    return Counter((one.label, one.state) for one in rows if one is not None)


def declared(store: Path) -> set[str]:
    """Classes that may be taught though the model does not know them."""
    with opened(store) as state:
        return {one.name for one in state.declared.list()}


def trainings(store: Path) -> list[JobRecord]:
    """All that were begun, newest first."""
    with opened(store) as state:
        return list(state.jobs.page(kind="retraining").records)


def models(store: Path) -> list[str]:
    """The models that were made or brought, by their hashes; the one of the package is not among them."""
    return [one.hash for one in open_registry(store / "registry").entries() if not one.builtin]


def serving(store: Path) -> str:
    """The hash of the model that serves."""
    return open_registry(store / "registry").get(SERVING).hash


def uploads(store: Path) -> list[str]:
    """The ids of all that came whole."""
    with opened(store) as state:
        return [one.id for one in state.uploads.page().records]


def upload_so_far(store: Path, upload: str) -> tuple[int, int]:
    """Bytes that the store has of an upload that is on its way, and bytes of the whole."""
    with opened(store) as state:
        mark = state.marks.get(f"upload-parts/{upload}")
    assert mark is not None
    return mark["offset"], mark["length"]
