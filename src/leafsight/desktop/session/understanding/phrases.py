"""How a study and the way to it are said in the window."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from pathlib import Path

from leafsight.desktop.session.language import tr, translated, trn
from leafsight.desktop.session.understanding.pace import STEPS, Told
from leafsight.desktop.session.understanding.studies import Problem, ProblemCase, Study
from leafsight.desktop.session.wording import date_and_time
from leafsight.storage import readable

KINDS = {
    "animated": "Several pictures in one file",
    "blurred": "Blurred or enlarged",
    "copies": "Copies",
    "corrupt-image": "Damaged files",
    "dark": "Dark photographs",
    "elsewhere": "In another collection, too",
    "empty-file": "Empty files",
    "extreme-aspect": "Very long or very wide",
    "gps": "The place is in the file",
    "image": "Too small",
    "image-too-large": "Too large",
    "leak": "In training and test alike",
    "low-contrast": "Hardly any contrast",
    "low-information": "Hardly any information",
    "mislabelled-type": "Another type than the name says",
    "named-together": "Names that belong together",
    "no-shortcut": "No shortcut found",
    "odd-colours": "Odd colours",
    "one-class": "One class only",
    "over-exposed": "Over-exposed",
    "padded": "Even margins",
    "same-leaf": "The same leaf again",
    "same-leaf-elsewhere": "The same leaf in another collection",
    "same-leaf-leak": "The same leaf in training and test",
    "shortcut": "A shortcut",
    "small-classes": "Few photographs in a class",
    "suspicious-labels": "Labels that look wrong",
    "tiny": "Tiny",
    "turned-by-exif": "Turned by a note in the file",
    "two-labels": "One photograph, two labels",
    "unreadable": "Cannot be opened",
    "unsupported-image": "No photographs",
}
WEIGHTS = {"mend": "Mend before training", "look": "Look at these", "know": "Good to know"}
STEP_WORDS = {
    "read": "Reading the photographs",
    "check": "Looking for what is wrong",
    "draw": "Drawing pictures of the collection",
    "keep": "Keeping what was found",
}
CLASSES_NAMED = 4


def kind_in_words(problem: Problem) -> str:
    """A finding in two or three words."""
    found = KINDS.get(problem.kind)
    return problem.kind.replace("-", " ").capitalize() if found is None else tr(found)


def hint_in_words(problem: Problem) -> str:
    """What to do, as a sentence; empty where nothing is to be done."""
    hint = translated(problem.hint.strip())
    if not hint.startswith("leafsight "):  # the name of a command stays as it is typed
        hint = f"{hint[:1].upper()}{hint[1:]}"
    return hint and hint + ("" if hint.endswith(".") else ".")


def said_ahead(study: Study) -> Study:
    """The same study, its sentences looked up in the language of the window: they are at once there then.

    Some fifteen paragraphs take a tenth of a second together, which the window's thread does not have.
    """
    for problem in study.problems:
        for text in (problem.sentence, hint_in_words(problem)):
            translated(text)
    for one in study.pictures:
        for text in (one.title, one.question, one.answer):
            translated(text)
    return study


def weight_in_words(weight: str) -> str:
    """What a finding asks for."""
    return tr(WEIGHTS.get(weight, weight))


def verdict(study: Study) -> str:
    """The first thing to know."""
    if study.to_mend:
        return trn(
            "{number} thing must be mended before training",
            "{number} things must be mended before training",
            study.to_mend,
        )
    return tr("Nothing must be mended before training")


def second_line(study: Study) -> str:
    """What there is beside that."""
    if study.to_look:
        return trn("{number} thing deserves a look.", "{number} things deserve a look.", study.to_look)
    return tr("Nothing else was found that needs a person.")


def places_in_words(places: Sequence[Path]) -> str:
    """What a collection is called."""
    return ", ".join(readable(place.name or str(place)) for place in places)


def made_in_words(study: Study) -> str:
    """When it was looked at."""
    return tr("Looked at on {when}", when=date_and_time(datetime.fromtimestamp(study.made_s)))


def classes_in_words(problem: Problem) -> str:
    """Photographs concerned by class; empty where that says nothing."""
    if len(problem.per_class) < 2:
        return ""
    shown = [
        tr("{name} {count} of {of}", name=name, count=f"{count:,}", of=f"{problem.class_sizes[name]:,}")
        if problem.class_sizes.get(name)
        else tr("{name} {count}", name=name, count=f"{count:,}")
        for name, count in list(problem.per_class.items())[:CLASSES_NAMED]
    ]
    rest = len(problem.per_class) - len(shown)
    if rest:
        shown.append(trn("{number} more class", "{number} more classes", rest))
    return tr("By class: {classes}", classes=", ".join(shown))


def case_in_words(study: Study, case: ProblemCase) -> str:
    """The photographs of a case and what is the matter, for a screen reader and the mouse."""
    names = " = ".join(study.photographs[row].name for row in case.rows)
    return f"{names}: {translated(case.text)}" if case.text else names


def step_in_words(told: Told | None) -> str:
    """What is being done."""
    if told is None:
        return tr("Beginning")
    return tr(
        "{step} (step {number} of {of})", step=tr(STEP_WORDS[told.step]), number=told.number, of=len(STEPS)
    )


def progress_in_words(told: Told | None) -> str:
    """How far that is; empty where nobody knows."""
    if told is None or not told.total:
        return ""
    said = tr("{done} of {total}", done=f"{told.done:,}", total=f"{told.total:,}")
    return said if told.left_s is None else f"{said} · {left_in_words(told.left_s)}"


def left_in_words(seconds: float) -> str:
    """How long the step still takes, no finer than is known."""
    if seconds < 10:
        return tr("a few seconds left")
    if seconds < 55:
        return tr("less than a minute left")
    minutes = round(seconds / 60)
    if minutes < 90:
        return trn("about {number} minute left", "about {number} minutes left", max(1, minutes))
    return trn("about {number} hour left", "about {number} hours left", max(2, round(seconds / 3600)))
