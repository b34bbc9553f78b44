"""A server with models that follows the protocol of ``leafsight.client.Client`` where a window uses it."""

from __future__ import annotations

import threading
from collections.abc import Callable
from pathlib import Path
from typing import Any

from tests.fakes.tiny_bundle import CLASSES, LABELS

from leafsight.client import ModelDescription, ModelEntry
from leafsight.desktop.session import Reach, Server, ServiceHere
from leafsight.errors import ConflictError, LeafsightError, NotFoundError, RemoteError

LOST = RemoteError("cannot reach the server", hint="is it running?")


def interval(value: float, spread: float = 0.01) -> dict[str, float]:
    return {"value": value, "low": max(0.0, value - spread), "high": min(1.0, value + spread)}


def report(accuracy: float, photos: int = 100, name: str = "all") -> dict[str, Any]:
    measures = {
        "accuracy": interval(accuracy), "answered": interval(0.7), "accuracy_answered": interval(0.98),
        "macro_f1": interval(accuracy - 0.02), "ece": interval(0.02, 0.005),
        "mean_set_size": {"value": 1.4, "low": 1.2, "high": 1.6},
    }  # fmt: skip
    return {"name": name, "photos": photos, "metrics": measures}


def metrics(accuracy: float, *, abroad: float | None = None) -> dict[str, Any]:
    per_class = [
        {
            "name": name, "photos": 40 - 12 * at, "answered": 30, "recall": interval(0.5 + 0.1 * at),
            "precision": interval(0.8),
        }
        for at, name in enumerate(CLASSES)
    ]  # fmt: skip
    found: dict[str, Any] = {
        "test": {
            "overall": report(accuracy),
            "domains": [report(accuracy, 60, "paper"), report(accuracy, 40, "field")],
            "per_class": per_class,
            "confused": [{"true": CLASSES[0], "answer": CLASSES[2], "photos": 3, "share": 0.075}],
        }
    }
    if abroad is not None:
        found["abroad"] = {"far-orchard": {"overall": report(abroad, 30)}}
    return found


def model_id(digit: str) -> str:
    return digit * 64


class ModelsServer:
    """What such a server keeps; every call may be told to fail.

    Attributes:
        failing: raised by every call; None when all is well.
        no_history: raised when the history, or a switch, is asked for.
        asked: the calls that came, in order.
        takes_up: whether what is promoted serves at once.
    """

    def __init__(self) -> None:
        self.url = "http://127.0.0.1:1"
        self.failing: LeafsightError | None = None
        self.no_history: LeafsightError | None = None
        self.asked: list[str] = []
        self.gates: dict[str, dict[str, Any]] = {}
        self.takes_up = True
        self.wait = threading.Event()
        self.wait.set()
        self._changes: list[dict[str, Any]] = []
        self._models: dict[str, dict[str, Any]] = {}
        self.serving = model_id("a")
        self.put("b", name="orchard", accuracy=0.95, abroad=0.6)
        self.put("a", name="colours", accuracy=0.9, builtin=True)

    def put(
        self, digit: str, *, name: str, accuracy: float, abroad: float | None = None, builtin: bool = False,
        **more: Any,
    ) -> None:  # fmt: skip
        self._models[model_id(digit)] = {
            "id": model_id(digit), "name": name, "builtin": builtin, "classes": len(LABELS),
            "bytes": 2_500_000, "note": f"note of {name}",
            "created_at": None if builtin else 1_795_529_379_871,
            "card": f"# {name}\n\n## Limits\n\nKnows **three** conditions.",
            "metrics": metrics(accuracy, abroad=abroad),
            "provenance": {"split_fingerprint": "f1", "recipe": "quick"},
            "labels": [label.to_dict() for label in LABELS], **more,
        }  # fmt: skip

    def take(self, digit: str) -> None:
        del self._models[model_id(digit)]

    @property
    def learning(self) -> ModelsServer:
        return self

    def models(self) -> tuple[ModelEntry, ...]:
        self._called("models")
        return tuple(ModelEntry.model_validate(self._plain(one)) for one in self._models)

    def model(self, name: str) -> ModelDescription:
        self._called(f"model {name[:1]}")
        if name not in self._models:
            raise NotFoundError(f"there is no model {name}")
        return ModelDescription.model_validate(self._plain(name))

    def model_history(self, alias: str, limit: int) -> list[dict[str, Any]]:
        self._called("history")
        self._may()
        return self._changes[:limit]

    def retraining(self, name: str) -> dict[str, Any]:
        self._called(f"retraining {name}")
        return {"gate": self.gates.get(name)}

    def promote(self, name: str, *, alias: str, reason: str, override: bool) -> dict[str, Any]:
        self._called(f"promote {name[:1]} {reason!r} {override}")
        self._may()
        gate = next((one for one in self.gates.values() if one["candidate"] == name), {"passed": True})
        if not gate["passed"] and not override:
            raise ConflictError(
                "the gate of this model did not hold: it lost a class", hint="'override': true"
            )
        return self._move("promote", name, reason)

    def roll_back(self, *, alias: str, steps: int, reason: str, over: str | None = None) -> dict[str, Any]:
        self._called(f"roll_back {(over or '')[:1]} {reason!r}")
        self._may()
        return self._move("rollback", str(self._changes[0]["former"]), reason)

    def _move(self, kind: str, name: str, reason: str) -> dict[str, Any]:
        former = self._changes[0]["model"] if self._changes else self.serving
        change = {
            "alias": "serving", "number": len(self._changes) + 1, "kind": kind, "model": name,
            "former": former, "created_at": 1_795_529_379_871, "reason": reason, "by": "somebody",
        }  # fmt: skip
        self._changes.insert(0, change)
        if self.takes_up:
            self.serving = name
        return change

    def _plain(self, name: str) -> dict[str, Any]:
        serving = name == self.serving
        return {**self._models[name], "serving": serving, "aliases": ["serving"] if serving else []}

    def _called(self, what: str) -> None:
        self.asked.append(what)
        self.wait.wait(20)
        if self.failing is not None:
            raise self.failing

    def _may(self) -> None:
        if self.no_history is not None:
            raise self.no_history


class ReachOf(Reach):
    """The way to such a server, as if it were the service of this computer, or one elsewhere."""

    def __init__(self, server: ModelsServer, state: Path, address: str = "") -> None:
        super().__init__(ServiceHere(state, (), 0), Server(address))
        self.of: Callable[[Server], ModelsServer] = lambda _: server

    def client(self) -> Any:
        return self.of(self.server)
