"""``leafsight average``: several finished runs become one, the mean of their weights."""

from __future__ import annotations

from pathlib import Path

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
)
from leafsight.cli.train import INDEX_FILE
from leafsight.errors import UsageError


@click.command(name="average")
@click.argument("runs", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--out", required=True, type=click.Path(path_type=Path), help="Folder of the new run.")
@click.option("--greedy", is_flag=True, help="Take a run in only where validation does not become worse.")
@click.option(
    "--cache", type=click.Path(path_type=Path), help="Where pixels are kept.  [default: in the new run]"
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1.")
@click.option("--force", is_flag=True, help="Throw away an earlier run in the same folder.")
@quiet_option
@json_option
def command(
    runs: tuple[Path, ...],
    out: Path,
    greedy: bool,
    cache: Path | None,
    device: str,
    force: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Average the weights of RUNS, which must have begun from the same trained weights.

    The mean is as quick as one network and often better than each, most of all on unlike photographs.
    `leafsight export` takes its folder like any other run.
    """
    from leafsight.errors import require

    require("torch", "train")
    from leafsight.training import average_runs, load_run, prepare_data, require_room

    require_room(runs, out, force=force)
    index = _common_index(runs)
    settings, bars = settings_for(), progress(quiet)
    recipe = load_run(runs[0]).recipe
    prepared = prepare_data(
        recipe.model_copy(update={"backgrounds": recipe.backgrounds.model_copy(update={"probability": 0.0})}),
        (index,),
        cache or out / "data",
        limits=decode_limits(),
        workers=settings.threads or cores(),
        progress=bars,
    )
    made = average_runs(runs, prepared.data, out, greedy=greedy, force=force, device=device, progress=bars)
    prepared.index.save(out / INDEX_FILE)
    looked_at = made.record["averaged"]
    if as_json:
        print_json({"run": str(out), "valid": made.best["valid"], "averaged": looked_at})
        return
    named = zip(runs, looked_at, strict=True)
    rows = [(str(path), *_numbers(one["valid"]), "" if one["kept"] else "left out") for path, one in named]
    rows.append((str(out), *_numbers(made.best["valid"]), "the mean"))
    print_table("on validation", ("run", "macro F1", "accuracy", ""), rows, right=(1, 2))


def _numbers(valid: dict[str, float]) -> list[str]:
    return [f"{valid[key]:.4f}" for key in ("macro_f1", "accuracy")]


def _common_index(runs: tuple[Path, ...]) -> Path:
    """The index that all runs were split by.

    Raises:
        UsageError: one has none, or another: its validation photographs may have trained another run.
    """
    from leafsight.dataset import PhotoIndex

    found = {}
    for run in runs:
        path = run / INDEX_FILE
        if not path.exists():
            raise UsageError(f"{run} has no {INDEX_FILE}", hint="it is written by leafsight train")
        index = PhotoIndex.load(path)
        found[run] = (index.fingerprint(), index.split_fingerprint())
    strange = [run for run in runs if found[run] != found[runs[0]]]
    if strange:
        raise UsageError(
            f"{strange[0]} was trained on other photographs or another split than {runs[0]}",
            hint="what trains one of them would judge the mean; train them with the same --data and split",
        )
    return runs[0] / INDEX_FILE
