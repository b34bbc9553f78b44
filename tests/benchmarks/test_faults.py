"""Faults under load: where requests are counted, when a service is well again, what compose.yaml becomes."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from benchmarks.faults import disks
from benchmarks.faults.__main__ import _options as faults_options
from benchmarks.faults.composing import Project, Service, read_compose, run_words
from benchmarks.faults.driving import judge
from benchmarks.faults.phases import Marks, counted, last_bad, p95_ms, per_second, summed, well_again
from benchmarks.faults.report import as_markdown
from benchmarks.faults.rows import Row, read_rows, write_rows
from benchmarks.faults.setup import with_sized_tmpfs
from benchmarks.faults.timeline import timeline

from leafsight.loadtest.outcomes import CORRECTION, MIXED_UP, OK, PHOTOGRAPH, REFUSED, UPLOAD, WRONG

ROOT = Path(__file__).parents[2]
QUICK, SLOW = 0.1, 0.9


def photographs(
    from_s: int, until_s: int, *, kind: str = OK, took_s: float = QUICK, each: int = 4
) -> list[Row]:
    """A constant rate."""
    times = [second + number / each for second in range(from_s, until_s) for number in range(each)]
    return [Row(kind, at, took_s, recorded=True if kind == OK else None) for at in times]


def test_each_request_is_in_exactly_one_place() -> None:
    rows = [
        Row(OK, 1, 0.1, recorded=True),
        Row(OK, 1, 0.1, recorded=False),
        Row(REFUSED, 1, 0.1, told="overload"),
        Row(REFUSED, 1, 0.1),
        Row("timeout", 1, 10.0),
        Row("status 500", 1, 0.1, told="internal"),
        Row(WRONG, 1, 0.1),
        Row(MIXED_UP, 1, 0.1),
        Row(OK, 1, 0.1, deed=UPLOAD),
        Row(OK, 1, 0.1, deed=CORRECTION),
    ]
    found = counted(rows)
    assert found["requests"] == found["ok"] + found["refused"] + found["failed"] == len(rows)
    assert (found["ok"], found["refused"], found["failed"]) == (4, 2, 4)
    assert found["failures"] == {MIXED_UP: 1, "status 500": 1, "timeout": 1, WRONG: 1}
    assert found["refusals"] == {"overload": 1, "no reason given": 1}
    assert found["told"] == {"status 500: internal": 1}
    assert found["unrecorded"] == 1
    assert found["wrong"] == 2
    assert found["by_deed"][PHOTOGRAPH] == {"requests": 8, "ok": 2}


def test_counts_a_second_hold_every_request_once() -> None:
    rows = [
        Row(OK, 0.2, 0.1),
        Row(OK, 1.9, 0.1, recorded=False),
        Row(REFUSED, 1.0, 0.1),
        Row("cut", 9.99, 0.1),
    ]
    found = per_second(rows, 9.99)
    assert {name: sum(values) for name, values in found.items()} == {
        "ok": 1, "unrecorded": 1, "refused": 1, "failed": 1,
    }  # fmt: skip
    assert found["refused"][1] == found["unrecorded"][1] == found["ok"][0] == found["failed"][9] == 1


def test_p95_is_of_answered_photographs_alone() -> None:
    rows = [*photographs(0, 5), *photographs(0, 5, kind="timeout", took_s=10.0), Row(OK, 1, 7.0, deed=UPLOAD)]
    assert p95_ms(rows, 0, 5) == QUICK * 1e3
    assert p95_ms(rows, 5, 9) is None


def test_a_service_is_well_again_where_five_seconds_begin_without_trouble() -> None:
    rows = [*photographs(0, 20), *photographs(20, 27, kind="cut"), *photographs(27, 40)]
    assert well_again(rows, 20.0, 40.0, 150.0) == 27.0
    assert last_bad(rows, 20.0, 40.0) == 26.75


def test_slow_answers_are_not_well() -> None:
    rows = [*photographs(0, 20), *photographs(20, 30, took_s=SLOW), *photographs(30, 40)]
    found = summed(rows, Marks(0.0, 20.0, 20.0, 40.0))
    assert found["p95_ms"]["before"] == 100.0
    assert found["well_after_s"] == 10.0
    assert found["last_bad_after_s"] is None


def test_the_end_comes_too_early_to_say() -> None:
    rows = [*photographs(0, 20), *photographs(20, 37, kind=REFUSED), *photographs(37, 40)]
    found = summed(rows, Marks(0.0, 20.0, 20.0, 40.0))
    assert found["well_after_s"] is None
    assert found["first_well_after_s"] is None


def test_a_fault_that_nobody_notices_is_over_at_once() -> None:
    found = summed(photographs(0, 40), Marks(0.0, 20.0, 30.0, 40.0))
    assert (found["well_after_s"], found["first_well_after_s"], found["well_after_back_s"]) == (0.0, 0.0, 0.0)


def test_trouble_that_comes_back_counts_to_its_last_time() -> None:
    """The first good stretch is while it is broken: that is told, and so is what comes after."""
    rows = [
        *photographs(0, 20), *photographs(20, 22, kind="cut"), *photographs(22, 31),
        *photographs(31, 33, kind="cut"), *photographs(33, 45),
    ]  # fmt: skip
    found = summed(rows, Marks(0.0, 20.0, 30.0, 45.0))
    assert found["first_well_after_s"] == 2.0
    assert found["well_after_s"] == 13.0
    assert found["well_after_back_s"] == 3.0
    assert found["last_bad_after_s"] == 12.8


def test_what_is_before_the_warm_up_is_not_counted() -> None:
    rows = [*photographs(0, 5, kind="cut"), *photographs(5, 40)]
    found = summed(rows, Marks(5.0, 20.0, 20.0, 40.0))
    assert found["failed"] == 0
    assert found["requests"] == 35 * 4
    assert found["before"]["requests"] == 15 * 4


def test_answers_that_are_not_recorded_say_until_when() -> None:
    rows = [*photographs(0, 30), Row(OK, 21.5, 0.1, recorded=False), Row(OK, 24.0, 0.1, recorded=False)]
    found = summed(rows, Marks(0.0, 20.0, 20.0, 30.0))
    assert found["unrecorded"] == 2
    assert found["recorded_again_after_s"] == 4.0


def test_rows_come_back_from_their_file(tmp_path: Path) -> None:
    rows = [Row(OK, 1.5, 0.25, 0.01, PHOTOGRAPH, ("a", "b"), "", "", "m", True), Row("cut", 2.0, 0.1)]
    write_rows(tmp_path / "rows.jsonl.gz", rows)
    assert read_rows(tmp_path / "rows.jsonl.gz") == rows


def answer(model: str, key: str = "a", photo: str = "one.jpg", recorded: bool = True) -> bytes:
    said = {
        "id": "1", "photo": photo, "verdict": "class", "key": key, "recorded": recorded,
        "top": [{"key": key, "probability": 0.9}], "quality": {"blur": 1.0},
    }  # fmt: skip
    return json.dumps({"model": {"hash": model}, "predictions": [said], "combined": None}).encode()


def marks(key: str) -> dict[str, object]:
    return {"verdict": "class", "key": key, "top": [[key, 0.9]], "quality": {"blur": 1.0}}


EXPECTED = {"m1": {"one.jpg": marks("a")}, "m2": {"one.jpg": marks("b")}}


def test_an_answer_is_held_against_the_model_that_it_names() -> None:
    judged, model, recorded = judge(200, answer("m1"), "one.jpg", EXPECTED)
    assert (judged.kind, judged.ids, model, recorded) == (OK, ("1",), "m1", True)
    assert judge(200, answer("m2", "b"), "one.jpg", EXPECTED)[0].kind == OK


@pytest.mark.parametrize(
    "body", [answer("m1", "b"), answer("m2", "a"), answer("m3"), answer("m1", photo="two.jpg")]
)
def test_an_answer_of_another_model_or_photograph_is_wrong(body: bytes) -> None:
    assert judge(200, body, "one.jpg", EXPECTED)[0].kind in (WRONG, MIXED_UP)


def test_an_answer_that_is_not_recorded_says_so() -> None:
    judged, _, recorded = judge(200, answer("m1", recorded=False), "one.jpg", EXPECTED)
    assert (judged.kind, judged.ids, recorded) == (OK, (), False)


def test_a_refusal_is_one_whatever_its_body_is() -> None:
    judged, model, recorded = judge(503, b"<html>", "one.jpg", EXPECTED)
    assert (judged.kind, model, recorded) == (REFUSED, "", None)


@pytest.fixture
def services() -> dict[str, Service]:
    variables = {"LEAFSIGHT_CPUS": "0.4", "LEAFSIGHT_IMAGE": "leafsight:tried"}
    found: dict[str, Service] = read_compose(ROOT / "compose.yaml", variables, "full")["services"]
    return found


def words_of(services: dict[str, Service], name: str) -> list[str]:
    secrets = dict.fromkeys(
        ("database_password", "database_url", "store_credentials", "store_identities", "metrics_key",
         "grafana_password"), Path("/secret"),
    )  # fmt: skip
    project = Project("p", "l=1", ROOT, secrets, volumes={"database": Path("/small")})
    return run_words(project, services[name])


def test_a_replica_is_started_as_the_file_says(services: dict[str, Service]) -> None:
    words = words_of(services, "replica")
    text = " ".join(words)
    assert words[words.index("--cpus") + 1] == "0.4"
    assert "--read-only" in words
    assert "--cap-drop all" in text
    assert "--restart unless-stopped" in text
    assert "--network p_front:alias=replica" in text
    assert "LEAFSIGHT_JOBS=none" in words
    assert "/secret:/run/secrets/database_url:ro" in words
    assert words[-4:] == ["leafsight:tried", "serve", "--wait", "120"]


def test_a_small_disk_takes_the_place_of_a_volume(services: dict[str, Service]) -> None:
    assert "/small:/var/lib/postgresql/data" in words_of(services, "database")
    assert "p_store:/data" in words_of(services, "store")


def disk_that_is_only_said(monkeypatch: pytest.MonkeyPatch, folder: Path) -> list[tuple[str, ...]]:
    """What a small disk asks of the machine, without asking it."""
    said: list[tuple[str, ...]] = []
    monkeypatch.setattr(disks, "_run", lambda *words: said.append(words))
    disks.Disk(folder, "database", 2**20).make(os.getuid())
    return said


def test_a_small_disk_is_formatted_mounted_and_given_to_its_user(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    formatted, mounted = disk_that_is_only_said(monkeypatch, tmp_path)
    assert (formatted[0], formatted[-1]) == ("mkfs.ext4", str(tmp_path / "database.ext4"))
    assert mounted == ("mount", "-o", "loop", formatted[-1], str(tmp_path / "database"))
    assert (tmp_path / "database" / "data").stat().st_mode & 0o777 == 0o700


@pytest.mark.skipif(
    os.getuid() != 0 or shutil.which("mkfs.ext4") is None or not Path("/dev/loop-control").exists(),
    reason="root, mkfs.ext4 and loop devices are needed",
)
def test_a_full_disk_takes_nothing_more_and_a_freed_one_does(tmp_path: Path) -> None:
    disk = disks.Disk(tmp_path, "database", 64 * 2**20)
    try:
        try:
            disk.make(os.getuid())
        except subprocess.CalledProcessError as error:
            if error.cmd[0] != "mount":
                raise
            pytest.skip(f"no disk can be mounted here: {error}")
        assert os.path.ismount(disk.path)
        filled = disk.fill()
        assert filled > 8 * 2**20
        with pytest.raises(OSError, match="No space left"), (disk.data / "more").open("wb") as file:
            os.posix_fallocate(file.fileno(), 0, 2**20)
        disk.free_again()
        assert disk.free_bytes() > 8 * 2**20
    finally:
        disk.remove()
    assert not os.path.ismount(disk.path)


def test_only_services_of_the_profile_are_there(services: dict[str, Service]) -> None:
    assert {"proxy", "replica", "worker", "database", "store"} <= services.keys()
    assert "leafsight" not in services
    assert services["setup"].is_once
    assert not services["replica"].is_once


def test_file_systems_in_memory_get_a_size() -> None:
    words = ["--tmpfs", "/tmp", "--env", "A=b", "--tmpfs", "/var:mode=1777", "image"]
    assert with_sized_tmpfs(words, 64) == [
        "--tmpfs", "/tmp:size=64", "--env", "A=b", "--tmpfs", "/var:mode=1777,size=64", "image",
    ]  # fmt: skip


def test_a_timeline_shows_what_became_of_requests() -> None:
    rows = [*photographs(0, 20), *photographs(20, 25, kind="cut"), *photographs(25, 40)]
    drawn = timeline("A fault", per_second(rows, 40.0), 20.0, 30.0, 40.0)
    assert drawn.startswith("<svg xmlns=")
    assert "fault" in drawn
    assert "back" in drawn
    assert "20 failed" in drawn


def test_the_report_has_a_row_for_each_fault() -> None:
    rows = [*photographs(0, 20), *photographs(20, 25, kind="cut"), *photographs(25, 40)]
    jobs = {"states": {"done": 2}, "again": {}, "errors": {}, "without_an_end": []}
    kept = {
        "checked": {"predictions": 3, "corrections": 2, "uploads": 1}, "error": "", "jobs": jobs,
        "lost": {"predictions": ["x"], "corrections": [], "uploads": []},
    }  # fmt: skip
    row = {
        "name": "a-fault", "title": "A fault", "done": "It was broken.",
        "notes": ["+0.0 s: broken"], "figures": {}, "memory_peak_bytes": {"replica-1": 2**20}, "error": "",
        "kept": kept, **summed(rows, Marks(0.0, 20.0, 20.0, 40.0)),
    }  # fmt: skip
    found = {
        "faults": [row], "rate_per_s": 4.0, "capacity_per_s": 8.0,
        "machine": {"processor": "P", "cores": 2, "kernel": "K", "load_before": 0.1, "when": "today"},
        "options": {"replicas": 2, "cpus": 0.4, "memory": "512m"},
        "versions": {"podman": "podman 4", "leafsight": "1"},
    }  # fmt: skip
    text = as_markdown(found)
    assert "| [A fault](#a-fault) | 160 | 140 | 0 | 20 (20 cut) | 0 | 0 | 1 | 100 / - / 100 | 5 |" in text
    assert "![A fault](pictures/a-fault.svg)" in text
    assert "lost: 1 predictions" in text
    assert "Together 160 requests: 140 ok, 0 of them not recorded; 0 refused; 20 failed; 0 wrong." in text
    assert "looked for afterwards; lost: 1." in text
    assert "4 photographs a second, 50 % of the 8 that a closed loop got" in text


def test_a_folder_is_mounted_from_the_root_wherever_one_stands(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr("sys.argv", ["faults", "--out", "here/faults"])
    assert faults_options().out == tmp_path.resolve() / "here" / "faults"
