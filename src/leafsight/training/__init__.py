"""Recipes, and the one loop that turns photographs and a recipe into a network.

Enters: a recipe and packed photographs with labels and splits. Leaves: a folder with the best weights, the
state to go on from, the diary and the curves. It does not know how good the network is on photographs that it
has not seen (``evaluation``) nor how it is served (``export``). Torch is loaded when something is first asked
for that needs it; listing and copying recipes does not.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.errors import require
from leafsight.training.catalogue import copy_recipe, recipe_names, recipe_text

if TYPE_CHECKING:
    from leafsight.training.augmentation import AugmentationOptions, augment_batch
    from leafsight.training.averaging import average_runs, require_room
    from leafsight.training.background_bank import BackgroundBank, build_bank
    from leafsight.training.backgrounds import BackgroundOptions, replace_backgrounds
    from leafsight.training.balance import BalanceOptions, class_weights, epoch_order, sampling_weights
    from leafsight.training.curves import draw_curves
    from leafsight.training.data import TrainingData
    from leafsight.training.events import EventLog, read_events
    from leafsight.training.experiment_options import AblationOptions, SearchOptions, SearchRange, Variant
    from leafsight.training.interruption import StopRequest, TrainingStoppedError, stop_requests
    from leafsight.training.loggers import MlflowLogger, TensorBoardLogger
    from leafsight.training.loop import train, train_in_team
    from leafsight.training.losses import LossOptions, build_loss
    from leafsight.training.lr_finder import LearningRateCurve, find_learning_rate
    from leafsight.training.machine import Machine, keep_freed_memory
    from leafsight.training.mixing import MixingOptions, mix_batch
    from leafsight.training.options import OptimizerOptions
    from leafsight.training.preparation import PreparedData, index_and_split, open_prepared, prepare_data
    from leafsight.training.recipe import Recipe, StageOptions
    from leafsight.training.recipe_files import (
        RecipeFile,
        load_recipe,
        parsed_value,
        read_recipe_file,
        recipe_as_toml,
    )
    from leafsight.training.run_folder import RunFolder, open_run_folder, run_differences
    from leafsight.training.scoring import network_scorer
    from leafsight.training.session import new_network
    from leafsight.training.starting import describe_start, start_in_words, starting_weights
    from leafsight.training.team import Team
    from leafsight.training.trained_run import TrainedRun, is_finished, load_run

_HOME = {
    "AblationOptions": "experiment_options",
    "AugmentationOptions": "augmentation",
    "BackgroundBank": "background_bank",
    "BackgroundOptions": "backgrounds",
    "BalanceOptions": "balance",
    "EventLog": "events",
    "LearningRateCurve": "lr_finder",
    "LossOptions": "losses",
    "Machine": "machine",
    "MixingOptions": "mixing",
    "MlflowLogger": "loggers",
    "OptimizerOptions": "options",
    "PreparedData": "preparation",
    "Recipe": "recipe",
    "RecipeFile": "recipe_files",
    "RunFolder": "run_folder",
    "SearchOptions": "experiment_options",
    "SearchRange": "experiment_options",
    "StageOptions": "recipe",
    "StopRequest": "interruption",
    "Team": "team",
    "TensorBoardLogger": "loggers",
    "TrainedRun": "trained_run",
    "TrainingData": "data",
    "TrainingStoppedError": "interruption",
    "Variant": "experiment_options",
    "augment_batch": "augmentation",
    "average_runs": "averaging",
    "build_bank": "background_bank",
    "build_loss": "losses",
    "class_weights": "balance",
    "describe_start": "starting",
    "draw_curves": "curves",
    "epoch_order": "balance",
    "find_learning_rate": "lr_finder",
    "index_and_split": "preparation",
    "is_finished": "trained_run",
    "keep_freed_memory": "machine",
    "load_recipe": "recipe_files",
    "load_run": "trained_run",
    "mix_batch": "mixing",
    "network_scorer": "scoring",
    "new_network": "session",
    "open_prepared": "preparation",
    "open_run_folder": "run_folder",
    "parsed_value": "recipe_files",
    "prepare_data": "preparation",
    "read_events": "events",
    "read_recipe_file": "recipe_files",
    "recipe_as_toml": "recipe_files",
    "replace_backgrounds": "backgrounds",
    "require_room": "averaging",
    "run_differences": "run_folder",
    "sampling_weights": "balance",
    "start_in_words": "starting",
    "starting_weights": "starting",
    "stop_requests": "interruption",
    "train": "loop",
    "train_in_team": "loop",
}

__all__ = [
    "AblationOptions",
    "AugmentationOptions",
    "BackgroundBank",
    "BackgroundOptions",
    "BalanceOptions",
    "EventLog",
    "LearningRateCurve",
    "LossOptions",
    "Machine",
    "MixingOptions",
    "MlflowLogger",
    "OptimizerOptions",
    "PreparedData",
    "Recipe",
    "RecipeFile",
    "RunFolder",
    "SearchOptions",
    "SearchRange",
    "StageOptions",
    "StopRequest",
    "Team",
    "TensorBoardLogger",
    "TrainedRun",
    "TrainingData",
    "TrainingStoppedError",
    "Variant",
    "augment_batch",
    "average_runs",
    "build_bank",
    "build_loss",
    "class_weights",
    "copy_recipe",
    "describe_start",
    "draw_curves",
    "epoch_order",
    "find_learning_rate",
    "index_and_split",
    "is_finished",
    "keep_freed_memory",
    "load_recipe",
    "load_run",
    "mix_batch",
    "network_scorer",
    "new_network",
    "open_prepared",
    "open_run_folder",
    "parsed_value",
    "prepare_data",
    "read_events",
    "read_recipe_file",
    "recipe_as_toml",
    "recipe_names",
    "recipe_text",
    "replace_backgrounds",
    "require_room",
    "run_differences",
    "sampling_weights",
    "start_in_words",
    "starting_weights",
    "stop_requests",
    "train",
    "train_in_team",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("torch", "train")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
