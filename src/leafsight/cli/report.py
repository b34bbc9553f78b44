"""The report page of a packaged run: numbers, the worst mistakes with heatmaps, the curves."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import numpy as np

    from leafsight.export import Package
    from leafsight.inference import BundlePredictor

PAGE = "report.html"


def write_run_report(run_folder: Path, package: Package) -> Path:
    """``report.html`` and ``report.json`` in the folder of the run."""
    from leafsight.evaluation.report import write_report
    from leafsight.inference import BundlePredictor
    from leafsight.training import load_run

    predictor = BundlePredictor(package.path)
    run = load_run(run_folder)
    index_rows = package.test_images
    return write_report(
        package.evaluation,
        run_folder / PAGE,
        pictures=lambda row: index_rows[row],
        heatmaps=heatmaps_of(predictor, index_rows) if predictor.explains else None,
        title=predictor.bundle.name,
        provenance=dict(predictor.bundle.provenance),
        curves=curves_of(run.history),
        data_summary={"photographs": predictor.bundle.provenance.get("photographs", {})},
    )


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
