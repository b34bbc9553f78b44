"""Class names -> the labels of a bundle, as the taxonomy reads them."""

from __future__ import annotations

from collections.abc import Sequence

from leafsight.bundle.records import Label
from leafsight.taxonomy import find_class


def labels_for(classes: Sequence[str]) -> list[Label]:
    """The classes of a network as the taxonomy reads their names; unknown names are kept as they are."""
    labels = []
    for name in classes:
        found = find_class(name)
        labels.append(
            Label(
                class_name=name,
                key=found.key,
                crop=None if found.crop is None else found.crop.key,
                condition=found.condition.key if found.is_leaf else None,
                display=found.display,
                is_leaf=found.is_leaf,
            )
        )
    return labels
