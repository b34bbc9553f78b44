"""The tables of a recipe as frozen records: what may be said, its range, its default.

Enters: plain values from a TOML file. Leaves: checked, immutable options. Nothing here acts; the modules
that use a table say what its numbers do.
"""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, model_validator

from leafsight.images import Preprocessing
from leafsight.storage import merged

Fraction = Annotated[float, Field(ge=0.0, le=1.0)]
Positive = Annotated[float, Field(gt=0.0, allow_inf_nan=False)]
Channels = tuple[float, float, float]


class Table(BaseModel):
    """A table of a recipe: immutable, and a key it does not know is a fault."""

    model_config = ConfigDict(frozen=True, extra="forbid")


class Expectation(Table):
    """What a run of the recipe should reach: ``metric`` within ``spread`` of ``value``."""

    metric: str
    value: float
    spread: float = Field(default=0.0, ge=0.0)


class RecipeHeader(Table):
    """What a person reads before choosing a recipe; changes nothing in the run.

    ``notice`` is what nobody may overlook: it is said before training and is the first of the limits on the
    card of every model that the recipe makes.
    """

    name: str = Field(min_length=1, pattern=r"^[A-Za-z0-9][A-Za-z0-9._-]*$")
    title: str = ""
    data: str = ""
    hardware: str = ""
    duration: str = ""
    command: str = ""
    expect: Expectation | None = None
    notice: str = Field(default="", max_length=500)


class DataOptions(Table):
    """Which photographs, and how they are split; plain values that the entrance hands to ``dataset``.

    ``groups`` names a CSV that says which photographs show the same leaf; ``max_cache_bytes`` bounds the
    packed pixels on disk. ``train_fraction`` is the share of the training photographs of each class that are
    used, whole groups and the same ones first, so that a larger share contains a smaller one. ``classes``
    leaves out every other class; ``label_by = "crop"`` makes the plant the class, whatever ails it, and
    leaves out photographs without one. ``keep`` names splits that the source has and that stay as they are.
    ``long_tail`` makes the training split unbalanced on purpose: how many times larger its largest class is
    than its smallest. ``name_pattern`` finds the leaf, plant or patient at the start of a file's name; see
    ``leafsight.dataset.GroupOptions``.
    """

    sources: tuple[str, ...] = ()
    ratios: dict[str, Annotated[float, Field(gt=0.0)]] = {
        "train": 0.7,
        "valid": 0.1,
        "calibration": 0.1,
        "test": 0.1,
    }
    seed: int = Field(default=0, ge=0)
    group_by: str = "auto"
    groups: tuple[str, ...] = ()
    min_per_class: int = Field(default=1, ge=1)
    cache_side_px: int | None = Field(default=None, ge=8, le=4096)
    train_fraction: float = Field(default=1.0, gt=0.0, le=1.0)
    long_tail: float = Field(default=1.0, ge=1.0, le=1000.0)
    classes: tuple[str, ...] = ()
    label_by: Literal["class", "crop"] = "class"
    keep: tuple[str, ...] = ()
    name_pattern: str | None = None
    max_cache_bytes: int = Field(default=8 * 1024**3, gt=0)

    @model_validator(mode="after")
    def _trains_and_validates(self) -> DataOptions:
        missing = [name for name in ("train", "valid") if name not in self.ratios]
        if missing:
            raise ValueError(f"ratios with a share for {' and '.join(missing)}")
        return self


class PreprocessingOptions(Table):
    """The contract between photograph and network; see ``leafsight.images.Preprocessing``."""

    side_px: int = Field(default=224, ge=8, le=2048)
    resize: Literal["squash", "crop", "letterbox"] = "squash"
    resample: Literal["bilinear", "bicubic", "box", "lanczos"] = "bilinear"
    crop_fraction: float = Field(default=1.0, gt=0.0, le=1.0)
    mean: Channels = (127.5, 127.5, 127.5)
    std: tuple[Positive, Positive, Positive] = (127.5, 127.5, 127.5)

    def contract(self) -> Preprocessing:
        """The same as the record that evaluation, export and serving use."""
        return Preprocessing.from_dict(self.model_dump())


class OptimizerOptions(Table):
    """How weights move.

    ``weight_decay`` never touches norms and biases; ``clip_norm`` 0 is no clipping; ``ema_decay`` 0 is no
    averaging; ``final_fraction`` is the share of the learning rate left at the end of a cosine.
    """

    name: Literal["adamw", "sgd"] = "adamw"
    weight_decay: float = Field(default=0.01, ge=0.0)
    momentum: float = Field(default=0.9, ge=0.0, lt=1.0)
    betas: tuple[float, float] = (0.9, 0.999)
    clip_norm: float = Field(default=1.0, ge=0.0)
    ema_decay: float = Field(default=0.0, ge=0.0, lt=1.0)
    warmup_epochs: float = Field(default=0.0, ge=0.0)
    schedule: Literal["cosine", "constant"] = "cosine"
    final_fraction: Fraction = 0.01


class EarlyStoppingOptions(Table):
    """When a stage ends before its epochs, and which epoch's weights are kept.

    ``patience_epochs`` 0 never stops early. ``keep = "best"`` keeps the epoch that is best by ``metric`` on
    the validation photographs; ``"last"`` keeps the last one whatever validation says, which is the better
    choice for a schedule that ends in rest where validation photographs are few: the best of many noisy
    numbers is mostly luck, and falls on an epoch of large steps.
    """

    metric: Literal["macro_f1", "accuracy", "loss"] = "macro_f1"
    keep: Literal["best", "last"] = "best"
    patience_epochs: int = Field(default=0, ge=0)
    min_delta: float = Field(default=0.0, ge=0.0)


OVERRIDABLE = ("optimizer", "augmentation", "mixing")


def merge_stage_overrides(values: Any) -> Any:
    """Lay each stage's partial tables over the recipe's own, so that a stage names only what differs.

    Values of an unexpected shape pass untouched: the validation that follows reports them.
    """
    if not isinstance(values, dict) or not isinstance(values.get("stages"), list | tuple):
        return values
    return {**values, "stages": [_merged(stage, values) for stage in values["stages"]]}


def _merged(stage: Any, values: dict[str, Any]) -> Any:
    if not isinstance(stage, dict):
        return stage
    tables = {key: stage[key] for key in OVERRIDABLE if isinstance(stage.get(key), dict)}
    bases = {key: values.get(key, {}) for key in tables}
    return stage | {
        key: merged(bases[key], table) for key, table in tables.items() if isinstance(bases[key], dict)
    }
