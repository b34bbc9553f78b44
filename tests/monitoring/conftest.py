"""A real database, a real registry with two models, and predictions as the service keeps them."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.tiny_bundle import write_tiny_bundle

from leafsight.registry import Registry, open_registry
from leafsight.state import PredictionRecord, State, new_id, open_state

MINUTE_MS = 60_000
NOW_MS = 1_800_000_000_000


@dataclass
class Clock:
    now_ms: int = NOW_MS

    def __call__(self) -> int:
        return self.now_ms

    def go(self, minutes: float) -> None:
        self.now_ms += round(minutes * MINUTE_MS)


@dataclass
class World:
    """What monitoring looks at."""

    state: State
    registry: Registry
    clock: Clock
    models: dict[str, str] = field(default_factory=dict)

    def answers(
        self, model: str, many: int, *, minutes: float, at_ms: int | None = None, seed: int = 0, **odds: Any
    ) -> list[str]:
        """Predictions spread over the minutes that end now; how the answers are stands in ``odds``."""
        rng = np.random.default_rng(seed)
        end = self.clock.now_ms if at_ms is None else at_ms
        records = []
        for place in range(many):
            at = end - round(minutes * MINUTE_MS * (1 - (place + 0.5) / many))
            verdict = str(
                rng.choice(["diagnosis", "cannot_tell", "not_a_leaf"], p=odds.get("p", (0.8, 0.15, 0.05)))
            )
            named = verdict == "diagnosis"
            records.append(
                PredictionRecord(
                    id=new_id(at), created_ms=at, model_hash=model, model_name="tiny", verdict=verdict,
                    class_key="apple/scab" if named else None, probability=0.9 if named else None,
                    photo_sha256="0" * 64,
                    latency_ms=odds.get("latency_ms", 20.0) * float(rng.uniform(0.5, 1.5)),
                    answer={"top": [{"probability": float(rng.uniform(*odds.get("sure", (0.5, 1.0))))}]},
                    key_id=odds.get("key_id"),
                    embedding=odds["embeddings"][place] if "embeddings" in odds else None,
                )
            )  # fmt: skip
        self.state.predictions.add_many(records)
        return [record.id for record in records]

    def promote(self, name: str, **words: Any) -> Any:
        return self.registry.promote(self.models[name], **words)

    def serving(self) -> str:
        found = self.registry.get("serving").hash
        return next((name for name, one in self.models.items() if one == found), found)


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def state(tmp_path: Path, clock: Clock) -> Iterator[State]:
    with open_state(f"sqlite:///{tmp_path / 'leafsight.db'}", now=clock) as opened:
        yield opened


@pytest.fixture(scope="session")
def two_bundles(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Path]:
    folder = tmp_path_factory.mktemp("bundles")
    return {
        name: write_tiny_bundle(folder / f"{name}.leafsight", name=name) for name in ("old", "new", "third")
    }


@pytest.fixture
def world(state: State, clock: Clock, tmp_path: Path, two_bundles: dict[str, Path]) -> World:
    """The model ``old`` serves, ``new`` and ``third`` are on the shelf."""
    registry = open_registry(tmp_path / "registry", now=clock)
    made = World(state, registry, clock)
    made.models = {name: registry.add(path).hash for name, path in two_bundles.items()}
    made.promote("old")
    return made


@pytest.fixture
def watched(world: World) -> Callable[..., World]:
    """The old model answered for some hours, then the new one was promoted and is watched."""
    from leafsight.monitoring import begin_watch

    def begin(many: int = 600, **odds: Any) -> World:
        world.answers(world.models["old"], many, minutes=600, **odds)
        change = world.promote("new")
        begin_watch(
            world.state, model_hash=change.hash, former=change.former, minutes=60, now_ms=world.clock.now_ms,
            change=change.number,
        )  # fmt: skip
        return world

    return begin
