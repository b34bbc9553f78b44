"""Drift against the training domain: seen when it is there, and as seldom as promised when it is not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.tiny_bundle import write_tiny_bundle
from tests.monitoring.made_memory import (
    HOUR_MS,
    NOW_MS,
    embeddings,
    made_memory,
    remembering_bundle,
    rows_of,
)

from leafsight.bundle import open_bundle
from leafsight.monitoring import (
    LimitTable,
    Reference,
    drift_page,
    enough_rows,
    limits_of,
    look_for_drift,
    reference_of,
)
from leafsight.monitoring.drift_limits import VISITS

Known = tuple[Reference, LimitTable]


@pytest.fixture(scope="module")
def known(tmp_path_factory: pytest.TempPathFactory) -> Known:
    bundle = remembering_bundle(tmp_path_factory.mktemp("memory") / "a.leafsight")
    reference = reference_of(bundle)
    assert reference is not None
    return reference, limits_of(reference, windows=1600)


def look(known: Known, many: int = 200, *, each_hour: int = 4, seed: int = 1, **words: Any) -> dict[str, Any]:
    embedding, _ = embeddings(many, seed, **words)
    return look_for_drift(*known, rows_of(embedding, each_hour=each_hour))


def test_photographs_of_the_domain_are_like_it(known: Known) -> None:
    found = look(known)
    assert (found["state"], found["mix"]) == ("none", {"differs": False, "measures": []})
    assert found["said"] == "The newest 200 photographs are like those that the model was made for."
    assert [window["photographs"] for window in found["windows"]] == [50, 100, 200]
    assert found["reference_photographs"] == 600
    assert found["model"] == known[0].model


def test_photographs_from_elsewhere_are_drift_and_named(known: Known) -> None:
    home, _ = embeddings(150, 1)
    away, _ = embeddings(50, 2, moved=1.5)
    rows = rows_of(np.concatenate([away, home]))
    found = look_for_drift(*known, rows)
    assert found["state"] == "drift"
    assert found["said"].startswith("Drift in the newest 50 photographs: photographs lie farther from")
    assert len(found["drifted"]) == 20
    assert {one["id"] for one in found["drifted"]} <= {row.id for row in rows[:50]}
    assert found["drifted"][0]["of_rare"] > 1
    distances = [one["steps"] for one in found["drifted"]]
    assert distances == sorted(distances, reverse=True)


def test_one_crop_alone_is_another_mix_and_no_drift(known: Known) -> None:
    found = look(known, kind=2)
    assert found["state"] == "none"
    assert found["mix"]["differs"]
    assert "Another mix than it was made for" in found["said"]


def test_a_burst_of_one_sender_is_one_occasion(known: Known) -> None:
    """Five hundred odd photographs of one key within an hour count as an eighth of a window at most."""
    burst, _ = embeddings(500, 2, moved=1.5)
    home, _ = embeddings(200, 1)
    rows = [
        *rows_of(burst, each_hour=500, key_id="b"),
        *rows_of(home, key_id="a", newest_ms=NOW_MS - HOUR_MS, first=500),
    ]
    found = look_for_drift(*known, rows)
    for window in found["windows"]:
        assert window["occasions"] >= 8
        assert window["visit"] > 1
    alone = look_for_drift(*known, rows[:500])
    assert (alone["state"], alone["windows"]) == ("too_few", [])
    assert alone["said"].startswith("Too few photographs to tell: 500 came, at least 50 on 8 occasions")


@pytest.mark.parametrize("many", [0, 1, 49])
def test_too_few(known: Known, many: int) -> None:
    found = look(known, many, moved=9.0)
    assert (found["state"], found["windows"]) == ("too_few", [])
    assert len(found["drifted"]) == min(many, 20)


def test_rows_without_embedding_or_of_another_width_are_passed_over(known: Known) -> None:
    rows = rows_of(embeddings(60, 1)[0])
    odd = [replace(rows[0], embedding=None), replace(rows[0], embedding=np.zeros(3, np.float32))]
    assert look_for_drift(*known, odd)["photographs"] == 0
    assert look_for_drift(*known, [*odd, *rows])["photographs"] == 60


@pytest.mark.slow
def test_as_few_false_alarms_as_promised(known: Known) -> None:
    """Fresh photographs of the domain, one by one and in visits of one class: at most 1 % of looks."""
    alarms = {1: 0, 6: 0}
    for visit in alarms:
        for seed in range(60):
            rng = np.random.default_rng([seed, visit])
            kinds = np.repeat(rng.integers(0, 4, 200), visit)[:200]
            embedding = np.concatenate(
                [embeddings(1, 1000 * seed + n, kind=int(k))[0] for n, k in enumerate(kinds)]
            )
            rows = rows_of(embedding, each_hour=visit)
            alarms[visit] += look_for_drift(*known, rows)["state"] == "drift"
    assert alarms[1] <= 4  # at 1 % five or more of 60 come once in three thousand runs
    assert alarms[6] <= 4


def test_limits_are_the_same_whoever_sets_them_and_survive_json(known: Known) -> None:
    reference, table = known
    again = limits_of(reference, windows=1600)
    assert again == table
    assert LimitTable.from_dict(table.to_dict()) == table
    assert LimitTable.from_dict({**table.to_dict(), "version": 0}) is None


def test_limits_fall_with_the_window_and_rise_with_the_visit(known: Known) -> None:
    limits = known[1].limits
    for visit in VISITS[:3]:
        sizes = sorted(limits[visit])
        looks = [limits[visit][size]["look"] for size in sizes]
        assert looks == sorted(looks, reverse=True)
    assert limits[6][200]["mix_of_looks"] > limits[1][200]["mix_of_looks"]
    assert known[1].of(50, 2.5) == (3, limits[3][50])
    assert known[1].of(50, 7) is None


def test_only_some_sources_may_be_the_reference(tmp_path: Path) -> None:
    bundle = remembering_bundle(tmp_path / "a.leafsight", made_memory(1200))
    lab = reference_of(bundle, domains=["lab"])
    assert lab is not None
    assert len(lab.group) == 400
    assert reference_of(bundle, domains=["moon"]) is None


def test_without_memory_or_with_too_little_there_is_no_reference(tmp_path: Path) -> None:
    assert reference_of(open_bundle(write_tiny_bundle(tmp_path / "a.leafsight"))) is None
    few = remembering_bundle(tmp_path / "b.leafsight", made_memory(90))
    assert reference_of(few) is None


def test_a_model_without_familiarity_is_measured_in_its_own_embedding(tmp_path: Path) -> None:
    from tests.fakes.tiny_bundle import tiny_calibration

    path = tmp_path / "a.leafsight"
    write_tiny_bundle(path, memory=made_memory(), calibration=tiny_calibration(familiarity=None))
    reference = reference_of(open_bundle(path))
    assert reference is not None
    known = reference, limits_of(reference, windows=400)
    assert look(known)["state"] == "none"
    assert look(known, moved=3.0)["state"] == "drift"


def test_as_many_rows_as_fill_a_window_are_read() -> None:
    read = []

    def endless() -> Any:
        for place in range(10_000):
            read.append(place)
            yield rows_of(np.zeros((1, 5), np.float32), newest_ms=NOW_MS - place // 10 * HOUR_MS)[0]

    assert len(enough_rows(endless(), 50)) == len(read)
    assert 50 <= len(read) < 100


def test_the_page_shows_it_and_nothing_can_run_in_it(known: Known) -> None:
    found = {**look(known, moved=1.5), "at_ms": NOW_MS}
    found["drifted"][0]["class_key"] = "<script>alert(1)</script>"
    page = drift_page(found)
    assert "Drift in the newest" in page
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert found["drifted"][19]["id"] in page
    assert "not kept" in page
    assert "Too few" in drift_page({**look(known, 3), "at_ms": NOW_MS})
