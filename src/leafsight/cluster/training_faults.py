"""What Ray Train says of training that was lost, in our words."""

from __future__ import annotations

from ray.exceptions import ActorDiedError, NodeDiedError, OutOfMemoryError, RayActorError, RayTaskError
from ray.train import ControllerError, TrainingFailedError, WorkerGroupError
from ray.train.v2._internal.exceptions import WorkerGroupStartupTimeoutError

from leafsight.errors import ClusterError

GO_ON = "the same command goes on from the last checkpoint"
MOST_SAID = 300


def lost(error: BaseException) -> ClusterError:
    """Why nothing more was tried.

    Args:
        error: of ``TorchTrainer.fit``.
    """
    if isinstance(error, WorkerGroupError):
        rank, cause = min(error.worker_failures.items(), key=lambda item: (_closeness(item[1]), item[0]))
        return ClusterError(
            f"workers were lost more often than is allowed; the last time worker {rank + 1}: {_said(cause)}",
            hint=f"{_advice(cause)}{GO_ON}",
        )
    if isinstance(error, ControllerError):
        if isinstance(error.controller_failure, WorkerGroupStartupTimeoutError):
            return ClusterError(
                "the cluster had no room for the workers in time: machines are lost, or busy with other work",
                hint=f"add machines, or name fewer with --workers or --least-workers; {GO_ON}",
            )
        return ClusterError(
            f"the workers could not be started: {_said(error.controller_failure)}",
            hint=f"is the cluster busy with other work? {GO_ON}",
        )
    what = "training ended" if isinstance(error, TrainingFailedError) else "the cluster was lost"
    return ClusterError(f"{what}: {_said(error)}", hint=GO_ON)


def _closeness(error: BaseException) -> int:
    """How near an error is to the cause: the others of a team fail because one is gone."""
    if isinstance(error, OutOfMemoryError | NodeDiedError):
        return 0
    if isinstance(error, ActorDiedError | RayActorError):
        return 1
    text = str(error)
    return 3 if "onnection" in text or "Gloo" in text or "gloo" in text or "NCCL" in text else 2


def _advice(error: BaseException) -> str:
    text = str(error)
    if isinstance(error, OutOfMemoryError) or "out of memory" in text.lower() or "OOM" in text:
        return "use fewer workers on each machine, or a smaller batch_size; "
    return ""


def _said(error: BaseException) -> str:
    cause = getattr(error, "cause", None) if isinstance(error, RayTaskError) else None
    lines = [line.strip() for line in str(cause or error).strip().splitlines() if line.strip()]
    return (lines[-1] if lines else type(error).__name__)[:MOST_SAID]
