"""How a command uses a cluster."""

from __future__ import annotations

from pydantic import BaseModel, ConfigDict, Field

from leafsight.cluster.addresses import AUTO


class ClusterOptions(BaseModel):
    """Where the cluster is and how much of it is used.

    Attributes:
        address: ``auto``, ``local`` or ``HOST:PORT``.
        workers: processes that share the work; 0 takes one for each of the cluster's processors that a worker
            needs.
        least_workers: after a loss, training goes on with so few; 0 waits for as many as before.
        cpus_per_worker: processors of each; also its threads.
        gpus_per_worker: accelerators of each.
        connect_s: how long the head may take to answer.
        start_s: how long workers may take to begin once there is room for them, and how long room is waited
            for.
        silence_s: how long workers may wait for each other, or a worker be silent, before it counts as lost.
        max_failures: how often work goes on after a worker or machine was lost.
    """

    model_config = ConfigDict(frozen=True, extra="forbid")

    address: str = AUTO
    workers: int = Field(default=0, ge=0, le=4096)
    least_workers: int = Field(default=0, ge=0, le=4096)
    cpus_per_worker: int = Field(default=1, ge=1, le=1024)
    gpus_per_worker: int = Field(default=0, ge=0, le=64)
    connect_s: float = Field(default=20.0, gt=0, le=3600)
    start_s: float = Field(default=120.0, gt=0, le=24 * 3600)
    silence_s: float = Field(default=300.0, gt=0, le=24 * 3600)
    max_failures: int = Field(default=3, ge=0, le=1000)
