"""How evenly a collection is spread over its classes, and what a test of each class could show.

Enters: counts. Leaves: records with sentences and JSON-able values, readable with two classes and with two
hundred. It does not know the photographs.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from leafsight.evaluation import Interval

MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class ClassBalance:
    """One class.

    Attributes:
        name: of the class.
        photos: photographs.
        groups: independent groups among them (leaves, plants); as many as photographs where none are known.
        effective: effective number of groups (Cui et al. 2019): later ones add less and less that is new.
        test_groups: groups that a test of the asked share would get.
        interval: what such a test could say of the class if it got the assumed share right.
        too_small: the interval is wider than the widest useful one, or there is nothing to test.
    """

    name: str
    photos: int
    groups: int
    effective: float
    test_groups: int
    interval: Interval
    too_small: bool


@dataclass(frozen=True, slots=True)
class BalanceReport:
    """All classes, in the order handed in.

    Attributes:
        classes: one record a class.
        photos: in all.
        groups: in all; a group under several labels counts once.
        imbalance: photographs of the largest class for each one of the smallest that has any.
        test_share: share of groups that goes into the test.
        assumed_right: share of the test groups assumed right.
        widest: width from which an interval is called too wide.
        groups_needed: test groups that make the interval no wider than that.
    """

    classes: tuple[ClassBalance, ...]
    photos: int
    groups: int
    imbalance: float
    test_share: float
    assumed_right: float
    widest: float
    groups_needed: int

    @property
    def too_small(self) -> tuple[ClassBalance, ...]:
        """Classes that this test cannot judge, the smallest first."""
        small = [one for one in self.classes if one.too_small]
        return tuple(sorted(small, key=lambda one: (one.test_groups, one.photos, one.name)))

    @property
    def largest(self) -> ClassBalance:
        """The class with most photographs."""
        return max(self.classes, key=lambda one: one.photos)

    @property
    def smallest(self) -> ClassBalance:
        """The class with fewest photographs."""
        return min(self.classes, key=lambda one: one.photos)

    @property
    def verdict(self) -> str:
        """Plain sentences: how uneven, and which classes a test cannot judge."""
        if len(self.classes) == 1:
            only = self.classes[0]
            return f"{only.photos} photographs of one class, {only.name}: there is nothing to tell apart."
        return f"{self._evenness()} {self._testing()}"

    def lines(self) -> list[str]:
        """The verdict, and a table of the classes that are too small, the worst ``MOST_NAMED`` of them."""
        small = self.too_small
        if not small:
            return [self.verdict]
        width = max(len(one.name) for one in small[:MOST_NAMED])
        table = [
            f"  {one.name:<{width}}  {one.photos:>7} photographs {one.groups:>7} groups  {_test_of(one)}"
            for one in small[:MOST_NAMED]
        ]
        rest = [f"  and {len(small) - MOST_NAMED} more"] if len(small) > MOST_NAMED else []
        return [self.verdict, *table, *rest]

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values, all classes."""
        return {
            "verdict": self.verdict,
            "photos": self.photos,
            "groups": self.groups,
            "imbalance": round(self.imbalance, 4),
            "test_share": self.test_share,
            "assumed_right": self.assumed_right,
            "widest": self.widest,
            "groups_needed": self.groups_needed,
            "too_small": [one.name for one in self.too_small],
            "classes": [
                {
                    "name": one.name,
                    "photos": one.photos,
                    "groups": one.groups,
                    "effective": round(one.effective, 2),
                    "test_groups": one.test_groups,
                    "interval": one.interval.to_dict(),
                    "too_small": one.too_small,
                }
                for one in self.classes
            ],
        }

    def _evenness(self) -> str:
        least = min((one for one in self.classes if one.photos), key=lambda one: one.photos, default=None)
        said = (
            f"{len(self.classes)} classes of about equal size ({self.photos} photographs)."
            if self.imbalance < 1.5 or least is None
            else f"{self.largest.name} has {_times(self.imbalance)} times as many photographs as "
            f"{least.name} ({self.largest.photos} and {least.photos})."
        )
        empty = [one.name for one in self.classes if not one.photos]
        if not empty:
            return said
        return " ".join((said, f"{len(empty)} classes have none: {_some(empty)}."))

    def _testing(self) -> str:
        small = self.too_small
        share, right = _percent(self.test_share), _percent(self.assumed_right)
        points = f"{self.widest * 100:.0f} points"
        if not small:
            return f"A test of {share} leaves no class with an interval wider than {points}."
        worst = small[0]
        if not worst.test_groups:
            says = f"of {worst.name} it holds none"
        else:
            holds = f"of {worst.name} it holds {worst.test_groups}"
            says = f"{holds}, and {right} right would mean {_range(worst.interval)}"
        return (
            f"A test of {share} is too small for {len(small)} of {len(self.classes)} classes, whose interval "
            f"is wider than {points}: {says}. It takes {self.groups_needed} independent test photographs a "
            "class."
        )


def _test_of(one: ClassBalance) -> str:
    if not one.test_groups:
        return "no test possible"
    return f"test of {one.test_groups}: {_range(one.interval)}"


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"


def _times(ratio: float) -> str:
    return f"{ratio:,.0f}" if ratio >= 10.0 else f"{ratio:.1f}"


def _range(interval: Interval) -> str:
    return f"{100.0 * interval.low:.0f} to {100.0 * interval.high:.0f} %"


def _some(names: list[str]) -> str:
    rest = f" and {len(names) - MOST_NAMED} more" if len(names) > MOST_NAMED else ""
    return ", ".join(names[:MOST_NAMED]) + rest
