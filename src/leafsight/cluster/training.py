"""Training by several workers of a cluster: Ray starts them, and again; the loop is ``training``'s.

Enters: a recipe, and a folder with its prepared photographs on storage that every machine sees. Leaves: the
same folder of a run that one process would have left. Whatever is lost, a worker, a machine, the command
itself, the run goes on from its last checkpoint.
"""

from __future__ import annotations

import contextlib
import os
import shutil
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import ray
import ray.train
import ray.train.collective
import ray.train.torch
from ray.exceptions import RayError

from leafsight.cluster.board import ANSWER_S, BoardProgress, new_board, replayed
from leafsight.cluster.connection import Cluster
from leafsight.cluster.machines import Needs, check_machines
from leafsight.cluster.node_cache import forget, near_copy
from leafsight.cluster.start_weights import Packed, packed, unpacked
from leafsight.cluster.training_faults import lost
from leafsight.errors import ClusterError, LeafsightError
from leafsight.progress import Progress, Silent
from leafsight.training import (
    Recipe,
    RunFolder,
    StopRequest,
    Team,
    TrainedRun,
    is_finished,
    load_run,
    open_prepared,
    stop_requests,
    train_in_team,
)

NEEDS = (("torch", "train"), ("pyarrow", "train"), ("safetensors", "train"))
RAYS_FOLDER = "ray"
LOOK_S = 0.5
END_S = 60.0
COPY_S = 3600.0
CACHE = "cache"


@dataclass(frozen=True)
class Task:
    """What every worker is given.

    Attributes:
        recipe: what to do.
        folder: of the run, absolute.
        work: of the prepared photographs, absolute.
        start: the weights to start from.
        device: of each worker.
        threads: of each worker, where the recipe leaves them open.
        board: of ``new_board``.
    """

    recipe: Recipe
    folder: Path
    work: Path
    start: Packed | None
    device: str
    threads: int
    board: Any


def train_on_cluster(
    recipe: Recipe,
    cluster: Cluster,
    folder: Path,
    work: Path,
    *,
    pretrained: Path | None = None,
    device: str = "auto",
    progress: Progress | None = None,
) -> TrainedRun:
    """Train, or go on, with the workers of a cluster.

    Args:
        recipe: what to do; its batch size is that of all workers together.
        cluster: that this process is in.
        folder: of the run.
        work: where ``prepare_data`` put index and pixels.
        pretrained: weights to start from; the other machines need not see them.
        device: ``auto`` takes the GPUs that workers were given, else processors.
        progress: told of every batch.

    Raises:
        ClusterError: no room, machines that do not fit, or more losses than are allowed.
        TrainingStoppedError: SIGINT or SIGTERM came; the state is saved.
        LeafsightError: as ``training.train``.
    """
    progress, folder, work = progress or Silent(), folder.absolute(), work.absolute()
    if is_finished(RunFolder(folder)):
        return load_run(folder)
    cluster.require_room()
    check_machines(Needs(modules=NEEDS, shared=(folder, work)))
    options, board = cluster.options, new_board()
    by_hand = "cuda" if options.gpus_per_worker else "cpu"
    task = Task(
        recipe=recipe,
        folder=folder,
        work=work,
        start=packed(pretrained),
        device=by_hand if device == "auto" else device,
        threads=options.cpus_per_worker,
        board=board,
    )
    with _rays_settings(options.start_s), replayed(board, progress):
        _fit(_trainer(task, cluster), board)
    shutil.rmtree(folder / RAYS_FOLDER, ignore_errors=True)
    return load_run(folder)


def _trainer(task: Task, cluster: Cluster) -> Any:
    options, workers = cluster.options, cluster.workers
    least = min(options.least_workers or workers, workers)
    resources = {"CPU": options.cpus_per_worker}
    if options.gpus_per_worker:
        resources["GPU"] = options.gpus_per_worker
    return ray.train.torch.TorchTrainer(
        _work,
        train_loop_config={"task": task},
        torch_config=ray.train.torch.TorchConfig(
            backend="cpu:gloo,cuda:nccl" if options.gpus_per_worker else "gloo",
            timeout_s=int(options.silence_s),
        ),
        scaling_config=ray.train.ScalingConfig(
            # Elastic only if asked for: Ray then keeps the room of a killed command for three minutes.
            num_workers=(least, workers) if least < workers else workers,
            use_gpu=bool(options.gpus_per_worker),
            resources_per_worker=resources,
        ),
        run_config=ray.train.RunConfig(
            name="run",
            storage_path=str(task.folder / RAYS_FOLDER),
            failure_config=ray.train.FailureConfig(
                max_failures=options.max_failures, controller_failure_limit=0
            ),
        ),
    )


def _fit(trainer: Any, board: Any) -> None:
    """Wait for the workers, hand a wish to stop on to them, and raise what they could not get over."""
    ended: list[BaseException] = []

    def fit() -> None:
        try:
            trainer.fit()
        except BaseException as error:
            ended.append(error)

    thread = threading.Thread(target=fit, name="fit", daemon=True)
    with stop_requests() as stop:
        thread.start()
        asked = False
        while thread.is_alive():
            thread.join(LOOK_S)
            if stop.signal_name and not asked:
                board.stop.remote(stop.signal_name)
                asked = True
            if _verdict(board) is not None:
                thread.join(END_S)
                break
    verdict = _verdict(board)
    if verdict is not None:
        raise verdict
    if ended:
        raise lost(ended[0]) from ended[0]


def _verdict(board: Any) -> LeafsightError | None:
    try:
        found = ray.get(board.verdict.remote(), timeout=ANSWER_S)
    except RayError as error:
        raise ClusterError(
            f"the cluster does not answer any more: {type(error).__name__}",
            hint="the same command goes on from the last checkpoint",
        ) from error
    return found if isinstance(found, LeafsightError) else None


def _work(config: dict[str, Any]) -> None:
    """Runs in every worker."""
    task: Task = config["task"]
    context = ray.train.get_context()
    team = Team(context.get_world_rank(), context.get_world_size())
    stop = StopRequest()
    progress = BoardProgress(task.board, hear=lambda name: setattr(stop, "signal_name", name))
    if ray.get(task.board.verdict.remote(), timeout=ANSWER_S) is not None:
        return  # what ended the attempt before would end every one
    try:
        if team.leads:
            _tell_attempt(task.board, progress, team.size)
        _train(task, team, progress if team.leads else None, stop, first_here=context.get_local_rank() == 0)
    except LeafsightError as error:
        ray.get(task.board.end.remote(error), timeout=ANSWER_S)
        raise


def _train(
    task: Task, team: Team, progress: BoardProgress | None, stop: StopRequest, *, first_here: bool
) -> None:
    shared = task.work / CACHE
    cache = near_copy(shared, limit_s=COPY_S)
    data = open_prepared(task.recipe, task.work, cache=cache)
    # One machine may copy for long; the first exchange of gradients would give up on it much sooner.
    ray.train.collective.barrier()
    with unpacked(task.start if team.leads else None) as pretrained:
        train_in_team(
            team,
            task.recipe,
            data,
            task.folder,
            device=task.device,
            threads=task.threads,
            pretrained=pretrained,
            progress=progress,
            stop=stop,
        )
    if first_here:
        forget(cache, shared)


def _tell_attempt(board: Any, progress: BoardProgress, workers: int) -> None:
    before = ray.get(board.attempt.remote(), timeout=ANSWER_S)
    label = f"{workers} worker{'s' if workers > 1 else ''}"
    progress.start(f"a worker was lost: going on with {label}" if before else f"training with {label}")
    progress.finish()


@contextlib.contextmanager
def _rays_settings(start_s: float) -> Iterator[None]:
    """How long Ray Train waits for room, and for the slowest copy, is told to it by the environment."""
    ours = {
        "RAY_TRAIN_WORKER_GROUP_START_TIMEOUT_S": str(start_s),
        "RAY_TRAIN_COLLECTIVE_TIMEOUT_S": str(COPY_S),
    }
    before = {name: os.environ.get(name) for name in ours}
    os.environ.update(ours)
    try:
        yield
    finally:
        for name, value in before.items():
            if value is None:
                del os.environ[name]
            else:
                os.environ[name] = value
