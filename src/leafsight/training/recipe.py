"""A recipe: everything that decides a training run, in one immutable record.

Enters: the values of a TOML file. Leaves: a ``Recipe``, or every fault of the file at once. A recipe does
not read photographs, find weights or choose a device.
"""

from __future__ import annotations

import hashlib
from typing import Any, Literal

from pydantic import Field, model_validator

from leafsight.models import ModelOptions, MorphologyOptions
from leafsight.storage import canonical_json
from leafsight.training.augmentation import AugmentationOptions
from leafsight.training.backgrounds import BackgroundOptions
from leafsight.training.balance import BalanceOptions
from leafsight.training.experiment_options import AblationOptions, SearchOptions
from leafsight.training.losses import LossOptions
from leafsight.training.mixing import MixingOptions
from leafsight.training.options import (
    DataOptions,
    EarlyStoppingOptions,
    OptimizerOptions,
    PreprocessingOptions,
    RecipeHeader,
    Table,
    merge_stage_overrides,
)

LATER_KEYS: tuple[tuple[str, str, Any], ...] = (
    ("data", "train_fraction", 1.0),
    ("data", "long_tail", 1.0),
    ("data", "classes", []),
    ("data", "label_by", "class"),
    ("data", "keep", []),
    ("data", "name_pattern", None),
    ("model", "morphology", MorphologyOptions().model_dump(mode="json")),
)


class StageOptions(Table):
    """One stretch of training with the same weights moving.

    ``trainable`` is ``"head"``, ``"last:N"`` (the head and the last N blocks of the backbone) or ``"all"``.
    A head stage computes features once in ``views`` versions of every photograph (the first as it is, the
    others augmented) and trains on those; ``views = 0`` runs the backbone every epoch instead.
    ``batch_norm = "frozen"`` keeps the running statistics of moving blocks as they are.
    ``backbone_rate`` scales the learning rate of everything but the head.
    ``side_px`` trains on pictures of another side than the recipe's, at which the network is judged and used:
    small first and whole after is quicker ("progressive resizing", Howard 2018, fast.ai; Tan and Le 2021,
    arXiv 2104.00298).
    """

    name: str = Field(min_length=1)
    epochs: int = Field(ge=1)
    trainable: str = Field(default="all", pattern=r"^(head|all|last:[1-9][0-9]*)$")
    learning_rate: float = Field(gt=0.0, allow_inf_nan=False)
    backbone_rate: float = Field(default=1.0, gt=0.0)
    batch_norm: Literal["train", "frozen"] = "train"
    views: int = Field(default=1, ge=0, le=64)
    batch_size: int | None = Field(default=None, ge=1)
    side_px: int | None = Field(default=None, ge=8, le=2048)
    optimizer: OptimizerOptions | None = None
    augmentation: AugmentationOptions | None = None
    mixing: MixingOptions | None = None

    @property
    def uses_cached_features(self) -> bool:
        """Whether the backbone runs once instead of every epoch."""
        return self.trainable == "head" and self.views > 0

    @model_validator(mode="after")
    def _cached_features_have_the_side_of_use(self) -> StageOptions:
        if self.side_px is not None and self.uses_cached_features:
            raise ValueError(
                "side_px where pictures are shown: with trainable = 'head' and views = 0, or without"
            )
        return self


class Recipe(Table):
    """All tables of a recipe. ``threads`` 0 leaves the number to torch; ``precision`` bf16 needs CUDA.

    ``checkpoint_minutes`` and ``checkpoint_steps`` add checkpoints inside an epoch (0: only at its end).
    ``ablations`` and ``search`` are experiments on the recipe; its own run does not look at them.
    """

    recipe: RecipeHeader
    seed: int = Field(default=0, ge=0, lt=2**31)
    batch_size: int = Field(default=64, ge=1)
    valid_batch_size: int = Field(default=128, ge=1)
    threads: int = Field(default=0, ge=0)
    precision: Literal["auto", "fp32", "bf16"] = "auto"
    channels_last: bool = True
    compile: bool = False
    checkpoint_minutes: float = Field(default=5.0, ge=0.0)
    checkpoint_steps: int = Field(default=0, ge=0)
    pretrained_statistics: Literal["keep", "remeasure"] = "keep"
    data: DataOptions = DataOptions()
    preprocessing: PreprocessingOptions = PreprocessingOptions()
    model: ModelOptions = ModelOptions()
    stages: tuple[StageOptions, ...] = Field(min_length=1)
    optimizer: OptimizerOptions = OptimizerOptions()
    augmentation: AugmentationOptions = AugmentationOptions()
    backgrounds: BackgroundOptions = BackgroundOptions()
    mixing: MixingOptions = MixingOptions()
    balance: BalanceOptions = BalanceOptions()
    loss: LossOptions = LossOptions()
    early_stopping: EarlyStoppingOptions = EarlyStoppingOptions()
    ablations: dict[str, AblationOptions] = Field(default={})
    search: SearchOptions | None = None

    @model_validator(mode="before")
    @classmethod
    def _stages_inherit(cls, values: Any) -> Any:
        return merge_stage_overrides(values)

    @model_validator(mode="after")
    def _stage_names_differ(self) -> Recipe:
        names = [stage.name for stage in self.stages]
        twice = sorted({name for name in names if names.count(name) > 1})
        if twice:
            raise ValueError(f"stages with names of their own, not twice {', '.join(twice)}")
        return self

    def optimizer_of(self, stage: StageOptions) -> OptimizerOptions:
        """The optimizer table in force during ``stage``."""
        return stage.optimizer or self.optimizer

    def augmentation_of(self, stage: StageOptions) -> AugmentationOptions:
        """The augmentation table in force during ``stage``."""
        return stage.augmentation or self.augmentation

    def mixing_of(self, stage: StageOptions) -> MixingOptions:
        """The mixing table in force during ``stage``."""
        return stage.mixing or self.mixing

    def side_px_of(self, stage: StageOptions) -> int:
        """Side of the pictures that ``stage`` trains on, in pixels."""
        return stage.side_px or self.preprocessing.side_px

    @property
    def largest_side_px(self) -> int:
        """Side of the largest pictures that anything is done with, in pixels."""
        return max(self.preprocessing.side_px, *map(self.side_px_of, self.stages))

    def decisive_values(self) -> dict[str, Any]:
        """What decides the weights: not the header, checkpoint rhythm, threads, room, or experiments."""
        spoken = dict.fromkeys(
            ("recipe", "threads", "checkpoint_minutes", "checkpoint_steps", "ablations", "search"), True
        )
        values = self.model_dump(mode="json", exclude={**spoken, "data": {"max_cache_bytes"}})
        # Keys that came later and are at their default: runs of earlier versions are still themselves.
        for table, key, default in LATER_KEYS:
            if values[table][key] == default:
                del values[table][key]
        for stage in values["stages"]:
            if stage["side_px"] is None:
                del stage["side_px"]
        return values

    def fingerprint(self) -> str:
        """SHA-256 (hex) of the decisive values: equal for recipes that train the same network."""
        return hashlib.sha256(canonical_json(self.decisive_values()).encode()).hexdigest()
