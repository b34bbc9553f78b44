"""A whole study on a fake engine: every cell once, resumed after an interruption, nothing left running."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest
from tests.loadtest.fake_server import FakeServer, Faults
from tests.loadtest.making import FakeEngine, write_photographs

from leafsight.errors import ConflictError, NotFoundError, RemoteError
from leafsight.loadtest import Study, StudyFolder, StudyOptions, results_of, study
from leafsight.loadtest.driving import drive
from leafsight.loadtest.generators import Driven
from leafsight.loadtest.options import ladder_of
from leafsight.loadtest.orders import Order
from leafsight.loadtest.outcomes import read_outcomes, write_outcomes


@pytest.fixture(autouse=True)
def _quick(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(study, "SETTLE_S", 0.0)
    monkeypatch.setattr(study, "PROBE_S", 0.4)
    monkeypatch.setattr(study, "calibrate", lambda order, folder: {"most_per_s": 1.0})
    monkeypatch.setattr(
        study, "drive_order", driven_here
    )  # no process of its own: tests of those are elsewhere


def driven_here(order: Order, folder: Path) -> Driven:
    generator = asyncio.run(drive(order))
    write_outcomes(Path(order.out), generator.outcomes)
    cost = generator.cost
    return Driven(generator.outcomes, 0.1, cost["begun_s"], cost["wall_s"])


def options(tmp_path: Path, **more: Any) -> StudyOptions:
    photos = str(write_photographs(tmp_path / "photos"))
    values = {
        "replicas": (1, 2), "users": (), "rates": (20.0, 40.0), "seconds": 0.5, "warm_s": 0.1, "repeats": 1,
        "photos": photos, "out": tmp_path / "study",
    }  # fmt: skip
    return StudyOptions(**(values | more))


def run(what: StudyOptions, engine: FakeEngine, *, resume: bool = False) -> StudyFolder:
    folder = StudyFolder(what.out)
    Study(what, engine, folder).run(resume=resume)
    return folder


def test_every_set_up_meets_every_load_once_a_round(tmp_path: Path) -> None:
    with FakeServer() as server:
        engine = FakeEngine(server)
        folder = run(options(tmp_path, repeats=2), engine)
    names = [one["name"] for one in folder.cells()]
    assert len(names) == len(set(names)) == 8
    assert len(engine.started) == len(engine.ended) == 4
    assert engine.cleaned >= 2
    found = results_of(folder)
    assert found["failures"]["failed"] == 0
    assert found["failures"]["lost"] == {"predictions": 0, "corrections": 0, "uploads": 0}
    assert found["failures"]["checked"]["predictions"] >= found["failures"]["requests"]
    for name in names:
        assert read_outcomes(folder.raw(name))
    asked = {path for path in server.paths if path.startswith("/v1/predict")}
    assert "/v1/predict" in asked
    assert found["failures"]["requests"] < server.asked  # the warm-up and the references are not counted


def test_an_interrupted_study_goes_on_where_it_was(tmp_path: Path) -> None:
    what = options(tmp_path)
    with FakeServer() as server:
        engine = FakeEngine(server, fails_at=2)
        with pytest.raises(KeyboardInterrupt):
            run(what, engine)
        assert engine.started[:1] == engine.ended  # the second never came to run, the first is gone
        assert engine.cleaned == 2
        before = StudyFolder(what.out).cells()
        assert len(before) == 2
        with pytest.raises(ConflictError, match="holds a study already"):
            run(what, FakeEngine(server))
        with pytest.raises(ConflictError, match="seconds"):
            run(what.model_copy(update={"seconds": 9.0}), FakeEngine(server), resume=True)
        again = FakeEngine(server)
        folder = run(what, again, resume=True)
    assert folder.cells()[:2] == before
    assert len(folder.cells()) == 4
    assert len(again.started) == 1


def test_a_line_that_was_cut_off_is_driven_again(tmp_path: Path) -> None:
    what = options(tmp_path, replicas=(1,))
    with FakeServer() as server:
        folder = run(what, FakeEngine(server))
        path = what.out / "cells.jsonl"
        first, second = path.read_text().splitlines()
        path.write_text(first + "\n" + second[: len(second) // 2])
        assert len(folder.cells()) == 1
        folder = run(what, FakeEngine(server), resume=True)
    assert len(folder.cells()) == 2


def test_rates_are_found_once_and_are_the_same_with_and_without_a_proxy(tmp_path: Path) -> None:
    what = options(tmp_path, replicas=(1,), rates=(), proxies=(False, True), seconds=0.2)
    with FakeServer() as server:
        server.faults = Faults(takes_s=0.02)
        folder = run(what, FakeEngine(server))
    (rates,) = folder.ladders().values()
    assert len(folder.cells()) == 2 * len(rates)
    assert {one["load"]["rate_per_s"] for one in folder.cells()} == set(rates)
    assert ladder_of(10) == (3.0, 6.0, 8.0, 10.0, 12.0, 16.0)
    assert ladder_of(0.01)[0] == 0.1


def test_wrong_and_lost_things_are_in_the_results(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from leafsight.loadtest import checking

    monkeypatch.setattr(checking, "PAUSE_S", 0.01)
    what = options(tmp_path, replicas=(1,), rates=(40.0,))
    with FakeServer() as server:
        engine = FakeEngine(server)
        folder = StudyFolder(what.out)
        one = Study(what, engine, folder)
        monkeypatch.setattr(
            one, "_warm_up", lambda *_: setattr(server, "faults", Faults(wrong_every=6, lose_every=4))
        )
        one.run()
    failures = results_of(folder)["failures"]
    assert failures["wrong"] >= 2
    assert failures["kinds"] == {"wrong": failures["wrong"]}
    assert failures["lost"]["predictions"] >= 3
    assert any("wrong answers or losses" in line for line in results_of(folder)["in_words"])


def test_replicas_that_answer_differently_are_not_driven(tmp_path: Path) -> None:
    with FakeServer() as server:
        server.faults = Faults(wrong_every=6)  # four photographs at the first replica, one at the second ...
        engine = FakeEngine(server)
        what = options(tmp_path, replicas=(3,))
        with pytest.raises(RemoteError, match="do not give the same answers"):
            run(what, engine)
    assert engine.ended == engine.started
    assert StudyFolder(what.out).cells() == []


def test_a_report_of_nothing_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(NotFoundError, match="holds no study"):
        StudyFolder(tmp_path).study()


def test_the_folder_keeps_no_key(tmp_path: Path) -> None:
    with FakeServer() as server:
        folder = run(options(tmp_path, replicas=(1,), rates=(20.0,)), FakeEngine(server))
    for path in folder.path.rglob("*.json*"):
        if path.suffix != ".gz":
            assert '"key": "key"' not in path.read_text()
    assert json.loads((folder.path / "study.json").read_text())["asked"]["rates"] == [20.0]


def test_a_part_that_ended_is_started_anew_for_the_loads_that_are_left(tmp_path: Path) -> None:
    with FakeServer() as server:
        engine = FakeEngine(server, ends_after_first=True)
        folder = run(options(tmp_path, replicas=(1,), rates=(20.0, 30.0, 40.0)), engine)
    assert len(folder.cells()) == 3
    assert len(engine.started) == len(engine.ended) == 3
    assert results_of(folder)["rows"][0]["ended"] == ["replica 1 killed for memory"]


def test_a_set_up_that_cannot_be_driven_does_not_stop_the_others(tmp_path: Path) -> None:
    what = options(tmp_path, replicas=(1, 2, 3))
    with FakeServer() as server:
        engine = FakeEngine(server, refuses=(2,))
        with pytest.raises(RemoteError, match=r"2 x built-in, direct, round 1: no such luck"):
            run(what, engine)
        assert {one["setup"]["replicas"] for one in StudyFolder(what.out).cells()} == {1, 3}
        folder = run(what, FakeEngine(server), resume=True)
    assert len(folder.cells()) == 6


def test_a_study_does_not_go_on_with_other_images(tmp_path: Path) -> None:
    what = options(tmp_path, replicas=(1,), rates=(20.0,))
    with FakeServer() as server:
        run(what, FakeEngine(server))
        other = FakeEngine(server, image="rebuilt")
        with pytest.raises(ConflictError, match="other images: images"):
            run(what, other, resume=True)
    assert other.started == []
