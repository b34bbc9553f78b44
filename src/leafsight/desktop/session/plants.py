"""Photographs that show one plant: who belongs together, and what they say together.

Enters: numbers of photographs that a person says show one plant. Leaves: plants. It asks nobody: what a
plant's answer is, comes from outside.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from leafsight.desktop.session.photographs import Photograph, Trouble
from leafsight.desktop.session.questions import PlantAnswer
from leafsight.errors import UsageError
from leafsight.inference import Combined

MOST_OF_ONE_PLANT = 32
"""As many as a server takes at once; they are all in memory while they are judged."""


@dataclass(frozen=True, slots=True)
class Plant:
    """Two photographs or more that a person says show one plant.

    Attributes:
        number: from 1 on; never given twice in a session.
        photographs: their numbers, in the order in which they came to the plant.
        combined: the one answer of all of them; None while it waits.
        problem: why there is no answer, though it was asked for.
    """

    number: int
    photographs: tuple[int, ...]
    combined: Combined | None = None
    problem: Trouble | None = None


class Plants:
    """All plants of a session; a photograph belongs to one at most."""

    def __init__(self) -> None:
        self._all: dict[int, Plant] = {}
        self._of: dict[int, int] = {}
        self._next = 1

    def __iter__(self) -> Iterator[Plant]:
        return iter(tuple(self._all.values()))

    def get(self, number: int | None) -> Plant | None:
        """One of them as it is now."""
        return None if number is None else self._all.get(number)

    def of(self, photograph: int) -> Plant | None:
        """The plant that a photograph shows."""
        return self.get(self._of.get(photograph))

    def join(self, photographs: Sequence[int]) -> Plant | None:
        """These show one plant, and so do all that were said to show the same plant as one of them.

        Returns:
            The plant, or None when that is no news, or only one photograph.

        Raises:
            UsageError: they are too many.
        """
        known = sorted({found.number for one in photographs if (found := self.of(one)) is not None})
        before = [one for number in known for one in self._all[number].photographs]
        members = tuple(dict.fromkeys([*before, *photographs]))
        if len(members) < 2 or (len(known) == 1 and len(members) == len(before)):
            return None
        if len(members) > MOST_OF_ONE_PLANT:
            raise UsageError(
                f"At most {MOST_OF_ONE_PLANT} photographs of one plant are judged together.",
                hint="Take some away; six tell nearly as much as more.",
            )
        number = known[0] if known else self._next
        for other in known:
            del self._all[other]
        return self._put(Plant(number, members))

    def leave(self, photographs: Iterable[int]) -> list[int]:
        """These belong to no plant any more; a plant of which less than two are left is none.

        Returns:
            All photographs of the plants that are not what they were, those that left among them.
        """
        gone = {one for one in photographs if one in self._of}
        touched: list[int] = []
        for number in sorted({self._of[one] for one in gone}):
            before = self._all.pop(number).photographs
            touched.extend(before)
            for one in before:
                del self._of[one]
            left = tuple(one for one in before if one not in gone)
            if len(left) > 1:
                self._put(Plant(number, left))
        return touched

    def restore(self, photographs: Iterable[Photograph], answers: Mapping[int, Combined]) -> list[int]:
        """The plants that photographs of another window name; the numbers of those to ask about again."""
        members: dict[int, list[int]] = {}
        for one in photographs:
            if one.plant is not None:
                members.setdefault(one.plant, []).append(one.number)
        for number, numbers in members.items():
            said = answers.get(number)
            whole = said is not None and said.photographs == len(numbers)  # else a crash came between the two
            self._put(Plant(number, tuple(numbers), said if whole else None))
        return [number for number in members if self._all[number].combined is None]

    def asked(self, number: int) -> Plant | None:
        """A plant, as one that waits; None when there is none of that number."""
        plant = self._all.get(number)
        return None if plant is None else self._put(replace(plant, combined=None, problem=None))

    def answered(self, answer: PlantAnswer) -> Plant | None:
        """A plant with its answer; None when it has other photographs by now, or is none."""
        plant, said = self._all.get(answer.question.number), answer.said
        if plant is None or plant.photographs != answer.question.photographs:
            return None
        if isinstance(said, Combined):
            return self._put(replace(plant, combined=said, problem=None))
        return self._put(replace(plant, combined=None, problem=said))

    def ask_anew(self) -> None:
        """What they said does not hold any more."""
        self._all = {number: replace(one, combined=None, problem=None) for number, one in self._all.items()}

    def _put(self, plant: Plant) -> Plant:
        self._all[plant.number] = plant
        self._of.update(dict.fromkeys(plant.photographs, plant.number))
        self._next = max(self._next, plant.number + 1)
        return plant
