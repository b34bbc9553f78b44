"""What a person may say that a photograph shows: the classes of the model, the likeliest first."""

from __future__ import annotations

from collections.abc import Sequence

from leafsight.desktop.session.language import named
from leafsight.desktop.session.loading import Model
from leafsight.desktop.session.photographs import Photograph
from leafsight.taxonomy import find_class

Named = tuple[str, str]
"""Key of a class, and its name for people."""


def classes_to_say(model: Model, photograph: Photograph | None) -> list[Named]:
    """All classes: what the model thought of first, then those of the crop that was given, then the others.

    Args:
        model: that answered.
        photograph: that the person looks at; None offers them by their names.
    """
    found = None if photograph is None else photograph.prediction
    top = [] if found is None else [one.key for one in found.top]
    crop = None if found is None or found.crop_given is None else f"{found.crop_given}/"

    def place(one: Named) -> tuple[int, str]:
        key, name = one
        if key in top:
            return top.index(key), ""
        return len(top) + (0 if crop and key.startswith(crop) else 1), name.lower()

    return sorted(((key, named(name)) for key, name in model.classes.items()), key=place)


def with_words(classes: Sequence[Named], text: str) -> list[Named]:
    """Those that have all words of ``text`` in their name or key, in any order; case does not count."""
    wanted = text.lower().split()
    return [one for one in classes if all(word in f"{one[1]} {one[0]}".lower() for word in wanted)]


def name_of(key: str, model: Model | None) -> str:
    """The name of a class for people, also where the model does not know it, or is not known yet."""
    return named((model and model.classes.get(key)) or find_class(key).display)
