from __future__ import annotations

from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict

from leafsight.errors import ConfigError, MissingExtraError, nearest, require, validated


class Inner(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    learning_rate: float = 0.1
    schedule: Literal["cosine", "constant"] = "cosine"


class Outer(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)
    epochs: int
    stages: list[Inner] = []
    optimizer: Inner | None = None


def test_good_values_build_the_model() -> None:
    assert (
        validated(Outer, {"epochs": 3, "stages": [{"learning_rate": 1}]}, "r.toml").stages[0].learning_rate
        == 1
    )


def test_all_faults_at_once_with_key_got_wanted_and_nearest() -> None:
    values = {
        "epochs": "many",
        "stages": [{"learning_rat": 1}, {"schedule": "cosin"}],
        "optimizer": {"scedule": "cosine"},
    }
    with pytest.raises(ConfigError) as caught:
        validated(Outer, values, "r.toml")
    faults = {fault.key: fault for fault in caught.value.faults}
    assert set(faults) == {"epochs", "stages.0.learning_rat", "stages.1.schedule", "optimizer.scedule"}
    assert faults["epochs"].got == "'many'"
    assert faults["stages.0.learning_rat"].nearest == "learning_rate"
    assert faults["stages.1.schedule"].nearest == "cosine"
    assert faults["optimizer.scedule"].nearest == "schedule"


def test_a_missing_value_is_a_fault() -> None:
    with pytest.raises(ConfigError) as caught:
        validated(Outer, {}, "r.toml")
    assert caught.value.faults[0].key == "epochs"
    assert caught.value.faults[0].got == "nothing"


def test_long_input_is_cut() -> None:
    with pytest.raises(ConfigError) as caught:
        validated(Outer, {"epochs": "x" * 1000}, "r.toml")
    assert len(caught.value.faults[0].got) <= 80


def test_nearest_says_nothing_when_nothing_is_close() -> None:
    assert nearest("banana", ["epochs"]) == ""


def test_require_names_the_pip_line() -> None:
    with pytest.raises(MissingExtraError) as caught:
        require("no_such_library_at_all.sub", "train")
    assert caught.value.hint == "pip install 'leafsight[train]'"
    assert require("json", "train").__name__ == "json"
