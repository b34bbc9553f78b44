"""What somebody wants of a search, and what makes two wishes the same search."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from leafsight.errors import TrainingError
from leafsight.training import Recipe, RecipeFile, TrainingData, describe_start, read_recipe_file

WORDS = {
    "recipe": "the recipe, --set or --fraction",
    "space": "the space",
    "metric": "the metric",
    "photographs": "the photographs, labels or split",
    "weights": "the weights to start from",
}


@dataclass(frozen=True, slots=True)
class SearchRequest:
    """What is searched, and how long.

    Attributes:
        recipe: name or path, as for ``load_recipe``.
        text: of the recipe, with its comments.
        overrides: ``key.path=value`` each; they stand in the best recipe, too.
        fraction: of the training photographs, for the trials only; None leaves it to the recipe.
        trials: number of finished trials that the study shall have; None leaves it to the recipe.
        timeout_min: no trial begins later than this; None for no limit.
        range_test: narrow the learning rates first.
        storage: address of the study's database; None for a file in its folder.
        pretrained: weights to start from, as in ``train``.
        device: as in ``train``.
    """

    recipe: str
    text: str
    overrides: tuple[str, ...] = ()
    fraction: float | None = None
    trials: int | None = None
    timeout_min: float | None = None
    range_test: bool = True
    storage: str | None = None
    pretrained: Path | None = None
    device: str = "auto"

    def file(self) -> RecipeFile:
        """The recipe of the trials."""
        share = () if self.fraction is None else (f"data.train_fraction={self.fraction}",)
        return read_recipe_file(self.recipe, (*self.overrides, *share))


def identity(recipe: Recipe, data: TrainingData, pretrained: Path | None) -> dict[str, Any]:
    """What must be equal in two calls that share a study; plain values."""
    assert recipe.search is not None
    space = {key: tried.model_dump(mode="json") for key, tried in recipe.search.space.items()}
    return {
        "recipe": recipe.fingerprint(),
        "space": space,
        "metric": recipe.search.metric,
        "photographs": data.fingerprint,
        "weights": (describe_start(pretrained) or {}).get("sha256"),
    }


def refuse_another(kept: Mapping[str, Any], mine: Mapping[str, Any], folder: Path) -> None:
    """Go on only with the same search: trials of another one cannot be compared.

    Raises:
        TrainingError: naming what differs.
    """
    differing = [words for key, words in WORDS.items() if kept.get(key) != mine[key]]
    if differing:
        raise TrainingError(
            f"{folder} holds a search that differs from this one in {' and '.join(differing)}",
            hint="choose another folder with --study",
        )
