"""``leafsight serve``: the HTTP service, with nothing else to install or configure."""

from __future__ import annotations

import os
from dataclasses import replace
from ipaddress import ip_address
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.places import blob_url, database_url, registry_dir, work_dir
from leafsight.cli.terminal import cores, settings_for, talk
from leafsight.errors import UsageError, require

if TYPE_CHECKING:
    from leafsight.service import ServiceOptions
    from leafsight.settings import Settings


@click.command(name="serve")
@click.option("--host", help="Address to listen on; other computers are served only with keys.")
@click.option("--port", type=click.IntRange(0, 65535), help="Port to listen on; 0 takes a free one.")
@click.option(
    "--admin-port",
    type=click.IntRange(0, 65535),
    help="Figures and lists are answered on this port only; 0 means on that of everybody.",
)
@click.option("--admin-host", help="Address of the admin port; other computers are served only with keys.")
@click.option(
    "--workers",
    type=click.IntRange(0, 1024),
    help="Processes; 0 means one per core, and no more than a quota of CPU time allows.",
)
@click.option("--model", type=click.Path(path_type=Path), help="Serve this file, whatever was promoted.")
@click.option(
    "--state-dir", type=click.Path(path_type=Path), help="Where database, photographs and models are kept."
)
@click.option("--database", "database", help="Database, such as postgresql://user@host/name.")
@click.option("--blobs", "blobs", help="Where files are kept, such as s3://bucket/prefix.")
@click.option("--deadline-ms", type=click.IntRange(50, 600_000), help="Refuse what would be answered later.")
@click.option(
    "--keep-photos", type=click.Choice(["never", "ask", "always"]), help="Whether photographs are kept."
)
@click.option(
    "--data", type=click.Path(path_type=Path), help="Collection whose health and figures the page shows."
)
@click.option("--registry", help="Where several servers share their models, such as s3://bucket/prefix.")
@click.option(
    "--training-data",
    type=click.Path(path_type=Path),
    help="Photographs that the model was trained from, for the full path of a retraining.",
)
@click.option(
    "--learning-accept",
    type=click.Choice(["hand", "clean"]),
    help="Who accepts what people send to learn from.",
)
@click.option(
    "--learning-promote",
    type=click.Choice(["auto", "ask"]),
    help="Whether a model that holds the gate is promoted by itself.",
)
@click.option(
    "--end-with",
    type=click.IntRange(min=1),
    metavar="PID",
    help="End when this process, which started the server, is gone.",
)
def command(
    host: str | None,
    port: int | None,
    admin_port: int | None,
    admin_host: str | None,
    workers: int | None,
    model: Path | None,
    state_dir: Path | None,
    database: str | None,
    blobs: str | None,
    deadline_ms: int | None,
    keep_photos: str | None,
    data: Path | None,
    registry: str | None,
    training_data: Path | None,
    learning_accept: str | None,
    learning_promote: str | None,
    end_with: int | None,
) -> int:
    """Serve predictions over HTTP until Ctrl-C or SIGTERM; SIGHUP replaces the processes one by one."""
    settings = settings_for(
        host=host, port=port, admin_port=admin_port, admin_host=admin_host, workers=workers, model=model,
        state_dir=state_dir, database_url=database, blob_url=blobs, deadline_ms=deadline_ms,
        keep_photos=keep_photos, data=data, registry_url=registry, training_data=training_data,
        learning_accept=learning_accept, learning_promote=learning_promote,
    )  # fmt: skip
    for library in ("fastapi", "uvicorn", "sqlalchemy"):
        require(library, "serve")
    options = replace(service_options(settings), end_with=end_with)
    _prepare(options)
    from leafsight.service import serve

    return serve(options, say=talk)


def service_options(settings: Settings) -> ServiceOptions:
    """The settings in the words of room ``service``."""
    from typing import cast

    from leafsight.service import KeepPhotos, ServiceOptions

    return ServiceOptions(
        registry_dir=registry_dir(settings),
        database_url=database_url(settings),
        blob_url=blob_url(settings),
        model=settings.model,
        host=settings.host,
        port=settings.port,
        admin_host=settings.admin_host,
        admin_port=settings.admin_port,
        workers=settings.workers or cores(),
        deadline_s=settings.deadline_ms / 1000,
        max_request_bytes=settings.max_request_bytes,
        max_photos=settings.max_request_photos,
        max_image_bytes=settings.max_image_bytes,
        max_image_pixels=settings.max_image_pixels,
        keep_photos=cast(KeepPhotos, settings.keep_photos),
        keep_days=settings.keep_days,
        data=_collection(settings.data),
        **_learning(settings),
    )


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
        "training_data": _collection(settings.training_data, "--training-data"),
        "gate": gate_limits(settings.gate_limits),
        "max_upload_bytes": settings.max_upload_bytes,
        "watch_minutes": settings.watch_minutes,
        "shadow_percent": settings.shadow_percent,
        "alert_url": settings.alert_url,
        "registry_url": settings.registry_url,
        "work_dir": work_dir(settings),
    }


def _collection(data: Path | None, option: str = "--data") -> Path | None:
    """Where it really is, since a process may work elsewhere; one that is not there is a slip.

    Raises:
        UsageError: it is not there.
    """
    if data is None:
        return None
    path = data.expanduser().absolute()
    if not path.exists():
        raise UsageError(
            f"the collection {path} is not there", hint=f"give a folder of class folders to {option}"
        )
    return path


def _prepare(options: ServiceOptions) -> None:
    """What every process would stumble over is said once: the model, the database; and are there keys?"""
    from leafsight.registry import SERVING
    from leafsight.service import registry_of
    from leafsight.state import open_state

    if options.model is None:
        registry = registry_of(options).near
        registry.watch_token(SERVING)  # fetches what a bucket names, if there is one
        registry.bundle(registry.get(SERVING))
    os.environ.setdefault("OMP_NUM_THREADS", "1")
    if options.alert_url:
        from leafsight.monitoring import check_alert_url

        check_alert_url(options.alert_url)
    state = open_state(options.database_url)
    try:
        keys = state.keys.any()
    finally:
        state.close()
    if keys:
        return
    for host in [options.host, *([options.admin_host] if options.admin_port else [])]:
        if not _is_local(host):
            raise UsageError(
                f"there are no keys, so only this computer may be served, not {host}",
                hint="make a key with: leafsight keys make NAME --scope predict",
            )
    talk("no keys: only this computer is answered; leafsight keys make NAME makes one")


def _is_local(host: str) -> bool:
    try:
        return host == "localhost" or ip_address(host).is_loopback
    except ValueError:
        return False
