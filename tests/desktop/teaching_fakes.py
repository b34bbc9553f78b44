"""A server to teach, made up: it answers from memory, is away when it is told so, and remembers what came."""

from __future__ import annotations

import io
import threading
import time
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

from PIL import Image

from leafsight.client import ModelDescription, ModelEntry, UploadAccepted
from leafsight.desktop.session import Errands, Reach, Server
from leafsight.errors import ConflictError, RemoteError

PATIENCE_S = 20.0
STATES = ("waiting", "accepted", "rejected")
STEPS = 4
"""A file is sent in so many parts."""


class MadeUpServer(Reach):
    """The way to it, and the client that is given for it."""

    def __init__(self) -> None:
        self._server, self._lock = Server(), threading.Lock()
        self.away = False
        self.breaks_at: list[int] = []
        """Parts at which the line breaks, once each."""
        self.sent: dict[str, list[str]] = {}
        self.labels: dict[str, str | None] = {}
        self.so_far: dict[str, int] = {}
        self.refused: dict[str, Any] | None = None
        self.waiting_looks = 0
        self.held: Callable[[], None] = lambda: None
        """Called at every part."""

    def client(self) -> Any:
        if self.away:
            raise RemoteError("no server answers at http://leaf.example", hint="is it running?")
        return self

    @property
    def learning(self) -> MadeUpServer:
        return self

    def begin_upload(self, path: Path, label: str | None) -> str:
        name = f"up{len(self.labels)}"
        self.labels[name] = label
        self.so_far[name] = 0
        return name

    def send_rest(self, path: Path, name: str, told: Callable[[int, int], None]) -> UploadAccepted:
        size = path.stat().st_size
        while self.so_far[name] < STEPS:
            told(size * self.so_far[name] // STEPS, size)
            self.held()
            if self.away or self.so_far[name] in self.breaks_at:
                self.breaks_at = [one for one in self.breaks_at if one != self.so_far[name]]
                raise RemoteError("the line broke", hint="try again later")
            self.so_far[name] += 1
        told(size, size)
        if zipfile.is_zipfile(path):
            with zipfile.ZipFile(path) as archive:
                self.sent[name] = archive.namelist()
        return UploadAccepted(id=name, job=name)

    def upload_state(self, name: str) -> dict[str, Any]:
        self.client()
        if self.waiting_looks:
            self.waiting_looks -= 1
            job = {"state": "running", "progress": {"done": 1, "total": 3}}
            return {"id": name, "state": "waiting", "job": job}
        many = len(self.sent.get(name, ()))
        result = {
            "refused": self.refused, "photographs": many, "usable": many,
            "classes": 1, "class_counts": {}, "faults": {}, "faulty": [], "notes": [],
            "twice": {"photographs": 0, "examples": []}, "contributions": None, "left_out": 0,
        }  # fmt: skip
        return {"id": name, "state": "checked", "job": {"state": "done", "result": result, "error": None}}


def shown(label: str) -> str:
    return label.replace("___", ": ")


class MadeUpLearning(MadeUpServer):
    """A server with contributions, trainings and models."""

    def __init__(self) -> None:
        super().__init__()
        self.rows: list[dict[str, Any]] = []
        self.declared_names: set[str] = set()
        self.decisions: list[dict[str, Any]] = []
        self.trainings: list[dict[str, Any]] = []
        self.details: dict[str, dict[str, Any]] = {}
        self.served = "old"
        self.answering: str | None = None
        """What answers while it does not follow what was promoted."""
        self.asked = 0

    def wait(self, name: str, label: str, *kinds: str, blocks: bool = True) -> None:
        """A contribution that waits."""
        findings = [{"kind": kind, "said": f"It is {kind}.", "blocks": blocks} for kind in kinds]
        self.rows.append(
            {"id": name, "name": f"{label}/{name}.jpg", "label": label, "display": shown(label),
             "state": "waiting", "findings": findings, "said": None}
        )  # fmt: skip

    def contributions_summary(self) -> dict[str, Any]:
        self.client()
        self.asked += 1
        states = {state: sum(one["state"] == state for one in self.rows) for state in STATES}
        labels = []
        for label in sorted({one["label"] for one in self.rows}):
            counts = {s: sum(o["state"] == s and o["label"] == label for o in self.rows) for s in STATES}
            known = label in self.declared_names
            labels.append(
                {
                    "label": label,
                    "display": shown(label),
                    "known": False,
                    "declared": known,
                    **counts,
                }
            )
        return {"states": states, "labels": labels, "doubtful": 0, "new_since_training": states["accepted"]}

    def contributions(
        self, wanted: dict[str, Any], *, after: str | None = None, limit: int = 50
    ) -> dict[str, Any]:
        self.client()
        found = [
            one
            for one in self.rows
            if one["state"] == wanted["state"]
            and wanted.get("label") in (None, one["label"])
            and (wanted.get("finding") is None or one["findings"])
        ]
        begin = int(after or 0)
        more = begin + limit < len(found)
        return {
            "contributions": [dict(one) for one in found[begin : begin + limit]],
            "next": str(begin + limit) if more else None,
        }

    def decide(self, wish: dict[str, Any]) -> dict[str, Any]:
        self.client()
        self.decisions.append(wish)
        changed, skipped = 0, []
        for one in self.rows:
            clean = wish.get("all") == "clean" and one["state"] == "waiting" and not one["findings"]
            if one["id"] not in wish.get("ids", ()) and not clean:
                continue
            label = wish.get("label") or one["label"]
            if wish["state"] == "accepted" and label not in self.declared_names:
                skipped.append({"id": one["id"], "why": f"nobody declared {label}"})
                continue
            one["state"], one["label"] = wish["state"], label
            changed += 1
        return {"changed": changed, "skipped": skipped}

    def declare(self, name: str, note: str) -> dict[str, Any]:
        self.declared_names.add(name)
        return {"name": name}

    def photograph(self, name: str) -> bytes:
        picture = io.BytesIO()
        Image.new("RGB", (40, 30), (20, 120, 60)).save(picture, "JPEG")
        return picture.getvalue()

    def retrain(self, path: str, reason: str) -> dict[str, Any]:
        name = f"t{len(self.trainings)}"
        self.trainings.insert(
            0,
            {"id": name, "state": "running", "path": path, "reason": reason, "created_at": 0, "progress": {}},
        )
        return {"id": name, "job": name}

    def retrainings(self, *, after: str | None = None, limit: int = 50) -> dict[str, Any]:
        accepted = sum(one["state"] == "accepted" for one in self.rows)
        return {
            "retrainings": [dict(one) for one in self.trainings],
            "trigger": {"accepted_since": accepted},
            "paths": {
                "quick": {"why_not": ""},
                "full": {"why_not": "there are no original photographs here"},
            },
        }

    def retraining(self, name: str) -> dict[str, Any]:
        return self.details[name]

    def cancel(self, name: str) -> dict[str, Any]:
        next(one for one in self.trainings if one["id"] == name)["state"] = "cancelled"
        return {}

    def gate_report(self, name: str) -> bytes:
        return b"<h1>gate</h1>"

    def models(self) -> tuple[ModelEntry, ...]:
        names = ("new", "old")
        return tuple(
            ModelEntry(
                id=one,
                name=one,
                aliases=("serving",) if one == self.served else (),
                serving=one == (self.answering or self.served),
            )
            for one in names
        )

    def model(self, name: str) -> ModelDescription:
        return ModelDescription(id=name, name=name, labels=({"class_name": "Okra___Leaf_curl"},))

    def promote(self, name: str, *, alias: str, reason: str, override: bool) -> dict[str, Any]:
        if not override and not self.details["t0"]["gate"]["passed"]:
            raise ConflictError("the gate did not hold", hint="give a reason")
        self.served = name
        return {}

    def roll_back(self, *, alias: str, steps: int, reason: str, over: str | None = None) -> dict[str, Any]:
        assert over == self.served
        self.served = "old"
        return {}

    def fail_training(self) -> None:
        """The training that runs comes to nothing."""
        row = self.trainings[0]
        row.update(state="failed", error={"message": "no space left", "hint": "free some space"})
        self.details[row["id"]] = dict(row)

    def end_training(self, *, passed: bool = True) -> None:
        """The training that runs ends with its gate."""
        row = self.trainings[0]
        gate = {
            "champion": "old", "candidate": "new", "passed": passed, "photos": 1686, "gained": 8, "lost": 7,
            "said": "All 2 conditions hold." if passed else "Not better to serve: it lost.",
            "checks": [
                {"name": "accuracy", "passed": passed, "value": 0.001, "low": -0.002, "limit": -0.005,
                 "said": "So."},
                {"name": "size", "passed": True, "value": 1.03, "low": None, "limit": 1.27, "said": "So."},
            ],
            "measured": {"accuracy": [0.964, 0.965], "mean_set_size": [1.2, 1.1]},
            "classes": [
                {"name": "Okra___Leaf_curl", "where": "contributions", "photos": 4, "champion": None,
                 "candidate": 4, "low": 0.5, "high": 1.0},
            ],
            "differing": 1,
            "differ": [
                {"pixel_hash": "00ff00ff00ff00ff", "name": "Okra___Leaf_curl",
                 "champion": {"kind": "cannot_tell", "class_name": "x", "probability": 0.4, "right": False},
                 "candidate": {"kind": "diagnosis", "class_name": "Okra___Leaf_curl", "probability": 0.97,
                               "right": True}},
            ],
        }  # fmt: skip
        result = {
            "gate": gate, "candidate": "new", "parent": "old", "photographs": 12, "promoted": False,
            "classes_added": ["Okra___Leaf_curl"], "why_not": "a person is asked",
        }  # fmt: skip
        row.update(state="done", result=result)
        rows = [{"pixel_hash": "00ff00ff00ff00ff" + "0" * 48, "id": "a"}]
        self.details[row["id"]] = {**row, "gate": gate, "snapshot": {"rows": rows}, "error": None}


def until(errands: Errands, tick: Callable[[], None], true: Callable[[], object]) -> None:
    """Go on until it is so."""
    end = time.monotonic() + PATIENCE_S
    while not true():
        assert time.monotonic() < end
        tick()
        errands.settle()
        time.sleep(0.002)
