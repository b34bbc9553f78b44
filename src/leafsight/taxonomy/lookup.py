"""Names in any spelling to records of the vocabulary, or to records made from the spelling itself."""

from __future__ import annotations

from collections.abc import Sequence

from leafsight.errors import TaxonomyError, nearest
from leafsight.taxonomy.records import NOT_A_LEAF, Condition, Crop, PlantClass
from leafsight.taxonomy.spelling import CROP_SEPARATOR, as_key, as_words, readings, squash
from leafsight.taxonomy.vocabulary import vocabulary


def find_class(spelling: str, *, crop: str | None = None) -> PlantClass:
    """The class that a name means.

    Case, spaces, underscores and punctuation do not count. A name that is not in the vocabulary gives a
    class made from the spelling, with ``known=False``: ``Crop___Condition`` is split, any other name has
    no crop.

    Args:
        spelling: name of a class as a folder, a model or a person writes it, or a key.
        crop: crop of a collection whose names give the condition only (``healthy``, ``rust``). A crop
            that stands in the name itself wins.

    Raises:
        TaxonomyError: the name or the crop is blank.
    """
    if not spelling.strip():
        raise TaxonomyError(
            f"a class needs a name, got {spelling!r}", hint="name the class after what it shows"
        )
    key = _known_key(squash(spelling), crop)
    if key:
        return vocabulary().classes[key]
    crop_part, _, condition_part = spelling.partition(CROP_SEPARATOR)
    if squash(crop_part) and squash(condition_part):
        return _built(crop_part, condition_part)
    return _built(crop, spelling)


def find_crop(spelling: str) -> Crop:
    """The crop that a name means, such as ``maize`` or ``Urd bean``.

    Raises:
        TaxonomyError: not in the vocabulary; the hint names the nearest crop and all of them.
    """
    words = vocabulary()
    key = words.crop_spellings.get(squash(spelling))
    if key is not None:
        return words.crops[key]
    names = ", ".join(crop.name for crop in words.crops.values())
    close = words.crop_spellings.get(nearest(squash(spelling), words.crop_spellings))
    meant = f"did you mean '{words.crops[close].name}'? " if close else ""
    raise TaxonomyError(
        f"'{spelling}' is not a crop that leafsight knows", hint=f"{meant}known crops: {names}"
    )


def classes_of(crop: str | Crop) -> tuple[PlantClass, ...]:
    """Every class that a plant of this crop can have, healthy among them where the vocabulary has it.

    A narrower and a wider crop lend each other their classes: an orange can have what the vocabulary
    lists for citrus.

    Raises:
        TaxonomyError: the crop is not in the vocabulary.
    """
    wanted = find_crop(crop.key if isinstance(crop, Crop) else crop)
    return tuple(
        one for one in vocabulary().classes.values() if one.crop is not None and _kin(one.crop, wanted)
    )


def positions_of(crop: str, class_names: Sequence[str]) -> tuple[int, ...]:
    """Which of a model's classes belong to a crop: what ``--crop`` keeps.

    Works for crops outside the vocabulary as long as the class names are ``Crop___Condition``.

    Args:
        crop: any spelling.
        class_names: the names of the classes, in the order of the model.

    Returns:
        Positions in ``class_names``, rising; at least one.

    Raises:
        TaxonomyError: no class belongs to the crop, and the hint names the crops that there are; or the
            crop is blank.
    """
    found = [find_class(name).crop for name in class_names]
    wanted = _crop_or_own(crop)
    positions = tuple(at for at, one in enumerate(found) if one is not None and _kin(one, wanted))
    if positions:
        return positions
    there = {one.key: one.name for one in found if one is not None}
    raise TaxonomyError(f"this model has no class for the crop '{crop}'", hint=_crops_hint(wanted, there))


def _crops_hint(wanted: Crop, there: dict[str, str]) -> str:
    if not there:
        return "none of its class names says a crop; leave the crop out"
    close = nearest(wanted.key, there)
    meant = f"did you mean '{there[close]}'? " if close else ""
    return f"{meant}crops of this model: {', '.join(there.values())}"


def _known_key(squashed: str, crop: str | None) -> str:
    """Key of the class of the vocabulary that a squashed name means, or an empty string."""
    words = vocabulary()
    if crop is not None:
        own = words.crop_spellings.get(squash(crop), "")
        key = words.conditions_on.get(own, {}).get(squashed)
    else:
        key = words.class_spellings.get(squashed)
    if key is None and words.class_spellings.get(squashed) == NOT_A_LEAF:
        key = NOT_A_LEAF
    if key is not None:
        return key
    readable = (words.conditions_on[at].get(text) for at, text in readings(squashed, words.crop_spellings))
    return next((found for found in readable if found), "")


def _kin(one: Crop, other: Crop) -> bool:
    return one.key in (other.key, other.within) or one.within == other.key


def _crop_or_own(spelling: str) -> Crop:
    """The crop of the vocabulary, or one made from a spelling that it does not know."""
    if not spelling.strip():
        raise TaxonomyError(f"a crop needs a name, got {spelling!r}", hint="name the crop or leave it out")
    words = vocabulary()
    key = words.crop_spellings.get(squash(spelling))
    return words.crops[key] if key else Crop(as_key(spelling), as_words(spelling))


def _condition_or_own(spelling: str) -> Condition:
    words = vocabulary()
    key = words.condition_spellings.get(squash(spelling))
    return words.conditions[key] if key else Condition(as_key(spelling), as_words(spelling), "unknown")


def _built(crop: str | None, condition: str) -> PlantClass:
    """A class that is not in the vocabulary, from its spelling."""
    of_crop = None if crop is None else _crop_or_own(crop)
    named = _condition_or_own(condition)
    key = named.key if of_crop is None else f"{of_crop.key}/{named.key}"
    return PlantClass(key, of_crop, named, known=False)
