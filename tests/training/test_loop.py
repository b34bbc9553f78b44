from __future__ import annotations

import errno
import hashlib
import io
import json
import os
import signal
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from safetensors.torch import load_file
from tests.training.tiny import plain_stage, tiny_data, tiny_recipe
from torch import nn

from leafsight.errors import DeviceMemoryError, DiskFullError, NonFiniteLossError, TrainingError
from leafsight.models import Network, load_network
from leafsight.progress import Lines
from leafsight.storage import atomic, read_json, write_json
from leafsight.training import TrainingStoppedError, load_run, loop, read_events, train
from leafsight.training.losses import Loss
from leafsight.training.run_folder import RunFolder
from leafsight.training.step_ledger import StepLedger


def equal_weights(one: Path, other: Path) -> bool:
    ours, theirs = load_file(RunFolder(one).last), load_file(RunFolder(other).last)
    return ours.keys() == theirs.keys() and all(torch.equal(ours[name], theirs[name]) for name in ours)


def test_it_learns_and_leaves_everything(tmp_path: Path) -> None:
    stages = [
        {"name": "head", "epochs": 3, "trainable": "head", "learning_rate": 0.02},
        plain_stage(epochs=4),
    ]
    run = train(tiny_recipe(stages=stages), tiny_data(), tmp_path / "run")
    assert run.best["valid"]["accuracy"] >= 0.9
    assert [record["stage_name"] for record in run.history] == ["head"] * 3 + ["all"] * 4
    assert run.history[-1]["step"] == 35
    names = {
        str(file.relative_to(tmp_path / "run")) for file in (tmp_path / "run").rglob("*") if file.is_file()
    }
    assert names == {
        "recipe.toml",
        "run.json",
        "events.jsonl",
        "curves.png",
        "checkpoint/last.safetensors",
        "checkpoint/best.safetensors",
    }
    record = json.loads((tmp_path / "run" / "run.json").read_text())
    assert record["status"] == "finished"
    assert record["machine"]["threads"] == 1
    assert record["data"]["fingerprint"] == tiny_data().fingerprint
    assert record["duration_s"] > 0
    network, metadata = load_network(run.folder.best)
    assert json.loads(metadata["classes"]) == list(run.classes)
    pixels = torch.from_numpy(tiny_data(side_px=16).images[:2]).permute(0, 3, 1, 2).float()
    assert torch.equal(network.eval()(pixels), run.network(pixels))
    assert not run.network.training


def test_the_kept_weights_are_those_that_were_judged(tmp_path: Path) -> None:
    data = tiny_data(side_px=16)
    run = train(tiny_recipe(), data, tmp_path)
    pixels = torch.from_numpy(data.images[data.valid_rows]).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        loss = nn.functional.cross_entropy(
            run.network(pixels), torch.from_numpy(data.labels[data.valid_rows])
        )
    assert float(loss) == pytest.approx(run.best["valid"]["loss"], rel=1e-4)


def test_a_stage_of_another_side_is_judged_at_the_side_of_use(tmp_path: Path) -> None:
    data = tiny_data(side_px=16)
    run = train(tiny_recipe(stages=[plain_stage(side_px=24)]), data, tmp_path / "other")
    pixels = torch.from_numpy(data.images[data.valid_rows]).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        loss = nn.functional.cross_entropy(
            run.network(pixels), torch.from_numpy(data.labels[data.valid_rows])
        )
    assert float(loss) == pytest.approx(run.best["valid"]["loss"], rel=1e-4)
    train(tiny_recipe(stages=[plain_stage()]), data, tmp_path / "whole")
    assert not equal_weights(tmp_path / "other", tmp_path / "whole")


def test_progress_names_the_side_that_a_stage_of_another_side_is_judged_at(tmp_path: Path) -> None:
    stages = [plain_stage(name="small", side_px=24, epochs=1), plain_stage(name="whole", epochs=1)]
    stages.append(plain_stage(name="named", side_px=16, epochs=1))
    told = io.StringIO()
    train(tiny_recipe(stages=stages), tiny_data(side_px=16), tmp_path, progress=Lines(told))
    small, whole, named = [line for line in told.getvalue().splitlines() if "valid macro F1" in line]
    assert small.startswith("small 1/1")
    assert small.endswith(", judged at 16 px")
    assert "judged" not in whole + named


@pytest.mark.parametrize("changes", [{"preprocessing": {"side_px": 8}}, {"stages": [plain_stage(side_px=8)]}])
def test_a_side_too_small_for_the_network_is_refused_before_anything(
    tmp_path: Path, changes: dict[str, Any]
) -> None:
    recipe = tiny_recipe(**{"stages": [plain_stage()], **changes})
    with pytest.raises(TrainingError, match="simple_cnn cannot take pictures of 8 px"):
        train(recipe, tiny_data(), tmp_path)
    assert not (tmp_path / "run.json").exists()


@pytest.mark.parametrize("keep", ["best", "last"])
def test_the_last_epoch_is_kept_when_that_is_asked(tmp_path: Path, keep: str) -> None:
    """The second stage spoils what the first has learned."""
    data = tiny_data(side_px=16)
    stages = [plain_stage(epochs=3), plain_stage(name="spoil", epochs=2, learning_rate=30.0)]
    recipe = tiny_recipe(
        stages=stages,
        optimizer={"ema_decay": 0.0, "clip_norm": 0.0, "schedule": "constant"},
        early_stopping={"metric": "loss", "keep": keep},
    )
    run = train(recipe, data, tmp_path)
    losses = [record["valid"]["loss"] for record in run.history]
    assert losses[-1] > 2 * min(losses)
    wanted = losses[-1] if keep == "last" else min(losses)
    assert run.best["valid"]["loss"] == wanted
    pixels = torch.from_numpy(data.images[data.valid_rows]).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        loss = nn.functional.cross_entropy(
            run.network(pixels), torch.from_numpy(data.labels[data.valid_rows])
        )
    assert float(loss) == pytest.approx(wanted, rel=1e-3)


def test_the_seed_decides(tmp_path: Path) -> None:
    for name, seed in (("a", 1), ("b", 1), ("c", 2)):
        torch.manual_seed(hash(name))
        train(tiny_recipe(seed=seed), tiny_data(), tmp_path / name)
    assert equal_weights(tmp_path / "a", tmp_path / "b")
    assert not equal_weights(tmp_path / "a", tmp_path / "c")


def test_a_finished_run_is_not_trained_again_unless_forced(tmp_path: Path) -> None:
    train(tiny_recipe(), tiny_data(), tmp_path)
    heard: list[dict[str, Any]] = []
    again = train(tiny_recipe(), tiny_data(), tmp_path, on_event=[heard.append])
    assert heard == []
    assert again.best == load_run(tmp_path).best
    train(tiny_recipe(), tiny_data(), tmp_path, force=True, on_event=[heard.append])
    assert heard[0]["kind"] == "started"


def test_early_stopping_counts_epochs_of_the_stage(tmp_path: Path) -> None:
    stages = [plain_stage(epochs=9, learning_rate=1e-9), plain_stage(name="b", epochs=9, learning_rate=1e-9)]
    recipe = tiny_recipe(
        stages=stages,
        optimizer={"warmup_epochs": 0.0},
        early_stopping={"metric": "macro_f1", "patience_epochs": 2, "min_delta": 0.9},
    )
    run = train(recipe, tiny_data(), tmp_path)
    # The first epoch of a stage is always its best so far; two more without gain end it.
    assert [(record["stage_name"], record["epoch"]) for record in run.history] == [
        (name, epoch) for name in ("all", "b") for epoch in range(3)
    ]


def poisoned(monkeypatch: pytest.MonkeyPatch, step: int, value: float) -> None:
    real, calls = Loss.forward, 0

    def forward(self: Loss, logits: torch.Tensor, targets: torch.Tensor) -> torch.Tensor:
        nonlocal calls
        calls += 1
        return real(self, logits, targets) * (value if calls == step else 1.0)

    monkeypatch.setattr(Loss, "forward", forward)


@pytest.mark.parametrize("value", [float("nan"), float("inf")])
def test_a_loss_that_is_not_finite_stops_with_its_place(
    value: float, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    poisoned(monkeypatch, 8, value)
    recipe = tiny_recipe(stages=[plain_stage()])
    with pytest.raises(NonFiniteLossError, match="stage all, epoch 2, step 8, on row") as caught:
        train(recipe, tiny_data(), tmp_path)
    assert "learning_rate" in caught.value.hint
    (event,) = read_events(tmp_path / "events.jsonl", "non_finite")
    assert len(event["rows"]) == 8
    assert f"row {event['rows'][0]}" in str(caught.value)
    # What was saved before it is whole: without the poison the run goes on and ends as if nothing had been.
    monkeypatch.undo()
    train(recipe, tiny_data(), tmp_path)
    train(recipe, tiny_data(), tmp_path.parent / "whole")
    assert equal_weights(tmp_path, tmp_path.parent / "whole")


def test_gradients_that_are_not_finite_stop_too(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real = loop.clip_gradients
    monkeypatch.setattr(loop, "clip_gradients", lambda *args: real(*args) * float("nan"))
    with pytest.raises(NonFiniteLossError, match="the gradient's norm is nan"):
        train(tiny_recipe(stages=[plain_stage()]), tiny_data(), tmp_path)


def short_of_memory(largest: int) -> Callable[..., torch.Tensor]:
    real = Network.forward

    def forward(self: Network, pixels: torch.Tensor) -> torch.Tensor:
        if self.training and len(pixels) > largest:
            raise torch.OutOfMemoryError("CUDA out of memory. Tried to allocate 20.00 MiB")
        return real(self, pixels)

    return forward


def test_out_of_memory_halves_the_batch_says_so_and_learns_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Frozen norms and no dropout: then a batch in pieces has the very gradients of the whole one.
    recipe = tiny_recipe(
        stages=[plain_stage(batch_norm="frozen", optimizer={"name": "sgd"}, learning_rate=0.001)],
        model={"name": "simple_cnn", "width": 0.25, "dropout": 0.0},
    )
    whole = train(recipe, tiny_data(), tmp_path / "whole")
    monkeypatch.setattr(Network, "forward", short_of_memory(3))
    pieces = train(recipe, tiny_data(), tmp_path / "pieces")
    told = read_events(tmp_path / "pieces" / "events.jsonl", "out_of_memory")
    assert [(event["pieces_before"], event["pieces"]) for event in told] == [(1, 2), (2, 4)]
    assert "batches now in 4 pieces" in told[-1]["note"]
    for one, other in zip(whole.network.parameters(), pieces.network.parameters(), strict=True):
        torch.testing.assert_close(one, other, rtol=1e-3, atol=1e-5)
    assert pieces.history[-1]["train_loss"] == pytest.approx(whole.history[-1]["train_loss"], rel=1e-4)


def test_a_device_too_small_for_one_photograph(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Network, "forward", short_of_memory(0))
    with pytest.raises(DeviceMemoryError):
        train(tiny_recipe(stages=[plain_stage()]), tiny_data(), tmp_path)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_a_signal_finishes_the_step_and_the_same_command_goes_on(
    number: signal.Signals, tmp_path: Path
) -> None:
    def interrupt(event: dict[str, Any]) -> None:
        if event["kind"] == "step" and event["step"] == 13:
            signal.raise_signal(number)

    with pytest.raises(
        TrainingStoppedError, match=f"stopped by {number.name} in stage all, epoch 1"
    ) as caught:
        train(tiny_recipe(), tiny_data(), tmp_path / "stopped", on_event=[interrupt])
    assert "after step 13" in str(caught.value)
    assert "same command again" in caught.value.hint
    assert json.loads((tmp_path / "stopped" / "run.json").read_text())["status"] == "stopped"
    heard: list[dict[str, Any]] = []
    train(tiny_recipe(), tiny_data(), tmp_path / "stopped", on_event=[heard.append])
    assert (heard[0]["kind"], heard[0]["step"]) == ("resumed", 13)
    train(tiny_recipe(), tiny_data(), tmp_path / "whole")
    assert equal_weights(tmp_path / "stopped", tmp_path / "whole")


def test_a_full_disk_loses_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    real, calls = os.fsync, 0

    def fsync(handle: int) -> None:
        nonlocal calls
        calls += 1
        if calls > 14:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        real(handle)

    monkeypatch.setattr(atomic.os, "fsync", fsync)
    with pytest.raises(DiskFullError, match="no space left while writing"):
        train(tiny_recipe(), tiny_data(), tmp_path / "full")
    monkeypatch.undo()
    assert not list((tmp_path / "full").rglob("*.part"))
    train(tiny_recipe(), tiny_data(), tmp_path / "full")
    train(tiny_recipe(), tiny_data(), tmp_path / "whole")
    assert equal_weights(tmp_path / "full", tmp_path / "whole")


def test_a_damaged_checkpoint_is_said_to_be_damaged(tmp_path: Path) -> None:
    def interrupt(event: dict[str, Any]) -> None:
        if event["kind"] == "started":
            signal.raise_signal(signal.SIGTERM)

    with pytest.raises(TrainingStoppedError):
        train(tiny_recipe(), tiny_data(), tmp_path, on_event=[interrupt])
    last = RunFolder(tmp_path).last
    last.write_bytes(last.read_bytes()[:-5])
    with pytest.raises(TrainingError, match="damaged"):
        train(tiny_recipe(), tiny_data(), tmp_path)


def test_a_run_knows_the_weights_it_started_from_and_refuses_others(tmp_path: Path) -> None:
    first = train(tiny_recipe(), tiny_data(), tmp_path / "first")
    assert first.record["start"] is None
    weights = first.folder.best
    recipe = tiny_recipe(seed=5)
    second = train(recipe, tiny_data(), tmp_path / "second", pretrained=weights)
    told = hashlib.sha256(weights.read_bytes()).hexdigest()
    assert second.record["start"] == {"file": "best.safetensors", "sha256": told}
    with pytest.raises(TrainingError, match=r"started from the weights best\.safetensors .*, now random"):
        train(recipe, tiny_data(), tmp_path / "second")
    with pytest.raises(TrainingError, match=r"started from random weights, now the weights best"):
        train(tiny_recipe(), tiny_data(), tmp_path / "first", pretrained=weights)
    copied = tmp_path / "renamed.safetensors"
    copied.write_bytes(weights.read_bytes())
    again = train(recipe, tiny_data(), tmp_path / "second", pretrained=copied)
    assert again.record["start"]["file"] == "best.safetensors"


def test_a_run_begun_before_starts_were_kept_goes_on_and_claims_none(tmp_path: Path) -> None:
    def interrupt(record: dict[str, Any]) -> None:
        if record["kind"] == "epoch":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny_recipe(), tiny_data(), tmp_path, on_event=[interrupt])
    record = read_json(tmp_path / "run.json")
    del record["start"]
    write_json(tmp_path / "run.json", record)
    assert "start" not in train(tiny_recipe(), tiny_data(), tmp_path).record


def test_a_run_whose_record_is_gone_goes_on(tmp_path: Path) -> None:
    def interrupt(record: dict[str, Any]) -> None:
        if record["kind"] == "epoch":
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        train(tiny_recipe(), tiny_data(), tmp_path, on_event=[interrupt])
    (tmp_path / "run.json").unlink()
    assert "start" not in train(tiny_recipe(), tiny_data(), tmp_path).record


def test_pretrained_weights_and_statistics_measured_again(tmp_path: Path) -> None:
    first = train(tiny_recipe(), tiny_data(), tmp_path / "first")
    heard: list[dict[str, Any]] = []
    recipe = tiny_recipe(
        stages=[plain_stage(trainable="head", learning_rate=1e-9, epochs=1)],
        pretrained_statistics="remeasure",
        optimizer={"ema_decay": 0.0},
    )
    run = train(
        recipe, tiny_data(), tmp_path / "second", pretrained=first.folder.best, on_event=[heard.append]
    )
    kinds = {event["kind"]: event for event in heard}
    assert kinds["statistics"]["photos"] == 40
    assert not kinds["pretrained"]["dropped_head"]
    pixels = torch.from_numpy(tiny_data(side_px=16).images[:5]).permute(0, 3, 1, 2).float()
    with torch.inference_mode():
        torch.testing.assert_close(first.network(pixels), run.network(pixels), rtol=1e-3, atol=1e-3)
    norms = [module for module in run.network.modules() if isinstance(module, nn.BatchNorm2d)]
    before = [module for module in first.network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert not any(
        torch.equal(one.running_mean, two.running_mean) for one, two in zip(norms, before, strict=True)
    )


def test_statistics_are_measured_at_the_side_of_the_first_stage(tmp_path: Path) -> None:
    first = train(tiny_recipe(), tiny_data(), tmp_path / "first")

    def means(side_px: int | None) -> list[torch.Tensor]:
        frozen = plain_stage(batch_norm="frozen", learning_rate=1e-9, epochs=1, side_px=side_px)
        recipe = tiny_recipe(stages=[frozen], pretrained_statistics="remeasure", optimizer={"ema_decay": 0.0})
        run = train(recipe, tiny_data(), tmp_path / f"{side_px}", pretrained=first.folder.best)
        return [one.running_mean for one in run.network.modules() if isinstance(one, nn.BatchNorm2d)]

    as_used, same, other = means(None), means(16), means(24)
    assert all(torch.equal(one, two) for one, two in zip(as_used, same, strict=True))
    assert not any(torch.equal(one, two) for one, two in zip(as_used, other, strict=True))


def test_domains_are_told_apart(tmp_path: Path) -> None:
    from dataclasses import replace

    data = replace(tiny_data(), domains=np.arange(60) % 2, domain_names=("lab", "field"))
    run = train(tiny_recipe(stages=[plain_stage(epochs=1)]), data, tmp_path)
    assert run.best["valid"]["domain_accuracy"].keys() == {"lab", "field"}


def test_steps_that_are_looked_at_seldom_learn_and_count_the_same(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """As on an accelerator, whose losses are read every so many steps."""
    recipe = tiny_recipe(checkpoint_steps=2)
    often = train(recipe, tiny_data(), tmp_path / "often")
    monkeypatch.setattr(StepLedger, "is_due", property(lambda ledger: len(ledger._open) >= 25))
    seldom = train(recipe, tiny_data(), tmp_path / "seldom")
    assert equal_weights(tmp_path / "often", tmp_path / "seldom")
    assert [record["train_loss"] for record in seldom.history] == [
        record["train_loss"] for record in often.history
    ]


def test_a_step_that_went_wrong_unseen_is_named_and_never_saved(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    recipe = tiny_recipe(checkpoint_steps=4, stages=[plain_stage()])
    monkeypatch.setattr(StepLedger, "is_due", property(lambda ledger: len(ledger._open) >= 25))
    real = loop.clip_gradients
    calls: list[int] = []

    def third_is_wrong(*args: Any) -> torch.Tensor:
        calls.append(1)
        return real(*args) * (float("nan") if len(calls) == 3 else 1.0)

    monkeypatch.setattr(loop, "clip_gradients", third_is_wrong)
    with pytest.raises(NonFiniteLossError, match="the gradient's norm is nan in stage all, epoch 1, step 3,"):
        train(recipe, tiny_data(), tmp_path)
    assert len(calls) == 4  # at the next checkpoint, which was not written
    state = json.loads(_header(RunFolder(tmp_path).last)["__metadata__"]["state"])
    assert state["step"] == 0
    assert read_events(RunFolder(tmp_path).events, "non_finite")[0]["step"] == 2


def _header(path: Path) -> dict[str, Any]:
    data = path.read_bytes()
    header: dict[str, Any] = json.loads(data[8 : 8 + int.from_bytes(data[:8], "little")])
    return header
