"""``leafsight predict``: diagnose photographs, folders of them, or a photograph on standard input.

With the model here or, by ``--server``, with that of a server: what is printed is the same.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.on_cluster import ClusterCommand, cluster_options, wanted_cluster
from leafsight.cli.terminal import (
    cores,
    decode_limits,
    json_option,
    print_json,
    print_table,
    printable,
    settings_for,
    talk,
)
from leafsight.errors import LeafsightError, UsageError

if TYPE_CHECKING:
    import numpy as np

    from leafsight.images import DecodeLimits
    from leafsight.inference import BundlePredictor, Prediction, Predictor
    from leafsight.settings import Settings

CHUNK_PHOTOGRAPHS = 16
STANDARD_INPUT = "-"
SERVER_TIMEOUT_S = 120.0
"""For a chunk of photographs: sending them over a slow line included."""


@click.command(name="predict", cls=ClusterCommand)
@click.argument("photos", nargs=-1, required=True)
@click.option("--model", type=click.Path(path_type=Path), help="A model file instead of the built-in one.")
@click.option("--crop", help="The plant, if you know it, such as tomato: the answer is then much better.")
@click.option(
    "--heatmap",
    type=click.Path(path_type=Path),
    help="Write where the evidence is: a PNG for one photograph, a folder for several.",
)
@click.option(
    "--top", default=3, show_default=True, type=click.IntRange(1, 1000), help="How many classes to list."
)
@click.option(
    "--views", default=1, show_default=True, type=click.IntRange(1, 8), help="Averaged views a photograph."
)
@click.option("--threads", type=click.IntRange(0, 1024), help="Compute threads; 0 means one per core.")
@click.option("--server", help="Ask the leafsight server at this address instead of a model here.")
@click.option("--key", help="Key for that server; better in the variable LEAFSIGHT_KEY, which nobody sees.")
@click.option("--lines", "as_lines", is_flag=True, help="One JSON object a line, written as they come.")
@cluster_options
@json_option
def command(
    photos: tuple[str, ...],
    model: Path | None,
    crop: str | None,
    heatmap: Path | None,
    top: int,
    views: int,
    threads: int | None,
    server: str | None,
    key: str | None,
    as_lines: bool,
    cluster: str | None,
    workers: int | None,
    worker_cpus: int | None,
    worker_gpus: int | None,
    as_json: bool,
) -> int:
    """Diagnose PHOTOS: files, folders (searched through), or - for standard input.

    A folder's answers come one a line. "Not a leaf" and "cannot tell" are answers, not errors; the exit code
    is 1 only when a photograph could not be read.

    With --cluster, PHOTOS may also be tars of photographs and s3:// addresses, and the last of them is a new
    folder for the answers, as Parquet. Killed and run again, it goes on.
    """
    on_cluster = wanted_cluster(cluster, workers, worker_cpus, worker_gpus)
    if on_cluster is not None:
        from leafsight.cli.predict_cluster import predict_into_folder

        refused = {
            "--heatmap": heatmap,
            "--server": server,
            "--key": key,
            "--lines": as_lines,
            "--threads (--worker-cpus is meant)": threads,
        }
        return predict_into_folder(
            photos,
            on_cluster,
            model=model,
            crop=crop,
            top=top,
            views=views,
            as_json=as_json,
            refused=refused,
        )
    if server is not None and (model is not None or threads is not None):
        raise UsageError("--model and --threads are for a model here", hint="leave them or --server out")
    settings, limits = settings_for(model=model, threads=threads, server=server, key=key), decode_limits()
    names = list(_named(photos))
    pictures = _picture_paths(heatmap, names)
    # A model named on the command line is nearer than a server of the settings.
    if settings.server and model is None:
        predictor = _ask_server(settings, views=views, top=top, named=server is not None)
    else:
        predictor = load_predictor(settings.model, settings.threads, views=views, top=top, limits=limits)
    unreadable = 0
    shown: list[tuple[str, Prediction]] = []
    for start in range(0, len(names), CHUNK_PHOTOGRAPHS):
        chunk = [
            _read(name, limits, alone=len(names) == 1) for name in names[start : start + CHUNK_PHOTOGRAPHS]
        ]
        for photo, prediction in zip(chunk, _diagnose(predictor, chunk, crop, bool(pictures)), strict=True):
            if prediction.verdict == "unreadable":
                unreadable += 1
                talk(f"{printable(photo.name)} cannot be read: {prediction.reason}")
            if pictures and prediction.heatmap is not None:
                write_heatmap(pictures[photo.name], photo.data, prediction.heatmap, limits)
            if as_lines:
                _print_line(photo.name, prediction, top)
            else:
                shown.append((photo.name, prediction))
    if as_json:
        print_json([as_plain(name, prediction, top) for name, prediction in shown])
    elif not as_lines:
        _print(shown, top)
    return 1 if unreadable else 0


def load_predictor(
    model: Path | None,
    threads: int,
    *,
    views: int = 1,
    top: int = 5,
    limits: DecodeLimits | None = None,
) -> BundlePredictor:
    """The predictor of a model file, or of the built-in one."""
    from leafsight.bundle import builtin_bundle_path
    from leafsight.inference import BundlePredictor

    path = model if model is not None else builtin_bundle_path()
    return BundlePredictor(path, threads=threads or cores(), test_time_views=views, limits=limits, top=top)


def _ask_server(settings: Settings, *, views: int, top: int, named: bool) -> Predictor:
    """The model of a server; told when only the settings name it, for photographs leave this machine."""
    from leafsight.client import MOST_TOP, Client, RemotePredictor

    if views != 1:
        raise UsageError("--views is for a model here", hint="a server decides that by itself; leave it out")
    client = Client(settings.server, key=key_for(settings, named), timeout_s=SERVER_TIMEOUT_S)
    click.get_current_context().call_on_close(client.close)
    if not named:
        talk(f"asking the server {client.url}, as the settings say")
    if top > MOST_TOP:
        talk(f"a server lists at most {MOST_TOP} classes")
    return RemotePredictor(client, top=top)


def key_for(settings: Settings, named: bool) -> str | None:
    """The key, unless only the file of this folder names the server: it might belong to somebody else.

    A file that names both has a key of its own to lose; the one in the environment is the person's.
    """
    from leafsight.settings import FILE_NAME, origins

    found = origins(Path.cwd(), os.environ)
    if not named and found["server"] == FILE_NAME and found["key"] != FILE_NAME and settings.key:
        raise UsageError(
            f"{FILE_NAME} of this folder names the server, but not the key, which would be sent there",
            hint="if the server is yours, name it with --server or LEAFSIGHT_SERVER",
        )
    return settings.key or None


def as_plain(name: str, prediction: Prediction, top: int) -> dict[str, Any]:
    """One answer as plain values, without the heatmap's numbers."""
    plain = prediction.to_dict()
    plain.pop("heatmap")
    plain["top"] = plain["top"][:top]
    return {"photo": printable(name), **plain}


def _named(photos: Sequence[str]) -> Iterator[str]:
    from leafsight.images import PHOTO_SUFFIXES, photographs_below

    for photo in photos:
        if photo != STANDARD_INPUT and Path(photo).is_dir():
            found = sorted(str(path) for path in photographs_below(Path(photo)))
            if not found:
                raise UsageError(
                    f"no photographs in {photo}", hint=f"it looks for {' '.join(sorted(PHOTO_SUFFIXES))}"
                )
            yield from found
        else:
            yield photo


@dataclass(frozen=True, slots=True)
class _Photo:
    """Bytes to diagnose, or why there are none."""

    name: str
    data: bytes
    error: LeafsightError | None = None


def _read(name: str, limits: DecodeLimits, *, alone: bool) -> _Photo:
    """One photograph; among several, one that cannot be read must not stop the others."""
    from leafsight.images import read_photo

    if name == STANDARD_INPUT:
        return _Photo(name, sys.stdin.buffer.read(limits.max_bytes + 1))
    try:
        return _Photo(name, read_photo(Path(name), limits))
    except LeafsightError as error:
        if alone:
            raise
        return _Photo(name, b"", error)


def _diagnose(
    predictor: Predictor, photos: Sequence[_Photo], crop: str | None, heatmap: bool
) -> list[Prediction]:
    """Answers in the order of ``photos``; a file that cannot be read is an answer, too."""
    from dataclasses import replace

    answers = predictor.predict([photo.data for photo in photos], crop=crop, heatmap=heatmap)
    return [
        answer
        if photo.error is None
        else replace(answer, reason=photo.error.message, hint=photo.error.hint, error=photo.error.as_dict())
        for photo, answer in zip(photos, answers, strict=True)
    ]


def _picture_paths(target: Path | None, names: Sequence[str]) -> dict[str, Path]:
    """Where the heatmap of each photograph goes, under names that differ; empty when none is wanted."""
    if target is None:
        return {}
    if target.suffix.lower() == ".png" and not target.is_dir():
        if len(names) > 1:
            raise UsageError(
                f"--heatmap {target} names one picture, but there are {len(names)} photographs",
                hint="name a folder",
            )
        return dict.fromkeys(names, target)
    taken: set[str] = set()
    paths: dict[str, Path] = {}
    for name in names:
        stem = "standard-input" if name == STANDARD_INPUT else Path(name).name
        picture, number = f"{stem}.heatmap.png", 1
        while picture in taken:
            number += 1
            picture = f"{stem}-{number}.heatmap.png"
        taken.add(picture)
        paths[name] = target / picture
    return paths


def write_heatmap(path: Path, data: bytes, heatmap: np.ndarray, limits: DecodeLimits | None = None) -> None:
    """Lay the heatmap over the photograph and write it as PNG."""
    import io

    from PIL import Image

    from leafsight.images import DecodeLimits, decode, overlay_heatmap
    from leafsight.storage import write_bytes

    file = io.BytesIO()
    Image.fromarray(overlay_heatmap(decode(data, limits=limits or DecodeLimits()), heatmap)).save(file, "PNG")
    write_bytes(path, file.getvalue())


def _print_line(name: str, prediction: Prediction, top: int) -> None:
    import json

    click.echo(json.dumps(as_plain(name, prediction, top), ensure_ascii=False, allow_nan=False))


def _print(shown: Sequence[tuple[str, Prediction]], top: int) -> None:
    if len(shown) == 1 and sys.stdout.isatty():
        _print_one(*shown[0], top)
        return
    rows = [
        (name, prediction.verdict, _headline(prediction), _percent(prediction), _possible(prediction))
        for name, prediction in shown
    ]
    print_table("", ("photo", "verdict", "condition", "probability", "cannot be excluded"), rows, right=(3,))


def _print_one(name: str, prediction: Prediction, top: int) -> None:
    from rich.text import Text

    from leafsight.cli.terminal import console

    out = console()
    out.print(Text(printable(name), style="dim"))
    out.print(Text(_headline(prediction), style="bold"), _percent(prediction))
    out.print(Text(prediction.reason))
    if prediction.hint:
        out.print(Text(prediction.hint))
    if len(prediction.possible) > 1:
        out.print(Text("Cannot be excluded: " + _possible(prediction)))
    for candidate in prediction.top[:top]:
        bar = "█" * round(candidate.probability * 24)
        out.print(Text(f"  {candidate.probability:6.1%} {bar:<24} {candidate.display}"))
    if prediction.crop_given is None and prediction.verdict in {"diagnosis", "cannot_tell"}:
        out.print(
            Text("If you know the plant, say it: --crop tomato makes the answer much better.", style="dim")
        )


def _headline(prediction: Prediction) -> str:
    return prediction.display or prediction.verdict.replace("_", " ")


def _percent(prediction: Prediction) -> str:
    return "" if prediction.probability is None else f"{prediction.probability:.1%}"


def _possible(prediction: Prediction) -> str:
    return "; ".join(candidate.display for candidate in prediction.possible)
