from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable
from itertools import product
from typing import Any, get_args

import pytest

from leafsight.taxonomy import CauseKind, conditions, crops, find_class, plant_classes
from leafsight.taxonomy.records import HEALTHY, NOT_A_LEAF
from leafsight.taxonomy.spelling import readings, squash
from leafsight.taxonomy.vocabulary import (
    DATA_FILE,
    spellings_of_classes,
    spellings_of_conditions,
    spellings_of_conditions_on_crops,
    spellings_of_crops,
    vocabulary,
    vocabulary_from,
)

# How collections put a crop and a condition together.
PATTERNS = (
    "{crop}___{condition}",
    "{crop}___{crop}_{condition}",
    "{crop} leaf {condition}",
    "{crop} {condition} leaf",
    "{crop} with {condition}",
    "{condition} {crop}",
    "{condition} {crop} leaf",
    "{condition} of {crop}",
)


@pytest.fixture(scope="module")
def data() -> dict[str, Any]:
    contents = json.loads(DATA_FILE.read_text(encoding="utf-8"))
    assert isinstance(contents, dict)
    return contents


def clashes(pairs: Iterable[tuple[object, str]]) -> list[tuple[object, str, str]]:
    seen: dict[object, str] = {}
    return [(said, seen[said], key) for said, key in pairs if seen.setdefault(said, key) != key]


def test_no_spelling_means_two_things(data: dict[str, Any]) -> None:
    assert clashes(spellings_of_crops(data)) == []
    assert clashes(spellings_of_conditions(data)) == []
    assert clashes(spellings_of_classes(data)) == []
    assert clashes(((crop, said), key) for crop, said, key in spellings_of_conditions_on_crops(data)) == []


def test_the_clash_check_can_fail() -> None:
    assert clashes([("rust", "a"), ("rust", "a"), ("rust", "b")]) == [("rust", "a", "b")]


def test_every_generated_spelling_is_read_in_one_way(data: dict[str, Any]) -> None:
    """Not only is the right class found first: no other class could be read from the same letters."""
    words = vocabulary()
    crop_names: dict[str, list[str]] = {}
    for said, crop in spellings_of_crops(data):
        crop_names.setdefault(crop, []).append(said)
    wrong = []
    for crop, said, key in spellings_of_conditions_on_crops(data):
        for crop_name, pattern in product(crop_names[crop], PATTERNS):
            squashed = squash(pattern.format(crop=crop_name, condition=said))
            possible = {
                words.conditions_on[at].get(text) for at, text in readings(squashed, words.crop_spellings)
            }
            whole = words.class_spellings.get(squashed, key)
            if (possible | {whole}) - {None} != {key}:
                wrong.append((squashed, key, possible))
    assert wrong == []


def test_records_are_complete() -> None:
    assert len({crop.key for crop in crops()}) == len(crops()) >= 18
    for crop in crops():
        assert crop.name
        assert crop.latin
        assert crop.within in {"", *(one.key for one in crops())}
    for condition in conditions():
        assert condition.kind in set(get_args(CauseKind)) - {"unknown"}
        assert condition.crops or condition.key == NOT_A_LEAF
        if condition.key in (HEALTHY, NOT_A_LEAF):
            assert condition.kind == "none"
            assert condition.agents == ()
        else:
            assert condition.kind != "none"
            assert condition.agents or condition.kind == "deficiency"


def test_classes_are_complete() -> None:
    keys = {one.key for one in plant_classes()}
    assert len(keys) == len(plant_classes())
    for one in plant_classes():
        assert one.known
        assert (one.agent != "") == (one.condition.kind not in ("none", "deficiency")), one.key
        assert len(one.eppo) in (0, 6)
        assert one.same_as in keys | {""}
        if one.same_as:
            assert find_class(one.same_as).same_as == one.key
            assert find_class(one.same_as).agent == one.agent


def test_a_condition_collects_its_crops_and_agents() -> None:
    early_blight = next(one for one in conditions() if one.key == "early_blight")
    assert early_blight.crops == ("potato", "tomato")
    assert early_blight.agents == ("Alternaria solani", "Alternaria linariae and A. solani")


def test_an_unknown_key_in_the_data_is_noticed() -> None:
    data = {
        "crops": [{"key": "a", "name": "a", "latin": "A"}],
        "conditions": [{"key": NOT_A_LEAF, "name": "not a leaf", "kind": "none"}],
        "classes": [{"crop": "a", "condition": "missing"}],
        "not_a_leaf": [],
    }
    with pytest.raises(KeyError, match="missing"):
        vocabulary_from(data)


def test_nothing_heavy_is_imported_and_no_card_is_read() -> None:
    code = (
        "import sys, leafsight.taxonomy as t; t.find_class('Tomato leaf'); t.find_crop('maize'); "
        "print([m for m in ('numpy', 'pydantic', 'tomllib', 'torch', 'pyarrow') if m in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_the_names_load_quickly() -> None:
    """Best of five in a process of its own; the promise is 10 ms, measured 2 ms."""
    code = (
        "import time, json\n"
        "from leafsight.taxonomy.vocabulary import DATA_FILE, vocabulary\n"
        "best = 1.0\n"
        "for _ in range(5):\n"
        "    vocabulary.cache_clear(); start = time.perf_counter(); vocabulary()\n"
        "    best = min(best, time.perf_counter() - start)\n"
        "print(best)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert float(done.stdout) <= 0.010
