"""What so many photographs a day need: replicas, processors, memory, rows, storage, traffic, money.

    python -m benchmarks.scale.plan --measured benchmarks/scale/measured.json --per-day 10000000

Enters: what was measured (``demands.py``) and assumptions, which are options. Leaves: two tables in Markdown.
How many replicas a rate needs comes from the queueing model (``model.py``): the highest rate within p99.
"""

from __future__ import annotations

import argparse
import json
import math
import tomllib
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.scale.model import Demand, highest_rate

HERE = Path(__file__).resolve().parent
PRICES = HERE.parents[1] / "deploy" / "cloud" / "prices.toml"
DAY_S, MONTH_DAYS = 86_400, 30
HOURS = {"hour": 1.0, "month of 720 h": 720.0}


@dataclass(frozen=True, slots=True)
class Wanted:
    """What is asked for, and what nobody measured.

    Attributes:
        per_day: photographs.
        peak: rate of the busiest hour over that of the mean day.
        p99_s: of diagnoses, in the busiest hour.
        cpus: of one replica.
        spare: replicas more than needed, as a share: one zone of three may be gone.
        kept: share of the photographs that are kept.
        keep_days: for how long predictions are remembered.
        keep_photo_days: for how long kept photographs are.
        under_load: processor time of a photograph in the load study, over that of one after the other.
    """

    per_day: float
    peak: float = 3.0
    p99_s: float = 1.0
    cpus: float = 1.0
    spare: float = 0.5
    kept: float = 0.1
    keep_days: float = 90
    keep_photo_days: float = 90
    under_load: float = 1.0


@dataclass(frozen=True, slots=True)
class Plan:
    """What that needs, at its busiest and in the end."""

    mean_rate: float
    peak_rate: float
    rate_of_one: float
    replicas: int
    processors: float
    memory_gb: float
    database_processors: float
    proxy_processors: float
    rows: float
    rows_gb: float
    rows_per_s: float
    photographs_gb: float
    puts_per_s: float
    ingress_gb_day: float
    egress_gb_day: float
    ingress_mbit_s: float


def demands_of(measured: dict[str, Any], under_load: float = 1.0) -> list[Demand]:
    """What requests need, by size."""
    return [
        Demand(one["weight"], one["cpu_s"] * under_load, one.get("spread", 0.0)) for one in measured["sizes"]
    ]


def mean_of(measured: dict[str, Any], what: str) -> float:
    """Of the mix, by its weights."""
    weights = sum(one["weight"] for one in measured["sizes"])
    return float(sum(one["weight"] * one[what] for one in measured["sizes"]) / weights)


def make_plan(measured: dict[str, Any], wanted: Wanted) -> Plan:
    """From the measured to the whole."""
    demands = demands_of(measured, wanted.under_load)
    rate_of_one = highest_rate(demands, replicas=1, cpus=wanted.cpus, p99_s=wanted.p99_s)
    mean_rate = wanted.per_day / DAY_S
    peak_rate = mean_rate * wanted.peak
    replicas = math.ceil(peak_rate / rate_of_one * (1 + wanted.spare))
    rows = wanted.per_day * wanted.keep_days
    return Plan(
        mean_rate=mean_rate,
        peak_rate=peak_rate,
        rate_of_one=rate_of_one,
        replicas=replicas,
        processors=replicas * wanted.cpus,
        memory_gb=replicas * measured["replica_bytes"] / 1e9,
        database_processors=peak_rate * measured["database_cpu_s"],
        proxy_processors=peak_rate * measured["proxy_cpu_s"],
        rows=rows,
        rows_gb=rows * measured["row_bytes"] / 1e9,
        rows_per_s=peak_rate,
        photographs_gb=wanted.per_day * wanted.kept * wanted.keep_photo_days * measured["kept_bytes"] / 1e9,
        puts_per_s=peak_rate * wanted.kept,
        ingress_gb_day=wanted.per_day * mean_of(measured, "bytes") / 1e9,
        egress_gb_day=wanted.per_day * measured["answer_bytes"] / 1e9,
        ingress_mbit_s=peak_rate * mean_of(measured, "bytes") * 8 / 1e6,
    )


def monthly_costs(plan: Plan, prices: dict[str, Any], wanted: Wanted) -> dict[str, float]:
    """Dollars a month; of machines once as they stand for the peak, once as they follow the load."""
    usd = {name: float(one["usd"]) for name, one in prices.items()}
    machine_hour = hourly(prices, MACHINE) / MACHINE_CPUS
    hours = MONTH_DAYS * 24
    following = plan.processors * (1 / wanted.peak + (1 - 1 / wanted.peak) * FOLLOWED_LATE)
    return {
        "processors of the service, standing for the peak": plan.processors * hours * machine_hour,
        "the same, following the load": following * hours * machine_hour,
        "rows of the database on disk": plan.rows_gb * usd[ROWS],
        "kept photographs": plan.photographs_gb * usd[BUCKET],
        "answers to the internet": plan.egress_gb_day * MONTH_DAYS * usd[EGRESS],
    }


MACHINE, MACHINE_CPUS = "ec2-c7i-2xlarge", 8
ROWS, BUCKET, EGRESS = "rds-gp3", "s3-storage", "aws-egress"
FOLLOWED_LATE = 0.15
"""Of what is above the mean, so much runs on the mean of a day though it is not needed: assumed."""


def hourly(prices: dict[str, Any], name: str) -> float:
    """Dollars an hour."""
    return float(prices[name]["usd"]) / HOURS[prices[name]["per"]]


def tables(measured: dict[str, Any], prices: dict[str, Any], wanted: Wanted) -> str:
    """The plan, and the same for ten times as much."""
    plans = [make_plan(measured, one) for one in (wanted, times_ten(wanted))]
    head = "| | " + " | ".join(f"{one:,.0f} a day" for one in (wanted.per_day, wanted.per_day * 10)) + " |"
    lines = [head, "|---|---|---|"]
    for name, said in ROWS_OF_TABLE:
        lines.append(f"| {said} | " + " | ".join(shown(getattr(plan, name)) for plan in plans) + " |")
    lines += ["", head.replace("| |", "| dollars a month |", 1), "|---|---|---|"]
    costs = [monthly_costs(plan, prices, wanted) for plan in plans]
    for name in costs[0]:
        lines.append(f"| {name} | " + " | ".join(f"{one[name]:,.0f}" for one in costs) + " |")
    return "\n".join(lines) + "\n"


ROWS_OF_TABLE = (
    ("mean_rate", "photographs a second, mean of a day"),
    ("peak_rate", "photographs a second, busiest hour"),
    ("rate_of_one", "photographs a second of one replica within p99"),
    ("replicas", "replicas, with the spare ones"),
    ("processors", "processors of the service"),
    ("memory_gb", "memory of the service, GB"),
    ("database_processors", "processors that the database uses, busiest hour"),
    ("proxy_processors", "processors that the proxy uses, busiest hour"),
    ("rows", "rows of predictions in the end"),
    ("rows_gb", "the same in GB, with indexes"),
    ("rows_per_s", "transactions a second, busiest hour"),
    ("photographs_gb", "kept photographs in the end, GB"),
    ("puts_per_s", "photographs put into the store a second, busiest hour"),
    ("ingress_gb_day", "photographs received, GB a day"),
    ("ingress_mbit_s", "the same in Mbit/s, busiest hour"),
    ("egress_gb_day", "answers sent, GB a day"),
)


def times_ten(wanted: Wanted) -> Wanted:
    """Ten times as many photographs, everything else alike."""
    return Wanted(
        **{name: getattr(wanted, name) for name in Wanted.__slots__} | {"per_day": wanted.per_day * 10}
    )


def shown(number: float) -> str:
    """Three digits that count."""
    return f"{number:,.0f}" if number >= 100 else f"{number:.3g}"


def main() -> int:
    """Print the tables."""
    parser = argparse.ArgumentParser(description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--measured", type=Path, default=HERE / "measured.json")
    parser.add_argument("--prices", type=Path, default=PRICES)
    for name in Wanted.__slots__:
        usual = None if name == "under_load" else getattr(Wanted(1e7), name)
        parser.add_argument(f"--{name.replace('_', '-')}", type=float, default=usual)
    given = parser.parse_args()
    measured = json.loads(given.measured.read_text())
    if given.under_load is None:
        from benchmarks.scale.check import STUDY, compare, under_load

        given.under_load = under_load(list(compare(measured, json.loads(STUDY.read_text()))))
    wanted = Wanted(**{name: getattr(given, name) for name in Wanted.__slots__})
    prices = tomllib.loads(given.prices.read_text())["price"]
    print(tables(measured, prices, wanted), end="")
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
