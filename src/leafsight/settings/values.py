"""Every setting with its default, its unit in the name, and one sentence on what it does.

A plain dataclass: reading settings is on the way of every command, and pydantic alone would take a fifth of
the time that ``leafsight predict`` may take.
"""

from __future__ import annotations

from dataclasses import Field, dataclass, field, fields
from pathlib import Path
from typing import Any

HIDDEN = "(set, not shown)"


def _setting(
    default: Any,
    description: str,
    *,
    least: int | None = None,
    most: int | None = None,
    choices: tuple[str, ...] = (),
    secret: bool = False,
) -> Any:
    about = {
        "description": description, "least": least, "most": most, "choices": choices, "secret": secret,
    }  # fmt: skip
    return field(default=default, metadata=about, repr=not secret)


@dataclass(frozen=True, slots=True)
class Settings:
    """What a person or an operator may set for all commands."""

    model: Path | None = _setting(None, "model file to diagnose with; none means the built-in one")
    threads: int = _setting(0, "compute threads; 0 means one per core", least=0, most=1024)
    cache_dir: Path = _setting(Path("~/.cache/leafsight"), "downloads and pixel caches")
    runs_dir: Path = _setting(Path("runs"), "where training runs are kept")
    imagenet_weights: Path | None = _setting(
        None, "ImageNet weights that recipes start from; none means that --pretrained must say"
    )
    max_image_bytes: int = _setting(64 * 1024**2, "a larger photograph file is refused", least=1024)
    max_image_pixels: int = _setting(120_000_000, "a photograph with more pixels is refused", least=4096)
    max_cache_bytes: int = _setting(
        16 * 1024**3, "a pixel cache never becomes larger than this", least=1024**2
    )

    state_dir: Path = _setting(
        Path("~/.local/share/leafsight"), "what a server keeps: database, photographs, models"
    )
    database_url: str = _setting(
        "", "database of a server; none means a SQLite file in state_dir", secret=True
    )
    blob_url: str = _setting("", "where a server keeps files, such as s3://bucket; none means state_dir")
    host: str = _setting("127.0.0.1", "address that a server listens on")
    port: int = _setting(8000, "port that a server listens on; 0 takes a free one", least=0, most=65535)
    workers: int = _setting(0, "processes of a server; 0 means one per core", least=0, most=1024)
    admin_host: str = _setting("127.0.0.1", "address that the admin side of a server listens on")
    admin_port: int = _setting(
        0, "port of the admin side of a server; 0 means that of everybody", least=0, most=65535
    )
    first_key: str = _setting(
        "no", "whether a database without keys gets a first one, which is shown once", choices=("no", "yes")
    )
    jobs: str = _setting(
        "all",
        "which jobs a server works off: all, or none where leafsight work does",
        choices=("all", "none"),
    )
    metrics_key: str = _setting(
        "", "key that opens /metrics and nothing else, also while the database does not answer", secret=True
    )
    data: Path | None = _setting(None, "collection whose health and figures a server shows")
    deadline_ms: int = _setting(
        2000, "a request that would be answered later than this is refused at once", least=50, most=600_000
    )
    max_request_bytes: int = _setting(128 * 1024**2, "a larger request is refused", least=1024)
    max_request_photos: int = _setting(32, "a request with more photographs is refused", least=1, most=1000)
    keep_photos: str = _setting(
        "ask",
        "whether a server keeps photographs: never, ask (when the sender says so), always",
        choices=("never", "ask", "always"),
    )
    keep_days: int = _setting(90, "for how long a server remembers predictions", least=1, most=36_500)
    registry_url: str = _setting(
        "", "where several servers share their models, such as s3://bucket; none means state_dir"
    )
    learning_accept: str = _setting(
        "hand", "who accepts what people send to learn from: a person, or for clean photographs a rule",
        choices=("hand", "clean"),
    )  # fmt: skip
    learning_promote: str = _setting(
        "auto", "whether a model that holds the gate is promoted by itself, or a person is asked",
        choices=("auto", "ask"),
    )  # fmt: skip
    retrain_after: int = _setting(
        0, "so many newly accepted photographs begin a retraining; 0 means none do", least=0, most=10_000_000
    )
    retrain_every_hours: int = _setting(
        0, "a retraining begins so often if something was accepted; 0 means never", least=0, most=100_000
    )
    retrain_on_drift: str = _setting(
        "no", "whether drift begins a retraining, if something was accepted", choices=("no", "yes")
    )
    most_per_source: int = _setting(
        500,
        "photographs of one class that one sender may add between two retrainings",
        least=1,
        most=1_000_000,
    )
    training_data: Path | None = _setting(
        None, "folder of the photographs that the model was trained from, for the full path of a retraining"
    )
    gate_limits: str = _setting(
        "", "limits of the gate that are not the usual ones, such as margin=0.01,class_loss=0.1"
    )
    max_upload_bytes: int = _setting(512 * 1024**2, "a larger upload in parts is refused", least=1024)
    watch_minutes: int = _setting(
        60, "for how long a promoted model is held against the one before; 0 means not at all",
        least=0, most=100_000,
    )  # fmt: skip
    shadow_percent: int = _setting(
        0, "of the photographs that the challenger answers, too, without being heard", least=0, most=100
    )
    alert_url: str = _setting("", "where a server sends its alerts; none means nowhere", secret=True)
    server: str = _setting("", "address of a leafsight server to ask instead of a model here")
    key: str = _setting("", "key for that server", secret=True)

    def to_dict(self) -> dict[str, Any]:
        """Plain values for JSON, without the secret ones."""
        return {one.name: _plain(one, getattr(self, one.name)) for one in fields(self)}


def _plain(one: Field[Any], value: Any) -> Any:
    if one.metadata["secret"] and value:
        return HIDDEN
    return str(value) if isinstance(value, Path) else value


def descriptions() -> dict[str, str]:
    """Setting -> what it does, in order."""
    return {one.name: one.metadata["description"] for one in fields(Settings)}
