"""Costs: arithmetic by hand, prices with their sources, the page as the script writes it; and fly.toml."""

from __future__ import annotations

import importlib.util
import json
import shutil
import subprocess
import sys
import tomllib
from datetime import date
from pathlib import Path
from types import ModuleType
from typing import Any

import pytest
import yaml
from tests.deploy.rendered import REPOSITORY, named, pod_of, rendered

from leafsight.service import clerk_keeper, supervisor
from leafsight.settings import PREFIX, load_settings

FOLDER = REPOSITORY / "deploy" / "cloud"
PAGE = REPOSITORY / "docs" / "cloud.md"


def _loaded() -> ModuleType:
    made = importlib.util.spec_from_file_location("leafsight_costs", FOLDER / "costs.py")
    assert made is not None
    assert made.loader is not None
    module = importlib.util.module_from_spec(made)
    sys.modules[made.name] = module  # its dataclasses look themselves up there
    made.loader.exec_module(module)
    return module


costs = _loaded()
TABLE = tomllib.loads((FOLDER / "prices.toml").read_text())
MEASURED = costs.Throughput(50.0, "here", "this", "today")
PRICES = {
    "box": {"usd": 0.36, "per": "hour"},
    "flat": {"usd": 72.0, "per": "month of 720 h"},
    "out": {"usd": 0.10, "per": "GB"},
    "disk": {"usd": 0.20, "per": "GB and month"},
    "ask": {"usd": 0.50, "per": "1,000 requests"},
}
SETUP: dict[str, Any] = {
    "machine": "box", "vcpus": 4, "least_machines": 2, "most_machines": 5, "egress": "out", "rows_on": "disk",
    "fixed": {"disk": 10},
}  # fmt: skip
SECOND = costs.SECONDS_A_MONTH


def test_photographs_for_a_dollar() -> None:
    # 4 processors of 50 a second are 720,000 an hour, for 36 cents: two million for a dollar.
    assert costs.per_dollar(MEASURED, 4, 0.36, 1.0) == pytest.approx(2_000_000)
    assert costs.per_dollar(MEASURED, 4, 0.36, 0.5) == pytest.approx(1_000_000)


def test_hours_of_what_is_paid_by_the_hour_and_by_the_month() -> None:
    assert costs.hourly(PRICES, "box") == 0.36
    assert costs.hourly(PRICES, "flat") == pytest.approx(0.1)


@pytest.mark.parametrize(
    ("a_second", "spare", "wanted"),
    [(0, 0, 2), (160, 0, 2), (161, 0, 3), (400, 0, 5), (401, 0, 0), (160, 1, 3), (320, 4, 5)],
)
def test_machines_at_forty_percent(a_second: float, spare: int, wanted: int) -> None:
    # One machine does 200 a second, so 80 at 40 %; two at least, five at most, 0 where that is too few.
    setup = {**SETUP, "spare_vcpus": spare}
    assert costs.machines(MEASURED, setup, a_second * SECOND * (1 - 1e-9), 0.4) == wanted


def test_a_database_that_does_not_fit_is_no_set_up() -> None:
    setup = {**SETUP, "most_rows_gb": 1}
    fits = 1e9 / costs.ROW_BYTES / costs.KEEP_MONTHS
    assert costs.machines(MEASURED, setup, fits * 0.99, 0.4) == 2
    assert costs.machines(MEASURED, setup, fits * 1.01, 0.4) == 0


def test_a_month_line_by_line() -> None:
    photographs = 1_000_000
    setup = {**SETUP, "through": "ask", "polls_per_vcpu": "ask", "spare_vcpus": 1}
    bill = costs.month(PRICES, MEASURED, setup, photographs, 0.4)
    assert (bill.machines, bill.compute, bill.fixed) == (2, pytest.approx(2 * 730 * 0.36), 2.0)
    egress_gb = photographs * costs.ANSWER_BYTES / 1e9
    rows_gb = photographs * 3 * costs.ROW_BYTES / 1e9 - 10
    polls = 7 * SECOND / 1000
    assert bill.by_traffic == pytest.approx(egress_gb * 0.6 + rows_gb * 0.2 + polls * 0.5)
    assert bill.total == bill.compute + bill.fixed + bill.by_traffic


def test_what_fits_on_the_disk_that_is_paid_costs_nothing_more() -> None:
    bill = costs.month(PRICES, MEASURED, SETUP, 1000, 0.4)
    assert bill.by_traffic == pytest.approx(1000 * costs.ANSWER_BYTES / 1e9 * 0.1)


@pytest.mark.parametrize("wrong", [0, -1, "nan", "inf"])
def test_a_throughput_that_is_none_is_refused(tmp_path: Path, wrong: object) -> None:
    file = tmp_path / "a.json"
    given = {"vcpus": 2, "source": "", "machine": "", "measured": "", "photographs_per_s": wrong}
    file.write_text(json.dumps(given))
    with pytest.raises(ValueError, match="above zero"):
        costs.read_throughput(file)


@pytest.mark.parametrize("name", TABLE["price"])
def test_every_price_says_where_it_is_from_and_where_to_check_it(name: str) -> None:
    price = TABLE["price"][name]
    assert set(price) == {"provider", "region", "what", "usd", "per", "date", "page", "seen_in"}
    assert price["usd"] > 0
    assert isinstance(price["date"], date)
    assert price["page"].startswith("https://")
    assert price["seen_in"]


def test_every_price_is_used_and_every_name_is_a_price() -> None:
    used: set[str] = set()
    for setup in TABLE["setup"].values():
        used |= {setup["machine"], setup["egress"], setup["rows_on"], *setup["fixed"]}
        used |= {setup[word] for word in ("through", "polls_per_vcpu") if word in setup}
    assert used == set(TABLE["price"])


def _printed(*words: str) -> str:
    done = subprocess.run(
        [sys.executable, str(FOLDER / "costs.py"), *words], capture_output=True, text=True, timeout=60
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_the_page_has_the_tables_that_the_script_prints() -> None:
    told = PAGE.read_text()
    assert f"{costs.BEGIN}\n{_printed()}{costs.END}" in told, (
        "python deploy/cloud/costs.py --into docs/cloud.md"
    )


def test_another_throughput_and_use_change_the_page_between_its_marks_only(tmp_path: Path) -> None:
    page, file = tmp_path / "a.md", tmp_path / "a.json"
    page.write_text(f"before\n{costs.BEGIN}\nold\n{costs.END}\nafter\n")
    given = json.loads((FOLDER / "throughput.json").read_text())
    file.write_text(json.dumps({**given, "photographs_per_s": 1.0, "vcpus": 2}))
    _printed("--throughput", str(file), "--utilisation", "0.5", "--into", str(page))
    text = page.read_text()
    assert text.startswith(f"before\n{costs.BEGIN}\n0.5 photographs a second")
    assert text.endswith(f"{costs.END}\nafter\n")
    assert "at 50%" in text
    assert "old" not in text


def test_the_measured_throughput_is_that_of_the_load_study() -> None:
    given = json.loads((FOLDER / "throughput.json").read_text())
    study = json.loads((REPOSITORY / "docs" / "load" / "results.json").read_text())
    four = [row for row in study["rows"] if row["setup"] == "4 x built-in, direct" and row["rate_per_s"]]
    most = max((row for row in four if row["carried"]), key=lambda row: row["rate_per_s"])
    assert given["photographs_per_s"] == round(most["rate_per_s"])
    assert given["vcpus"] == pytest.approx(4 * most["cpus_allowed_each"])
    assert f"p99 {most['latency_ms']['p99']['value']:.0f} ms" in given["source"]


def test_the_machine_of_fly_runs_as_the_image_does() -> None:
    fly = tomllib.loads((FOLDER / "fly.toml").read_text())
    settings = load_settings(Path("/nowhere"), fly["env"])
    assert (settings.host, settings.port, settings.first_key) == ("0.0.0.0", 8000, "yes")
    assert fly["http_service"]["internal_port"] == settings.port
    assert all(key.startswith(PREFIX) for key in fly["env"])
    assert fly["kill_signal"] == "SIGTERM"
    assert fly["kill_timeout"] > supervisor.END_WITHIN_S + 2 * clerk_keeper.END_WITHIN_S
    assert fly["mounts"]["destination"] == "/var/lib/leafsight"
    assert (FOLDER / fly["build"]["dockerfile"]).resolve() == REPOSITORY / "Dockerfile"
    bought = TABLE["setup"]["fly-2x"]
    assert fly["vm"] == [{"size": bought["machine"].removeprefix("fly-")}]
    assert settings.workers == bought["vcpus"]
    assert fly["mounts"]["initial_size"] == f"{bought['fixed']['fly-volume']}gb"


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl is not installed; it renders the set-up")
def test_the_nodes_of_the_cluster_are_those_that_are_paid_and_four_replicas_fit_one() -> None:
    cluster = yaml.safe_load((FOLDER / "eks.yaml").read_text())
    bought = TABLE["setup"]["eks"]
    (group,) = cluster["managedNodeGroups"]
    assert group["instanceType"] == bought["machine"].removeprefix("ec2-").replace("-", ".")
    assert group["minSize"] == bought["least_machines"]
    (box,) = pod_of(named(rendered("full"), "Deployment", "leafsight"))["containers"]
    asked = int(box["resources"]["requests"]["cpu"].removesuffix("m"))
    assert 4 * asked + 300 <= bought["vcpus"] * 1000
    assert "enableNetworkPolicy" in str(cluster["addons"])
