"""Roles of contributions: the same for ever, and every class has all of them."""

from __future__ import annotations

from collections import Counter

from hypothesis import given
from hypothesis import strategies as st

from leafsight.retraining.roles import (
    LEAST_GROUPS,
    ROLES,
    SHARES,
    against_chance,
    deal_roles,
    role_by_chance,
)

NAMES = st.lists(st.text("abcdef0123456789", min_size=1, max_size=8), min_size=1, max_size=40, unique=True)


def test_shares_are_about_those_that_are_said() -> None:
    counts = Counter(role_by_chance(f"group {number}", 0) for number in range(4000))
    for role in ROLES:
        assert abs(counts[role] / 4000 - SHARES[role]) < 0.03


def test_a_role_depends_on_the_group_and_the_seed_alone() -> None:
    assert {role_by_chance("a", 0) for _ in range(5)} == {role_by_chance("a", 0)}
    assert len({role_by_chance("a", seed) for seed in range(50)}) == 3


@given(NAMES)
def test_a_class_with_enough_groups_has_every_role_and_half_to_learn_from(names: list[str]) -> None:
    counts = Counter(deal_roles({"one": names}, 0).values())
    assert sum(counts.values()) == len(names)
    if len(names) >= LEAST_GROUPS:
        assert counts["probe"] >= 1
        assert counts["calibration"] >= 1
        assert counts["train"] * 2 >= len(names)


@given(NAMES, NAMES)
def test_what_was_dealt_against_the_hash_never_changes(first: list[str], later: list[str]) -> None:
    before = deal_roles({"one": first}, 0)
    handed_on = against_chance(before, 0)
    after = deal_roles({"one": sorted(set(first) | set(later))}, 0, handed_on)
    assert {name: after[name] for name in handed_on} == handed_on


def test_roles_by_chance_stay_when_a_class_grows() -> None:
    few, many = ([f"leaf {number}" for number in range(count)] for count in (60, 600))
    before, after = deal_roles({"one": few}, 0), deal_roles({"one": many}, 0)
    assert {name: after[name] for name in few} == before


def test_what_was_dealt_against_the_hash_stays_so() -> None:
    names = [f"g{number}" for number in range(8)]
    seed = next(s for s in range(1000) if {role_by_chance(one, s) for one in names} == {"train"})
    dealt = deal_roles({"one": names}, seed)
    moved = against_chance(dealt, seed)
    assert set(moved.values()) == {"probe", "calibration"}
    # A class that grows gets a probe by chance later; the one that was made a probe stays one.
    grown = deal_roles({"one": [*names, *(f"h{number}" for number in range(40))]}, seed, moved)
    assert {name: grown[name] for name in names} == dealt
