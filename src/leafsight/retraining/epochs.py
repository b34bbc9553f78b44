"""The diary of a training run, as numbers and a time that is left.

Enters: records of the run. Leaves: lines of ``Telling``. It does not know what is trained.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leafsight.retraining.telling import Telling
    from leafsight.training import Recipe


def listener(telling: Telling, recipe: Recipe, photographs: int) -> Callable[[dict[str, Any]], None]:
    """Hears the diary of the run, and tells numbers and how long it will take.

    How long is told in stages that look at photographs; one on kept features takes seconds.

    Args:
        telling: who is told.
        recipe: how many epochs each stage has.
        photographs: of one epoch.
    """
    epochs = [stage.epochs for stage in recipe.stages]
    epoch_began_at = [0]

    def heard(event: dict[str, Any]) -> None:
        stage = event.get("stage")
        if not isinstance(stage, int):
            return
        if event["kind"] == "step":
            telling.metrics({"loss": event["loss"], "step": event["step"]})
            if not recipe.stages[stage].uses_cached_features and event["images_per_s"]:
                size = recipe.stages[stage].batch_size or recipe.batch_size
                done = min(photographs, size * (event["step"] - epoch_began_at[0]))
                left = (sum(epochs[stage:]) - event["epoch"]) * photographs - done
                telling.eta(left / event["images_per_s"])
        elif event["kind"] == "epoch":
            epoch_began_at[0] = event["step"]
            telling.metrics(_of_epoch(event, sum(epochs[:stage]), sum(epochs)))

    return heard


def _of_epoch(event: dict[str, Any], before: int, epochs: int) -> dict[str, float]:
    valid = event.get("valid") or {}
    numbers = {name: valid[name] for name in ("accuracy", "macro_f1") if valid.get(name) is not None}
    told = {"epoch": before + event["epoch"] + 1, "epochs": epochs, "loss": event["train_loss"]}
    return told | numbers
