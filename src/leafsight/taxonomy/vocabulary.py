"""The vocabulary as it stands in ``vocabulary.json``, read once and turned into records and indexes."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from leafsight.taxonomy.records import NOT_A_LEAF, Condition, Crop, PlantClass
from leafsight.taxonomy.spelling import squash

DATA_FILE = Path(__file__).with_name("vocabulary.json")

Row = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Vocabulary:
    """Records by key, and indexes from squashed spellings to keys.

    Attributes:
        crops: by key, in the order of the file; so are ``conditions`` and ``classes``.
        conditions: see ``crops``.
        classes: see ``crops``; ``not_a_leaf`` comes last.
        crop_spellings: squashed spelling to key of the crop.
        condition_spellings: squashed spelling to key; only names that are clear without a crop.
        class_spellings: squashed spelling to key of the class, for names that stand for a whole class.
        conditions_on: key of the crop, then squashed name of the condition, to key of the class.
    """

    crops: dict[str, Crop]
    conditions: dict[str, Condition]
    classes: dict[str, PlantClass]
    crop_spellings: dict[str, str]
    condition_spellings: dict[str, str]
    class_spellings: dict[str, str]
    conditions_on: dict[str, dict[str, str]]


def crops() -> tuple[Crop, ...]:
    """Every crop of the vocabulary, by key."""
    return tuple(vocabulary().crops.values())


def conditions() -> tuple[Condition, ...]:
    """Every condition of the vocabulary, ``healthy`` and ``not_a_leaf`` among them."""
    return tuple(vocabulary().conditions.values())


def plant_classes() -> tuple[PlantClass, ...]:
    """Every class of the vocabulary, crop by crop; ``not_a_leaf`` last."""
    return tuple(vocabulary().classes.values())


@cache
def vocabulary() -> Vocabulary:
    """The whole vocabulary; read from the package on the first call and kept."""
    return vocabulary_from(json.loads(DATA_FILE.read_text(encoding="utf-8")))


def vocabulary_from(data: Row) -> Vocabulary:
    """A vocabulary from the contents of the data file, which is trusted: the tests check it."""
    crop_records = {row["key"]: _crop(row) for row in data["crops"]}
    condition_records = {row["key"]: _condition(row, data["classes"]) for row in data["conditions"]}
    classes = [
        _plant_class(row, crop_records[row["crop"]], condition_records[row["condition"]])
        for row in data["classes"]
    ]
    classes.append(PlantClass(NOT_A_LEAF, None, condition_records[NOT_A_LEAF]))
    conditions_on: dict[str, dict[str, str]] = {key: {} for key in crop_records}
    for crop, spelling, key in spellings_of_conditions_on_crops(data):
        conditions_on[crop][spelling] = key
    return Vocabulary(
        crops=crop_records,
        conditions=condition_records,
        classes={one.key: one for one in classes},
        crop_spellings=dict(spellings_of_crops(data)),
        condition_spellings=dict(spellings_of_conditions(data)),
        class_spellings=dict(spellings_of_classes(data)),
        conditions_on=conditions_on,
    )


def spellings_of_crops(data: Row) -> Iterator[tuple[str, str]]:
    """Squashed spelling and key of every crop; a spelling may come twice for the same crop."""
    for row in data["crops"]:
        for spelling in (row["key"], row["name"], *row.get("also", ())):
            yield squash(spelling), row["key"]


def spellings_of_conditions(data: Row) -> Iterator[tuple[str, str]]:
    """Squashed spelling and key of every condition, without the names that need a crop to be clear."""
    for row in data["conditions"]:
        for spelling in (row["key"], row["name"]):
            yield squash(spelling), row["key"]


def spellings_of_classes(data: Row) -> Iterator[tuple[str, str]]:
    """Squashed spelling and key of the classes that have names of their own, such as ``bean_rust``."""
    for row in data["classes"]:
        for spelling in (_class_key(row), *row.get("spellings", ())):
            yield squash(spelling), _class_key(row)
    for spelling in (NOT_A_LEAF, *data["not_a_leaf"]):
        yield squash(spelling), NOT_A_LEAF


def spellings_of_conditions_on_crops(data: Row) -> Iterator[tuple[str, str, str]]:
    """Key of the crop, squashed name of a condition on it, key of the class."""
    names = {row["key"]: (row["key"], row["name"], *row.get("also", ())) for row in data["conditions"]}
    for row in data["classes"]:
        for name in (*names[row["condition"]], *row.get("also", ())):
            yield row["crop"], squash(name), _class_key(row)


def _class_key(row: Row) -> str:
    return f"{row['crop']}/{row['condition']}"


def _crop(row: Row) -> Crop:
    return Crop(row["key"], row["name"], row["latin"], tuple(row.get("also", ())), row.get("within", ""))


def _condition(row: Row, classes: list[Row]) -> Condition:
    mine = [one for one in classes if one["condition"] == row["key"]]
    agents = dict.fromkeys(one["agent"] for one in mine if "agent" in one)
    on_crops = tuple(one["crop"] for one in mine)
    return Condition(row["key"], row["name"], row["kind"], tuple(agents), on_crops)


def _plant_class(row: Row, crop: Crop, condition: Condition) -> PlantClass:
    extras = {name: row.get(name, "") for name in ("agent", "eppo", "same_as")}
    return PlantClass(_class_key(row), crop, condition, **extras)
