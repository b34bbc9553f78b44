"""``leafsight predict --cluster``: its words, before and without a cluster."""

from __future__ import annotations

from pathlib import Path
from unittest import mock

import pytest
from tests.journeys.small_world import leafsight

from leafsight.errors import require

NOWHERE = "127.0.0.1:1"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--heatmap", "x"), "--heatmap makes no sense"),
        (("--server", "http://x"), "--server makes no sense"),
        (("--key", "x"), "--key makes no sense"),
        (("--lines",), "--lines makes no sense"),
        (("--threads", "2"), "--threads"),
    ],
)
def test_options_that_make_no_sense(tmp_path: Path, words: tuple[str, ...], said: str) -> None:
    done = leafsight("predict", "--cluster", NOWHERE, tmp_path, tmp_path / "out", *words)
    assert (done.code, done.out) == (2, "")
    assert said in done.error_lines[0]
    assert not (tmp_path / "out").exists()


def test_answers_need_a_folder(tmp_path: Path) -> None:
    done = leafsight("predict", "--cluster", NOWHERE, tmp_path)
    assert done.code == 2
    assert "folder for the answers" in done.error_lines[0]
    done = leafsight("predict", tmp_path, "--workers", "2")
    assert done.code == 2
    assert "add --cluster" in done.error_lines[1]


def test_the_word_behind_cluster_is_a_photograph_unless_it_is_an_address(tmp_path: Path) -> None:
    with mock.patch("leafsight.cli.predict_cluster.predict_into_folder", return_value=0) as called:
        assert leafsight("predict", "--cluster", tmp_path, "s3://leaves/a", tmp_path / "out").code == 0
    words, cluster = called.call_args.args
    assert words == (str(tmp_path), "s3://leaves/a", str(tmp_path / "out"))
    assert cluster.address == "auto"


@pytest.mark.parametrize("as_json", [False, True])
def test_the_result_and_its_exit_code(tmp_path: Path, as_json: bool) -> None:
    require("ray", "cluster")
    from leafsight.cluster import Answered

    answered = Answered(tmp_path, 12, {"diagnosis": 9, "unreadable": 3}, 2, 5, 0.0, 1.25, 0)
    with mock.patch("leafsight.cluster.predict_on_cluster", return_value=answered):
        done = leafsight("predict", "--cluster", tmp_path, tmp_path / "out", *(["--json"] if as_json else []))
    assert done.code == 1
    if as_json:
        assert done.json == {
            "folder": str(tmp_path), "photographs": 12, "verdicts": {"diagnosis": 9, "unreadable": 3},
            "unreadable": 3, "files": 2, "done_before": 5, "seconds": 1.25, "workers_lost": 0,
        }  # fmt: skip
    else:
        assert "diagnosis\t9" in done.out.splitlines()
        assert "12 photographs (5 before) in 2 files, 3 unreadable" in done.out
        assert "came after" in done.err
