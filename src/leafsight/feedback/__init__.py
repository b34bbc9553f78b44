"""Labelled photographs that people send: looked at, held in quarantine, judged.

Enters: photographs with the class that somebody says they show, and the model that serves. Leaves: findings
on each. It does not know HTTP, nor who decides; what is learned from them, ``retraining`` knows.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.feedback.records import (
    FINDING_KINDS,
    MOST_PER_SOURCE,
    REFUSED,
    RULE,
    Asked,
    Finding,
    FindingKind,
    Judged,
    Sent,
)

if TYPE_CHECKING:
    from leafsight.feedback.accepting import Accepted, accept_clean
    from leafsight.feedback.champion import Champion
    from leafsight.feedback.correcting import contribution_of_correction
    from leafsight.feedback.examining import Examination, examine
    from leafsight.feedback.judging import judge
    from leafsight.feedback.keeping import Quarantined, keep_examined, prepare_examination
    from leafsight.feedback.known import Known, known_of
    from leafsight.feedback.looked import Looked
    from leafsight.feedback.naming import ClassNames, Named, clean_class_name
    from leafsight.feedback.rechecking import Rechecked, recheck

# Loaded when first asked for: who wants a name need not load NumPy's linear algebra.
_LATE = {
    "Accepted": "accepting",
    "Champion": "champion",
    "ClassNames": "naming",
    "Examination": "examining",
    "Known": "known",
    "Looked": "looked",
    "Named": "naming",
    "Quarantined": "keeping",
    "Rechecked": "rechecking",
    "accept_clean": "accepting",
    "clean_class_name": "naming",
    "contribution_of_correction": "correcting",
    "examine": "examining",
    "judge": "judging",
    "keep_examined": "keeping",
    "known_of": "known",
    "prepare_examination": "keeping",
    "recheck": "rechecking",
}

__all__ = [
    "Accepted",
    "Asked",
    "Champion",
    "ClassNames",
    "Examination",
    "FINDING_KINDS",
    "Finding",
    "FindingKind",
    "Judged",
    "Known",
    "Looked",
    "MOST_PER_SOURCE",
    "Named",
    "Quarantined",
    "REFUSED",
    "RULE",
    "Rechecked",
    "Sent",
    "accept_clean",
    "clean_class_name",
    "contribution_of_correction",
    "examine",
    "judge",
    "keep_examined",
    "known_of",
    "prepare_examination",
    "recheck",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f"leafsight.feedback.{_LATE[name]}"), name)
    raise AttributeError(f"module 'leafsight.feedback' has no attribute {name!r}")
