"""The loop: for every stage, for every epoch, for every batch.

Enters: a recipe, data and a folder. Leaves: a trained network, its history and everything on disk. A run that
was killed at any moment goes on from its last checkpoint to the same weights, bit for bit.
"""

from __future__ import annotations

import time
from collections.abc import Sequence
from contextlib import nullcontext
from pathlib import Path

import torch
from torch import Tensor

from leafsight.progress import Progress, Silent
from leafsight.training.batches import Batch, batch_size_of
from leafsight.training.curves import draw_curves
from leafsight.training.data import TrainingData
from leafsight.training.events import Listener
from leafsight.training.interruption import StopRequest, stop_requests
from leafsight.training.machine import prepared_machine
from leafsight.training.optimisation import clip_gradients, set_learning_rate
from leafsight.training.recipe import Recipe
from leafsight.training.run_folder import RunFolder, open_run_folder, write_record
from leafsight.training.schedule import learning_rate_factor
from leafsight.training.seeds import seed_dropout
from leafsight.training.session import Session, open_session
from leafsight.training.starting import describe_start
from leafsight.training.team import Team
from leafsight.training.trained_run import TrainedRun, is_finished, load_run
from leafsight.training.validation import Judgement, judge_valid

STEP_RECORDS_PER_EPOCH = 20


def train(
    recipe: Recipe,
    data: TrainingData,
    out_dir: Path,
    *,
    resume: bool = True,
    force: bool = False,
    device: str = "auto",
    pretrained: Path | None = None,
    progress: Progress | None = None,
    on_event: Sequence[Listener] = (),
    stop: StopRequest | None = None,
) -> TrainedRun:
    """Train as the recipe says.

    Args:
        recipe: what to do.
        data: the photographs; the split ``valid`` chooses the best epoch.
        out_dir: folder of the run; a finished run of the same recipe and data is returned as it is.
        resume: go on with an interrupted run that lies there.
        force: throw an earlier run away.
        device: ``auto``, ``cpu``, ``cuda``, ``cuda:1``.
        pretrained: weights to start from (safetensors or a bundle), resolved by the caller.
        progress: told of every batch.
        on_event: each called with every record of the diary.
        stop: where a wish to stop will stand; None listens to SIGINT and SIGTERM.

    Returns:
        The run with its best weights loaded, on the CPU, in eval mode.

    Raises:
        NonFiniteLossError: naming stage, epoch, step and photographs; the last checkpoint is whole.
        TrainingStoppedError: somebody wished it; the state is saved.
        TrainingError: the folder holds another run, or device, weights or checkpoint cannot be used.
        DeviceMemoryError: one photograph at a time does not fit.
        StorageError: the disk is full or refuses.
    """
    start = describe_start(pretrained)
    folder = open_run_folder(out_dir, recipe, data, resume=resume, force=force, start=start)
    if is_finished(folder):
        return load_run(out_dir)
    with (
        prepared_machine(device, recipe.threads, recipe.precision) as (chosen, machine),
        stop_requests() if stop is None else nullcontext(stop) as asked,
    ):
        session = open_session(
            folder, recipe, data, device=chosen, machine=machine, pretrained=pretrained,
            progress=progress or Silent(), stop=asked, listeners=on_event,
        )  # fmt: skip
        run_stages(session)
    return load_run(out_dir)


def train_in_team(
    team: Team,
    recipe: Recipe,
    data: TrainingData,
    out_dir: Path,
    *,
    device: str,
    threads: int,
    pretrained: Path | None = None,
    progress: Progress | None = None,
    stop: StopRequest | None = None,
) -> None:
    """Train as one of several processes, each of which calls this; see ``train``.

    Args:
        team: who this process is. The process group of torch stands already.
        recipe: what to do; ``batch_size`` is that of all processes together.
        data: the same photographs in each process.
        out_dir: folder of the run, which the leader reads and writes. A run of one process goes on with
            several, and the other way round.
        device: of this process.
        threads: of torch, where the recipe leaves them open.
        pretrained: weights to start from, for the leader.
        progress: told of every batch.
        stop: where a wish to stop will stand, for the leader.

    Raises:
        RuntimeError: another process of the team is gone, or the memory of the device is too small; then more
            pieces are asked for in the folder, and the next attempt heeds that.
        LeafsightError: as ``train``.
    """
    folder = RunFolder(out_dir)
    if team.leads:
        start = describe_start(pretrained)
        folder = open_run_folder(out_dir, recipe, data, resume=True, force=False, start=start)
    for stage in recipe.stages:
        team.require_shares(len(data.train_rows), batch_size_of(recipe, stage))
    with prepared_machine(device, recipe.threads or threads, recipe.precision) as (chosen, machine):
        session = open_session(
            folder, recipe, data, device=chosen, machine=machine, pretrained=pretrained,
            progress=progress or Silent(), stop=stop or StopRequest(), listeners=(), team=team,
        )  # fmt: skip
        run_stages(session)


def run_stages(session: Session) -> None:
    """Everything that is left to do of a run."""
    recipe = session.recipe
    try:
        while session.state.stage < len(recipe.stages):
            session.enter_stage()
            while not stage_is_over(session):
                train_epoch(session)
                judge_epoch(session)
            session.leave_stage()
        if session.setting.team.leads:
            finish(session)
            title = recipe.recipe.title or recipe.recipe.name
            draw_curves(session.state.history, session.folder.curves, title=title)
    finally:
        session.events.close()


def stage_is_over(session: Session) -> bool:
    """All epochs done, or too many of them without getting better."""
    patience = session.recipe.early_stopping.patience_epochs
    return session.state.epoch >= session.stage.epochs or 0 < patience <= session.state.stale_epochs


def train_epoch(session: Session) -> None:
    """The rest of the epoch that the state is in."""
    state, work, stage = session.state, session.work, session.stage
    work.begin_training()
    total, first, photos, began_s = work.batches_per_epoch, state.batch, 0, time.monotonic()
    session.progress.start(f"{stage.name} {state.epoch + 1}/{stage.epochs}", total)
    session.progress.advance(first)
    for batch in work.batches(state.epoch, first):
        take_step(session, batch)
        photos += batch.photos
        state.batch, state.step, state.stage_step = batch.index + 1, state.step + 1, state.stage_step + 1
        tell_step(session, photos / (time.monotonic() - began_s), total)
        session.save_if_due()
        session.raise_if_asked_to_stop(save=True)
    session.settle_steps()


def take_step(session: Session, batch: Batch) -> None:
    """One optimiser step on one batch. On a processor a step that went wrong is refused before it counts.

    Raises:
        NonFiniteLossError: this step or, on an accelerator, one before it went wrong.
    """
    options = session.optimizer_options
    set_learning_rate(session.optimizer, rate_factor(session, session.state.stage_step))
    loss = session.setting.memory.run(lambda pieces: gradients(session, batch, pieces), len(batch.rows))
    norm = clip_gradients(session.optimizer, options.clip_norm)
    session.ledger.add(session.state.step, batch.rows, batch.photos, loss, norm)
    if session.ledger.is_due:
        session.settle_steps()
    session.optimizer.step()
    if session.average is not None:
        session.average.update()


def rate_factor(session: Session, stage_step: int) -> float:
    """The share of the stage's learning rate at one of its steps."""
    options, per_epoch = session.optimizer_options, session.work.batches_per_epoch
    warmup = round(options.warmup_epochs * per_epoch)
    return learning_rate_factor(stage_step, session.stage.epochs * per_epoch, warmup, options)


def gradients(session: Session, batch: Batch, pieces: int) -> Tensor:
    """Fill the gradients of the mean loss over a batch, piece by piece; returns that loss, on the device."""
    setting = session.setting
    team, work = setting.team, session.work
    seed_dropout(setting.network, session.recipe.seed, team.place(session.state.step), setting.device)
    session.optimizer.zero_grad(set_to_none=True)
    total = torch.zeros((), device=setting.device)
    pairs = zip(batch.inputs.tensor_split(pieces), batch.targets.tensor_split(pieces), strict=True)
    for number, (inputs, targets) in enumerate(pairs, 1):
        with work.exchanging(number == pieces):
            with setting.autocast():
                logits = work.forward(inputs)
            # A team takes the mean of its gradients: parts of unequal size count by their size.
            loss = session.criterion(logits.float(), targets) * (len(inputs) * team.size / batch.photos)
            loss.backward()
        total += loss.detach()
    return total


def tell_step(session: Session, speed: float, total: int) -> None:
    """Progress for people, and every so often a record for the diary; the loss is the last one looked at."""
    state, stage, loss = session.state, session.stage, session.ledger.last_loss
    batches_left = (stage.epochs - state.epoch) * total - state.batch
    left_s = batches_left * (len(session.setting.data.train_rows) / total) / speed if speed else 0.0
    session.progress.advance(1, f"loss {loss:.3f}, {speed:.0f} img/s, stage ends in {duration(left_s)}")
    every = max(1, total // STEP_RECORDS_PER_EPOCH)
    if state.batch % every == 0:
        rate = session.optimizer.param_groups[0]["lr"]
        session.events.write(
            "step",
            stage=state.stage,
            epoch=state.epoch,
            step=state.step,
            loss=loss,
            learning_rate=rate,
            images_per_s=speed,
        )


def duration(seconds: float) -> str:
    """Seconds as a short word."""
    return f"{seconds:.0f} s" if seconds < 90 else f"{seconds / 60:.0f} min"


def judge_epoch(session: Session) -> None:
    """Validate, keep the weights if they are the best, write the record and a checkpoint."""
    state, stopping = session.state, session.recipe.early_stopping
    session.agree_on_statistics()
    with session.averaged_weights():
        judgement = judge_valid(session.work.valid_logits(), session.setting.data)
        record = epoch_record(session, judgement)
        score = judgement.score(stopping.metric)
        record["is_best"] = stopping.keep == "last" or state.best is None or score > state.best
        if record["is_best"]:
            state.best = score
            session.keep_best(record)
    gained = state.stage_best is None or score > state.stage_best + stopping.min_delta
    state.stage_best, state.stale_epochs = (
        (score, 0) if gained else (state.stage_best, state.stale_epochs + 1)
    )
    state.history.append(record)
    session.events.write("epoch", **record)
    session.progress.finish(
        f"valid macro F1 {judgement.macro_f1:.4f}, accuracy {judgement.accuracy:.4f}{side_judged(session)}"
    )
    state.begin_next_epoch()
    session.save_epoch()
    session.raise_if_asked_to_stop(save=True)


def side_judged(session: Session) -> str:
    """The side of use in words, where the stage trains on another one and therefore reads low."""
    used = session.recipe.preprocessing.side_px
    return f", judged at {used} px" if session.recipe.side_px_of(session.stage) != used else ""


def epoch_record(session: Session, judgement: Judgement) -> dict[str, object]:
    """One epoch as plain values."""
    state = session.state
    return {
        "stage": state.stage,
        "stage_name": session.stage.name,
        "epoch": state.epoch,
        "step": state.step,
        "learning_rate": session.stage.learning_rate * rate_factor(session, max(0, state.stage_step - 1)),
        "train_loss": session.setting.team.mean(state.loss_sum) / max(1, state.seen),
        "valid": judgement.to_dict(),
    }


def finish(session: Session) -> None:
    """Mark the run as done, on disk and in the diary."""
    state = session.state
    state.finished = True
    best = next(record for record in reversed(state.history) if record["is_best"])
    session.save(with_optimizer=False)
    # After the checkpoint, which a run that is killed here begins from: it will write the line again.
    session.events.write("finished", step=state.step, best=best)
    session.events.sync()
    write_record(
        session.folder,
        session.record,
        status="finished",
        duration_s=state.elapsed_s,
        best=best,
        history=state.history,
    )
