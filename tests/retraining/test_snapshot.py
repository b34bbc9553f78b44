"""The frozen training set: what is in it, what is left out and why, and its name."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest
from tests.fakes.tiny_bundle import CLASSES, write_tiny_bundle
from tests.retraining.teaching import BASIL, OKRA, champion_at, contribution, contributions, teach

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import TrainingError
from leafsight.retraining import Snapshot, freeze
from leafsight.retraining.snapshot import LOCKED, NO_CLASS, TOO_FEW, TWICE, TWO_CLASSES


@pytest.fixture(scope="module")
def champion(tmp_path_factory: pytest.TempPathFactory) -> Bundle:
    return champion_at(tmp_path_factory.mktemp("champion") / "champion.leafsight")


def test_new_classes_stand_behind_those_of_the_champion(champion: Bundle) -> None:
    snapshot = freeze(champion, [*contributions(OKRA, 10), *contributions(BASIL, 9, 100)])
    assert snapshot.classes == (*CLASSES, BASIL, OKRA)
    assert snapshot.classes_added == (BASIL, OKRA)
    assert snapshot.base_classes == len(CLASSES)
    assert sum(snapshot.counts[OKRA].values()) == 10
    assert set(snapshot.counts[OKRA]) == {"train", "calibration", "probe"}


def test_corrections_of_old_classes_add_none(champion: Bundle) -> None:
    snapshot = freeze(champion, contributions(CLASSES[0], 3))
    assert snapshot.classes == CLASSES
    assert snapshot.classes_added == ()


def test_the_hash_names_the_contents_and_not_their_order(champion: Bundle) -> None:
    records = contributions(OKRA, 12)
    one = freeze(champion, records)
    assert one.hash == freeze(champion, reversed(records)).hash
    assert one.hash != freeze(champion, records[:-1]).hash
    assert one.hash != freeze(champion, [replace(records[0], label=CLASSES[0]), *records[1:]]).hash
    assert one.hash != freeze(champion, records, seed=1).hash


def test_it_survives_its_plain_values(champion: Bundle) -> None:
    snapshot = freeze(champion, [*contributions(OKRA, 12), contribution(90, "")])
    assert Snapshot.from_dict(snapshot.to_dict()) == snapshot


def test_a_summary_says_how_many_where_many_are_named(champion: Bundle) -> None:
    short, long = (freeze(champion, contributions(OKRA, many)) for many in (100, 201))
    assert short.summary() == short.to_dict()
    assert long.summary() == long.to_dict() | {"rows": 201}


@pytest.mark.parametrize(
    "change", [{"seed": 3}, {"hash": "0" * 64}, {"version": 9}, {"rows": [{}]}, {"rows": 3}]
)
def test_an_altered_snapshot_is_refused(champion: Bundle, change: dict[str, object]) -> None:
    values = freeze(champion, contributions(OKRA, 12)).to_dict() | change
    with pytest.raises(TrainingError, match="no snapshot"):
        Snapshot.from_dict(values)
    with pytest.raises(TrainingError, match="no snapshot"):
        Snapshot.from_dict([])


def test_the_locked_test_is_never_learned_from(champion: Bundle) -> None:
    memory = champion.memory()
    assert memory is not None
    locked = f"{int(memory.pixel_hash[memory.rows('test')[0]]):016x}" + "0" * 48
    records = [*contributions(OKRA, 12), contribution(50, OKRA, pixel_hash=locked)]
    snapshot = freeze(champion, records)
    assert snapshot.left_out == {records[-1].id: LOCKED}


def test_the_same_pixels_are_taken_once_and_not_as_two_classes(champion: Bundle) -> None:
    records = contributions(OKRA, 12)
    again = contribution(60, OKRA, pixel_hash=records[0].pixel_hash)
    other = contribution(61, CLASSES[0], pixel_hash=records[1].pixel_hash)
    snapshot = freeze(champion, [*records, again, other])
    assert snapshot.left_out == {again.id: TWICE, other.id: TWO_CLASSES, records[1].id: TWO_CLASSES}


def test_a_new_class_needs_photographs_that_differ(champion: Bundle) -> None:
    burst = [contribution(200 + at, BASIL, group_id=f"{200:032x}") for at in range(20)]
    snapshot = freeze(champion, [*contributions(OKRA, 12), *burst])
    assert snapshot.classes_added == (OKRA,)
    assert set(snapshot.left_out.values()) == {TOO_FEW}
    assert len(snapshot.left_out) == 20


def test_photographs_that_show_the_same_have_one_role(champion: Bundle) -> None:
    records = [contribution(at, OKRA, group_id=f"{at // 3 * 3:032x}") for at in range(3, 63)]
    roles: dict[str, set[str]] = {}
    for row in freeze(champion, records).rows:
        roles.setdefault(row.group, set()).add(row.role)
    assert all(len(of) == 1 for of in roles.values())


def test_what_waits_or_was_rejected_is_passed_over(champion: Bundle) -> None:
    records = contributions(OKRA, 12)
    others = [contribution(300, OKRA, state="waiting"), contribution(301, OKRA, state="rejected")]
    assert freeze(champion, [*records, *others]).hash == freeze(champion, records).hash


def test_nothing_to_learn_from_is_refused_with_the_reasons(champion: Bundle) -> None:
    with pytest.raises(TrainingError, match="no contribution is accepted"):
        freeze(champion, [])
    with pytest.raises(TrainingError, match="3 left out: its class is new"):
        freeze(champion, contributions(OKRA, 3))
    with pytest.raises(TrainingError, match=NO_CLASS):
        freeze(champion, [contribution(1, "")])


def test_a_group_of_two_classes_is_frozen_all_the_same(champion: Bundle) -> None:
    odd = contribution(400, OKRA, group_id=f"{1:032x}")
    snapshot = freeze(champion, [*contributions(CLASSES[0], 3), odd, *contributions(OKRA, 12, 500)])
    roles = {row.role for row in snapshot.rows if row.group == f"{1:032x}"}
    assert len(roles) == 1


def test_a_model_without_a_memory_can_be_frozen_for_the_full_path(tmp_path: Path) -> None:
    bundle = open_bundle(write_tiny_bundle(tmp_path / "tiny.leafsight"))
    assert freeze(bundle, contributions(OKRA, 12)).classes == (*CLASSES, OKRA)


def test_a_taught_class_without_accepted_photographs_is_no_longer_known(
    champion: Bundle, tmp_path: Path
) -> None:
    both = [*contributions(OKRA, 12), *contributions(BASIL, 12, 100)]
    built, _ = teach(champion, both, tmp_path / "one.leafsight")
    following = freeze(open_bundle(built.path), both[:12])
    assert following.classes == (*CLASSES, OKRA)
    assert following.classes_removed == (BASIL,)
    assert following.classes_added == ()
