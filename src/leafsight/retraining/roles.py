"""What each contribution is used for: to learn from, to calibrate on, or to measure on and nothing else.

Enters: groups of photographs that show the same, with their class. Leaves: a role for each group. The role
comes from a hash of the group's name, so it does not depend on which other photographs there are, nor on when
the question is asked: what was learned from is never measured on later.
"""

from __future__ import annotations

import hashlib
from collections import Counter
from collections.abc import Mapping, Sequence

TRAIN, CALIBRATION, PROBE = "train", "calibration", "probe"
ROLES = (TRAIN, CALIBRATION, PROBE)
SHARES = {TRAIN: 0.70, CALIBRATION: 0.15, PROBE: 0.15}
LEAST_GROUPS = 8
"""From so many groups on a class has at least one of each role. By chance alone eight groups would lack a
probe in every fourth class."""


def role_by_chance(group: str, seed: int) -> str:
    """The role that the hash of a group gives."""
    at, upto = _chance(group, seed, "role"), 0.0
    for role in ROLES:
        upto += SHARES[role]
        if at < upto:
            return role
    return PROBE


def deal_roles(
    groups: Mapping[str, Sequence[str]], seed: int, given: Mapping[str, str] | None = None
) -> dict[str, str]:
    """The role of every group.

    Args:
        groups: class -> the names of its groups, each in one class.
        seed: of the hashes.
        given: roles that were once dealt against the hash; they stay.

    Returns:
        group -> role.
    """
    kept = {group: role for group, role in (given or {}).items() if role in ROLES}
    roles: dict[str, str] = {}
    for label in sorted(groups):
        own = sorted(groups[label])
        dealt = {group: kept.get(group, role_by_chance(group, seed)) for group in own}
        if len(own) >= LEAST_GROUPS:
            _make_whole(dealt, set(own) - set(kept), seed)
        roles |= dealt
    return roles


def against_chance(roles: Mapping[str, str], seed: int) -> dict[str, str]:
    """The roles that a hash did not give: they must be handed on as ``given``, or they would change."""
    return {group: role for group, role in sorted(roles.items()) if role_by_chance(group, seed) != role}


def _make_whole(dealt: dict[str, str], free: set[str], seed: int) -> None:
    """One calibration and one probe at least, and at least half to learn from, as far as groups are free."""
    least = {PROBE: 1, CALIBRATION: 1, TRAIN: (len(dealt) + 1) // 2}
    for role, wanted in least.items():
        while (counts := Counter(dealt.values()))[role] < wanted:
            some = [group for group in free if dealt[group] != role]
            if not some:
                break
            # The role with most to spare gives; among its groups chance decides, the same chance every time.
            spare = {one: counts[one] - least[one] for one in ROLES}
            given = min(some, key=lambda group: (-spare[dealt[group]], _chance(group, seed, "moved")))
            dealt[given] = role


def _chance(group: str, seed: int, what: str) -> float:
    """A number in 0..1 that only these three decide."""
    digest = hashlib.sha256(f"leafsight {what} {seed} {group}".encode()).digest()
    return int.from_bytes(digest[:8], "big") / 2.0**64
