"""The model card: what the model is for, what it was judged on, and first of all its limits."""

from __future__ import annotations

from leafsight.evaluation import Evaluation, Slice
from leafsight.export.exporting import ExportedNetwork
from leafsight.training import TrainedRun

HEADLINES = ("accuracy", "macro_f1", "ece")


def model_card(run: TrainedRun, evaluation: Evaluation, exported: ExportedNetwork, *, notes: str = "") -> str:
    """Markdown, the limits in its first lines.

    Args:
        run: where recipe and photographs are named.
        evaluation: of the test split.
        exported: for parity and precision.
        notes: limits that only the maker knows, put first.
    """
    recipe = run.recipe.recipe
    network = run.recipe.model
    sections = [
        f"# {recipe.title or recipe.name}",
        "## Limits",
        notes.strip() or _default_limits(evaluation),
        "## Judged on",
        "Photographs that neither trained nor calibrated the model, whole leaf groups kept apart. Intervals "
        "are 95 % bootstrap intervals over groups.",
        _table(evaluation),
        "## Made from",
        f"- network: {network.name}, width {network.width}, {run.recipe.preprocessing.side_px} px, "
        f"{len(run.classes)} classes",
        f"- recipe: `{recipe.name}`, seed {run.recipe.seed}"
        + (f"; rebuild with `{recipe.command}`" if recipe.command else ""),
        f"- graph: {exported.spec.precision}; largest difference of a logit between torch and fp32 ONNX "
        f"{exported.proof.max_abs_diff:.1e}",
        "## Classes",
        ", ".join(run.classes),
    ]
    return "\n\n".join(sections) + "\n"


def _default_limits(evaluation: Evaluation) -> str:
    return (
        f"The numbers below are for photographs like the {evaluation.overall.photos} it was judged on. "
        "Photographs of other cameras, places and plants are harder; published models lose most of their "
        "accuracy there. Treat an answer as a hint, not as a diagnosis by an expert, and take 'cannot tell' "
        "at its word."
    )


def _table(evaluation: Evaluation) -> str:
    rows = ["| photographs | n | " + " | ".join(HEADLINES) + " |", "|---|---|" + "---|" * len(HEADLINES)]
    rows += [_row(one) for one in (evaluation.overall, *evaluation.domains)]
    return "\n".join(rows)


def _row(one: Slice) -> str:
    cells = [
        f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]" if (found := one.metrics.get(name)) else "-"
        for name in HEADLINES
    ]
    return f"| {one.name} | {one.photos} | " + " | ".join(cells) + " |"
