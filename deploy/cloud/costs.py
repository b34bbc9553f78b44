"""Photographs per dollar, dollars a million and a month, from a measured throughput and a table of prices.

    python deploy/cloud/costs.py                        # with what deploy/cloud/throughput.json says
    python deploy/cloud/costs.py --throughput mine.json --utilisation 0.3
    python deploy/cloud/costs.py --into docs/cloud.md   # the tables of that page

Needs Python 3.11 and nothing else. The prices are those of prices.toml, with their dates: check them.
"""

from __future__ import annotations

import argparse
import json
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

HERE = Path(__file__).resolve().parent
HOURS = {"hour": 1.0, "month of 720 h": 720.0}
HOURS_A_MONTH = 730.0
SECONDS_A_MONTH = HOURS_A_MONTH * 3600
BEGIN, END = "<!-- costs -->", "<!-- end of costs -->"
PER_MONTH = "| photographs a month | set-up | machines | for them | fixed | by traffic | all | a million |"
TRAFFIC = (100_000, 1_000_000, 10_000_000, 100_000_000)
UTILISATION = 0.4
"""Of what runs, on the mean of a month, nights and all: at 0.4 a peak of 1.75 times the mean is 70 %."""
ANSWER_BYTES = 6_638
ROW_BYTES = 9_431
"""Both by ``python benchmarks/sizes.py``."""
KEEP_MONTHS = 3.0
"""``keep_days`` is 90."""


@dataclass(frozen=True, slots=True)
class Throughput:
    """Photographs a second of one processor, and where that was measured."""

    per_vcpu: float
    source: str
    machine: str
    measured: str


@dataclass(frozen=True, slots=True)
class Month:
    """What a month costs, in dollars; ``machines`` 0 means that the set-up cannot do it."""

    machines: int
    compute: float
    fixed: float
    by_traffic: float

    @property
    def total(self) -> float:
        return self.compute + self.fixed + self.by_traffic


def read_throughput(file: Path) -> Throughput:
    """As the load study writes it.

    Raises:
        ValueError: a number that is none, or not above zero.
    """
    found = json.loads(file.read_text())
    rate, vcpus = float(found["photographs_per_s"]), float(found["vcpus"])
    if not (0 < rate < math.inf and 0 < vcpus < math.inf):
        raise ValueError(f"{file.name}: photographs_per_s and vcpus are above zero")
    return Throughput(rate / vcpus, found["source"], found["machine"], found["measured"])


def hourly(prices: dict[str, Any], name: str) -> float:
    """Dollars an hour of something that is paid by time."""
    return float(prices[name]["usd"]) / HOURS[prices[name]["per"]]


def per_dollar(throughput: Throughput, vcpus: float, usd_an_hour: float, utilisation: float) -> float:
    """Photographs for a dollar of machine."""
    return throughput.per_vcpu * vcpus * utilisation * 3600 / usd_an_hour


def machines(throughput: Throughput, setup: dict[str, Any], photographs: float, utilisation: float) -> int:
    """How many run on the mean for so many photographs a month; 0 where the set-up ends before that."""
    wanted_vcpus = photographs / SECONDS_A_MONTH / (throughput.per_vcpu * utilisation)
    wanted = math.ceil((wanted_vcpus + setup.get("spare_vcpus", 0)) / setup["vcpus"])
    needed = max(setup["least_machines"], wanted)
    fits = needed <= setup["most_machines"] and rows_gb(photographs) <= setup.get("most_rows_gb", math.inf)
    return needed if fits else 0


def rows_gb(photographs: float) -> float:
    """What the database holds in the end, in GB."""
    return photographs * KEEP_MONTHS * ROW_BYTES / 1e9


def month(
    prices: dict[str, Any],
    throughput: Throughput,
    setup: dict[str, Any],
    photographs: float,
    utilisation: float = UTILISATION,
) -> Month:
    """The bill of a month with so many photographs, each asked for by itself and none kept."""
    count = machines(throughput, setup, photographs, utilisation)
    usd = {name: float(one["usd"]) for name, one in prices.items()}
    egress_gb = photographs * ANSWER_BYTES / 1e9
    by_traffic = egress_gb * usd[setup["egress"]]
    by_traffic += max(0.0, rows_gb(photographs) - setup["fixed"][setup["rows_on"]]) * usd[setup["rows_on"]]
    if "through" in setup:
        by_traffic += egress_gb * usd[setup["through"]]
    if "polls_per_vcpu" in setup:
        processes = count * setup["vcpus"] - setup["spare_vcpus"]
        by_traffic += processes * SECONDS_A_MONTH / 1000 * usd[setup["polls_per_vcpu"]]
    fixed = sum(amount * usd[name] for name, amount in setup["fixed"].items())
    return Month(count, count * HOURS_A_MONTH * hourly(prices, setup["machine"]), fixed, by_traffic)


def tables(found: dict[str, Any], throughput: Throughput, utilisation: float) -> str:
    """Both tables, in Markdown, with what they rest on."""
    prices, setups = found["price"], found["setup"].values()
    lines = [
        f"{throughput.per_vcpu:.1f} photographs a second and processor: {throughput.source}; "
        f"{throughput.measured}; {throughput.machine}. Of what runs {utilisation:.0%} is used.",
        "",
        "| machine | a month | photographs a second, at most | photographs for a dollar, all used | "
        f"at {utilisation:.0%} | a million at {utilisation:.0%} |",
        "|---|---|---|---|---|---|",
    ]
    for one in setups:
        usd = hourly(prices, one["machine"])
        full, used = (per_dollar(throughput, one["vcpus"], usd, share) for share in (1.0, utilisation))
        rate = throughput.per_vcpu * one["vcpus"]
        lines.append(
            f"| {one['title']} | ${usd * HOURS_A_MONTH:,.2f} | {rate:,.0f} | {full:,.0f} | {used:,.0f} "
            f"| ${1e6 / used:,.2f} |"
        )
    lines += [
        "",
        PER_MONTH,
    ]
    lines.append("|---|---|---|---|---|---|---|---|")
    for photographs in TRAFFIC:
        for one in setups:
            bill = month(prices, throughput, one, photographs, utilisation)
            if not bill.machines:
                lines.append(f"| {photographs:,} | {one['title']} | too much | | | | | |")
                continue
            lines.append(
                f"| {photographs:,} | {one['title']} | {bill.machines} | ${bill.compute:,.0f} "
                f"| ${bill.fixed:,.0f} | ${bill.by_traffic:,.2f} | **${bill.total:,.0f}** "
                f"| ${bill.total / photographs * 1e6:,.2f} |"
            )
    return "\n".join(lines) + "\n"


def main() -> int:
    """Print both tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--throughput", type=Path, default=HERE / "throughput.json")
    parser.add_argument("--prices", type=Path, default=HERE / "prices.toml")
    parser.add_argument("--utilisation", type=float, default=UTILISATION)
    parser.add_argument("--into", type=Path, help="put them between the marks of this page instead")
    given = parser.parse_args()
    if not 0 < given.utilisation <= 1:
        parser.error("--utilisation is a share above 0 and at most 1")
    found = tomllib.loads(given.prices.read_text())
    made = tables(found, read_throughput(given.throughput), given.utilisation)
    if given.into is None:
        print(made, end="")
    else:
        before, rest = given.into.read_text().split(BEGIN)
        given.into.write_text(f"{before}{BEGIN}\n{made}{END}{rest.partition(END)[2]}")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
