"""What a retraining is asked for."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from leafsight.errors import UsageError
from leafsight.retraining.order import order_from, values_of
from leafsight.retraining.program import read_order

LEAST = {
    "job": "01a2023cddd0c764d62a06b28b427bce",
    "database_url": "postgresql://leaf:secret@host/db",
    "blob_url": "s3://bucket?key=secret",
    "registry_dir": "/state/registry",
    "work_dir": "/state/learning",
}


def test_what_a_trainer_says_and_more_is_understood() -> None:
    told = {**LEAST, "training_data": "/data", "registry_url": "", "most_per_source": 500, "of_tomorrow": 1}
    order = order_from(told)
    assert (order.path, order.promote, order.threads) == ("quick", "auto", 1)
    assert order.training_data == (Path("/data"),)
    assert order_from({**LEAST, "training_data": None}).training_data == ()
    assert "secret" not in repr(order)


@pytest.mark.parametrize(
    "wrong",
    [
        {"job": "../../etc"},
        {"job": "A"},
        {"path": "slow"},
        {"threads": 0},
        {"database_url": None},
        {"seed": -1},
    ],
)
def test_what_cannot_be_is_refused_without_secrets(wrong: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match="cannot be") as caught:
        order_from({**LEAST, **wrong})
    assert "secret" not in caught.value.message
    assert next(iter(wrong)) in caught.value.message


def test_words_count_more_than_what_is_inherited() -> None:
    inherited = json.dumps({**LEAST, "path": "quick", "threads": 1})
    order = read_order(["--path", "full", "--training-data", "a", "--training-data", "b"], inherited)
    assert (order.path, order.threads, order.training_data) == ("full", 1, (Path("a"), Path("b")))
    assert read_order([], inherited) == order_from(json.loads(inherited))


@pytest.mark.parametrize("text", ["[1]", "{", "3"])
def test_what_is_no_object_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match="not a JSON object"):
        values_of(text)
    assert values_of("") == {}
