"""Counts of processes that ended: each is seen once, at any moment, and they take no more room than one."""

from __future__ import annotations

import os
import struct
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import prometheus_client.values
import pytest
from prometheus_client import Counter, Gauge, generate_latest
from prometheus_client.mmap_dict import MmapedDict, mmap_key
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.values import MultiProcessValue

import leafsight.service.ended_counts as under_test
from leafsight.errors import DiskFullError, OverloadError, StorageError
from leafsight.service.ended_counts import FOLDS, fold_process, read_counts
from leafsight.service.metrics import Metrics, forget_process

Start = Callable[[int], Metrics]
Seen = dict[tuple[str, tuple[tuple[str, str], ...]], float]


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where processes count into files, as in a service of several."""
    monkeypatch.setenv("PROMETHEUS_MULTIPROC_DIR", str(tmp_path))
    return tmp_path


@pytest.fixture
def start(folder: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Start]:
    """Begins to count as the process of a given number."""
    made: list[Any] = []

    def begin(process_id: int) -> Metrics:
        made.append(MultiProcessValue(lambda: process_id))  # type: ignore[no-untyped-call]
        monkeypatch.setattr(prometheus_client.values, "ValueClass", made[-1])
        return Metrics()

    yield begin
    for one in made:
        one.close_all_files()


def work(metrics: Metrics, many: int) -> None:
    """Count something of each kind."""
    for one in range(many):
        metrics.request("POST", "/v1/predict", 200, 0.013 * (one + 1))
        metrics.verdict("diagnosis")
        metrics.waited(0.0007)
        metrics.together(2)
    metrics.waiting(3)
    metrics.process(1000, "hash", "name")


def seen(folder: Path) -> Seen:
    return {
        (sample.name, tuple(sorted(sample.labels.items()))): sample.value
        for family in read_counts(folder)
        for sample in family.samples
    }


def lasting(folder: Path) -> Seen:
    """What has to be the same after a process is forgotten."""
    live = ("leafsight_queue_photographs", "leafsight_requests_in_flight", "leafsight_batch_size_chosen",
            "leafsight_process_")  # fmt: skip
    return {key: value for key, value in seen(folder).items() if not key[0].startswith(live)}


def names(folder: Path) -> set[str]:
    return {path.name for path in folder.iterdir()}


def test_nothing_is_lost_and_files_do_not_become_more(start: Start, folder: Path) -> None:
    work(start(1), 3)
    many = len(names(folder))
    for process_id in range(2, 12):
        work(start(process_id), process_id)
        before = lasting(folder)
        fold_process(folder, process_id - 1)
        assert lasting(folder) == before
    assert len(names(folder)) == many + len(FOLDS)
    requests = sum(value for (name, _), value in seen(folder).items() if name == "leafsight_requests_total")
    assert requests == 3 + sum(range(2, 12))
    assert sum(path.stat().st_size for path in folder.glob("*_folded-*")) < 32_768


def test_buckets_stay_cumulative(start: Start, folder: Path) -> None:
    for process_id in (1, 2, 3):
        work(start(process_id), 10)
        fold_process(folder, process_id)
    buckets = [
        value for (name, _), value in seen(folder).items() if name == "leafsight_predict_seconds_bucket"
    ]
    assert max(buckets) == 30
    counts = [value for (name, _), value in seen(folder).items() if name == "leafsight_predict_seconds_count"]
    assert counts == [30]


def test_what_a_process_said_of_itself_goes_but_for_the_first_start(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for process_id, now_s in ((1, 1000.0), (2, 2000.0), (3, 3000.0)):
        monkeypatch.setattr("leafsight.service.metrics.time.time", lambda now_s=now_s: now_s)
        work(start(process_id), 1)
    fold_process(folder, 1)
    fold_process(folder, 2)
    said = seen(folder)
    assert said["leafsight_start_seconds", ()] == 1000.0
    assert said["leafsight_queue_photographs", ()] == 3.0
    assert [key for key in said if key[0] == "leafsight_process_memory_bytes"] == [
        ("leafsight_process_memory_bytes", (("pid", "3"),))
    ]
    fold_process(folder, 3)
    assert seen(folder)["leafsight_start_seconds", ()] == 1000.0
    assert names(folder) == {f"{kind}_folded-3.db" for kind in FOLDS}


def test_a_number_that_the_system_gives_again_counts_on(start: Start, folder: Path) -> None:
    for times in (1, 2, 3):
        work(start(7), 5)
        assert seen(folder)["leafsight_verdicts_total", (("verdict", "diagnosis"),)] == 5 * times
        fold_process(folder, 7)
        assert seen(folder)["leafsight_verdicts_total", (("verdict", "diagnosis"),)] == 5 * times


def test_a_process_that_counted_nothing_and_one_that_is_unknown(start: Start, folder: Path) -> None:
    start(1)
    (folder / "counter_2.db").touch()  # killed as it made the file
    (folder / "histogram_2.db").write_bytes(bytes(65_536))  # and a moment later
    for process_id in (1, 2, 3):
        fold_process(folder, process_id)
        assert seen(folder)["leafsight_predictions_unrecorded_total", ()] == 0.0
    assert names(folder) == {"counter_folded-2.db", "histogram_folded-2.db", "gauge_min_folded-1.db"}


def test_sums_do_not_depend_on_the_order_in_which_processes_end(start: Start, folder: Path) -> None:
    """A sum of seconds that goes back in its last digit is a new beginning to Prometheus."""
    for process_id in range(1, 9):
        metrics = start(process_id)
        for many in range(40):
            metrics.request("GET", "/v1/about", 200, 10.0**process_id / (3 + many))
            metrics.waited(1e-3 / (many + process_id))
    before = {key: value for key, value in lasting(folder).items() if key[0].endswith("_sum")}
    assert len(before) == 5
    for process_id in (5, 1, 8, 3, 2, 7, 4, 6):
        fold_process(folder, process_id)
        assert before.items() <= lasting(folder).items()


STEPS = ("rename", "unlink", "open")


class _KilledError(BaseException):
    """As by a signal: nobody catches it."""


def _stop_before(monkeypatch: pytest.MonkeyPatch, step: int, look: Callable[[], None]) -> list[str]:
    """Look before every change of the folder, and end at the given one."""
    done: list[str] = []
    for name in STEPS:
        real = getattr(Path, name)

        def changed(self: Path, *words: Any, _name: str = name, _real: Any = real) -> Any:
            if _name == "open" and words[:1] != ("wb",):
                return _real(self, *words)
            look()
            if len(done) == step:
                raise _KilledError
            done.append(f"{_name} {self.name}")
            return _real(self, *words)

        monkeypatch.setattr(Path, name, changed)
    real_sync = os.fsync

    def sync(handle: int) -> None:
        look()
        if len(done) == step:
            raise _KilledError
        done.append("fsync")
        real_sync(handle)

    monkeypatch.setattr(os, "fsync", sync)
    return done


@pytest.mark.parametrize("step", range(30))
def test_whoever_reads_and_whatever_is_killed_finds_each_count_once(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch, step: int
) -> None:
    for process_id in (1, 2, 3, 4):
        work(start(process_id), process_id)
    fold_process(folder, 1)
    before = lasting(folder)

    def look() -> None:
        assert lasting(folder) == before

    with monkeypatch.context() as patched:
        _stop_before(patched, step, look)
        with suppress(_KilledError):
            fold_process(folder, 2)
    look()
    fold_process(folder, 3)  # the next one tidies what was left
    look()
    fold_process(folder, 2)
    fold_process(folder, 4)
    look()
    assert {name.partition("-")[0] for name in names(folder)} == {f"{kind}_folded" for kind in FOLDS}


def test_the_steps_above_are_all_there_are(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for process_id in (1, 2):
        work(start(process_id), 1)
    fold_process(folder, 1)
    with monkeypatch.context() as patched:
        done = _stop_before(patched, 10_000, lambda: None)
        fold_process(folder, 2)
    assert 20 < len(done) <= 30


@pytest.mark.parametrize("is_given_again", [False, True])
def test_a_fold_in_the_middle_of_a_look_is_not_seen(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch, is_given_again: bool
) -> None:
    """Also when the system gives the number to a new process at once, whose files have the old names."""
    for process_id in (1, 2, 3):
        work(start(process_id), process_id)
    before = lasting(folder)
    real, left = MultiProcessCollector._read_metrics, [1, 2]

    def late(files: list[str]) -> Any:
        if left:
            fold_process(folder, left[-1])
            if is_given_again:
                start(left[-1])
            left.pop()
        return real(files)  # type: ignore[no-untyped-call]

    monkeypatch.setattr(MultiProcessCollector, "_read_metrics", staticmethod(late))
    assert before.items() <= lasting(folder).items()
    assert left == []


def test_a_start_that_is_not_said_yet_is_none(start: Start, folder: Path) -> None:
    """A gauge is 0 before its first value; as the least of all it would be the start of the service."""
    work(start(1), 1)
    first = seen(folder)["leafsight_start_seconds", ()]
    second = start(2)
    second._started.set(0.0)
    assert seen(folder)["leafsight_start_seconds", ()] == first
    fold_process(folder, 2)
    fold_process(folder, 1)
    assert seen(folder)["leafsight_start_seconds", ()] == first


def test_a_disk_that_is_full_loses_nothing(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for process_id in (1, 2, 3):
        work(start(process_id), process_id)
    before = lasting(folder)

    def full(handle: int) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(under_test.os, "fsync", full)
        for process_id in (1, 2):
            with pytest.raises(DiskFullError):
                forget_process(process_id)
            assert lasting(folder) == before
    work(start(1), 0)  # the number is given again meanwhile
    fold_process(folder, 3)
    assert lasting(folder) == before
    assert not [name for name in names(folder) if "ended" in name or name.endswith(".part")]


def test_a_library_that_reads_something_else_changes_nothing(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(start(1), 2)
    before = lasting(folder)
    monkeypatch.setattr(under_test, "_entry", lambda key, value: struct.pack("i4xdd", 0, value, 0.0))
    with pytest.raises(StorageError, match="another form"):
        fold_process(folder, 1)
    assert lasting(folder) == before


def test_files_that_come_and_go_at_every_look_are_an_error_that_passes(
    start: Start, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    work(start(1), 1)
    real, looks = under_test._counting, iter(range(10_000))
    monkeypatch.setattr(under_test, "_counting", lambda at: [*real(at), Path(f"gone-{next(looks)}")])
    with pytest.raises(OverloadError):
        read_counts(folder)


def test_what_the_service_counts_can_be_folded(start: Start, folder: Path) -> None:
    """A new kind of gauge that outlives its process needs a line in FOLDS."""
    work(start(1), 1)
    kinds = {name.rpartition("_")[0] for name in names(folder)}
    assert {kind for kind in kinds if not kind.startswith("gauge_live")} == set(FOLDS)


def test_the_files_of_this_version_are_those_that_are_written_here(start: Start, folder: Path) -> None:
    """Fails when prometheus_client changes names or form of its files: ``ended_counts`` has to follow."""
    start(4711)
    Counter("one", "Help.", ["a"], registry=None).labels("ü").inc(2.5)
    Gauge("two", "Help.", multiprocess_mode="min", registry=None).set(7)
    assert {"counter_4711.db", "gauge_min_4711.db", "histogram_4711.db"} <= names(folder)
    theirs = MmapedDict(str(folder / "theirs"))  # type: ignore[no-untyped-call]
    values = {}
    for many in range(20):  # every length of padding
        key = mmap_key("one", "one_total", ["a"], ["ü" * many + "x" * (many // 3)], "Help.")
        values[key] = 0.1 * many
        theirs.write_value(key, values[key], 0.0)  # type: ignore[no-untyped-call]
    theirs.close()  # type: ignore[no-untyped-call]
    under_test._write(folder / "ours", values)
    ours = (folder / "ours").read_bytes()
    assert (folder / "theirs").read_bytes()[: len(ours)] == ours
    assert not any((folder / "theirs").read_bytes()[len(ours) :])
    read = list(MmapedDict.read_all_values_from_file(str(folder / "ours")))  # type: ignore[no-untyped-call]
    assert [(key, value) for key, value, *_ in read] == list(values.items())


def test_the_page_for_prometheus_is_made_of_it(start: Start, folder: Path) -> None:
    work(start(1), 2)
    fold_process(folder, 1)
    metrics = start(2)
    work(metrics, 3)
    assert b'leafsight_verdicts_total{verdict="diagnosis"} 5.0' in metrics.text()
    assert metrics.text() == generate_latest(metrics._all())
