"""Sentences that other rooms, or a server, say in English: found again by what of them never changes.

Enters: templates such as ``{0} has {1} photographs`` and a sentence. Leaves: which template it was made from,
and the values that stand in it. It does not know any language.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property

PLACE = re.compile(r"\{(\w+)\}")
LONGEST_SENTENCE = 2_000
"""Longer ones are not of ours; matching them would only take time."""


def filled(text: str, values: Mapping[str, object]) -> str:
    """A sentence with its values; nothing of a value can be asked for but what it is.

    Args:
        text: with ``{names}``.
        values: by name; a place without one stays as it is.
    """
    return PLACE.sub(lambda found: str(values.get(found[1], found[0])), text)


@dataclass(frozen=True)
class Template:
    """One English sentence with places for values.

    Attributes:
        text: with ``{names}`` for the values.
    """

    text: str

    @cached_property
    def names(self) -> tuple[str, ...]:
        """Of the places, in their order."""
        return tuple(PLACE.findall(self.text))

    @cached_property
    def fixed(self) -> tuple[str, ...]:
        """What stands between the places."""
        return tuple(part for part in PLACE.split(self.text)[::2] if part)

    @cached_property
    def weight(self) -> int:
        """How much of it never changes: of several that fit, the one that says most is meant."""
        return sum(map(len, self.fixed))

    def values_in(self, sentence: str) -> dict[str, str] | None:
        """What stands in the places; None where the sentence is another one.

        Each fixed part is taken where it comes first, which finds whatever can be found, and in one walk: a
        regular expression would walk back and forth, and a template of nobody known could make it never end.
        """
        first, *between = PLACE.split(self.text)[::2]
        last = between.pop() if between else ""
        end = len(sentence) - len(last)
        at = len(first)
        if at > end or not sentence.startswith(first) or not sentence.endswith(last):
            return None
        if not self.names:
            return {} if sentence == first else None
        found = []
        for part in between:
            start = sentence.find(part, at, end)
            if start < 0:
                return None
            found.append(sentence[at:start])
            at = start + len(part)
        return dict(zip(self.names, [*found, sentence[at:end]], strict=True))


class Templates:
    """All of a translation, the most telling first.

    Args:
        texts: English, with places.
    """

    def __init__(self, texts: Iterable[str]) -> None:
        made = (Template(text) for text in texts)
        ordered = sorted((one for one in made if one.weight), key=lambda one: (-one.weight, one.text))
        # Most are ruled out by their longest part alone.
        self._all = [(max(one.fixed, key=len), one) for one in ordered]

    def find(self, sentence: str) -> Iterator[tuple[Template, dict[str, str]]]:
        """Those that it may have been made from, with its values, the most telling first."""
        if len(sentence) > LONGEST_SENTENCE:
            return
        for longest, one in self._all:
            if longest in sentence and (values := one.values_in(sentence)) is not None:
                yield one, values
