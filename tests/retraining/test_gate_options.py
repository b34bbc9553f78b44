"""The limits of the gate as an operator writes them."""

from __future__ import annotations

import pytest

from leafsight.errors import ConfigError
from leafsight.retraining import GateOptions, gate_limits


def test_limits_in_one_line() -> None:
    found = gate_limits(" margin = 0.01,class_loss=0.1, resamples=500,")
    options = GateOptions.model_validate(found)
    assert (options.margin, options.class_loss, options.resamples) == (0.01, 0.1, 500)
    assert options == GateOptions(margin=0.01, class_loss=0.1, resamples=500)
    assert gate_limits("") == gate_limits(" , ") == {}


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("marign=0.01", "margin"),
        ("margin", "a number"),
        ("margin=much", "a number"),
        ("margin=2", "1"),
        ("margin=nan", "margin"),
        ("resamples=100.5", "resamples"),
    ],
)
def test_limits_that_cannot_be_say_which(text: str, said: str) -> None:
    with pytest.raises(ConfigError) as refused:
        gate_limits(text)
    assert any(said in str(fault) for fault in refused.value.faults)
