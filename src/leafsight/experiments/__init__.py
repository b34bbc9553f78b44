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
    from leafsight.experiments.ablation import run_ablation
    from leafsight.experiments.ablation_page import write_ablation
    from leafsight.experiments.ablation_plan import AblationPlan, plan_ablation
    from leafsight.experiments.ablation_results import AblationResult, load_ablation
    from leafsight.experiments.ablation_words import (
        ablation_cells,
        ablation_headings,
        ablation_method,
        change_in_words,
    )
    from leafsight.experiments.comparing import compare_runs
    from leafsight.experiments.comparing_page import write_comparison
    from leafsight.experiments.comparing_records import ComparedRuns
    from leafsight.experiments.comparing_subjects import Asking, Subject, open_subjects
    from leafsight.experiments.comparing_words import comparison_sentences, comparison_tests
    from leafsight.experiments.run_scores import RunScores, judge_run, load_run_scores
    from leafsight.experiments.search import run_search
    from leafsight.experiments.search_outcome import SearchOutcome, doubt_in_words, result_in_words, shown
    from leafsight.experiments.search_request import SearchRequest
    from leafsight.experiments.search_runner import EndedTrial, Judge, TrialJob, TrialRunner
    from leafsight.experiments.search_space import search_options
    from leafsight.experiments.search_trial import Attempt, run_trial

_HOME = {
    "AblationPlan": "ablation_plan",
    "AblationResult": "ablation_results",
    "ablation_cells": "ablation_words",
    "ablation_headings": "ablation_words",
    "ablation_method": "ablation_words",
    "change_in_words": "ablation_words",
    "load_ablation": "ablation_results",
    "plan_ablation": "ablation_plan",
    "run_ablation": "ablation",
    "write_ablation": "ablation_page",
    "Asking": "comparing_subjects",
    "ComparedRuns": "comparing_records",
    "Subject": "comparing_subjects",
    "compare_runs": "comparing",
    "comparison_sentences": "comparing_words",
    "comparison_tests": "comparing_words",
    "open_subjects": "comparing_subjects",
    "write_comparison": "comparing_page",
    "RunScores": "run_scores",
    "judge_run": "run_scores",
    "load_run_scores": "run_scores",
    "Attempt": "search_trial",
    "EndedTrial": "search_runner",
    "Judge": "search_runner",
    "SearchOutcome": "search_outcome",
    "SearchRequest": "search_request",
    "TrialJob": "search_runner",
    "TrialRunner": "search_runner",
    "doubt_in_words": "search_outcome",
    "result_in_words": "search_outcome",
    "run_search": "search",
    "run_trial": "search_trial",
    "search_options": "search_space",
    "shown": "search_outcome",
}

__all__ = [
    "AblationPlan",
    "AblationResult",
    "ablation_cells",
    "ablation_headings",
    "ablation_method",
    "change_in_words",
    "load_ablation",
    "plan_ablation",
    "run_ablation",
    "write_ablation",
    "Asking",
    "ComparedRuns",
    "Subject",
    "compare_runs",
    "comparison_sentences",
    "comparison_tests",
    "open_subjects",
    "write_comparison",
    "RunScores",
    "judge_run",
    "load_run_scores",
    "Attempt",
    "EndedTrial",
    "Judge",
    "SearchOutcome",
    "SearchRequest",
    "TrialJob",
    "TrialRunner",
    "doubt_in_words",
    "result_in_words",
    "run_search",
    "run_trial",
    "search_options",
    "shown",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    require("torch", "train")
    if _HOME[name].startswith("search"):
        require("optuna", "tune")
    value = getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
    globals()[name] = value
    return value
