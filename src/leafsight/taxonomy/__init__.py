"""Crops, conditions, the many spellings of class names, and a card of advice per condition.

Enters: the name of a class or crop as some collection, model or person writes it. Leaves: the one
vocabulary of leafsight, and for the classes that it describes a card with named sources. It does not
know photographs, models or probabilities. A name that it has never seen is answered too
(``known=False``): a lab's own classes work everywhere.
"""

from leafsight.taxonomy.cards import card, has_card
from leafsight.taxonomy.lookup import classes_of, find_class, find_crop, positions_of
from leafsight.taxonomy.records import NOT_A_LEAF, Card, CauseKind, Condition, Crop, PlantClass, Source
from leafsight.taxonomy.vocabulary import conditions, crops, plant_classes

__all__ = [
    "NOT_A_LEAF",
    "Card",
    "CauseKind",
    "Condition",
    "Crop",
    "PlantClass",
    "Source",
    "card",
    "classes_of",
    "conditions",
    "crops",
    "find_class",
    "find_crop",
    "has_card",
    "plant_classes",
    "positions_of",
]
