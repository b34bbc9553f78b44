"""How often the watch after a promotion takes a model back without cause, and how soon with cause.

    python benchmarks/watch.py [--watches 200] [--json]

Answers are drawn, no model runs: of the former model 2,000 photographs, of the new one so many an hour. A
visit is so many photographs of one key within a minute, most of whom get the same verdict: each visitor has a
share of "cannot tell" of their own, drawn around the common one (beta distribution; the correlation within a
visit is 0.3). The looks are those of the service: once a minute, judged when there is a quarter more, or
after ten minutes.

"alike": both models are alike. "worse": "cannot tell" rises by so many points. "slower": answers take twice
as long.
"""

from __future__ import annotations

import os

os.environ.setdefault("OMP_NUM_THREADS", "1")

import argparse
import json
import sys
from typing import Any

import numpy as np

from leafsight.monitoring.rows import Row
from leafsight.monitoring.tallies import occasions_of
from leafsight.monitoring.watch_limits import judged_against_before, slow_ms, tallies_of
from leafsight.monitoring.watch_looks import AGAIN_MS, GROWN, SLICES

MINUTE_MS, MINUTES, BEFORE = 60_000, 60, 2000
USUAL, ALIKE = 0.25, 0.3
KEYS = 40


def answers(
    many: int,
    minutes: float,
    visit: int,
    rng: np.random.Generator,
    *,
    unsure: float,
    factor: float,
    keys: bool,
) -> list[Row]:
    """Photographs spread over the minutes, oldest first."""
    rows = []
    visits = -(-many // visit)
    scale = 1 / ALIKE - 1
    for place in range(visits):
        own = rng.beta(unsure * scale, (1 - unsure) * scale) if visit > 1 else unsure
        at_ms = int((place + rng.random()) / visits * minutes * MINUTE_MS)
        key = f"{rng.integers(KEYS)}" if keys else ""
        for number in range(visit):
            told = rng.random() >= own
            rows.append(
                Row(
                    id="", created_ms=at_ms + number * 5000, key_id=key,
                    verdict="diagnosis" if told else "cannot_tell", class_key=None,
                    probability=float(rng.uniform(0.8, 1) if told else rng.uniform(0.3, 0.8)),
                    unfamiliarity=0.5, latency_ms=float(rng.lognormal(3, 0.4)) * factor,
                )
            )  # fmt: skip
    return sorted(rows[:many], key=lambda row: row.created_ms)


def watched(
    an_hour: int, visit: int, rng: np.random.Generator, *, rise: float, factor: float, keys: bool
) -> Any:
    """After how many photographs it was taken back; None when it passed, -1 when nothing was judged."""
    before = answers(BEFORE, 600, visit, rng, unsure=USUAL, factor=1, keys=keys)
    now = answers(an_hour, MINUTES, visit, rng, unsure=USUAL + rise, factor=factor, keys=keys)
    slice_ms, slow = MINUTES * MINUTE_MS // SLICES, slow_ms(before)

    def counted(rows: list[Row]) -> Any:
        return tallies_of(rows, occasions_of([(row.created_ms, row.key_id) for row in rows], slice_ms), slow)

    earlier, last, looked_ms, judged = counted(before), 0, -AGAIN_MS, False
    for minute in range(1, MINUTES + 1):
        rows = [row for row in now if row.created_ms < minute * MINUTE_MS]
        if len(rows) < GROWN * last and minute * MINUTE_MS - looked_ms < AGAIN_MS and minute < MINUTES:
            continue
        last, looked_ms, later = len(rows), minute * MINUTE_MS, counted(rows)
        found = [judged_against_before(name, earlier[name], later[name]) for name in earlier]
        judged |= any(one["judged"] for one in found)
        if any(one["crossed"] for one in found):
            return len(rows)
    return None if judged else -1


def main() -> int:
    """Print the table."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--watches", type=int, default=200)
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    table = []
    for keys, an_hour, visit in (
        (True, 300, 1),
        (True, 300, 6),
        (False, 300, 1),
        (False, 300, 6),
        (True, 60, 1),
    ):
        for name, rise, factor in (
            ("alike", 0.0, 1.0), ("worse by 20 points", 0.2, 1.0), ("worse by 40 points", 0.4, 1.0),
            ("four times as slow", 0.0, 4.0),
        ):  # fmt: skip
            rng = np.random.default_rng([an_hour, visit, int(rise * 100), int(factor), keys])
            words = {"rise": rise, "factor": factor, "keys": keys}
            ends = [watched(an_hour, visit, rng, **words) for _ in range(arguments.watches)]
            after = [one for one in ends if one is not None and one >= 0]
            row = {
                "an_hour": an_hour, "visit": visit, "keys": keys, "new_model": name,
                "rolled_back": len(after) / len(ends), "unjudged": ends.count(-1) / len(ends),
                "photographs": float(np.median(after)) if after else None,
            }  # fmt: skip
            table.append(row)
            if not arguments.json:
                who = "keys" if keys else "no keys"
                print(
                    f"{an_hour:4} an hour, visits of {visit}, {who:8} {name:20} rolled back "
                    f"{row['rolled_back']:6.1%} after {row['photographs']}, not judged {row['unjudged']:.0%}",
                    flush=True,
                )
    if arguments.json:
        json.dump(table, sys.stdout, indent=1)
    return 0


if __name__ == "__main__":
    sys.exit(main())
