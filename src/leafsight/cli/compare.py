"""``leafsight compare``: finished runs and model files beside each other, on the same photographs."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.terminal import (
    cores,
    decode_limits,
    json_option,
    print_json,
    print_table,
    progress,
    quiet_option,
    settings_for,
    talk,
)
from leafsight.errors import EvaluationError, ImageError, StorageError

if TYPE_CHECKING:
    import numpy as np

    from leafsight.dataset import PhotoIndex
    from leafsight.evaluation import Interval
    from leafsight.experiments import ComparedRuns

SHOWN = ("accuracy", "macro_f1", "group_accuracy", "ece", "nll")  # the page has more
ELSEWHERE = "elsewhere"  # what photographs without splits are called
PICTURE_SIDE_PX = 200


@click.command(name="compare")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--split", default="test", show_default=True, help="Which photographs of an index.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Judge on these instead of the runs' own: an index, a folder of class folders, a CSV, an archive.",
)
@click.option(
    "--views", default=1, show_default=True, type=click.IntRange(1, 8), help="Averaged views a photograph."
)
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML page (and JSON beside it).")
@click.option("--even-if-seen", is_flag=True, help="Go on when some of the photographs trained a run.")
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1.")
@click.option(
    "--cache", type=click.Path(path_type=Path), help="Keep prepared pixels here.  [default: the cache folder]"
)
@quiet_option
@json_option
def command(
    runs: tuple[Path, ...],
    split: str,
    data: Path | None,
    views: int,
    report: Path | None,
    even_if_seen: bool,
    device: str,
    cache: Path | None,
    quiet: bool,
    as_json: bool,
) -> None:
    """Compare RUNS (folders of finished runs, or model files) with the first of them.

    All are judged on the same photographs, which trained none of them: the test split of their indexes, as
    far as they have it in common, or --data.
    """
    from leafsight.errors import require

    require("torch", "train")
    from leafsight.experiments import Asking, compare_runs, open_subjects, write_comparison

    subjects = open_subjects(runs)
    index = None
    if data is not None:
        index, split = _photographs(data, subjects[0].classes, split, quiet=quiet)
    settings = settings_for()
    asking = Asking(
        folder=cache or settings.cache_dir / "evaluate",
        split=split,
        views=views,
        device=device,
        limits=decode_limits(),
        max_cache_bytes=settings.max_cache_bytes,
        workers=settings.threads or cores(),
        progress=progress(quiet),
    )
    found = compare_runs(subjects, asking, data=index, even_if_seen=even_if_seen)
    if report is not None:
        write_comparison(found, report, pictures=lambda row: _picture(found, row))
        talk(f"wrote {report}", quiet)
    if as_json:
        print_json(found.to_dict())
    else:
        _print(found)


def _photographs(data: Path, classes: tuple[str, ...], split: str, *, quiet: bool) -> tuple[PhotoIndex, str]:
    """The photographs of ``--data`` under the runs' class names, and the split to judge them by.

    Raises:
        EvaluationError: none shows a class that the runs know.
    """
    from leafsight.cli.collections import read_index
    from leafsight.cli.evaluate import by_meaning

    index = read_index((data,), None, quiet=quiet).usable()
    known, strangers = by_meaning(index, classes)
    if not len(known):
        raise EvaluationError(
            "none of the photographs shows a class that the runs know",
            hint=f"they know {', '.join(classes[:6])}",
        )
    if len(strangers):
        talk(f"{len(strangers)} photographs show classes that the runs do not know: left out", quiet)
    if known.split_counts():
        return known, split
    return known.with_column("split", [ELSEWHERE] * len(known)), ELSEWHERE


def _picture(found: ComparedRuns, row: int) -> np.ndarray | None:
    """The photograph itself, upright and not larger than a thumbnail needs; none where it is gone by now."""
    from leafsight.images import decode, read_photo

    limits = decode_limits()
    try:
        data = read_photo(found.index.rows([row]).files()[0], limits)
        return decode(data, limits=limits, wanted_side_px=PICTURE_SIDE_PX)
    except (ImageError, StorageError):
        return None


def _print(found: ComparedRuns) -> None:
    """Tables of the runs and of the differences, the headlines, and what has to be said."""
    from leafsight.experiments import comparison_sentences, comparison_tests

    names = [name for name in SHOWN if name in found.evaluations[0].overall.metrics]
    rows = [
        (name, part.photos, *(_cell(part.metrics[metric]) for metric in names))
        for name, part in zip(found.names, (one.overall for one in found.evaluations), strict=True)
    ]
    print_table("", ("run", "n", *names), rows, right=(1,))
    compared = [name for name in names if name in found.pairs[0].comparison.differences]
    gaps = [
        (
            f"{pair.run} - {pair.against}",
            *(_cell(pair.comparison.differences[name], "+") for name in compared),
        )
        for pair in found.pairs
    ]
    print_table("", ("difference", *compared), gaps)
    columns, tests = comparison_tests(found)
    print_table("", columns, tests, right=range(1, len(columns)))
    for said in comparison_sentences(found):
        click.echo(said)


def _cell(found: Interval, sign: str = "") -> str:
    return f"{found.value:{sign}.3f} [{found.low:{sign}.3f}, {found.high:{sign}.3f}]"
