"""The model card: what the model is for, what it was judged on, and first of all its limits."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from leafsight.evaluation import Evaluation, Slice
from leafsight.export.exporting import ExportedNetwork
from leafsight.models import MorphologyOptions
from leafsight.training import TrainedRun

HEADLINES = (
    "accuracy",
    "group_accuracy",
    "macro_f1",
    "crop_given_accuracy",
    "answered",
    "accuracy_answered",
    "ece",
)


def model_card(
    run: TrainedRun,
    evaluation: Evaluation,
    exported: ExportedNetwork,
    *,
    abroad: Mapping[str, Evaluation] | None = None,
    notes: str = "",
    name: str = "",
    data: str = "",
) -> str:
    """Markdown, the limits in its first lines.

    Args:
        run: where recipe and photographs are named.
        evaluation: of the test split.
        exported: for parity and precision.
        abroad: of collections from elsewhere, by name.
        notes: limits that only the maker knows, put first.
        name: what people call the model; the recipe's title when empty.
        data: a sentence on how far the split can be trusted.
    """
    recipe = run.recipe.recipe
    network = run.recipe.model
    side_px = exported.preprocessing.side_px
    looks = ", mean of the photograph and its mirror image" if exported.mirrored else ""
    limits = [
        *([f"**{recipe.notice}**"] if recipe.notice else []),
        notes.strip() or _default_limits(evaluation),
        _elsewhere(abroad),
    ]
    sections = [
        f"# {name or recipe.title or recipe.name}",
        *([recipe.title] if name and recipe.title else []),
        "## Limits",
        "\n\n".join(part for part in limits if part),
        "## Judged on",
        "Photographs that neither trained nor calibrated the model, whole leaf groups kept apart. Intervals "
        "are 95 % bootstrap intervals over groups.",
        *([data] if data else []),
        _table([evaluation.overall, *evaluation.domains, *_slices(abroad)]),
        "## Made from",
        f"- network: {network.name}, width {network.width}, {side_px} px, {len(run.classes)} classes"
        + _morphology(network.morphology),
        f"- recipe: `{recipe.name}`, seed {run.recipe.seed}"
        + _averaged(run)
        + (f"; rebuild with `{recipe.command}`" if recipe.command else ""),
        *_start(run.record),
        f"- graph: {exported.spec.precision}{looks}; largest difference of a logit between torch and fp32 "
        f"ONNX {exported.proof.max_abs_diff:.1e}",
        "## Classes",
        ", ".join(run.classes),
    ]
    return "\n\n".join(sections) + "\n"


def _morphology(options: MorphologyOptions) -> str:
    if options.operation == "none":
        return ""
    what = f"{options.operation.replace('_', ' ')} by a {options.shape} of {options.size_px} px"
    return f"; it sees the {what} instead of the photograph"


def _averaged(run: TrainedRun) -> str:
    kept = [one["folder"] for one in run.record.get("averaged", []) if one["kept"]]
    return f", mean of the weights of {len(kept)} runs ({', '.join(kept)})" if kept else ""


def _start(record: Mapping[str, Any]) -> list[str]:
    """The line that says what training started from, where the run knows it."""
    if "start" not in record:
        return []
    start = record["start"]
    if not start:
        return ["- start: random weights"]
    return [f"- start: the weights `{start['file']}` (SHA-256 {start['sha256']})"]


def _default_limits(evaluation: Evaluation) -> str:
    return (
        f"The numbers below are for photographs like the {evaluation.overall.photos} it was judged on. "
        "Photographs of other cameras, places and plants are harder; published models lose most of their "
        "accuracy there. Treat an answer as a hint, not as a diagnosis by an expert, and take 'cannot tell' "
        "at its word."
    )


def _slices(abroad: Mapping[str, Evaluation] | None) -> list[Slice]:
    return [replace(found.overall, name=f"abroad: {place}") for place, found in (abroad or {}).items()]


def _elsewhere(abroad: Mapping[str, Evaluation] | None) -> str:
    """What happens to photographs from elsewhere, in a sentence each."""
    said = []
    for place, found in (abroad or {}).items():
        numbers = found.overall.metrics
        text = (
            f"On {found.overall.photos} photographs from elsewhere ({place}) its first guess is right for "
            f"{numbers['accuracy'].value:.0%}"
        )
        if "crop_given_accuracy" in numbers:
            text += f", {numbers['crop_given_accuracy'].value:.0%} when the crop is given"
        if "answered" in numbers:
            text += f"; it answers {numbers['answered'].value:.0%} of them"
            right = numbers.get("accuracy_answered")
            if right is not None and right.value == right.value:
                text += f", {right.value:.0%} of those rightly"
        said.append(text + ".")
    return " ".join(said)


def _table(slices: list[Slice]) -> str:
    rows = ["| photographs | n | " + " | ".join(HEADLINES) + " |", "|---|---|" + "---|" * len(HEADLINES)]
    rows += [_row(one) for one in slices]
    return "\n".join(rows)


def _row(one: Slice) -> str:
    cells = [
        f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
        if (found := one.metrics.get(name)) is not None and found.value == found.value
        else "-"
        for name in HEADLINES
    ]
    return f"| {one.name} | {one.photos} | " + " | ".join(cells) + " |"
