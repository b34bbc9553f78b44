"""A desk that remembers what it was asked, for verbs that would otherwise need a server or a database."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from leafsight.errors import NotFoundError


def contribution(number: int, **more: Any) -> dict[str, Any]:
    plain: dict[str, Any] = {
        "id": f"{number:032x}", "created_at": 1, "upload": "a" * 32, "name": f"okra/{number}.jpg",
        "class_name": "okra", "label": "Okra___Leaf_curl", "display": "Okra: leaf curl", "state": "waiting",
        "findings": [], "quality": {}, "group": f"{number:032x}", "said": None, "decided_at": None,
        "decided_by": None, "reason": None, "photograph": "",
    }  # fmt: skip
    return plain | more


class FakeDesk:
    """See ``leafsight.cli.desk.Desk``; it is its own learning side."""

    def __init__(self) -> None:
        self.rows = [contribution(number) for number in range(5)]
        self.asked: list[Any] = []
        self.flags: dict[str, Any] = {}
        self.skipped: list[dict[str, str]] = []
        self.again = False
        self.result: dict[str, Any] | None = {
            "state": "checked",
            "photographs": 2,
            "usable": 2,
            "refused": None,
        }
        self.error: dict[str, Any] | None = None

    @property
    def learning(self) -> FakeDesk:
        return self

    @contextmanager
    def opened(self, server: str | None, key: str | None, **flags: Any) -> Iterator[FakeDesk]:
        self.flags = {"server": server, "key": key, **flags}
        yield self

    def send(self, sending: Any, resume: str | None, told: Any) -> dict[str, Any]:
        self.asked.append(("send", sending.path.name, sending.label, resume))
        told(1, 1)
        return {"id": "b" * 32, "job": "b" * 32, "left_out": 0, "again": self.again}

    def follow(self, job: str, /) -> Iterator[dict[str, Any]]:
        yield {"id": job, "state": "running", "progress": {"part": "upload", "step": "looking"}}
        state = "failed" if self.error else "done"
        yield {"id": job, "state": state, "progress": {}, "result": self.result, "error": self.error}

    def contributions(
        self, wanted: Mapping[str, str | None], *, after: str | None = None, limit: int = 50
    ) -> dict[str, Any]:
        self.asked.append(("contributions", {name: one for name, one in wanted.items() if one}, after, limit))
        start = int(after or 0)
        some = self.rows[start : start + min(limit, 2)]
        end = start + len(some)
        return {"contributions": some, "next": str(end) if end < len(self.rows) else None}

    def contributions_summary(self) -> dict[str, Any]:
        label = {"label": "Okra___Leaf_curl", "display": "", "waiting": 5, "accepted": 0, "rejected": 0}
        known = {**label, "label": "Tomato___healthy", "known": True, "declared": False}
        labels = [{**label, "known": False, "declared": False}, known]
        return {"states": {}, "labels": labels, "doubtful": 1, "new_since_training": 3}

    def contribution(self, one: str, /) -> dict[str, Any]:
        for row in self.rows:
            if row["id"] == one:
                return row
        raise NotFoundError(f"there is no contribution {one}", hint="look again")

    def photograph(self, one: str, /) -> bytes:
        return b"a picture"

    def decide(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        self.asked.append(("decide", dict(wish)))
        return {"changed": len(wish.get("ids") or [1]), "skipped": self.skipped}

    def declared(self) -> list[dict[str, Any]]:
        return [{"name": "Okra___Leaf_curl", "display": "", "created_at": 1, "by": "ada", "note": "new"}]

    def declare(self, name: str, note: str) -> dict[str, Any]:
        self.asked.append(("declare", name, note))
        return {"name": name, "display": "", "created_at": 1, "by": "ada", "note": note}

    def take_back(self, name: str) -> list[dict[str, Any]]:
        self.asked.append(("take back", name))
        return []

    def retrain(self, path: str, reason: str) -> dict[str, Any]:
        self.asked.append(("retrain", path, reason))
        return {"id": "c" * 32, "job": "c" * 32}

    def retrainings(self, *, after: str | None = None, limit: int = 50) -> dict[str, Any]:
        return {"retrainings": [self.retraining("c" * 32)], "next": None, "trigger": {}, "paths": {}}

    def retraining(self, one: str, /) -> dict[str, Any]:
        return {
            "id": one, "created_at": 1, "state": "failed" if self.error else "done", "path": "quick",
            "why": "hand", "by": "ada", "reason": "", "progress": {}, "result": self.result,
            "error": self.error, "gate": (self.result or {}).get("gate"), "snapshot": None,
        }  # fmt: skip

    def gate_report(self, one: str, /) -> bytes:
        return b"<html>"

    def cancel(self, one: str, /) -> dict[str, Any]:
        return {"id": one, "state": "cancelled"}

    def promote(self, name: str, *, alias: str, reason: str, override: bool) -> dict[str, Any]:
        self.asked.append(("promote", name, alias, reason, override))
        return change(alias, "promote")

    def roll_back(self, *, alias: str, steps: int, reason: str, over: str | None = None) -> dict[str, Any]:
        self.asked.append(("rollback", alias, steps, reason, over))
        return change(alias, "rollback")

    def model_history(self, alias: str, limit: int) -> list[dict[str, Any]]:
        return [change(alias, "promote")]


def change(alias: str, kind: str) -> dict[str, Any]:
    return {
        "alias": alias, "number": 1, "kind": kind, "model": "d" * 64, "former": None,
        "created_at": 1_700_000_000_000, "reason": "", "by": "ada",
    }  # fmt: skip
