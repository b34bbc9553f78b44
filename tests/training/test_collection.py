"""What a recipe's table ``[data]`` asks of the split."""

from __future__ import annotations

import pytest

from leafsight.errors import ConfigError
from leafsight.training.collection import AUTOMATIC_RULES, split_options
from leafsight.training.options import DataOptions


def test_automatic_rules_are_those_of_the_command() -> None:
    assert ",".join(split_options(DataOptions()).group_by) == AUTOMATIC_RULES


def test_a_name_pattern_reaches_the_split() -> None:
    options = split_options(DataOptions(name_pattern=r"(\d+)_", group_by="column, copies"))
    assert (options.name_pattern, options.group_by) == (r"(\d+)_", ("column", "copies"))


@pytest.mark.parametrize(
    ("values", "said"),
    [
        ({"group_by": "column,foo"}, "group_by"),
        ({"name_pattern": "(("}, "regular expression"),
        ({"name_pattern": "no brackets"}, "one pair of brackets"),
        ({"name_pattern": "(a)(b)"}, "one pair of brackets"),
        ({"name_pattern": "(" + "a" * 200 + ")"}, "name_pattern"),
    ],
)
def test_a_fault_is_told_and_where(values: dict[str, str], said: str) -> None:
    with pytest.raises(ConfigError) as caught:
        split_options(DataOptions.model_validate(values))
    assert said in "\n".join([str(caught.value), *map(str, caught.value.faults)])
    assert "the recipe's [data]" in str(caught.value)
