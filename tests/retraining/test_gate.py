"""The gate from two bundles to a decision, and what a broken candidate gets."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from tests.fakes.tiny_bundle import CLASSES, tiny_contents, tiny_onnx, tiny_weights, write_tiny_bundle
from tests.retraining.teaching import BASIL, OKRA, PER_SPLIT, champion_at, contributions, teach, with_stressed

from leafsight.bundle import Bundle, BundleContents, open_bundle, write_bundle
from leafsight.errors import BundleError
from leafsight.retraining import GateOptions, GateReport, gate_running, judge_gate
from leafsight.retraining.gate_page import gate_page
from leafsight.storage import canonical_json

EVEN = {"champion": [1.0] * 5, "candidate": [1.0] * 5}
LENIENT = GateOptions(resamples=200, size_ratio=10.0)  # a tiny bundle is mostly metrics
RECORDS = [*contributions(OKRA, 30), *contributions(BASIL, 30, 100)]


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return champion_at(tmp_path_factory.mktemp("champion") / "champion.leafsight")


@pytest.fixture(scope="module")
def candidate(champion: Bundle, tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    path = tmp_path_factory.mktemp("candidate") / "candidate.leafsight"
    return open_bundle(teach(champion, RECORDS, path)[0].path)


def judged(champion: Bundle, candidate: Bundle | Path, **changes: Any) -> GateReport:
    return judge_gate(champion, candidate, **{"options": LENIENT, "latency": EVEN, **changes})


def failed(report: GateReport) -> set[str]:
    return {check.name for check in report.checks if not check.passed}


def altered(bundle: Bundle, path: Path, **changes: Any) -> Path:
    contents: BundleContents = replace(bundle.contents(), **changes)
    write_bundle(path, contents)
    return path


def test_a_good_candidate_passes_and_every_condition_is_told(champion: Bundle, candidate: Bundle) -> None:
    report = judged(champion, candidate)
    assert report.passed, report.said
    assert {
        "usable",
        "knows",
        "parity",
        "accuracy",
        "worst_class",
        "domains",
        "macro_f1",
        "calibration",
        "coverage",
    } <= {check.name for check in report.checks}
    assert [check.name for check in report.checks].count("taught") == 2
    assert all(check.said.endswith(".") for check in report.checks)
    assert report.photos == PER_SPLIT * len(CLASSES)
    canonical_json(report.to_dict())  # no NaN in it


def test_the_champion_holds_against_itself(champion: Bundle) -> None:
    report = judged(champion, champion)
    assert report.passed, report.said
    assert (report.lost, report.gained) == (0, 0)


def test_a_candidate_that_forgot_fails_and_says_what(
    champion: Bundle, candidate: Bundle, tmp_path: Path
) -> None:
    head = candidate.cam_head()
    assert head is not None
    weight, bias = head[0].copy(), head[1].copy()
    weight[0], bias[0] = 0, -50
    weights = {**tiny_weights(), "dense_w": weight, "dense_b": bias}
    path = altered(
        candidate, tmp_path / "worse.leafsight", cam_weight=weight, cam_bias=bias, network=tiny_onnx(weights)
    )
    report = judged(champion, path)
    assert not report.passed
    assert {"accuracy", "macro_f1"} <= failed(report)
    assert report.said.startswith("Not better to serve (and ")
    assert report.lost == PER_SPLIT


@pytest.mark.parametrize("damage", ["missing", "cut", "photograph"])
def test_a_file_that_cannot_be_opened_fails_with_a_reason(
    champion: Bundle, candidate: Bundle, tmp_path: Path, damage: str
) -> None:
    path = tmp_path / "broken.leafsight"
    if damage != "missing":
        data = candidate.path.read_bytes()
        path.write_bytes(data[: len(data) // 2] if damage == "cut" else b"\xff\xd8\xff no model")
    report = judged(champion, path)
    assert not report.passed
    assert failed(report) == {"usable"}
    assert report.candidate == ""
    assert "cannot be judged" in report.said


def test_nan_in_the_network_or_the_head_fails(champion: Bundle, candidate: Bundle, tmp_path: Path) -> None:
    head = candidate.cam_head()
    assert head is not None
    weight = np.full_like(head[0], np.nan)
    in_graph = altered(
        candidate,
        tmp_path / "graph.leafsight",
        network=tiny_onnx({**tiny_weights(), "dense_w": weight, "dense_b": head[1].copy()}),
    )
    assert failed(judged(champion, in_graph)) == {"usable"}
    in_head = altered(candidate, tmp_path / "head.leafsight", cam_weight=weight)
    assert failed(judged(champion, in_head)) == {"usable"}


def test_a_graph_that_is_not_its_head_fails(champion: Bundle, candidate: Bundle, tmp_path: Path) -> None:
    head = candidate.cam_head()
    assert head is not None
    weights = {**tiny_weights(), "dense_w": head[0] + np.float32(0.1), "dense_b": head[1].copy()}
    path = altered(candidate, tmp_path / "other.leafsight", network=tiny_onnx(weights))
    assert failed(judged(champion, path)) == {"parity"}


def test_another_network_under_the_same_backbone_fails(
    champion: Bundle, candidate: Bundle, tmp_path: Path
) -> None:
    head = candidate.cam_head()
    assert head is not None
    first = tiny_weights()
    weights = {
        **first,
        "conv_b": first["conv_b"] + np.float32(0.1),
        "dense_w": head[0].copy(),
        "dense_b": head[1].copy(),
    }
    path = altered(candidate, tmp_path / "other.leafsight", network=tiny_onnx(weights))
    assert failed(judged(champion, path)) == {"parity"}


def test_lost_classes_fail(champion: Bundle, candidate: Bundle) -> None:
    report = judged(candidate, champion)
    assert failed(report) == {"knows"}
    assert OKRA in report.said


def test_another_locked_test_fails(champion: Bundle, candidate: Bundle, tmp_path: Path) -> None:
    memory = candidate.memory()
    assert memory is not None
    other = altered(
        candidate,
        tmp_path / "other.leafsight",
        memory=replace(memory, pixel_hash=memory.pixel_hash + np.uint64(1)),
    )
    report = judged(champion, other)
    assert failed(report) == {"usable"}
    assert "locked test" in report.said
    none = altered(candidate, tmp_path / "none.leafsight", memory=None)
    assert failed(judged(champion, none)) == {"usable"}


def test_the_order_of_the_locked_test_does_not_matter(
    champion: Bundle, candidate: Bundle, tmp_path: Path
) -> None:
    memory = candidate.memory()
    assert memory is not None
    order = np.random.default_rng(0).permutation(len(memory))
    columns = ("embedding", "label", "split", "group", "domain", "contributed", "pixel_hash", "look_hash")
    mixed = replace(memory, **{name: getattr(memory, name)[order] for name in columns})
    other = judged(champion, altered(candidate, tmp_path / "mixed.leafsight", memory=mixed))
    same = judged(champion, candidate)
    assert other.passed
    assert (other.lost, other.gained) == (same.lost, same.gained)


def test_a_taught_class_without_held_out_photographs_fails(
    champion: Bundle, candidate: Bundle, tmp_path: Path
) -> None:
    memory = candidate.memory()
    assert memory is not None
    split = np.where(memory.split == 5, 0, memory.split)
    report = judged(
        champion, altered(candidate, tmp_path / "unheld.leafsight", memory=replace(memory, split=split))
    )
    assert failed(report) == {"taught"}
    assert "nothing is known about it" in report.said


def test_a_candidate_of_another_backbone_is_judged_without_the_champion_on_contributions(
    champion: Bundle, candidate: Bundle, tmp_path: Path
) -> None:
    memory = candidate.memory()
    assert memory is not None
    report = judged(
        champion, altered(candidate, tmp_path / "full.leafsight", memory=replace(memory, backbone="cd" * 32))
    )
    assert report.passed, report.said
    rows = [row for row in report.classes if row.where == "contributions"]
    assert rows
    assert all(row.champion is None for row in rows)


def test_slow_and_large_candidates_fail(champion: Bundle, candidate: Bundle, tmp_path: Path) -> None:
    slow = {"champion": [1.0, 1.0, 1.0], "candidate": [1.2, 1.2, 50.0]}
    assert failed(judged(champion, candidate, latency=slow)) == {"latency"}
    one_peak = {"champion": [1.0, 1.0, 1.0], "candidate": [1.0, 1.0, 50.0]}
    assert judged(champion, candidate, latency=one_peak).passed
    large = altered(candidate, tmp_path / "large.leafsight", recipe="#" * 3_000_000)
    assert failed(judged(champion, large)) == {"size"}


def test_the_memory_does_not_count_as_size(champion: Bundle, candidate: Bundle, tmp_path: Path) -> None:
    bare = altered(champion, tmp_path / "bare.leafsight", memory=with_stressed(champion.memory()))  # type: ignore[arg-type]
    sizes = [
        check.value
        for one in (champion, open_bundle(bare))
        for check in judged(champion, one).checks
        if check.name == "size"
    ]
    assert sizes[0] == sizes[1]


def test_a_champion_that_cannot_be_used_is_an_error(candidate: Bundle, tmp_path: Path) -> None:
    contents = tiny_contents(network=b"no graph")
    write_bundle(tmp_path / "champion.leafsight", contents)
    with pytest.raises(BundleError):
        judged(open_bundle(tmp_path / "champion.leafsight"), candidate)


def test_a_champion_without_memory_makes_no_exception(candidate: Bundle, tmp_path: Path) -> None:
    champion = open_bundle(write_tiny_bundle(tmp_path / "tiny.leafsight"))
    report = judged(champion, candidate)
    assert not report.passed
    assert "remembers no locked test" in report.said


def test_a_busy_moment_does_not_fail_a_candidate(
    champion: Bundle, candidate: Bundle, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[int] = []

    def busy_at_first(calls: Any, rounds: int) -> dict[str, list[float]]:
        asked.append(rounds)
        return {"champion": [1.0] * 3, "candidate": [1.5 if len(asked) < quiet_from else 1.0] * 3}

    monkeypatch.setattr(gate_running, "interleaved_ms", busy_at_first)
    quiet_from = 3
    assert judged(champion, candidate, latency=None).passed
    assert asked == [20, 40, 80]
    quiet_from = 100
    assert failed(judged(champion, candidate, latency=None)) == {"latency"}


def test_the_page_says_all_of_it_and_escapes_names(champion: Bundle, tmp_path: Path) -> None:
    bad = "Okra<script>alert(1)</script>"
    records = [replace(one, label=bad) for one in contributions(OKRA, 30)]
    from tests.retraining import teaching

    teaching.TAUGHT[bad] = teaching.YELLOW
    built, snapshot = teach(champion, records, tmp_path / "candidate.leafsight")
    report = judged(champion, built.path)
    page = gate_page(report, title="Retraining 7", snapshot=snapshot)
    assert page.startswith("<!DOCTYPE html>")
    assert "<script" not in page
    assert "Okra&lt;script&gt;" in page
    assert all(check.said.split("<")[0] in page for check in report.checks if bad not in check.said)
    broken = gate_page(judged(champion, tmp_path / "nowhere.leafsight"))
    assert "could not be opened" in broken
