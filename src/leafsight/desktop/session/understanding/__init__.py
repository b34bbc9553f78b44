"""What is in a folder of photographs, found by a child process: the health report and the insight pictures.

Enters: folders that a person chose. Leaves: a ``Study``, kept on disk so that the next window shows it at
once. The window's thread never waits for the work, nor for Python's lock.
"""

from leafsight.desktop.session.understanding.pace import Told
from leafsight.desktop.session.understanding.phrases import (
    case_in_words,
    classes_in_words,
    hint_in_words,
    kind_in_words,
    made_in_words,
    places_in_words,
    progress_in_words,
    second_line,
    step_in_words,
    verdict,
    weight_in_words,
)
from leafsight.desktop.session.understanding.saving import save_report
from leafsight.desktop.session.understanding.studies import (
    Cases,
    InsightPicture,
    Problem,
    ProblemCase,
    Seen,
    Study,
    last_study,
    load_study,
)
from leafsight.desktop.session.understanding.studying import Wish, work
from leafsight.desktop.session.understanding.understanding import State, Understanding

__all__ = [
    "Cases",
    "InsightPicture",
    "Problem",
    "ProblemCase",
    "Seen",
    "State",
    "Study",
    "Told",
    "Understanding",
    "Wish",
    "case_in_words",
    "classes_in_words",
    "hint_in_words",
    "kind_in_words",
    "last_study",
    "load_study",
    "made_in_words",
    "places_in_words",
    "progress_in_words",
    "save_report",
    "second_line",
    "step_in_words",
    "verdict",
    "weight_in_words",
    "work",
]
