"""``leafsight work``: its options, and what it says without a server."""

from __future__ import annotations

import os
import time
from dataclasses import replace
from pathlib import Path

import click
import pytest
from tests.journeys.small_world import leafsight

from leafsight.cli.serve import command as serve
from leafsight.cli.work import command as work
from leafsight.settings import Settings


def test_its_options_are_those_of_serve() -> None:
    def told(command: click.Command) -> dict[str, object]:
        return {one.name or "": one.to_info_dict() for one in command.params}

    own = {"once", "alive", "as_json"}
    assert {name: one for name, one in told(work).items() if name not in own}.items() <= told(serve).items()
    assert {one.name for one in work.params} - own <= set(Settings.__dataclass_fields__)


def test_alive_tells_by_its_exit_code(tmp_path: Path) -> None:
    words = ("work", "--alive", "--state-dir", tmp_path)
    assert leafsight(*words).code == 1
    assert leafsight(*words, "--json").json == {"alive": False, "seconds": None}
    beat = tmp_path / "job-worker.alive"
    beat.touch()
    assert leafsight(*words).code == 0
    assert leafsight(*words, "--json").json["alive"] is True
    os.utime(beat, (time.time() - 300,) * 2)
    done = leafsight(*words)
    assert (done.code, done.out) == (1, "not alive: 300 s since its last round\n")


def test_once_without_jobs_ends(tmp_path: Path) -> None:
    assert leafsight("work", "--once", "--state-dir", tmp_path).out == "0 jobs\n"
    assert leafsight("work", "--once", "--json", "--state-dir", tmp_path).json == {"jobs": 0}


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--once", "--alive"), "do not go together"),
        (("--json",), "--json has nothing to print"),
        (("--training-data", "not there"), "the collection"),
        (("--database", "mysql://x"), "mysql"),
    ],
)
def test_slips_are_said(tmp_path: Path, words: tuple[str, ...], told: str) -> None:
    done = leafsight("work", "--state-dir", tmp_path, *words)
    assert done.code == 2
    assert told in done.error_lines[0]
    assert len(done.err.splitlines()) == 2 or "works off" in done.err


def test_a_shared_environment_with_jobs_none_does_not_mislead_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("LEAFSIGHT_JOBS", "none")
    monkeypatch.setenv("LEAFSIGHT_TRAINING_DATA", str(tmp_path / "not there"))
    assert leafsight("work", "--once", "--state-dir", tmp_path).code == 2


def test_a_missing_extra_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from leafsight.errors import MissingExtraError

    def missing(library: str, extra: str) -> None:
        raise MissingExtraError(library, extra)

    monkeypatch.setattr("leafsight.cli.work.require", missing)
    done = leafsight("work", "--state-dir", tmp_path)
    assert done.code != 0
    assert "leafsight[serve]" in done.err


def test_a_server_that_works_nothing_off_needs_no_collection(tmp_path: Path) -> None:
    from leafsight.cli.service_settings import service_options
    from leafsight.errors import UsageError

    there = Settings(state_dir=tmp_path, data=tmp_path / "leaves", training_data=tmp_path / "old")
    with pytest.raises(UsageError, match="is not there"):
        service_options(there)
    options = service_options(replace(there, jobs="none"))
    assert (options.jobs, options.data) == ("none", tmp_path / "leaves")
