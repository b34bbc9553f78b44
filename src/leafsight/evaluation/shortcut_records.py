"""What the shortcut meter found: how far a model gets that sees everything but the leaf.

Enters: measured shares. Leaves: records with plain sentences, a table for the terminal and JSON-able values.
It does not know how they were measured.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from leafsight.evaluation.interval import Interval, number
from leafsight.evaluation.results import plain

Strength = Literal["none", "weak", "clear", "strong"]
WEAK, CLEAR, STRONG = 0.05, 0.2, 0.4
"""Where the words change, as the share of the way from chance to 1; set by us, not by any source."""
GREEN_BORDER = 0.3
"""Share of green border from which leaves are said to reach it; docs/evaluation.md says what has how much."""
MOST_NAMED = 5


@dataclass(frozen=True, slots=True)
class ShortcutView:
    """How well one narrow view of the photographs gives the class away.

    Attributes:
        name: ``eight_pixels``, ``border``, ``centre_blurred``, ``colours``, ``thumbnail``, ``whole_picture``.
        sees: what the classifier got to see, in words.
        without_leaf: the view is of the border alone.
        accuracy: share right, when common classes may be favoured; compare with the largest class.
        balanced_accuracy: mean recall when all classes weigh the same; compare with 1 / classes.
        recall: by class, of the classifier for which all classes weigh the same; Wilson interval on groups.
        given_away: classes that are found, and seldom named wrongly, by this view: the largest first.
    """

    name: str
    sees: str
    without_leaf: bool
    accuracy: Interval
    balanced_accuracy: Interval
    recall: Mapping[str, Interval]
    given_away: tuple[str, ...]

    def lift(self, chance: float) -> float:
        """How far from chance to always right: 0 is chance, 1 is right every time (Cohen's kappa, 1960)."""
        return (self.balanced_accuracy.value - chance) / (1.0 - chance)


STRENGTHS = {"weak": "a weak shortcut", "clear": "a clear shortcut", "strong": "a strong shortcut"}


@dataclass(frozen=True, slots=True)
class Shortcuts:
    """The answer of the shortcut meter.

    Attributes:
        views: from the narrowest to the widest.
        classes: that were measured.
        left_out: classes with fewer than two independent groups; nothing can be said of them.
        photos: measured photographs.
        all_photos: photographs handed in; more when they were drawn from.
        groups: independent groups among the measured ones.
        majority_share: the accuracy of always naming the largest class.
        chance: balanced accuracy of guessing, 1 / number of classes.
        border_green: mean share of the border that is green, 0..1.
    """

    views: tuple[ShortcutView, ...]
    classes: tuple[str, ...]
    left_out: tuple[str, ...]
    photos: int
    all_photos: int
    groups: int
    majority_share: float
    chance: float
    border_green: float

    @property
    def worst(self) -> ShortcutView:
        """The view of the border alone that gives away most."""
        return max(
            (view for view in self.views if view.without_leaf), key=lambda view: view.balanced_accuracy.value
        )

    @property
    def strength(self) -> Strength:
        """How strong the shortcut is; "none" also where the interval reaches down to chance."""
        lift = self.worst.lift(self.chance)
        if self.worst.balanced_accuracy.low <= self.chance or lift < WEAK:
            return "none"
        return "weak" if lift < CLEAR else "clear" if lift < STRONG else "strong"

    @property
    def leaves_reach_border(self) -> bool:
        """Whether so much of the border is green that part of a shortcut may be the leaf itself."""
        return self.border_green >= GREEN_BORDER

    @property
    def verdict(self) -> str:
        """One or two plain sentences."""
        reached = self.worst.balanced_accuracy
        if self.strength == "none":
            first = (
                f"No shortcut found: from the border alone a model reaches {_percent(reached.value)}"
                f" ({_range(reached)}), chance is {_percent(self.chance)}."
            )
        else:
            first = (
                f"A model can reach {_percent(reached.value)} here from the border alone, without looking "
                f"at a leaf (chance: {_percent(self.chance)}): {STRENGTHS[self.strength]}."
            )
        return first + self._compared() + self._green()

    def to_dict(self) -> dict[str, Any]:
        """JSON-able values, with the verdict and the strength."""
        return {
            "verdict": self.verdict,
            "strength": self.strength,
            "chance": number(self.chance),
            "majority_share": number(self.majority_share),
            "border_green": number(self.border_green),
            "photos": self.photos,
            "all_photos": self.all_photos,
            "groups": self.groups,
            "classes": list(self.classes),
            "left_out": list(self.left_out),
            "views": plain(self.views),
        }

    def lines(self) -> list[str]:
        """A table of fixed width, the classes that are given away, and the verdict."""
        table = [
            f"{'what the model sees':<44}{'balanced':>9}  {'95 % interval':<14}{'accuracy':>9}",
            *(
                f"{view.sees:<44}{_percent(view.balanced_accuracy.value):>9}  "
                f"{_range(view.balanced_accuracy):<14}{_percent(view.accuracy.value):>9}"
                for view in self.views
            ),
            f"{'chance':<44}{_percent(self.chance):>9}  {'':<14}{_percent(self.majority_share):>9}",
        ]
        return [*table, *self._classes_in_words(), *self._limits(), self.verdict]

    def _compared(self) -> str:
        whole = next((view for view in self.views if view.name == "whole_picture"), None)
        if whole is None:
            return ""
        return f" The model on the whole picture reaches {_percent(whole.balanced_accuracy.value)}."

    def _green(self) -> str:
        if self.strength == "none" or not self.leaves_reach_border:
            return ""
        return (
            f" But {_percent(self.border_green)} of the border is green: leaves reach it, "
            "so part of this may be seen on leaves."
        )

    def _classes_in_words(self) -> list[str]:
        given = self.worst.given_away
        if not given:
            return ["no class by itself is given away by the border"]
        named = "; ".join(f"{name} {_percent(self.worst.recall[name].value)}" for name in given[:MOST_NAMED])
        rest = f"; and {len(given) - MOST_NAMED} more" if len(given) > MOST_NAMED else ""
        return [f"given away by the border: {len(given)} of {len(self.classes)} classes: {named}{rest}"]

    def _limits(self) -> list[str]:
        said = []
        if self.left_out:
            some = ", ".join(self.left_out[:MOST_NAMED])
            rest = f" and {len(self.left_out) - MOST_NAMED} more" if len(self.left_out) > MOST_NAMED else ""
            said.append(f"not measured, fewer than two independent groups: {some}{rest}")
        if self.photos < self.all_photos:
            said.append(f"measured on {self.photos} of {self.all_photos} photographs, drawn by class")
        return said


def _percent(share: float) -> str:
    return f"{100.0 * share:.0f} %"


def _range(interval: Interval) -> str:
    return f"{100.0 * interval.low:.0f} to {100.0 * interval.high:.0f} %"
