"""The model in service: whole, warm, and with passes of the size that suits it."""

from __future__ import annotations

import gc
import weakref
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from leafsight.images import DecodeLimits
from leafsight.inference import OnnxNetwork
from leafsight.registry import open_registry
from leafsight.service.held_model import ModelHolder
from leafsight.service.pass_size import quickest_pass


def held(folder: Path, model: Path, **changes: Any) -> tuple[int, list[int]]:
    """The size of pass of a model taken into service, and what was told of it."""
    told: list[int] = []
    options = {"threads": 1, "limits": DecodeLimits(), "chosen": told.append, **changes}
    holder = ModelHolder(open_registry(folder), model=model, **options)
    return holder.now.predictor.network.batch_size, told


def test_one_thread_passes_one_photograph_at_a_time_and_measures_nothing(
    tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OnnxNetwork, "run_grey", lambda *_: pytest.fail("was measured"))
    assert held(tmp_path, colour_model) == (1, [1])


def test_an_operators_size_is_not_measured_either(
    tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(OnnxNetwork, "run_grey", lambda *_: pytest.fail("was measured"))
    assert held(tmp_path, colour_model, threads=2, pass_size=4) == (4, [4])


def test_where_larger_passes_cost_no_more_they_are_taken(
    tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on an accelerator: each pass takes the same time, however many photographs are in it."""
    clock = [0.0]

    def run(_network: OnnxNetwork, _squares: int) -> None:
        clock[0] += 0.01

    monkeypatch.setattr(OnnxNetwork, "run_grey", run)
    measure = partial(quickest_pass, now=lambda: clock[0])
    monkeypatch.setattr("leafsight.service.held_model.quickest_pass", measure)
    assert held(tmp_path, colour_model, threads=2) == (8, [8])


def test_a_model_that_is_served_no_more_needs_no_look_for_garbage(tmp_path: Path, colour_model: Path) -> None:
    """A ready process freezes what it has (``gc.freeze``): nobody would find the first model in a circle."""
    options = {"model": colour_model, "threads": 1, "limits": DecodeLimits()}
    holder = ModelHolder(open_registry(tmp_path), **options)  # type: ignore[arg-type]
    first = weakref.ref(holder.now.predictor), weakref.ref(holder.now.predictor.network)
    gc.disable()
    try:
        holder.now = ModelHolder(open_registry(tmp_path), **options).now  # type: ignore[arg-type]
        assert [one() for one in first] == [None, None]
    finally:
        gc.enable()
