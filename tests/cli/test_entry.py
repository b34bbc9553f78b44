"""The root command: verbs, exit codes, two-line errors."""

from __future__ import annotations

import os
import signal
import subprocess
import time
from pathlib import Path

import click
import pytest
from tests.journeys.small_world import command_line, in_another_process, leafsight

from leafsight import __version__
from leafsight.cli import entry
from leafsight.cli.entry import VERBS
from leafsight.errors import DatasetError


def verb_that(monkeypatch: pytest.MonkeyPatch, error: BaseException) -> None:
    """Makes every verb raise."""

    @click.command()
    def raising() -> None:
        raise error

    monkeypatch.setattr(entry.LazyGroup, "get_command", lambda self, context, name: raising)


@pytest.mark.parametrize("verb", VERBS)
def test_every_verb_has_help_on_stdout(verb: str) -> None:
    done = leafsight(verb, "--help")
    assert (done.code, done.err) == (0, "")
    assert done.out.startswith(f"Usage: leafsight {verb}")


def test_version() -> None:
    assert leafsight("--version").out.strip().endswith(__version__)


def test_an_unknown_verb_names_the_nearest() -> None:
    done = leafsight("predct", "a.jpg")
    assert done.code == 2
    assert done.out == ""
    assert done.error_lines[0] == "error: no such command 'predct'; did you mean 'predict'?"


def test_an_unknown_verb_of_a_group_names_the_nearest() -> None:
    assert "did you mean 'ls'" in leafsight("recipes", "l").err


@pytest.mark.parametrize(
    "words", [("predict",), ("predict", "--nope", "a.jpg"), ("synth", "x", "--side", "3"), ("recipes", "l")]
)
def test_usage_errors_are_two_lines_and_exit_2(words: tuple[str, ...]) -> None:
    done = leafsight(*words)
    assert done.code == 2
    first, second = done.err.splitlines()
    assert first.startswith("error: ")
    assert second == f"hint: leafsight {words[0]} --help tells how it is used"


def test_no_words_show_the_help_and_exit_2() -> None:
    done = leafsight()
    assert done.code == 2
    assert "Commands:" in done.err


def test_an_expected_failure_is_two_lines_and_its_exit_code(monkeypatch: pytest.MonkeyPatch) -> None:
    verb_that(monkeypatch, DatasetError("no photographs", hint="take some"))
    done = leafsight("check")
    assert (done.code, done.out) == (1, "")
    assert done.err == "error: no photographs\nhint: take some\n"


def test_debug_shows_the_traceback_and_the_two_lines(monkeypatch: pytest.MonkeyPatch) -> None:
    verb_that(monkeypatch, DatasetError("no photographs", hint="take some"))
    done = leafsight("--debug", "check")
    assert done.code == 1
    assert "Traceback" in done.err
    assert done.error_lines == ["error: no photographs", "hint: take some"]


def test_debug_after_the_verb_belongs_to_the_verb() -> None:
    done = leafsight("recipes", "ls", "--debug")
    assert done.code == 2
    assert "--debug" in done.error_lines[0]


def test_a_bug_is_exit_70_and_asks_for_a_report(monkeypatch: pytest.MonkeyPatch) -> None:
    verb_that(monkeypatch, ZeroDivisionError("oh"))
    done = leafsight("check")
    assert done.code == 70
    assert "Traceback" not in done.err
    assert done.error_lines[0] == "error: a bug of leafsight: ZeroDivisionError: oh"
    assert "--debug" in done.error_lines[1]
    assert "ZeroDivisionError: oh" in leafsight("--debug", "check").err


def test_ctrl_c_is_exit_130_with_a_sentence(monkeypatch: pytest.MonkeyPatch) -> None:
    verb_that(monkeypatch, KeyboardInterrupt())
    done = leafsight("check")
    assert done.code == 130
    assert done.err.strip() == "interrupted; nothing that was finished is lost"


@pytest.mark.skipif(os.name == "nt", reason="needs signals of Unix")
def test_a_real_sigint_is_exit_130(tmp_path: Path) -> None:
    # A shell that starts tests in the background lets them ignore SIGINT, and children inherit that.
    before = "import signal; signal.signal(signal.SIGINT, signal.default_int_handler)"
    with subprocess.Popen(
        command_line("synth", tmp_path / "drawn", "--leaves", "500", before=before),
        stderr=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    ) as process:
        deadline_s = time.monotonic() + 60
        while not list(tmp_path.rglob("*.jpg")) and time.monotonic() < deadline_s:
            time.sleep(0.05)
        process.send_signal(signal.SIGINT)
        try:
            _, err = process.communicate(timeout=60)
        finally:
            process.kill()
    assert process.returncode == 130
    assert "interrupted" in err
    assert "Traceback" not in err
    assert not list(tmp_path.rglob("*.part"))


def test_a_reader_that_goes_away_is_no_error() -> None:
    reading, writing = os.pipe()
    os.close(reading)
    done = subprocess.run(
        command_line("recipes", "check", "simple-cnn", "--resolved"),
        stdout=writing,
        stderr=subprocess.PIPE,
        text=True,
        timeout=120,
    )
    os.close(writing)
    assert (done.returncode, done.stderr) == (0, "")


def test_shell_completion_still_works() -> None:
    done = in_another_process(environment={"_LEAFSIGHT_COMPLETE": "bash_source"})
    assert done.code == 0
    assert "complete" in done.out
