"""How soon drift against the reference in the bundle is seen, and how often it is called without cause.

    python benchmarks/drift_reference.py --data FOLDER [--model FILE] [--runs 40] [--measures] [--json]

FOLDER holds collections as ``leafsight fetch`` makes them: plantvillage, field-apple, field-rice, flowers.

The reference is the model's own memory of held-out photographs, less half of the groups of the locked test:
of those the streams of photographs "at home" are made, so that no photograph is on both sides. A stream is
600 photographs at home and then others. Photographs come in visits of one class from one source (one or six
at a time), every visit on an occasion of its own. After every ten photographs somebody looks.

- false alarms: share of looks at photographs at home that raise an alarm, for each window alone and for all.
- delay: photographs from the first odd one to the first alarm; median and nine in ten of the runs.
- "lab to field": the reference holds the laboratory's photographs only, as of a model that was made in one.
- "half the light", "an eighth": photographs of plantvillage made darker.
- "a third": every third visit is from elsewhere.

``--measures`` compares measures of the embedding instead, at one look with all or a third of the window
changed.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import io
import json
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

import numpy as np
from PIL import Image

from leafsight.bundle import Bundle, Memory, builtin_bundle_path, open_bundle
from leafsight.inference import BundlePredictor
from leafsight.monitoring import SIZES, LimitTable, Reference, limits_of, reference_of
from leafsight.monitoring.drift_limits import FAR, window_measures

HOME, MOST_AFTER, EVERY = 600, 1500, 10
LAB = "plantvillage"
VISITS = (1, 6)


class Shown:
    """A bundle with another memory."""

    def __init__(self, bundle: Bundle, memory: Memory) -> None:
        self._bundle, self._memory = bundle, memory

    def memory(self) -> Memory:
        return self._memory

    def __getattr__(self, name: str) -> Any:
        return getattr(self._bundle, name)


@dataclass(frozen=True)
class Pool:
    """Photographs to draw visits from: embeddings, and what is equal in a visit."""

    embedding: np.ndarray
    kind: np.ndarray

    def only(self, rows: np.ndarray) -> Pool:
        return Pool(self.embedding[rows], self.kind[rows])


@dataclass(frozen=True)
class Stream:
    """Rows of a table of columns to draw from, before and after the change."""

    table: np.ndarray
    home: list[np.ndarray]
    away: list[np.ndarray]


def split_memory(memory: Memory, rng: np.random.Generator) -> tuple[Memory, np.ndarray]:
    """The memory without half of the groups of the locked test, and the rows that were taken out."""
    test = memory.rows("test")
    groups = np.unique(memory.group[test])
    out = test[np.isin(memory.group[test], rng.permutation(groups)[: len(groups) // 2])]
    kept = np.setdiff1d(np.arange(len(memory)), out)
    columns = ("embedding", "label", "split", "group", "domain", "contributed", "pixel_hash", "look_hash")
    return replace(memory, **{name: getattr(memory, name)[kept] for name in columns}), out


def files_of(folder: Path, most: int, rng: np.random.Generator) -> list[Path]:
    """Some photographs of every class, in an order of chance."""
    found = sorted(path for path in folder.rglob("*") if path.suffix.lower() in {".jpg", ".jpeg", ".png"})
    return [found[place] for place in rng.permutation(len(found))[:most]]


def darker(data: bytes, part: int) -> bytes:
    """A photograph with a part of the light, as JPEG again."""
    file = io.BytesIO()
    picture = Image.open(io.BytesIO(data)).convert("RGB").point(lambda level: level // part)
    picture.save(file, "JPEG", quality=92)
    return file.getvalue()


def embedded(predictor: BundlePredictor, files: list[Path], change: Callable[[bytes], bytes]) -> Pool:
    """The embeddings, in half precision as the service keeps them; a class is a folder."""
    found, kinds = [], []
    for start in range(0, len(files), 16):
        some = files[start : start + 16]
        for path, one in zip(
            some, predictor.predict([change(path.read_bytes()) for path in some]), strict=True
        ):
            if one.embedding is not None:
                found.append(one.embedding.astype(np.float16).astype(np.float32))
                kinds.append(path.parent.name)
    _, places = np.unique(kinds, return_inverse=True)
    return Pool(np.stack(found), places)


def pools_of(data: Path, bundle: Bundle, rng: np.random.Generator) -> dict[str, Pool]:
    """Photographs from elsewhere."""
    predictor = BundlePredictor(bundle, threads=1)
    same = lambda data: data  # noqa: E731
    pools = {
        name: embedded(predictor, files_of(data / name, most, rng), same)
        for name, most in (("field-apple", 500), ("field-rice", 200), ("flowers", 400))
    }
    lab = files_of(data / LAB, 400, rng)
    pools["half the light"] = embedded(predictor, lab, lambda one: darker(one, 2))
    pools["an eighth of the light"] = embedded(predictor, lab, lambda one: darker(one, 8))
    return pools


def kinds_of(pool: Pool) -> list[np.ndarray]:
    """Rows of each kind."""
    return [np.flatnonzero(pool.kind == kind) for kind in np.unique(pool.kind)]


def visits(
    kinds: list[np.ndarray], many: int, visit: int, rng: np.random.Generator, offset: int = 0
) -> np.ndarray:
    """Rows, a visit of one kind after the other; kinds as often as they have photographs."""
    shares = np.array([len(rows) for rows in kinds], float)
    chosen = rng.choice(len(kinds), -(-many // visit), p=shares / shares.sum())
    rows = [rng.choice(kinds[kind], visit, replace=len(kinds[kind]) < visit) for kind in chosen]
    return np.concatenate(rows)[:many] + offset


def alarms(
    reference: Reference, limits: LimitTable, table: np.ndarray, order: np.ndarray, visit: int, start: int
) -> tuple[np.ndarray, np.ndarray]:
    """Looks after every ten photographs from ``start`` on: how many had come, and whether each alarms."""
    own = reference.table()
    usual = own.mean(axis=0, dtype=np.float64)
    sums = np.concatenate([np.zeros((1, table.shape[1])), np.cumsum(table[order], axis=0, dtype=np.float64)])
    sizes = sorted({size for by in limits.limits.values() for size in by})
    came = np.arange(start, len(order) + 1, EVERY)
    over = np.zeros(len(came), bool)
    for size in sizes:
        known = limits.of(size, visit)
        if known is not None:
            found = window_measures((sums[came] - sums[came - size]) / size, usual, len(own))
            over |= np.any([found[name] > known[1][name] for name in FAR], axis=0)
    return came, over


def rows_for(stream: Stream, visit: int, part: float, rng: np.random.Generator) -> np.ndarray:
    """A stream: at home, then elsewhere in a part of the visits."""
    home = visits(stream.home, HOME + MOST_AFTER, visit, rng)
    if part == 0:
        return home
    after = visits(stream.away, MOST_AFTER, visit, rng)
    odd = np.repeat(rng.random(-(-MOST_AFTER // visit)) < part, visit)[:MOST_AFTER]
    odd[:visit] = True  # the first visit after the change is an odd one: from there the delay is counted
    home[HOME:] = np.where(odd, after, home[HOME:])
    return home


def measured(reference: Reference, home: Pool, away: Pool | None) -> Stream:
    """Columns of both pools in one table."""
    both = home.embedding if away is None else np.concatenate([home.embedding, away.embedding])
    table = reference.measure(both).table(reference.n_classes)
    moved = [] if away is None else [rows + len(home.kind) for rows in kinds_of(away)]
    return Stream(table, kinds_of(home), moved)


def known_limits(
    reference: Reference,
    sizes: tuple[int, ...],
    known: dict[Any, LimitTable] = {},  # noqa: B006
) -> LimitTable:
    """Limits, set once."""
    key = (id(reference), sizes)
    if key not in known:
        known[key] = limits_of(reference, sizes=sizes, visits=VISITS)
    return known[key]


def judged(reference: Reference, stream: Stream, part: float, runs: int, seed: int) -> list[dict[str, Any]]:
    """False alarms or delays of one stream, for each size alone and for all together."""
    found = []
    for sizes in (*((size,) for size in SIZES), SIZES):
        limits = known_limits(reference, sizes)
        for visit in VISITS:
            rng = np.random.default_rng([seed, visit])
            looks, hits, delays = 0, 0, []
            for _ in range(runs):
                order = rows_for(stream, visit, part, rng)
                start = max(sizes) if part == 0 else HOME + EVERY
                came, over = alarms(reference, limits, stream.table, order, visit, start)
                if part == 0:
                    # One look a window's length: looks that share photographs are no independent ones.
                    fresh = over[:: max(sizes) // EVERY]
                    looks, hits = looks + len(fresh), hits + int(fresh.sum())
                else:
                    delays.append(float(came[over.argmax()] - HOME) if over.any() else float("inf"))
            row: dict[str, Any] = {"window": "all" if len(sizes) > 1 else sizes[0], "visit": visit}
            if part == 0:
                row |= {"looks": looks, "false_alarms": hits / looks}
            else:
                low, high = np.quantile(delays, [0.5, 0.9], method="higher")
                row |= {"median": low, "nine_in_ten": high, "seen": float(np.isfinite(delays).mean())}
            found.append(row)
    return found


def false_alarms(bundle: Bundle, memory: Memory, splits: int, quiet: bool) -> dict[str, list[dict[str, Any]]]:
    """Looks at photographs at home, and at tomato alone; over several halvings of the locked test.

    The photographs at home are few hundred, so one halving says more about these than about the method.
    """
    crops = np.array([str(label.crop) for label in bundle.labels])
    found: dict[str, list[list[dict[str, Any]]]] = {"at home": [], "at home, tomato alone": []}
    for seed in range(splits):
        kept, out = split_memory(memory, np.random.default_rng(seed))
        named: Any = Shown(bundle, kept)
        reference = reference_of(named)
        assert reference is not None
        home = Pool(memory.embedding[out], memory.label[out] * len(memory.domain_names) + memory.domain[out])
        tomato = home.only(np.flatnonzero(crops[memory.label[out]] == "tomato"))
        for name, pool in zip(found, (home, tomato), strict=True):
            found[name].append(judged(reference, measured(reference, pool, None), 0.0, 20, seed))
    together = {}
    for name, tables in found.items():
        together[name] = [
            {**same[0], "looks": sum(one["looks"] for one in same),
             "false_alarms": float(np.mean([one["false_alarms"] for one in same])),
             "by_split": [one["false_alarms"] for one in same]}
            for same in zip(*tables, strict=True)
        ]  # fmt: skip
        if not quiet:
            shown(name, together[name])
    return together


def shown(name: str, rows: list[dict[str, Any]]) -> None:
    """One line a stream and visit."""
    for visit in VISITS:
        cells = []
        for row in rows:
            if row["visit"] != visit:
                continue
            if "false_alarms" in row:
                cells.append(f"{row['window']}: {row['false_alarms']:.1%} of {row['looks']}")
            else:
                cells.append(f"{row['window']}: {row['median']:.0f} / {row['nine_in_ten']:.0f}")
        print(f"{name:34} visits of {visit}   " + "   ".join(cells), flush=True)


def unit(embedding: np.ndarray) -> np.ndarray:
    """Rows of length one."""
    return np.asarray(embedding / np.maximum(np.linalg.norm(embedding, axis=1, keepdims=True), 1e-9))


def compare_measures(reference: Reference, home: Pool, pools: dict[str, Pool], looks: int) -> None:
    """What one look at 100 photographs sees at 1 % false alarms, by measure."""
    own = reference.places

    def columns(pool: Pool) -> dict[str, np.ndarray]:
        took = reference.measure(pool.embedding)
        return {"places": reference.space.place(pool.embedding), "look": took.look, "doubt": took.doubt,
                "felt": took.felt}  # fmt: skip

    mean, felt = own.mean(axis=0), reference.columns.felt.mean(axis=0)
    spread = own.std(axis=0)
    fitted = np.cov(own[:, :16].T)
    root = _root(fitted)

    def frechet(rows: np.ndarray) -> float:
        """Heusel et al. 2017, in the first 16 directions: more need more photographs than a window has."""
        other = np.cov(rows[:, :16].T)
        inner = np.linalg.eigvalsh(root @ other @ root)
        cross = 2 * np.sqrt(np.maximum(inner, 0)).sum()
        far = ((rows[:, :16].mean(axis=0) - mean[:16]) ** 2).sum()
        return float(far + np.trace(other) + np.trace(fitted) - cross)

    measures: dict[str, Callable[[dict[str, np.ndarray]], float]] = {
        "nearest neighbours": lambda one: float(one["look"].mean()),
        "doubt": lambda one: float(one["doubt"].mean()),
        "mean": lambda one: float(((one["places"].mean(axis=0) - mean) ** 2).sum()),
        "mean and spread": lambda one: float(
            ((one["places"].mean(axis=0) - mean) ** 2).sum()
            + ((one["places"].std(axis=0) - spread) ** 2).sum()
        ),
        "Frechet": lambda one: frechet(one["places"]),
        "maximum mean discrepancy": lambda one: float(((one["felt"].mean(axis=0) - felt) ** 2).sum()),
    }
    at_home, kinds = columns(home), kinds_of(home)
    everywhere = {name: columns(pool) for name, pool in pools.items()}
    began = time.perf_counter()
    columns(home.only(np.arange(100)))
    took = (time.perf_counter() - began) * 1e3
    print(f"a look at 100 photographs takes {took:.0f} ms, all measures together")
    print(f"{'measure':26}               one class   " + "   ".join(pools), flush=True)
    for name, measure in measures.items():
        for visit in VISITS:
            rng = np.random.default_rng(visit)
            take = lambda one, rows: {key: values[rows] for key, values in one.items()}  # noqa: E731
            null = [measure(take(at_home, visits(kinds, 100, visit, rng))) for _ in range(800)]
            limit = float(np.quantile(null, 0.99))
            alone = np.mean(
                [measure(take(at_home, rng.choice(max(kinds, key=len), 100))) > limit for _ in range(looks)]
            )
            cells = []
            for other in everywhere.values():
                hits = 0
                for _ in range(looks):
                    rows = visits(kinds, 66, visit, rng)
                    odd = rng.choice(len(other["look"]), 34)
                    both = {key: np.concatenate([at_home[key][rows], other[key][odd]]) for key in other}
                    hits += measure(both) > limit
                cells.append(f"{hits / looks:.0%}")
            print(f"{name:26} visits of {visit}   {alone:.0%}   " + "   ".join(cells), flush=True)


def _root(matrix: np.ndarray) -> np.ndarray:
    values, axes = np.linalg.eigh(matrix)
    return np.asarray((axes * np.sqrt(np.maximum(values, 0))) @ axes.T)


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--data", type=Path, required=True)
    parser.add_argument("--model", type=Path, default=None)
    parser.add_argument("--runs", type=int, default=40)
    parser.add_argument("--splits", type=int, default=8, help="of the locked test, for the false alarms")
    parser.add_argument("--delays", action="store_true", help="leave the false alarms out")
    parser.add_argument("--measures", action="store_true")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    rng = np.random.default_rng(0)
    bundle = open_bundle(arguments.model or builtin_bundle_path())
    memory = bundle.memory()
    if memory is None:
        print("this bundle remembers nothing", file=sys.stderr)
        return 1
    kept, out = split_memory(memory, rng)
    named: Any = Shown(bundle, kept)
    whole, lab = reference_of(named), reference_of(named, domains=[LAB])
    assert whole is not None
    assert lab is not None
    kinds = memory.label[out] * len(memory.domain_names) + memory.domain[out]
    home = Pool(memory.embedding[out], kinds)
    in_lab = memory.domain[out] == memory.domain_names.index(LAB)
    pools = pools_of(arguments.data, bundle, rng)
    if arguments.measures:
        compare_measures(whole, home, pools, 200)
        return 0
    lab_home, field = home.only(np.flatnonzero(in_lab)), home.only(np.flatnonzero(~in_lab))
    streams: list[tuple[str, Reference, Pool, Pool | None, float]] = [
        ("lab to field", lab, lab_home, field, 1.0),
        ("lab to field, a third", lab, lab_home, field, 1 / 3),
    ]
    for name in pools:
        streams += [
            (name, whole, home, pools[name], 1.0),
            (f"{name}, a third", whole, home, pools[name], 1 / 3),
        ]
    table = {} if arguments.delays else false_alarms(bundle, memory, arguments.splits, arguments.json)
    for seed, (name, reference, first, then, part) in enumerate(streams):
        table[name] = judged(reference, measured(reference, first, then), part, arguments.runs, seed)
        if not arguments.json:
            shown(name, table[name])
    if arguments.json:
        json.dump(table, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
