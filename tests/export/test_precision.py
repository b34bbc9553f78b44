from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from leafsight.bundle import NetworkSpec
from leafsight.evaluation import Scores
from leafsight.export import ExportOptions, Scheme, precision
from leafsight.export.precision import decide_precision, evenly
from leafsight.progress import Silent

SPEC = NetworkSpec.standard(side_px=8, n_classes=2, width=4, map_hw=(1, 1))
IMAGES = np.zeros((1000, 8, 8, 3), dtype=np.uint8)
LABELS = np.zeros(1000, dtype=np.int64)


class FakeGraph:
    """A graph whose bytes say how many of the photographs it gets wrong."""

    def __init__(self, model: bytes, spec: NetworkSpec) -> None:
        self.wrong = int(model)

    def __call__(self, images: np.ndarray) -> Scores:
        logits = np.tile([1.0, 0.0], (len(images), 1))
        logits[: self.wrong] = [0.0, 1.0]
        return Scores(logits)

    def run(self, images: np.ndarray) -> None:
        pass


@pytest.fixture
def decide(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Callable[..., object]:
    """The decision when each scheme gets so many wrong and is so many times as fast."""

    def run(wrong: dict[str, int], speedup: float, *, vnni: bool = False, **options: object) -> object:
        cpu = tmp_path / "cpuinfo"
        cpu.write_text("flags : avx2 avx512_vnni" if vnni else "flags : avx2")
        monkeypatch.setattr(precision, "CPU_FLAGS", cpu)
        monkeypatch.setattr(precision, "OnnxNetwork", FakeGraph)
        monkeypatch.setattr(
            precision, "quantise", lambda graph, images, **kw: b"%d" % wrong[str(kw["scheme"])]
        )
        monkeypatch.setattr(
            precision, "interleaved_ms", lambda calls, rounds: {"fp32": [speedup], "int8": [1.0]}
        )
        chosen = ExportOptions.model_validate(options)
        return decide_precision(b"100", SPEC, IMAGES[:10], IMAGES, LABELS, chosen, Silent())

    return run


ALL, PLAIN, SEVEN = str(Scheme()), str(Scheme(plain_convolutions=3)), str(Scheme(reduce_range=True))


def test_int8_is_kept_where_it_pays(decide: Callable[..., object]) -> None:
    graph, decision = decide({ALL: 103}, 1.5)
    assert (graph, decision.precision, decision.photos) == (b"103", "int8", 1000)
    (one,) = decision.candidates
    assert (one.accuracy_fp32, one.accuracy_int8, one.top1_agreement) == (0.9, 0.897, 0.997)
    assert (one.speedup, one.median_ms_fp32, one.median_ms_int8, one.kept) == (1.5, 1.5, 1.0, True)
    assert "1.50 times as fast, accuracy 0.8970 against 0.9000" in decision.reason


def test_three_tenths_of_a_point_and_no_more(decide: Callable[..., object]) -> None:
    graph, decision = decide({ALL: 104, PLAIN: 104, SEVEN: 104}, 1.5)
    assert (graph, decision.precision) == (b"100", "fp32")
    assert [one.scheme for one in decision.candidates] == [ALL, PLAIN, SEVEN]
    assert decision.reason.startswith("INT8 fails")


def test_next_scheme_is_tried(decide: Callable[..., object]) -> None:
    graph, decision = decide({ALL: 150, PLAIN: 99}, 1.5)
    assert (graph, decision.precision, len(decision.candidates)) == (b"99", "int8", 2)


def test_seven_bits_only_without_vnni(decide: Callable[..., object]) -> None:
    wrong = {ALL: 150, PLAIN: 150, SEVEN: 100}
    assert decide(wrong, 1.5)[1].precision == "int8"
    assert decide(wrong, 1.5, vnni=True)[1].precision == "fp32"


def test_not_faster_ends_the_search(decide: Callable[..., object]) -> None:
    graph, decision = decide({ALL: 100}, 1.04)
    assert (graph, decision.precision, len(decision.candidates)) == (b"100", "fp32", 1)


def test_gates_are_options(decide: Callable[..., object]) -> None:
    assert decide({ALL: 120}, 0.5, max_accuracy_loss=0.02, min_speedup=0.4)[1].precision == "int8"


def test_fp32_does_not_try(decide: Callable[..., object]) -> None:
    graph, decision = decide({}, 1.0, precision="fp32")
    assert (graph, decision.precision, decision.candidates) == (b"100", "fp32", ())


def test_nothing_to_judge_on_is_fp32() -> None:
    graph, decision = decide_precision(b"g", SPEC, IMAGES[:0], IMAGES, LABELS, ExportOptions(), Silent())
    assert (graph, decision.precision) == (b"g", "fp32")
    assert "no photographs" in decision.reason


def test_no_cpuinfo_is_no_vnni(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(precision, "CPU_FLAGS", tmp_path / "absent")
    assert not precision.has_vnni()


def test_evenly_spreads() -> None:
    rows = np.arange(100, dtype=np.uint8).reshape(100, 1, 1, 1)
    assert evenly(rows, 5).ravel().tolist() == [0, 25, 50, 74, 99]
    assert len(evenly(rows, 1000)) == 100
    assert evenly(rows, 1).ravel().tolist() == [0]
