from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from tests.fakes.tiny_bundle import SIDE, WIDTH, tiny_numpy, tiny_onnx, tiny_weights

from leafsight.bundle import Bundle, NetworkSpec, TensorSpec
from leafsight.errors import BundleCorruptError, UsageError
from leafsight.evaluation import Scores
from leafsight.inference import OnnxNetwork

SPEC = NetworkSpec.standard(side_px=SIDE, n_classes=4, width=WIDTH, map_hw=(4, 4))


def squares(n: int, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).integers(0, 256, (n, SIDE, SIDE, 3), dtype=np.uint8)


@pytest.mark.parametrize("n", [1, 7, 8, 9, 20])
def test_outputs_are_those_of_numpy(n: int) -> None:
    batch = squares(n)
    outputs = OnnxNetwork(tiny_onnx(), SPEC).run(batch, with_feature_map=True)
    logits, embedding, feature_map = tiny_numpy(batch)
    np.testing.assert_allclose(outputs.logits, logits, atol=1e-5)
    np.testing.assert_allclose(outputs.embedding, embedding, atol=1e-5)
    np.testing.assert_allclose(outputs.feature_map, feature_map, atol=1e-5)
    assert outputs.logits.dtype == np.float32


def test_the_feature_map_comes_only_when_asked_for() -> None:
    assert OnnxNetwork(tiny_onnx(), SPEC).run(squares(2)).feature_map is None


def test_batches_are_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    network = OnnxNetwork(tiny_onnx(), SPEC, batch_size=3)
    seen: list[int] = []
    once = network._pass

    def counted(batch: np.ndarray, names: list[str]) -> list[np.ndarray]:
        seen.append(len(batch))
        return once(batch, names)

    monkeypatch.setattr(network, "_pass", counted)
    found = network.run(squares(8))
    assert seen == [3, 3, 2]
    np.testing.assert_allclose(found.logits, tiny_numpy(squares(8))[0], atol=1e-5)


def test_it_is_the_callable_of_evaluation(tiny: Bundle) -> None:
    found = OnnxNetwork(tiny.network(), tiny.network_spec)(squares(3))
    assert isinstance(found, Scores)
    assert found.embedding is not None
    np.testing.assert_allclose(found.embedding, tiny_numpy(squares(3))[1], atol=1e-5)


def test_views_and_strides_do_not_matter() -> None:
    batch = squares(4)
    network = OnnxNetwork(tiny_onnx(), SPEC)
    np.testing.assert_array_equal(network.run(batch[::-1]).logits, network.run(batch[::-1].copy()).logits)


@pytest.mark.parametrize(
    "batch",
    [
        np.zeros((1, SIDE, SIDE + 1, 3), np.uint8),
        np.zeros((1, 3, SIDE, SIDE), np.uint8),
        np.zeros((SIDE, SIDE, 3), np.uint8),
        np.zeros((1, SIDE, SIDE, 3), np.float32),
        np.zeros((0, SIDE, SIDE, 3), np.uint8),
    ],
    ids=["wide", "channels first", "no batch", "float", "empty"],
)
def test_other_shapes_are_refused(batch: np.ndarray) -> None:
    with pytest.raises(UsageError, match="uint8"):
        OnnxNetwork(tiny_onnx(), SPEC).run(batch)


@pytest.mark.parametrize("options", [{"threads": 0}, {"batch_size": 0}, {"providers": ()}])
def test_options_out_of_range_are_refused(options: dict[str, int]) -> None:
    with pytest.raises(UsageError):
        OnnxNetwork(tiny_onnx(), SPEC, **options)


def test_an_unknown_provider_names_those_that_there_are() -> None:
    with pytest.raises(UsageError, match="MagicExecutionProvider") as caught:
        OnnxNetwork(tiny_onnx(), SPEC, providers=("MagicExecutionProvider",))
    assert "CPUExecutionProvider" in caught.value.hint


@pytest.mark.parametrize("model", [b"", b"not onnx", tiny_onnx()[:-200]], ids=["empty", "text", "cut"])
def test_a_graph_that_cannot_be_loaded(model: bytes, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(BundleCorruptError, match=r"network\.onnx cannot be loaded"):
        OnnxNetwork(model, SPEC)
    assert capfd.readouterr().err == ""


@pytest.mark.parametrize(
    ("door", "spec"),
    [
        ("image", TensorSpec("image", (None, 32, 32, 3), "uint8")),
        ("image", TensorSpec("image", (None, SIDE, SIDE, 3), "float32")),
        ("scores", TensorSpec("scores", (None, 4))),
        ("logits", TensorSpec("logits", (None, 5))),
        ("feature_map", TensorSpec("feature_map", (None, WIDTH, 4))),
    ],
)
def test_doors_must_be_those_of_the_manifest(door: str, spec: TensorSpec) -> None:
    role = {"image": "input", "scores": "logits"}.get(door, door)
    with pytest.raises(BundleCorruptError, match=door):
        OnnxNetwork(tiny_onnx(), replace(SPEC, **{role: spec}))


def test_a_network_that_gives_nan_is_refused() -> None:
    weights = tiny_weights()
    weights["dense_b"] = np.full(4, np.nan, np.float32)
    with pytest.raises(BundleCorruptError, match="NaN"):
        OnnxNetwork(tiny_onnx(weights), SPEC).run(squares(1))


def test_weights_outside_the_file_are_never_read(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    import onnx

    secret = tmp_path / "secret.bin"
    weights = tiny_weights()["conv_w"]  # an initializer that ONNX Runtime would take from the working folder
    secret.write_bytes(weights.tobytes())
    monkeypatch.chdir(tmp_path)
    for location in ("secret.bin", "./secret.bin", str(secret), f"../{tmp_path.name}/secret.bin"):
        model = onnx.load_from_string(tiny_onnx())
        tensor = next(one for one in model.graph.initializer if one.name == "conv_w")
        tensor.ClearField("raw_data")
        tensor.data_location = onnx.TensorProto.EXTERNAL
        for key, value in (("location", location), ("offset", "0"), ("length", str(weights.nbytes))):
            entry = tensor.external_data.add()
            entry.key, entry.value = key, value
        with pytest.raises(BundleCorruptError, match="cannot be loaded"):
            OnnxNetwork(model.SerializeToString(), SPEC)


def test_warm_up_runs() -> None:
    OnnxNetwork(tiny_onnx(), SPEC).warm_up()


def test_a_pass_to_measure_is_one_pass_whatever_the_batch_size(monkeypatch: pytest.MonkeyPatch) -> None:
    network = OnnxNetwork(tiny_onnx(), SPEC, batch_size=2)
    seen: list[tuple[int, ...]] = []
    once = network._pass

    def counted(batch: np.ndarray, names: list[str]) -> list[np.ndarray]:
        seen.append(batch.shape)
        return once(batch, names)

    monkeypatch.setattr(network, "_pass", counted)
    assert network.run_grey(5).logits.shape == (5, 4)
    assert seen == [(5, SIDE, SIDE, 3)]


def test_one_thread_of_a_processor_gains_nothing_from_batches() -> None:
    assert not OnnxNetwork(tiny_onnx(), SPEC).may_gain_from_batches
    assert OnnxNetwork(tiny_onnx(), SPEC, threads=2).may_gain_from_batches
