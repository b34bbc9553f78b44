"""The evaluation in plain sentences, the limits among them."""

from __future__ import annotations

import numpy as np

from leafsight.evaluation.interval import Interval
from leafsight.evaluation.metrics import WANT_LOW
from leafsight.evaluation.results import ClassResult, Evaluation, Slice

FEW_PHOTOS = 20  # an interval on a share of twenty is up to 40 points wide
CLOSE = 0.03  # a calibration error that nobody notices when acting on probabilities
LABELS = {
    "accuracy": "accuracy",
    "group_accuracy": "accuracy, each leaf (group) counted once",
    "macro_f1": "macro F1",
    "balanced_accuracy": "balanced accuracy",
    "auc": "area under ROC curve",
    "nll": "negative log-likelihood (nats)",
    "brier": "Brier score (0 to 2)",
    "ece": "calibration error (ECE)",
    "adaptive_ece": "calibration error, bins of equal count",
    "answered": "share answered",
    "accuracy_answered": "right among the answers given",
    "wrong_silenced": "wrong guesses kept silent",
    "set_coverage": "true class in the set",
    "mean_set_size": "mean set size (classes)",
    "crop_right": "crop right",
    "crop_given_accuracy": "accuracy when the crop is given",
    "crop_given_answered": "share answered, crop given",
    "crop_given_accuracy_answered": "right among answers, crop given",
    "crop_given_set_coverage": "true class in the set, crop given",
    "crop_given_mean_set_size": "mean set size, crop given",
    "aurc": "area under risk-coverage curve",
}
NOT_SHARES = frozenset(
    {"nll", "brier", "ece", "adaptive_ece", "mean_set_size", "crop_given_mean_set_size", "auc", "aurc"}
)


def label(name: str) -> str:
    """A metric's name for people."""
    if name.startswith("top_"):
        return f"true class among the {name.split('_')[1]} most probable"
    return LABELS.get(name, name.replace("_", " "))


def direction(name: str) -> str:
    """Which way is better; empty where neither is."""
    if name in {"answered", "crop_given_answered"}:
        return ""
    return "lower is better" if name in WANT_LOW or name.endswith("set_size") else "higher is better"


def value(name: str, interval: Interval | None) -> str:
    """The value alone: shares in percent, the others as they are."""
    if interval is None or not np.isfinite(interval.value):
        return "not defined"
    return _number(name, interval.value) + ("" if name in NOT_SHARES else " %")


def span(name: str, interval: Interval | None) -> str:
    """The interval: "93.1 to 95.3 %"; empty where not defined."""
    if interval is None or not np.isfinite(interval.low):
        return ""
    ends = f"{_number(name, interval.low)} to {_number(name, interval.high)}"
    return ends + ("" if name in NOT_SHARES else " %")


def _number(name: str, number: float) -> str:
    if name not in NOT_SHARES:
        return f"{100.0 * number:.1f}"
    return f"{number:.2f}" if name.endswith("set_size") else f"{number:.3f}"


def lead(evaluation: Evaluation) -> str:
    """The one sentence to remember."""
    whole = evaluation.overall
    accuracy = whole.metrics["accuracy"]
    level = round(100 * float(evaluation.settings["confidence"]))
    present = len(evaluation.classes) - len(whole.absent)
    return (
        f"The first guess is right for {value('accuracy', accuracy)} of the photographs "
        f"({level} % interval {span('accuracy', accuracy)}), measured on {_photos(whole)} "
        f"of {present} classes."
    )


def _photos(part: Slice) -> str:
    if part.groups == part.photos:
        return f"{part.photos:,} photographs"
    return f"{part.photos:,} photographs in {part.groups:,} independent groups"


def meaning(evaluation: Evaluation) -> list[str]:
    """What the numbers say to somebody who wants to use the model."""
    metrics = evaluation.overall.metrics
    said = []
    if (answered := metrics.get("answered")) is not None:
        told = metrics["accuracy_answered"]
        said.append(
            f"It gives a diagnosis for {value('answered', answered)} of the photographs; of those "
            f"{value('answered', told)} are right ({span('answered', told)}). Otherwise it says that it "
            "cannot tell, or that it sees no leaf it knows."
        )
    gap = metrics["ece"]
    said.append(f"A stated probability is off by {100 * gap.value:.1f} points on average. {_reading(gap)}")
    if (size := metrics.get("mean_set_size")) is not None:
        covered, promised = metrics["set_coverage"], 1.0 - float((evaluation.calibration or {})["alpha"])
        said.append(
            f"The list of conditions that cannot be excluded has {size.value:.2f} entries on average and "
            f"holds the true one for {value('answered', covered)} of the photographs "
            f"(promised: {100 * promised:.0f} %)."
        )
    if (given := metrics.get("crop_given_accuracy")) is not None:
        right, interval = value("answered", given), span("answered", given)
        said.append(f"When the person names the crop, {right} are right ({interval}).")
    return said


def _reading(gap: Interval) -> str:
    if gap.value <= CLOSE:
        return "That is close to what it says."
    if gap.low <= CLOSE:
        return "Part of that may be chance: see its interval."
    return "Do not read it as a frequency."


def limits(evaluation: Evaluation) -> list[str]:
    """What the numbers do not say. Never empty."""
    said = []
    if evaluation.domains:
        worst = min(evaluation.domains, key=lambda part: part.metrics["accuracy"].value)
        best = max(evaluation.domains, key=lambda part: part.metrics["accuracy"].value)
        if worst is not best:
            here, there = worst.metrics["accuracy"], best.metrics["accuracy"]
            said.append(
                f"It depends on where a photograph is from: {value('accuracy', here)} "
                f"({span('accuracy', here)}) on “{worst.name}”, {value('accuracy', there)} on “{best.name}”."
            )
    said.append(
        "The intervals cover the choice of test photographs, not other cameras, fields, countries or years. "
        "Expect less on photographs that are not like these."
    )
    if evaluation.overall.groups == evaluation.overall.photos:
        said.append(
            "Every photograph was counted as independent. If several show one leaf, intervals are too narrow."
        )
    if absent := evaluation.overall.absent:
        said.append(
            f"{_classes(len(absent))} no test photograph and no part in any average; nothing is known about "
            f"{_some(absent)}."
        )
    present = [entry for entry in evaluation.per_class if entry.photos]
    if few := [entry.name for entry in present if entry.photos < FEW_PHOTOS]:
        said.append(f"{_classes(len(few))} fewer than {FEW_PHOTOS} test photographs: {_some(few)}.")
    if weak := [entry.name for entry in weakest(present) if entry.recall.value < 0.5]:
        said.append(f"More often missed than found: {_some(weak)}.")
    if evaluation.calibration is None:
        said.append("No calibration was used: probabilities are raw, and the model always answers.")
    elif not evaluation.calibration["target_reached"]:
        target = 100 * float(evaluation.calibration["target_accuracy"])
        said.append(
            f"The aim of {target:.0f} % right answers could not be shown on the "
            f"{evaluation.calibration['photos']:,} calibration photographs; the threshold is the best found."
        )
    return said


def weakest(classes: list[ClassResult] | tuple[ClassResult, ...]) -> list[ClassResult]:
    """Classes by rising F1; those without photographs last."""
    return sorted(
        classes, key=lambda entry: (entry.photos == 0, entry.f1.value if entry.photos else 0.0, entry.name)
    )


def _classes(count: int) -> str:
    return "1 class has" if count == 1 else f"{count} classes have"


def _some(names: list[str] | tuple[str, ...], most: int = 6) -> str:
    more = f" and {len(names) - most} more" if len(names) > most else ""
    return ", ".join(names[:most]) + more
