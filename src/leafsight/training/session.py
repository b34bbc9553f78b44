"""A run while it lives: network, optimiser, average, position, and how they reach the disk and come back.

Enters: a recipe, data and a folder. Leaves: checkpoints from which the run goes on bit for bit, the diary and
the best weights. What is done with a batch stands in ``loop``.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import torch
from torch import Tensor
from torch.optim import Optimizer

from leafsight.errors import TrainingError
from leafsight.models import Network, build_network, load_pretrained, remeasure_batch_statistics, save_weights
from leafsight.progress import Progress
from leafsight.storage import canonical_json, read_json, write_json
from leafsight.training.balance import class_counts, class_weights
from leafsight.training.batches import Pictures, memory_format
from leafsight.training.checkpoint import shared_checkpoint, write_checkpoint
from leafsight.training.data import TrainingData
from leafsight.training.ema import WeightAverage
from leafsight.training.events import EventLog, Listener, NoEvents
from leafsight.training.features import FeatureWork
from leafsight.training.interruption import StopRequest, TrainingStoppedError
from leafsight.training.losses import Loss, build_loss
from leafsight.training.machine import Machine
from leafsight.training.memory import PieceCounter
from leafsight.training.optimisation import build_optimizer, optimizer_tensors, restore_optimizer
from leafsight.training.options import OptimizerOptions
from leafsight.training.recipe import Recipe, StageOptions
from leafsight.training.resident import resident_pixels
from leafsight.training.run_folder import RunFolder, new_record, pieces_wanted, write_record
from leafsight.training.seeds import PROCESS_GENERATOR, Purpose, generator_for, seed_for
from leafsight.training.stages import PhotoWork, Setting, Work, choose_trainable
from leafsight.training.starting import describe_start
from leafsight.training.state import RunState
from leafsight.training.step_ledger import StepLedger, non_finite
from leafsight.training.team import ALONE, Team

STATISTICS_PHOTOS = 1024
SECONDS_BETWEEN_QUICK_EPOCHS = 10.0


@dataclass
class Session:
    """Everything that lives during a run; made by ``open_session``."""

    folder: RunFolder
    setting: Setting
    state: RunState
    events: EventLog
    progress: Progress
    stop: StopRequest
    record: dict[str, Any]
    criterion: Loss
    unsaved_best: dict[str, Tensor] = field(default_factory=dict)
    best_texts: dict[str, str] = field(default_factory=dict)
    pending: dict[str, dict[str, Tensor]] = field(default_factory=dict)
    sitting_began_s: float = field(default_factory=time.monotonic)
    saved_s: float = field(default_factory=time.monotonic)

    work: Work = field(init=False)
    ledger: StepLedger = field(init=False)
    optimizer: Optimizer = field(init=False)
    average: WeightAverage | None = field(init=False, default=None)

    def __post_init__(self) -> None:
        """Nothing was done yet."""
        self.ledger = StepLedger(self.setting.device)

    @property
    def recipe(self) -> Recipe:
        """The recipe of the run."""
        return self.setting.recipe

    @property
    def stage(self) -> StageOptions:
        """The stage that the run is in."""
        return self.recipe.stages[self.state.stage]

    @property
    def optimizer_options(self) -> OptimizerOptions:
        """The optimiser table of this stage."""
        return self.recipe.optimizer_of(self.stage)

    def enter_stage(self) -> None:
        """Freeze, build the optimiser and the average; take their memory from a checkpoint if one waits."""
        network, stage, options = self.setting.network, self.stage, self.optimizer_options
        choose_trainable(network, stage)
        self.work = self._work()
        self.optimizer = build_optimizer(network, options, stage.learning_rate, stage.backbone_rate)
        self.average = WeightAverage(self.work.averaged, options.ema_decay) if options.ema_decay else None
        if self.pending.get("optimizer"):
            restore_optimizer(self.optimizer, self.pending["optimizer"])
        if self.average is not None and self.pending.get("average"):
            self.average.restore(self.pending["average"], self.state.average_steps)
        self.pending = {}
        self.events.write("stage", stage=self.state.stage, name=stage.name, trainable=stage.trainable)

    def _work(self) -> Work:
        if self.stage.uses_cached_features:
            return FeatureWork(self.setting, self.state.stage, self.progress, self.raise_if_asked_to_stop)
        return PhotoWork(self.setting, self.state.stage)

    def settle_steps(self) -> None:
        """Look at the steps since the last look, and count them.

        Raises:
            NonFiniteLossError: one of them went wrong.
        """
        for step in self.ledger.settled():
            if not step.is_finite:
                stage, epoch, rows = self.stage.name, self.state.epoch, step.rows.tolist()
                self.events.write("non_finite", stage=stage, epoch=epoch, step=step.number, rows=rows)
                raise non_finite(step, stage, epoch, self.setting.data.names_of(rows))
            self.state.loss_sum += step.loss * step.photos
            self.state.seen += step.photos

    def averaged_weights(self) -> AbstractContextManager[None]:
        """The weights to judge and keep are in the network inside the block."""
        return self.average.swapped_in() if self.average is not None else nullcontext()

    def leave_stage(self) -> None:
        """Go on from the averaged weights, at the beginning of the next stage."""
        if self.average is not None:
            self.average.settle()
        self.average = None
        self.state.begin_next_stage()
        self.save(with_optimizer=False)

    def agree_on_statistics(self) -> None:
        """In a team, what batch normalisations saw of its parts becomes what the whole team saw."""
        team, network = self.setting.team, self.setting.network
        team.average_statistics(network.buffers())
        if self.average is not None:
            learned = {name for name, _ in self.work.averaged.named_parameters()}
            statistics = sorted(self.average.tensors.keys() - learned)
            team.average_statistics(self.average.tensors[name] for name in statistics)

    def keep_best(self, metadata: dict[str, Any]) -> None:
        """Take the present weights as the best ones; the next checkpoint brings them to the disk."""
        if not self.setting.team.leads:
            return
        classes = canonical_json(list(self.setting.data.classes))
        self.best_texts = {"classes": classes, "epoch": canonical_json(metadata)}
        self.unsaved_best = _copied(self.setting.network)

    def save(self, *, with_optimizer: bool = True) -> None:
        """Write the best weights and then a checkpoint, which never speaks of weights that are not there.

        The diary's length goes into it, so that a resume cuts off what came later.

        Raises:
            NonFiniteLossError: a step since the last look went wrong; nothing is written.
        """
        state = self.state
        self.settle_steps()
        if not self.setting.team.leads:
            return
        if self.unsaved_best:
            self._write_best()
        state.events_bytes = self.events.sync()
        state.chunks = self.setting.memory.pieces
        state.average_steps = self.average.steps if self.average is not None else 0
        now_s = time.monotonic()
        state.elapsed_s += now_s - self.sitting_began_s
        self.sitting_began_s = self.saved_s = now_s
        parts: dict[str, dict[str, Tensor]] = {"network": self.setting.network.state_dict()}
        if with_optimizer:
            parts["optimizer"] = optimizer_tensors(self.optimizer)
            if self.average is not None:
                parts["average"] = self.average.tensors
        write_checkpoint(self.folder.last, parts, state.to_dict())

    def _write_best(self) -> None:
        network, present = self.setting.network, _copied(self.setting.network)
        try:
            network.load_state_dict(self.unsaved_best)
            save_weights(network, self.folder.best, self.best_texts)
        finally:
            network.load_state_dict(present)
        self.unsaved_best = {}

    def save_epoch(self) -> None:
        """A checkpoint after an epoch, unless writing would take longer than such a short epoch took."""
        recent = time.monotonic() - self.saved_s < SECONDS_BETWEEN_QUICK_EPOCHS
        if not (recent and self.stage.uses_cached_features):
            self.save()

    def save_if_due(self) -> None:
        """Write a checkpoint inside an epoch when the recipe's rhythm says so."""
        every_steps, every_s = self.recipe.checkpoint_steps, self.recipe.checkpoint_minutes * 60
        by_steps = every_steps > 0 and self.state.step % every_steps == 0
        by_time = every_s > 0 and time.monotonic() - self.saved_s >= every_s
        if by_steps or by_time:
            self.save()

    def raise_if_asked_to_stop(self, *, save: bool = False) -> None:
        """End the run if a signal came.

        Raises:
            TrainingStoppedError: it did; the state is on the disk.
        """
        if not self.stop.signal_name:
            return
        if save:
            self.save()
        write_record(self.folder, self.record, status="stopped")
        raise TrainingStoppedError(
            f"stopped by {self.stop.signal_name} in stage {self.stage.name}, epoch {self.state.epoch + 1}, "
            f"after step {self.state.step}; everything is saved in {self.folder.path}",
            hint="run the same command again to go on from there",
        )


def _copied(network: Network) -> dict[str, Tensor]:
    return {name: tensor.detach().clone() for name, tensor in network.state_dict().items()}


def open_session(
    folder: RunFolder,
    recipe: Recipe,
    data: TrainingData,
    *,
    device: torch.device,
    machine: Machine,
    pretrained: Path | None,
    progress: Progress,
    stop: StopRequest,
    listeners: Sequence[Listener],
    team: Team = ALONE,
) -> Session:
    """Begin a run, or take up the one whose checkpoint lies in ``folder``, which the leader of a team reads.

    Raises:
        TrainingError: the checkpoint is damaged, the pretrained weights do not fit, or the network cannot
            take pictures of a side that the recipe names.
    """
    network = new_network(recipe, len(data.classes))
    _refuse_sides(network, recipe)
    # ``to`` wants the format for 4-dimensional weights only; the rest stays as it is.
    network = network.to(device=device, memory_format=memory_format(recipe.channels_last))  # type: ignore[call-overload]
    checkpoint = shared_checkpoint(folder.last, team)
    state = RunState.from_dict(checkpoint.state) if checkpoint else RunState()
    state.chunks = max(state.chunks, pieces_wanted(folder))
    events = (
        EventLog(folder.events, keep_bytes=state.events_bytes, listeners=listeners)
        if team.leads
        else NoEvents()
    )
    memory = PieceCounter(state.chunks, _teller(events, progress, folder, team), again=team.is_alone)
    resident = resident_pixels(data.images, device, progress)
    setting = Setting(network, data, recipe, device, machine.precision, memory, team, resident)
    record = new_record(recipe, data, machine, describe_start(pretrained), workers=team.size)
    if checkpoint and not (folder.record.exists() and "start" in read_json(folder.record)):
        del record["start"]  # its beginning is not told: an earlier version, or its record is gone
    session = Session(folder, setting, state, events, progress, stop, record, _loss(recipe, data).to(device))
    if team.leads:
        write_record(folder, session.record)
    if checkpoint:
        network.load_state_dict(checkpoint.part("network"))
        session.pending = {part: checkpoint.part(part) for part in ("optimizer", "average")}
        events.write("resumed", step=state.step, threads=machine.threads, workers=team.size)
    else:
        if team.leads:
            _start_weights(session, pretrained)
        team.agree(network)
        events.write(
            "started",
            recipe=recipe.recipe.name,
            photos=len(data.train_rows),
            threads=machine.threads,
            workers=team.size,
        )
        session.save(with_optimizer=False)
    return session


def new_network(recipe: Recipe, n_classes: int) -> Network:
    """The network of a recipe with the random weights that its seed gives, on the CPU."""
    table = recipe.preprocessing
    with PROCESS_GENERATOR:
        torch.manual_seed(seed_for(recipe.seed, Purpose.WEIGHTS))
        return build_network(recipe.model, n_classes, mean=table.mean, std=table.std)


def _refuse_sides(network: Network, recipe: Recipe) -> None:
    """One grey picture of each side through the network, before an hour of work finds out."""
    network.eval()
    for side_px in {recipe.preprocessing.side_px, *map(recipe.side_px_of, recipe.stages)}:
        try:
            with torch.inference_mode():
                network(torch.full((1, 3, side_px, side_px), 128.0))
        except (RuntimeError, AssertionError) as error:
            raise TrainingError(
                f"{recipe.model.name} cannot take pictures of {side_px} px: {error}",
                hint="set preprocessing.side_px, or side_px of the stage, to 32 or more",
            ) from error
    network.train()


def _loss(recipe: Recipe, data: TrainingData) -> Loss:
    labels = data.labels[data.train_rows]
    weights = class_weights(labels, len(data.classes), recipe.balance)
    return build_loss(recipe.loss, class_counts(labels, len(data.classes)), weights)


def _teller(
    events: EventLog, progress: Progress, folder: RunFolder, team: Team
) -> Callable[[int, int], None]:
    def tell(before: int, after: int) -> None:
        note = f"out of device memory: batches now in {after} pieces"
        if not team.is_alone:
            write_json(folder.pieces, {"pieces": after})  # for the next attempt of all of them
        events.write("out_of_memory", pieces_before=before, pieces=after, note=note)
        progress.advance(0, note)

    return tell


def _start_weights(session: Session, pretrained: Path | None) -> None:
    setting = session.setting
    if pretrained is not None:
        report = load_pretrained(setting.network, pretrained)
        session.events.write(
            "pretrained", path=str(pretrained), loaded=len(report.loaded), dropped_head=report.dropped_head
        )
    if setting.recipe.pretrained_statistics == "remeasure":
        photos = remeasure_batch_statistics(setting.network, _statistics_batches(setting))
        session.events.write("statistics", photos=photos)


def _statistics_batches(setting: Setting) -> list[Tensor]:
    """Photographs drawn at random, augmented by the recipe's table, at the side of the first stage."""
    recipe, rows = setting.recipe, setting.data.train_rows
    generator = generator_for(recipe.seed, Purpose.STATISTICS)
    chosen = rows[torch.randperm(len(rows), generator=generator)[:STATISTICS_PHOTOS].numpy()]
    side_px = recipe.side_px_of(recipe.stages[0])
    pictures = Pictures(setting.data, recipe, setting.device, side_px=side_px, resident=setting.resident)
    parts = [chosen[start : start + recipe.batch_size] for start in range(0, len(chosen), recipe.batch_size)]
    return [pictures.augmented(part, recipe.augmentation, generator) for part in parts]
