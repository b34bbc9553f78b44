"""How long the database takes for what the service asks of it.

    python benchmarks/state.py [--folder .] [--postgres] [--database URL] [--rows 100000] [--rounds 300]
        [--json]

Measured in one process and one thread, on a database that holds ``--rows`` predictions already, each with an
answer of about 2 KB and an embedding of 1280 numbers; contributions are measured on as many of those, of 60
classes, a tenth of them accepted. SQLite lies in ``--folder``: what waits for the disk
depends on that disk. ``--postgres`` starts a private server on a Unix socket, with fsync, for the time of the
measurement (it must be installed); ``--database`` takes another one, which should be empty.

"kept" waits until the disk has it, as with everything that a person sent; "losable" does not (a power cut may
lose the last moments, a crash of the process nothing).
"""

from __future__ import annotations

import argparse
import json
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from itertools import islice
from pathlib import Path

import numpy as np

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from tests.state.own_postgres import own_postgres

from leafsight.state import (
    ContributionRecord,
    CorrectionRecord,
    PredictionRecord,
    State,
    new_id,
    open_state,
)

CLASSES = [f"crop{i % 14}/condition{i}" for i in range(60)]
DAY = 86_400_000


def records(count: int, rng: np.random.Generator, *, stored: bool = False) -> list[PredictionRecord]:
    """Predictions of the last thirty days."""
    now_ms = time.time_ns() // 1_000_000
    made = []
    for _ in range(count):
        one, key = new_id(), CLASSES[int(rng.integers(60))]
        top = [
            {"class_name": name, "key": name, "display": name, "probability": 0.1} for name in CLASSES[:16]
        ]
        made.append(
            PredictionRecord(
                id=one,
                created_ms=now_ms - int(rng.integers(30 * DAY)),
                model_hash="5" * 64,
                model_name="plant-leaves",
                verdict="diagnosis",
                class_key=key,
                probability=0.9,
                photo_sha256="a" * 64,
                photo_blob=f"photos/{one}.jpg" if stored else None,
                answer={"verdict": "diagnosis", "key": key, "top": top},
                embedding=rng.standard_normal(1280).astype(np.float16),
                quality={"sharpness": 12.5, "exposure": 0.5},
                latency_ms=float(rng.gamma(4, 5)),
            )
        )
    return made


def contributions(
    count: int, rng: np.random.Generator, *, state: str = "waiting"
) -> list[ContributionRecord]:
    """Photographs of 60 classes, a third of them with a finding."""
    made = []
    for _ in range(count):
        one = new_id()
        label = CLASSES[int(rng.integers(60))]
        finding = {"kind": "blurred", "said": "it is blurred", "blocks": False, "sharpness": 1.5}
        made.append(
            ContributionRecord(
                id=one,
                created_ms=time.time_ns() // 1_000_000,
                name=f"{label}/{one}.jpg",
                class_name=label,
                label=label,
                state=state,  # type: ignore[arg-type]
                photo_sha256="a" * 64,
                pixel_hash=one * 2,
                look_hash=int(rng.integers(2**63)),
                blob=f"contributions/{one}.jpg",
                group_id=one,
                findings=[finding] if rng.integers(3) == 0 else [],
                quality={"sharpness": 12.5, "exposure": 0.5},
                embedding=rng.standard_normal(1280).astype(np.float16),
                embedded_by="5" * 64,
                decided_ms=None if state == "waiting" else 1,
            )
        )
    return made


def timed(work: Callable[[], object], rounds: int) -> tuple[float, float]:
    """Median and 95th percentile in milliseconds."""
    for _ in range(max(3, rounds // 20)):
        work()
    spent = []
    for _ in range(rounds):
        begin = time.perf_counter()
        work()
        spent.append((time.perf_counter() - begin) * 1000)
    return statistics.median(spent), float(np.percentile(spent, 95))


def measure(state: State, rows: int, rounds: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """Name and times of each thing that is measured."""
    rng = np.random.default_rng(0)
    first_ids = []
    for _ in range(rows // 500):
        some = records(500, rng)
        first_ids.append(some[0].id)
        state.predictions.add_many(some)
    _, token = state.keys.make("bench", ["predict"])

    def adding(count: int, stored: bool) -> Callable[[], object]:
        waiting = [records(count, rng, stored=stored) for _ in range(2 * rounds + 10)]
        return lambda: state.predictions.add_many(waiting.pop())

    yield "add one prediction, losable", timed(adding(1, False), rounds)
    yield "add one prediction, kept", timed(adding(1, True), rounds)
    yield "add 16 predictions, losable", timed(adding(16, False), rounds)
    yield "add 16 predictions, kept", timed(adding(16, True), rounds)
    one = state.predictions.page(limit=1).records[0].id
    yield "get one prediction", timed(lambda: state.predictions.get(one), rounds)
    yield "page of 50", timed(lambda: state.predictions.page(limit=50), max(20, rounds // 5))
    deep = first_ids[len(first_ids) // 2]
    yield "page of 50, half-way down", timed(lambda: state.predictions.page(deep, 50), max(20, rounds // 5))
    since = time.time_ns() // 1_000_000 - 30 * DAY
    yield "summary of all rows", timed(lambda: state.predictions.summary(since), 5)
    yield (
        "add one correction, kept",
        timed(
            lambda: state.corrections.add(
                CorrectionRecord(id=new_id(), prediction_id=one, created_ms=0, right=True)
            ),
            rounds,
        ),
    )
    yield "keys.verify", timed(lambda: state.keys.verify(token), rounds)
    yield "usage.count, losable", timed(lambda: state.usage.count("bench", "day", 1, 0), rounds)
    yield "check", timed(state.check, rounds)


def measure_contributions(state: State, rows: int, rounds: int) -> Iterator[tuple[str, tuple[float, float]]]:
    """The same of contributions; of what takes a second, five times."""
    rng = np.random.default_rng(0)
    some = 5
    for number in range(rows // 500):
        state.contributions.add_many(contributions(500, rng, state="waiting" if number % 10 else "accepted"))
    waiting = [contributions(1000, rng) for _ in range(2 * some + 10)]
    given = [[one.id for one in batch] for batch in waiting]
    yield "add 1,000 contributions, kept", timed(lambda: state.contributions.add_many(waiting.pop()), some)
    for batch in waiting:
        state.contributions.add_many(batch)
    yield (
        "decide 1,000 contributions, kept",
        timed(lambda: state.contributions.decide(given.pop(), "accepted", by="bench"), some),
    )
    pages: dict[str, dict[str, str]] = {
        "page of 50 contributions": {},
        "... that wait": {"state": "waiting"},
        "... of one class": {"label": CLASSES[7]},
        "... of one class with a finding": {"label": CLASSES[7], "finding": "blurred"},
    }
    for name, asked in pages.items():
        work = lambda asked=asked: state.contributions.page(limit=50, **asked)  # noqa: E731
        yield name, timed(work, max(20, rounds // 5))
    yield "counts of all contributions", timed(state.contributions.counts, some)
    yield "accepted_since", timed(lambda: state.contributions.accepted_since(2), max(20, rounds // 5))

    def read_some() -> None:
        for _ in islice(state.contributions.look_alikes(), 10_000):
            pass

    yield "look_alikes, 10,000 of them", timed(read_some, some)
    one = next(state.contributions.all_accepted())
    embedding = rng.standard_normal(1280).astype(np.float16)
    yield (
        "annotate one contribution, losable",
        timed(
            lambda: state.contributions.annotate(one.id, embedding=embedding, embedded_by="6" * 64), rounds
        ),
    )


def main() -> None:
    words = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    words.add_argument("--folder", type=Path, default=Path())
    words.add_argument("--postgres", action="store_true")
    words.add_argument("--database")
    words.add_argument("--rows", type=int, default=100_000)
    words.add_argument("--rounds", type=int, default=300)
    words.add_argument("--json", action="store_true")
    given = words.parse_args()
    found: dict[str, dict[str, tuple[float, float]]] = {}
    with ExitStack() as stack:
        folder = stack.enter_context(tempfile.TemporaryDirectory(prefix=".bench-state-", dir=given.folder))
        urls = {"SQLite": f"sqlite:///{Path(folder).resolve()}/leafsight.db"}
        if given.postgres:
            urls["PostgreSQL"] = stack.enter_context(own_postgres(safe=True)).new_database()
        if given.database:
            urls["given"] = given.database
        for name, url in urls.items():
            with open_state(url) as state:
                found[name] = dict(measure(state, given.rows, given.rounds))
                found[name] |= measure_contributions(state, given.rows, given.rounds)
    if given.json:
        print(json.dumps(found, indent=2))
        return
    print(f"ms, median (95th percentile); {given.rows} rows there before, {given.rounds} rounds")
    print("| |", " | ".join(found), "|")
    print("|---|" + "---|" * len(found))
    for what in next(iter(found.values())):
        cells = [f"{median:.2f} ({late:.2f})" for median, late in (times[what] for times in found.values())]
        print(f"| {what} |", " | ".join(cells), "|")


if __name__ == "__main__":
    main()
