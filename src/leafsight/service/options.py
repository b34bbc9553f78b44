"""What an operator may choose about a service, as plain values."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Literal

KeepPhotos = Literal["never", "ask", "always"]
Accept = Literal["hand", "clean"]
Promote = Literal["auto", "ask"]
Jobs = Literal["all", "none"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceOptions:
    """Everything that one process of the service needs to know.

    Attributes:
        registry_dir: folder of models.
        database_url: where predictions and corrections are kept.
        blob_url: where photographs are kept.
        model: one model file that is served whatever the registry says; ``None`` follows the registry.
        host: address that is listened on.
        port: 0 takes a free one.
        workers: processes.
        threads: of inference in each process.
        deadline_s: a request that would be answered later than this is refused at once.
        body_timeout_s: for the whole body of a request to arrive.
        header_timeout_s: for the first line and headers of a connection to arrive.
        drain_s: how long a process that shall end tells its callers so before it closes idle connections.
        max_request_bytes: larger requests are refused, with or without a Content-Length.
        max_photos: in one request.
        max_image_bytes: of one photograph.
        max_image_pixels: of one photograph.
        keep_photos: whether photographs are kept: never, when the sender says so, always.
        keep_days: for how long predictions are remembered.
        watch_s: how often a process looks whether another model was promoted.
        admin_host: address that the admin side is listened for on.
        admin_port: of the admin side; 0 means that there is none, and everything is answered on ``port``.
        metrics_key: opens ``/metrics`` and nothing else, as keys with the scope admin do; empty is none.
        data: collection whose reports are shown; ``None`` shows none.
        accept: who accepts contributions: a person, or for clean ones a rule.
        promote: whether a challenger that holds the gate is promoted by itself, or a person is asked.
        retrain_after: so many newly accepted photographs begin a retraining; 0 means never.
        retrain_every_h: so many hours after the last one a retraining begins, if something new was accepted;
            0 means never.
        retrain_on_drift: drift begins a retraining, if something new was accepted.
        most_per_source: photographs of one class that one sender may bring between two trainings.
        training_data: folder of the original photographs, for the full path; ``None`` has only the quick one.
        gate: limits of the gate that are not the usual ones; see ``retraining.GateOptions``.
        watch_minutes: for how long a promoted model is held against the one before; 0 means not at all.
        shadow_percent: of the photographs that the challenger answers, too, without being heard.
        alert_url: where alerts are sent; empty sends none.
        work_dir: where retraining keeps what it needs between its steps; ``None`` beside the registry.
        max_upload_bytes: of an upload that is sent in parts.
        registry_url: bucket with the models of several servers; empty where ``registry_dir`` is the registry.
        jobs: which jobs this server works off: all, or none, where a job worker does on the same database.
        end_with: process that started this one; when it is gone, the service ends. None lives on.
    """

    registry_dir: Path
    database_url: str
    blob_url: str
    model: Path | None = None
    host: str = "127.0.0.1"
    port: int = 8000
    workers: int = 1
    threads: int = 1
    deadline_s: float = 2.0
    body_timeout_s: float = 30.0
    header_timeout_s: float = 10.0
    drain_s: float = 1.0
    max_request_bytes: int = 128 * 1024**2
    max_photos: int = 32
    max_image_bytes: int = 64 * 1024**2
    max_image_pixels: int = 120_000_000
    keep_photos: KeepPhotos = "ask"
    keep_days: int = 90
    watch_s: float = 1.0
    admin_host: str = "127.0.0.1"
    admin_port: int = 0
    metrics_key: str = field(default="", repr=False)
    data: Path | None = None
    accept: Accept = "hand"
    promote: Promote = "auto"
    retrain_after: int = 0
    retrain_every_h: float = 0
    retrain_on_drift: bool = False
    most_per_source: int = 500
    training_data: Path | None = None
    gate: Mapping[str, float] = field(default_factory=dict)
    watch_minutes: int = 60
    shadow_percent: int = 0
    alert_url: str = ""
    work_dir: Path | None = None
    max_upload_bytes: int = 512 * 1024**2
    registry_url: str = ""
    jobs: Jobs = "all"
    end_with: int | None = None

    @property
    def learning_dir(self) -> Path:
        """Where retraining keeps what it needs between its steps."""
        return self.work_dir or self.registry_dir.parent / "learning"
