"""Experiments on recipes: search, ablation, comparison of runs.

Enters: a recipe with its tables ``search`` and ``ablations``, or the folders of finished runs, and
photographs. Leaves: more runs, and tables, pages and files that say what changed and how sure that is. It
does not know how a network is trained (``training``) or judged (``evaluation``): it decides what to train
next and compares.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.errors import require

if TYPE_CHECKING:
    from leafsight.experiments.run_scores import RunScores, judge_run, load_run_scores

_HOME = {
    "RunScores": "run_scores",
    "judge_run": "run_scores",
    "load_run_scores": "run_scores",
}

__all__ = [
    "RunScores",
    "judge_run",
    "load_run_scores",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("torch", "train")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
