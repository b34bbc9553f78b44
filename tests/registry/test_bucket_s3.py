"""The same in a bucket of a real S3 server: several processes, kills, and a server that goes away."""

from __future__ import annotations

import json
import os
import random
import subprocess
import sys
import time
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from tests.state.moto_server import CREDENTIALS, s3_url, shared_moto, start_moto, stop

from leafsight.errors import StateBusyError
from leafsight.registry import Registry, open_registry
from leafsight.state import open_objects

REPOSITORY = Path(__file__).resolve().parents[2]
pytestmark = pytest.mark.slow


@pytest.fixture(autouse=True)
def credentials(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in CREDENTIALS.items():
        monkeypatch.setenv(name, value)


def registry_at(url: str, folder: Path, *, timeout_s: float = 5.0) -> Registry:
    return open_registry(folder, mirror=open_objects(url, timeout_s=timeout_s))


def started(
    url: str, folder: Path, shipped: Path, who: int, rounds: int, hashes: list[str]
) -> subprocess.Popen[str]:
    words = [sys.executable, REPOSITORY / "tests/registry/bucket_work.py", url, folder, shipped, str(who)]
    return subprocess.Popen(
        [*words, str(rounds), *hashes],
        env={**os.environ, "PYTHONPATH": str(REPOSITORY / "src"), "OPENBLAS_NUM_THREADS": "1"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def told_by(process: subprocess.Popen[str]) -> list[dict[str, Any]]:
    out, err = process.communicate(timeout=120)
    assert process.returncode in (0, -9), err
    return [json.loads(line) for line in out.splitlines() if line.endswith("}")]


def check_order(registry: Registry, told: list[dict[str, Any]]) -> None:
    """One order, and everything that somebody was told happened is in it, as told."""
    history = registry.history(limit=10_000)
    assert [change.number for change in history] == list(range(len(history), 0, -1))
    assert all(before.hash == after.former for after, before in pairwise(history))
    known = {change.number: change.to_dict() for change in history}
    assert all(known[change["number"]] == change for change in told)
    assert registry.get("serving").hash == history[0].hash
    assert registry.verify() == ()


def test_from_adding_to_serving(tmp_path: Path, files: dict[str, Path]) -> None:
    url = s3_url(shared_moto(), "whole-way")
    office, server = registry_at(url, tmp_path / "office"), registry_at(url, tmp_path / "server")
    apples = office.add(files["apples"], "first").hash
    assert office.add(files["apples"]).note == "first"
    beans = office.add(files["beans"]).hash
    office.promote(apples, by="ada")
    token = server.near.watch_token()
    assert server.near.bundle(server.near.get("serving")).name == "apples"
    assert office.promote(beans).number == 2
    assert server.near.watch_token() != token
    assert server.near.bundle(server.near.get("champion")).name == "beans"
    assert office.rollback(reason="worse").hash == apples
    assert [entry.name for entry in server.entries()] == ["beans", "apples", "shipped"]
    assert server.verify() == ()
    assert [change.kind for change in server.history()] == ["rollback", "promote", "promote"]


def test_four_operators_at_once(tmp_path: Path, files: dict[str, Path]) -> None:
    url = s3_url(shared_moto(), "four-operators")
    registry = registry_at(url, tmp_path / "office")
    hashes = [registry.add(files[name]).hash for name in ("apples", "beans", "cherries")]
    work = [started(url, tmp_path / f"{who}", files["shipped"], who, 8, hashes) for who in range(4)]
    told = [change for process in work for change in told_by(process)]
    check_order(registry, told)
    assert {change.by for change in registry.history(limit=1000)} == {"0", "1", "2", "3"}


def test_operators_that_are_killed_at_random_moments(tmp_path: Path, files: dict[str, Path]) -> None:
    url, chance = s3_url(shared_moto(), "killed-operators"), random.Random(5)
    registry = registry_at(url, tmp_path / "office")
    hashes = [registry.add(files[name]).hash for name in ("apples", "beans", "cherries")]
    told: list[dict[str, Any]] = []
    for number in range(10):
        process = started(url, tmp_path / "one", files["shipped"], number, 1000, hashes)
        assert process.stdout is not None
        first = process.stdout.readline()  # from now on it is at work
        time.sleep(chance.random() * 0.2)
        process.kill()
        told += [json.loads(first), *told_by(process)]
    check_order(registry, told)
    assert len(registry.history(limit=10_000)) >= 10


def test_the_server_of_the_bucket_goes_away(tmp_path: Path, files: dict[str, Path]) -> None:
    process, endpoint = start_moto()
    try:
        url = s3_url(endpoint, "gone")
        office = registry_at(url, tmp_path / "office", timeout_s=1.0)
        server = registry_at(url, tmp_path / "server", timeout_s=1.0)
        apples, beans = (office.add(files[name]).hash for name in ("apples", "beans"))
        office.promote(apples)
        token = server.near.watch_token()
    finally:
        stop(process)
    assert server.near.watch_token() == token
    assert server.near.bundle(server.near.get("serving")).name == "apples"
    assert registry_at(url, tmp_path / "server", timeout_s=1.0).near.get("serving").name == "apples"
    for act in (lambda: office.promote(beans), office.rollback, office.entries):
        with pytest.raises(StateBusyError, match="does not answer"):
            act()
