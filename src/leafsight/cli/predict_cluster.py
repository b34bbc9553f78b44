"""``leafsight predict --cluster``: photographs by the million, into a folder of Parquet."""

from __future__ import annotations

import time
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.terminal import decode_limits, print_json, print_table, progress, settings_for, talk
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.cluster import Answered, ClusterOptions


def predict_into_folder(
    words: Sequence[str],
    cluster: ClusterOptions,
    *,
    model: Path | None,
    crop: str | None,
    top: int,
    views: int,
    as_json: bool,
    refused: Mapping[str, object],
) -> int:
    """Diagnose all but the last of ``words`` into the folder that the last one names.

    Args:
        words: inputs, and the folder of the answers.
        cluster: where.
        model: a model file; the settings' or the built-in one where there is none.
        crop: the plant, if it is known.
        top: classes to list.
        views: averaged views a photograph.
        as_json: print the result as JSON.
        refused: options that make no sense here, with what was given.

    Raises:
        UsageError: one of ``refused`` was given, or no folder.
    """
    for option, value in refused.items():
        if value:
            raise UsageError(f"{option} makes no sense with --cluster", hint=f"leave {option} out")
    if len(words) < 2:
        raise UsageError(
            "--cluster needs a folder for the answers",
            hint="leafsight predict --cluster PHOTOS... OUT, with OUT a new folder",
        )
    from leafsight.cluster import Asked, predict_on_cluster

    asked = Asked(
        inputs=tuple(words[:-1]),
        out=Path(words[-1]),
        model=settings_for(model=model).model,
        crop=crop,
        top=top,
        views=views,
        limits=decode_limits(),
    )
    answered = predict_on_cluster(asked, cluster, progress=progress())
    if as_json:
        print_json(answered.to_dict())
    else:
        _print(answered)
    return 1 if answered.unreadable else 0


def _print(answered: Answered) -> None:
    if answered.done_before:
        when = time.strftime("%Y-%m-%d %H:%M", time.localtime(answered.listed))
        talk(f"photographs that came after {when} are not among them; they need another folder")
    rows = [(verdict.replace("_", " "), count) for verdict, count in answered.verdicts.items()]
    print_table("", ("verdict", "photographs"), rows, right=(1,))
    before = f" ({answered.done_before} before)" if answered.done_before else ""
    click.echo(
        f"{answered.folder}: {answered.photographs} photographs{before} in {answered.files} files, "
        f"{answered.unreadable} unreadable, {answered.seconds:.1f} s"
    )
