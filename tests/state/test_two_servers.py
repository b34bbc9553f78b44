"""Several processes on one database: all writes are there, and a killed one loses nothing acknowledged."""

from __future__ import annotations

import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.state.made_records import an_upload

from leafsight.state import open_state

HAMMER = Path(__file__).with_name("hammer.py")
pytestmark = pytest.mark.slow


def hammer(url: str, count: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, str(HAMMER), url, str(count)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def ids_in(url: str) -> tuple[set[str], set[str]]:
    """All predictions and corrections."""
    with open_state(url) as state:
        found = []
        for store in (state.predictions, state.corrections):
            page, ids = store.page(limit=200), set[str]()
            ids |= {one.id for one in page.records}
            while page.next is not None:
                page = store.page(page.next, limit=200)
                ids |= {one.id for one in page.records}
            found.append(ids)
        return found[0], found[1]


def test_three_processes_make_the_tables_and_write_at_once(new_url: Callable[[], str]) -> None:
    url = new_url()
    processes = [hammer(url, 60) for _ in range(3)]
    told = [process.communicate(timeout=60) for process in processes]
    assert [(process.returncode, err) for process, (_, err) in zip(processes, told, strict=True)] == [
        (0, "")
    ] * 3
    lines = [line.split() for out, _ in told for line in out.splitlines()]
    assert ids_in(url) == ({line[0] for line in lines}, {line[1] for line in lines})
    assert len(lines) == 180
    with open_state(url) as state:
        assert state.usage.count("hammer", "day", 0, 0) == 180


def test_killed_in_the_middle_of_writing_nothing_acknowledged_is_lost(new_url: Callable[[], str]) -> None:
    url = new_url()
    acknowledged: list[list[str]] = []
    for lines_before_the_end in (1, 17, 40):
        process = hammer(url, 0)
        assert process.stdout is not None
        for _ in range(lines_before_the_end):
            acknowledged.append(process.stdout.readline().split())
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=30)
        acknowledged += [line.split() for line in rest.splitlines() if len(line.split()) == 2]
    predictions, corrections = ids_in(url)
    assert {line[0] for line in acknowledged} <= predictions
    assert {line[1] for line in acknowledged if len(line[1]) == 32} <= corrections
    assert len(acknowledged) >= 58


def test_killed_in_the_middle_of_deciding_all_is_decided_or_nothing(new_url: Callable[[], str]) -> None:
    """And what is begun again after each death adds nothing twice."""
    url, upload = new_url(), an_upload()
    with open_state(url) as state:
        state.uploads.add(upload)
    for turns_before_the_end in (0, 1, 4, 9):
        process = subprocess.Popen(
            [sys.executable, str(HAMMER.with_name("decide_forever.py")), url, upload.id],
            stdout=subprocess.PIPE,
            text=True,
        )
        assert process.stdout is not None
        lines = [process.stdout.readline() for _ in range(turns_before_the_end + 1)]
        process.send_signal(signal.SIGKILL)
        rest, _ = process.communicate(timeout=30)
        told = [line.split() for line in "".join([*lines, rest]).splitlines()]
        assert {line[1] for line in told} == {"120"}
        acknowledged = int(told[-1][0])
        with open_state(url) as state:
            found = {one.label for one in state.contributions.of_upload(upload.id)}
            assert found in ({f"class {acknowledged}"}, {f"class {acknowledged + 1}"})
            assert sum(state.contributions.counts()["states"].values()) == 120
