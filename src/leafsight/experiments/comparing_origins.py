"""What the page of a comparison says about where the runs come from, and how they were compared."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leafsight.evaluation.report import appendix, charts
from leafsight.experiments.comparing_records import ComparedRuns
from leafsight.pages import Html, join, section, table, tag

FACTS = {"start": "started from", "duration_s": "training took", "photographs": "photographs by split"}
# What is drawn -> where it stands in the record of an epoch.
QUANTITIES = {
    "accuracy on validation": ("valid", "accuracy"),
    "macro F1 on validation": ("valid", "macro_f1"),
    "loss on validation": ("valid", "loss"),
    "loss in training": ("train_loss",),
}


def training(found: ComparedRuns) -> Html:
    """The learning curves of the runs over each other; model files have none."""
    histories = {one.name: one.history for one in found.subjects if one.history}
    curves = {
        said: {name: [_number(epoch, *path) for epoch in epochs] for name, epochs in histories.items()}
        for said, path in QUANTITIES.items()
    }
    drawn = {said: lines for said, lines in curves.items() if lines}
    if not drawn:
        return section("Training", "training", tag("p", "A model file does not say how it was trained."))
    note = f"Only the first {charts.SERIES} runs are drawn." if len(histories) > charts.SERIES else ""
    return join([appendix.training_curves(drawn), tag("p", note, class_="soft") if note else Html("")])


def _number(epoch: Mapping[str, Any], *path: str) -> float:
    """A number of the diary; NaN where it was not measured or not finite."""
    value: Any = epoch
    for key in path:
        value = value.get(key) if isinstance(value, Mapping) else None
    return float(value) if isinstance(value, int | float) else float("nan")


def recipes(found: ComparedRuns) -> Html:
    """What the recipes do not have in common."""
    unknown = [name for name in found.names if name not in found.with_recipe]
    parts: list[Html] = []
    if found.recipe:
        rows = [[key, *values] for key, values in found.recipe.items()]
        parts.append(table(("value", *found.with_recipe), rows, "Values that differ"))
    elif len(found.with_recipe) > 1:
        parts.append(tag("p", "Every value that decides the weights is the same, the seed included."))
    if unknown:
        parts.append(tag("p", f"The recipe of {', '.join(unknown)} is not known.", class_="soft"))
    return section("What differs between the recipes", "recipes", parts)


def runs(found: ComparedRuns) -> Html:
    """Where each comes from, its seed, and how long it took."""
    facts = [{"kind": subject.kind, **subject.facts} for subject in found.subjects]
    keys = dict.fromkeys(key for one in facts for key in one)
    rows = [
        [FACTS.get(key, key.replace("_", " ")), *(_fact(key, one.get(key)) for one in facts)] for key in keys
    ]
    return section("The runs", "runs", table(("", *found.names), rows, "What is known of each"))


def _fact(key: str, value: Any) -> str:
    if key == "duration_s" and value is not None:
        return f"{value:,.0f} s"
    if isinstance(value, Mapping):
        return ", ".join(f"{number:,} {name}" for name, number in value.items())
    return "" if value is None else str(value)


def method(found: ComparedRuns) -> Html:
    """How the numbers were made, with sources."""
    settings = found.evaluations[0].settings
    said = [
        f"Split {found.split}, {found.views} view{'' if found.views == 1 else 's'} of each photograph, "
        "prepared as for serving.",
        f"Differences: paired bootstrap, {settings['resamples']:,} resamples of whole groups, seed "
        f"{settings['seed']} (Efron and Tibshirani 1993, section 16).",
        "McNemar's test: exact binomial on the photographs that one of the two has right (McNemar 1947; "
        "Fagerland, Lydersen and Laake 2013). Sign-flip test: all ways of exchanging the two in whole groups "
        "(Fisher 1935; Winkler et al. 2014). Several runs: Holm 1979.",
    ]
    return section("How this was measured", "method", tag("ul", [tag("li", one) for one in said]))
