"""The tables of docs/scale.md, from what was measured.

    python -m benchmarks.scale.page --into docs/scale.md

Enters: ``measured.json``, the results of the load study, ``prices.toml``. Leaves: the page with what stands
between its marks made anew; a test holds the page to it.
"""

from __future__ import annotations

import argparse
import json
import tomllib
from pathlib import Path
from typing import Any

from benchmarks.scale.check import STUDY, compare, in_words, table, under_load
from benchmarks.scale.plan import HERE, PRICES, Wanted, tables

PAGE = HERE.parents[1] / "docs" / "scale.md"
MANY = 10_000_000.0


def blocks(measured: dict[str, Any], study: dict[str, Any], prices: dict[str, Any]) -> dict[str, str]:
    """Name of the mark -> what stands there."""
    found = list(compare(measured, study))
    more = under_load(found)
    return {
        "demands": demands_said(measured),
        "check": f"{in_words(found)}\n\n{table(found)}\n{corrected(more)}",
        "plan": tables(measured, prices, Wanted(MANY, under_load=more)),
    }


def corrected(more: float) -> str:
    """What the plan makes of the error."""
    return (
        f"Below 85 % a photograph of the study needed {more:.2f} times the processor time that was foretold"
        " (median). The plan below takes so much more.\n"
    )


def demands_said(measured: dict[str, Any]) -> str:
    """What a photograph costs, by size, and beside it what is kept."""
    lines = [
        f"Measured {measured['measured']}: {measured['machine']}; {measured['photographs']}.",
        "",
        "| size | of 100 | kB | replica, ms of processor | without a proxy | lone | proxy | database |",
        "|---|---|---|---|---|---|---|---|",
    ]
    for one in measured["sizes"]:
        costs = " | ".join(
            f"{1e3 * one[name]:.1f}"
            for name in ("cpu_s", "direct_cpu_s", "lone_cpu_s", "proxy_cpu_s", "database_cpu_s")
        )
        lines.append(f"| {one['size']} | {one['weight']:.0f} | {one['bytes'] / 1e3:.0f} | {costs} |")
    means = " | ".join(f"**{1e3 * measured[name]:.1f}**" for name in ("cpu_s", "direct_cpu_s", "lone_cpu_s"))
    beside = " | ".join(f"{1e3 * measured[name]:.1f}" for name in ("proxy_cpu_s", "database_cpu_s"))
    weights = sum(one["weight"] for one in measured["sizes"])
    kilobytes = sum(one["weight"] * one["bytes"] for one in measured["sizes"]) / weights / 1e3
    lines += [
        f"| the mix | 100 | {kilobytes:.0f} | {means} | {beside} |",
        "",
        f"A row of a prediction takes {measured['row_bytes']:,.0f} bytes with its indexes, an answer"
        f" {measured['answer_bytes']:,.0f}, a kept photograph {measured['kept_bytes'] / 1e3:,.0f} kB on the"
        f" mean of the mix. A replica holds {measured['replica_bytes'] / 2**20:.0f} MiB.",
        "",
    ]
    return "\n".join(lines)


def put_into(text: str, made: dict[str, str]) -> str:
    """The page with what stands between its marks made anew.

    Raises:
        ValueError: a mark is missing.
    """
    for name, said in made.items():
        begin, end = f"<!-- {name} -->", f"<!-- end of {name} -->"
        before, found, rest = text.partition(begin)
        _, ends, after = rest.partition(end)
        if not found or not ends:
            raise ValueError(f"the page has no {begin} ... {end}")
        text = f"{before}{begin}\n{said}{end}{after}"
    return text


def made_blocks() -> dict[str, str]:
    """From the files of the repository."""
    return blocks(
        json.loads((HERE / "measured.json").read_text()),
        json.loads(STUDY.read_text()),
        tomllib.loads(PRICES.read_text())["price"],
    )


def main() -> int:
    """Print the blocks, or put them into the page."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--into", type=Path)
    given = parser.parse_args()
    made = made_blocks()
    if given.into is None:
        print("\n".join(made.values()), end="")
    else:
        given.into.write_text(put_into(given.into.read_text(), made))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
