"""The query of a diagnosis: read at once, and every fault named."""

from __future__ import annotations

from urllib.parse import urlencode

import pytest
from fastapi import Request
from fastapi.exceptions import RequestValidationError

from leafsight.service.wishes import NO_WISH, Wish, parameters, wish_of


def asked(query: str) -> Request:
    return Request({"type": "http", "query_string": query.encode(), "headers": []})


def test_no_query_is_no_wish() -> None:
    assert wish_of(asked("")) is NO_WISH
    assert Wish(crop=None, top=5, heatmap=None, combine=False, plant_id=None, store=False) == NO_WISH


def test_words_become_values_and_the_last_of_two_counts() -> None:
    words = {"crop": "Tomato", "top": "7", "heatmap": "layer", "combine": "yes", "store": "0", "else": "x"}
    assert wish_of(asked(urlencode(words))) == Wish(
        crop="Tomato", top=7, heatmap="layer", combine=True, store=False
    )
    assert wish_of(asked("top=1&top=2")).top == 2


def test_a_plant_makes_one_diagnosis() -> None:
    assert wish_of(asked("plant_id=row-7")).of_one_plant
    assert not wish_of(asked("crop=tomato")).of_one_plant


@pytest.mark.parametrize(
    "query",
    ["top=0", "top=101", "top=many", "heatmap=gif", "combine=perhaps", "plant_id=%00", "crop=" + "x" * 101],
)
def test_a_fault_names_its_parameter(query: str) -> None:
    with pytest.raises(RequestValidationError) as refused:
        wish_of(asked(query))
    (fault,) = refused.value.errors()
    assert fault["loc"] == ("query", query.partition("=")[0])


def test_all_faults_are_named_at_once() -> None:
    with pytest.raises(RequestValidationError) as refused:
        wish_of(asked("top=0&heatmap=gif&store=perhaps"))
    assert [fault["loc"][1] for fault in refused.value.errors()] == ["top", "heatmap", "store"]


def test_the_contract_describes_each() -> None:
    described = {one["name"]: one for one in parameters()}
    assert list(described) == list(Wish.model_fields)
    assert described["top"]["schema"]["maximum"] == 100
    assert all(one["in"] == "query" and one["description"] for one in described.values())
    assert "default" not in described["crop"]["schema"]
