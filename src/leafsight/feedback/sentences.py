"""Findings in words.

Enters: what was found out. Leaves: findings with one plain sentence each. It decides nothing, except whether
a finding keeps a rule from accepting.
"""

from __future__ import annotations

from typing import Any

from leafsight.feedback.consensus import Doubt
from leafsight.feedback.records import Finding


def locked_test(equal: bool) -> Finding:
    """A photograph of the locked test, or a copy of one."""
    what = "is a photograph" if equal else "looks like a copy of a photograph"
    said = f"It {what} of the locked test: nothing may be learned from it."
    return Finding("test_duplicate", said, True, {"equal": equal})


def training_duplicate(equal: bool) -> Finding:
    """A photograph that the champion was made from."""
    what = "is a photograph" if equal else "looks like a copy of a photograph"
    return Finding(
        "training_duplicate", f"It {what} that the present model was made from.", True, {"equal": equal}
    )


def duplicate(of: str, name: str, label: str | None, rejected: bool = False) -> Finding:
    """The same pixels as another contribution.

    Args:
        of: its id; empty for one of the same upload.
        name: what to call it.
        label: its label where that is another one.
        rejected: whether it was rejected.
    """
    values: dict[str, Any] = {"of": of} if of else {"like": name}
    if label and rejected:
        said = f"It has the same pixels as {name}, and was sent as {label}, which was rejected."
    elif label:
        said = f"It has the same pixels as {name}, and was sent as {label}."
    elif rejected:
        said = f"It has the same pixels as {name}, which was rejected."
    else:
        said = f"It has the same pixels as {name}."
    return Finding("duplicate", said, True, values)


def near_duplicate(of: str, name: str) -> Finding:
    """Nearly the same picture as another contribution."""
    values: dict[str, Any] = {"of": of} if of else {"like": name}
    return Finding("near_duplicate", f"It shows nearly the same picture as {name}.", False, values)


def bad_picture(why: str, said: str) -> Finding:
    """A photograph on which little can be seen."""
    return Finding("bad_picture", said, True, {"why": why})


def not_a_leaf() -> Finding:
    """The champion sees no leaf."""
    return Finding("not_a_leaf", "The present model sees no leaf in it.", True)


def label_doubt(doubt: Doubt, label: str) -> Finding:
    """The label is not borne out."""
    instead = f", and takes it for {doubt.instead}" if doubt.instead else ""
    said = {
        "champion": f"The present model gives {label} a probability of {doubt.probability:.0%}{instead}.",
        "neighbours": f"Of the training photographs most like it, few show {label}, most {doubt.instead}.",
        "others": f"It looks more like {doubt.instead} than like the other photographs of {label}.",
        "too_few": f"There are too few other photographs of {label} to tell whether it is one.",
        "contradiction": f"The same photograph was sent as {doubt.instead}, too.",
    }[doubt.why]
    values: dict[str, Any] = {"why": doubt.why}
    if doubt.instead:
        values["instead"] = doubt.instead
    return Finding("label_doubt", said, True, values)


def new_class(label: str) -> Finding:
    """A class that nobody declared."""
    said = f"The present model does not know {label}, and nobody has declared it."
    return Finding("new_class", said, True)


def over_cap(label: str, most: int) -> Finding:
    """One source brought too many of a class."""
    said = f"Its sender has brought {most:,} photographs of {label} since the last training already."
    return Finding("over_cap", said, True, {"most": most})


def doubted_source(doubted: int, judged: int) -> Finding:
    """Too many labels of one source are doubted."""
    said = f"{doubted:,} of {judged:,} labels of its sender are doubted: a person has to look at all."
    return Finding("doubted_source", said, True, {"doubted": doubted, "judged": judged})
