"""``leafsight report``: the report page of a finished run, made again or for the first time."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.report import PAGE, write_model_page, write_network_page
from leafsight.cli.terminal import (
    cores,
    decode_limits,
    json_option,
    print_json,
    progress,
    quiet_option,
    settings_for,
    talk,
)
from leafsight.cli.train import INDEX_FILE
from leafsight.errors import UsageError

if TYPE_CHECKING:
    import numpy as np

    from leafsight.dataset import PhotoIndex
    from leafsight.evaluation import Evaluation
    from leafsight.images import Preprocessing
    from leafsight.inference import BundlePredictor
    from leafsight.training import TrainedRun

MODEL_FILE = "model.leafsight"
SEEN = {
    "train": "These photographs trained the network: the numbers are too good.",
    "valid": "These photographs chose the epoch: the numbers are somewhat too good.",
    "calibration": "These photographs fitted the calibration: its numbers are too good.",
}


@click.command(name="report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option("--split", default="test", show_default=True, help="Which photographs of the run's index.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    help="The page; JSON goes beside it.  [default: RUN/report.html, of another split RUN/report-SPLIT.html]",
)
@click.option("--device", default="auto", show_default=True, help="auto, cpu, cuda, cuda:1.")
@quiet_option
@json_option
def command(run: Path, split: str, out: Path | None, device: str, quiet: bool, as_json: bool) -> None:
    """Write the report page of the finished run in the folder RUN.

    Where the run has its model file, the page shows that model's calibrated answers; otherwise, as after
    --no-export, the network's own, without calibration.
    """
    from leafsight.cli.evaluate import print_evaluation
    from leafsight.cli.export import headline
    from leafsight.dataset import PhotoIndex
    from leafsight.errors import require

    require("torch", "train")
    from leafsight.training import load_run

    trained = load_run(run)
    if not (run / INDEX_FILE).exists():
        raise UsageError(f"{run} has no {INDEX_FILE}", hint="it is written by leafsight train")
    index = PhotoIndex.load(run / INDEX_FILE)
    part = index.where(split=split)
    path = out or run / (PAGE if split == "test" else f"report-{split}.html")
    predictor = _own_model(run / MODEL_FILE, trained, index, quiet=quiet)
    if predictor is None:
        evaluation = _of_network(path, trained, index, part, split, device, quiet=quiet)
    else:
        evaluation = _of_model(path, trained, predictor, part, split, quiet=quiet)
    talk(f"wrote {path}", quiet)
    if as_json:
        numbers = headline(evaluation)
        print_json({"report": str(path), "split": split, "calibrated": predictor is not None, **numbers})
    else:
        print_evaluation(evaluation)
        for said in _to_say(split, calibrated=predictor is not None):
            click.echo(said)


def _to_say(split: str, *, calibrated: bool) -> list[str]:
    raw = "The run has no model file of its own: these are the network's answers, without calibration."
    said = [] if calibrated else [raw]
    # Nothing was fitted on the calibration photographs of a network that is not calibrated.
    if split in SEEN and (calibrated or split != "calibration"):
        said.append(SEEN[split])
    return said


def _own_model(path: Path, run: TrainedRun, index: PhotoIndex, *, quiet: bool) -> BundlePredictor | None:
    """The run's model file; none where there is none, or where it was made of other weights or splits."""
    from leafsight.cli.predict import load_predictor

    if not path.exists():
        return None
    predictor = load_predictor(path, settings_for().threads, limits=decode_limits())
    made_of = predictor.bundle.provenance
    # A run that was trained anew without an export leaves the model file of the earlier one in its folder.
    if (
        made_of.get("best_epoch") == run.best
        and made_of.get("split_fingerprint") == index.split_fingerprint()
    ):
        return predictor
    talk(f"{path} was made of an earlier run in this folder, so it is not asked", quiet)
    return None


def _of_model(
    path: Path, run: TrainedRun, predictor: BundlePredictor, part: PhotoIndex, split: str, *, quiet: bool
) -> Evaluation:
    from leafsight.cli.evaluate import judged

    evaluation = judged(predictor, part, _exam(run), None, quiet=quiet)
    squares = _squares(part, run, predictor.preprocessing)
    note = " ".join(_to_say(split, calibrated=True))
    write_model_page(path, run, predictor, evaluation, squares, note=note)
    return evaluation


def _of_network(
    path: Path,
    run: TrainedRun,
    index: PhotoIndex,
    part: PhotoIndex,
    split: str,
    device: str,
    *,
    quiet: bool,
) -> Evaluation:
    from leafsight.experiments import judge_run

    scores = judge_run(
        run,
        index,
        _exam(run),
        split=split,
        device=device,
        limits=decode_limits(),
        max_cache_bytes=settings_for().max_cache_bytes,
        workers=settings_for().threads or cores(),
        progress=progress(quiet),
    )
    evaluation = scores.evaluation()
    squares = _squares(part, run, run.recipe.preprocessing.contract())
    note = " ".join(_to_say(split, calibrated=False))
    write_network_page(path, run, evaluation, squares, note=note)
    return evaluation


def _exam(run: TrainedRun) -> Path:
    """Where export prepares the photographs of this run, too."""
    return run.folder.path / "exam"


def _squares(part: PhotoIndex, run: TrainedRun, contract: Preprocessing) -> np.ndarray:
    """The prepared photographs in the order in which they were judged."""
    from leafsight.dataset import PixelCache

    most = settings_for().max_cache_bytes
    return PixelCache.build(part, _exam(run), contract, max_bytes=most, limits=decode_limits()).images
