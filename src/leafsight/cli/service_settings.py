"""The options and settings that ``leafsight serve`` and ``leafsight work`` share.

Enters: words of the command line, settings. Leaves: what room ``service`` wants to know. It starts nothing.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.places import blob_url, database_url, registry_dir, work_dir
from leafsight.cli.terminal import cores
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.service import ServiceOptions
    from leafsight.settings import Settings

LEAST_METRICS_KEY = 32
SHARED = (
    click.option("--model", type=click.Path(path_type=Path), help="Serve this file, whatever was promoted."),
    click.option(
        "--state-dir",
        type=click.Path(path_type=Path),
        help="Where database, photographs and models are kept.",
    ),
    click.option("--database", "database_url", help="Database, such as postgresql://user@host/name."),
    click.option("--blobs", "blob_url", help="Where files are kept, such as s3://bucket/prefix."),
    click.option(
        "--data", type=click.Path(path_type=Path), help="Collection whose health and figures the page shows."
    ),
    click.option(
        "--registry",
        "registry_url",
        help="Where several servers share their models, such as s3://bucket/prefix.",
    ),
    click.option(
        "--training-data",
        type=click.Path(path_type=Path),
        help="Photographs that the model was trained from, for the full path of a retraining.",
    ),
    click.option(
        "--learning-accept",
        type=click.Choice(["hand", "clean"]),
        help="Who accepts what people send to learn from.",
    ),
    click.option(
        "--learning-promote",
        type=click.Choice(["auto", "ask"]),
        help="Whether a model that holds the gate is promoted by itself.",
    ),
)
"""Each is named as its setting."""


def shared_options(command: Callable[..., Any]) -> Callable[..., Any]:
    """Give a command the options of ``SHARED``."""
    for option in reversed(SHARED):
        command = option(command)
    return command


def service_options(settings: Settings) -> ServiceOptions:
    """The settings in the words of room ``service``."""
    from typing import cast

    from leafsight.service import Jobs, KeepPhotos, ServiceOptions

    return ServiceOptions(
        registry_dir=registry_dir(settings),
        database_url=database_url(settings),
        blob_url=blob_url(settings),
        model=settings.model,
        host=settings.host,
        port=settings.port,
        admin_host=settings.admin_host,
        admin_port=settings.admin_port,
        metrics_key=_metrics_key(settings.metrics_key),
        workers=settings.workers or cores(),
        deadline_s=settings.deadline_ms / 1000,
        max_request_bytes=settings.max_request_bytes,
        max_photos=settings.max_request_photos,
        max_image_bytes=settings.max_image_bytes,
        max_image_pixels=settings.max_image_pixels,
        keep_photos=cast(KeepPhotos, settings.keep_photos),
        keep_days=settings.keep_days,
        data=_collection(settings, "data"),
        jobs=cast(Jobs, settings.jobs),
        **_learning(settings),
    )


def _metrics_key(key: str) -> str:
    """The key itself, which must not be guessed.

    Raises:
        UsageError: it is short, or cannot be sent in a header.
    """
    if key and (len(key) < LEAST_METRICS_KEY or not key.isascii() or " " in key):
        raise UsageError(
            f"LEAFSIGHT_METRICS_KEY is no key: at least {LEAST_METRICS_KEY} letters and digits",
            hint="make one with: openssl rand -hex 32",
        )
    return key


def _learning(settings: Settings) -> dict[str, Any]:
    """How the service learns from what people send."""
    from leafsight.retraining import gate_limits

    return {
        "accept": settings.learning_accept,
        "promote": settings.learning_promote,
        "retrain_after": settings.retrain_after,
        "retrain_every_h": settings.retrain_every_hours,
        "retrain_on_drift": settings.retrain_on_drift == "yes",
        "most_per_source": settings.most_per_source,
        "training_data": _collection(settings, "training_data"),
        "gate": gate_limits(settings.gate_limits),
        "max_upload_bytes": settings.max_upload_bytes,
        "watch_minutes": settings.watch_minutes,
        "shadow_percent": settings.shadow_percent,
        "alert_url": settings.alert_url,
        "registry_url": settings.registry_url,
        "work_dir": work_dir(settings),
    }


def _collection(settings: Settings, name: str) -> Path | None:
    """Where a collection really is, since a process may work elsewhere; one that is not there is a slip.

    A server that works no jobs off never reads one: it need not be there.

    Raises:
        UsageError: it is not there.
    """
    data: Path | None = getattr(settings, name)
    if data is None:
        return None
    path = data.expanduser().absolute()
    if settings.jobs == "all" and not path.exists():
        option = f"--{name.replace('_', '-')}"
        raise UsageError(
            f"the collection {path} is not there", hint=f"give a folder of class folders to {option}"
        )
    return path
