"""The advice cards that belong to an answer: which, in which order, and which of them lie open.

Enters: an answer. Leaves: cards as text, as the web page shows them (``diagnose-advice.js``). No product and
no dose stands in any of them.
"""

from __future__ import annotations

from dataclasses import dataclass

from leafsight.desktop.session.language import named, tr
from leafsight.desktop.session.wording import spoken
from leafsight.inference import Answer
from leafsight.taxonomy import Card, Source, card, find_class, has_card

MOST_CARDS = 3


@dataclass(frozen=True, slots=True)
class Advice:
    """One card.

    Attributes:
        title: what it is about.
        parts: titles and texts.
        sources: where that is from.
        is_open: whether it is read without asking for it: the answer names what it is about.
    """

    title: str
    parts: tuple[tuple[str, str], ...]
    sources: tuple[Source, ...]
    is_open: bool


def advice_on(answer: Answer) -> tuple[Advice, ...]:
    """The card of what is named; else those of what cannot be excluded, at most three."""
    if answer.verdict in ("not_a_leaf", "too_blurred"):
        return ()
    keys = [answer.key] if answer.is_diagnosis else [one.key for one in answer.possible][:MOST_CARDS]
    return tuple(
        _advice(card(key), is_open=answer.is_diagnosis) for key in keys if key is not None and has_card(key)
    )


def _advice(one: Card, *, is_open: bool) -> Advice:
    parts = (
        (tr("What it is"), tr(one.what_it_is)),
        (tr("What it looks like"), tr(one.looks_like)),
        (tr("How to tell it from others"), tr(one.told_apart)),
        (tr("What growers do"), tr(one.growers_do)),
        (tr("When to ask an expert"), tr(one.ask_an_expert)),
        (tr("Mistaken for"), "; ".join(named(find_class(key).display) for key in one.mistaken_for)),
    )
    title = tr("About {condition}", condition=spoken(find_class(one.key).display))
    return Advice(title, tuple(part for part in parts if part[1]), one.sources, is_open)
