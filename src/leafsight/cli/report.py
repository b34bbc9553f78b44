"""The report page of a run: numbers, worst mistakes, curves; of its model file, or of the network itself."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from leafsight.evaluation import Evaluation
    from leafsight.export import Package
    from leafsight.inference import BundlePredictor
    from leafsight.training import TrainedRun

PAGE = "report.html"


def write_run_report(run_folder: Path, package: Package) -> Path:
    """``report.html`` and ``report.json`` in the folder of the run."""
    from leafsight.inference import BundlePredictor
    from leafsight.training import load_run

    return write_model_page(
        run_folder / PAGE,
        load_run(run_folder),
        BundlePredictor(package.path),
        package.evaluation,
        package.test_images,
    )


def write_model_page(
    path: Path,
    run: TrainedRun,
    predictor: BundlePredictor,
    evaluation: Evaluation,
    squares: np.ndarray,
    *,
    note: str = "",
) -> Path:
    """The page of a run's model file.

    Args:
        path: of the page; JSON goes beside it.
        run: for the curves.
        predictor: of the model file.
        evaluation: of its calibrated answers.
        squares: uint8[n, side, side, 3], the photographs that were judged, in the order of the evaluation.
        note: what else has to be said about them.
    """
    from leafsight.evaluation.report import write_report

    return write_report(
        evaluation,
        path,
        pictures=lambda row: squares[row],
        heatmaps=heatmaps_of(predictor, squares) if predictor.explains else None,
        title=predictor.bundle.name,
        provenance=dict(predictor.bundle.provenance),
        curves=curves_of(run.history),
        data_summary=_data_summary(predictor.bundle.provenance.get("photographs", {}), note),
    )


def write_network_page(
    path: Path, run: TrainedRun, evaluation: Evaluation, squares: np.ndarray, *, note: str = ""
) -> Path:
    """The page of a run without a model file: the network's own answers, which nobody calibrated.

    Args:
        path: of the page; JSON goes beside it.
        run: for title, curves and provenance.
        evaluation: of its answers.
        squares: uint8[n, side, side, 3], the photographs that were judged, in the order of the evaluation.
        note: what else has to be said about them.
    """
    from leafsight.evaluation.report import write_report

    kept = ("recipe", "recipe_fingerprint", "seed", "versions", "machine", "duration_s", "averaged", "best")
    return write_report(
        evaluation,
        path,
        pictures=lambda row: squares[row],
        title=f"{run.recipe.recipe.name}, without calibration",
        provenance={key: run.record[key] for key in kept if key in run.record},
        curves=curves_of(run.history),
        data_summary=_data_summary(run.record["data"].get("photos", {}), note),
    )


def _data_summary(photographs: dict[str, int], note: str) -> dict[str, Any]:
    return {"photographs": photographs, **({"note": note} if note else {})}


def heatmaps_of(predictor: BundlePredictor, squares: np.ndarray) -> Callable[[int], np.ndarray | None]:
    """Row -> the square with its heatmap laid over."""
    from leafsight.images import overlay_heatmap

    def picture(row: int) -> np.ndarray | None:
        heat = predictor.predict([squares[row]], heatmap=True)[0].heatmap
        return None if heat is None else overlay_heatmap(squares[row], heat)

    return picture


def curves_of(history: tuple[dict[str, Any], ...]) -> dict[str, dict[str, list[float]]]:
    """The diary's epochs as lines to draw."""
    curves: dict[str, dict[str, list[float]]] = {"loss": {}, "on validation": {}}
    for line, quantity, key in (("train", "loss", "train_loss"), ("valid", "loss", "loss")):
        curves[quantity][line] = [_value(record, key) for record in history]
    for key in ("accuracy", "macro_f1"):
        curves["on validation"][key.replace("_", " ")] = [_value(record, key) for record in history]
    complete = {
        quantity: {
            line: values for line, values in lines.items() if values and not any(v != v for v in values)
        }
        for quantity, lines in curves.items()
    }
    return {quantity: lines for quantity, lines in complete.items() if lines}


def _value(record: dict[str, Any], key: str) -> float:
    found = record["valid"].get(key) if key in record.get("valid", {}) else record.get(key)
    return float("nan") if found is None else float(found)
