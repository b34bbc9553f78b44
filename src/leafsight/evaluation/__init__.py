"""Says how good a model is, how sure, and when it should keep silent; takes a callable, needs only NumPy.

Enters: scores of photographs and their labels. Leaves: an ``Evaluation`` with intervals, a ``Calibration``
that serving uses, and a report for people. It does not know what a network or a file of photographs is.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.evaluation.calibration import Calibration
from leafsight.evaluation.familiarity import Familiarity
from leafsight.evaluation.fitting import crop_mates, fit_calibration
from leafsight.evaluation.interval import Interval, wilson
from leafsight.evaluation.pooling import decide_plant, pool_log_probabilities
from leafsight.evaluation.probability import log_softmax, restrict, softmax
from leafsight.evaluation.scores import Scores, collect_scores, join_scores
from leafsight.evaluation.verdict import KINDS, Decisions, Kind, Verdict, decide, decide_all, verdicts

if TYPE_CHECKING:
    from leafsight.evaluation.bootstrap import Resampling
    from leafsight.evaluation.comparison import Comparison, compare
    from leafsight.evaluation.folds import draw_rows, group_codes, group_folds
    from leafsight.evaluation.judging import evaluate
    from leafsight.evaluation.options import CalibrationOptions, EvaluationOptions
    from leafsight.evaluation.paired_tests import PairedTests, holm, mcnemar, sign_flip, tell_apart
    from leafsight.evaluation.repeats import (
        Repeated,
        Resampled,
        repeated,
        repeated_difference,
        resampled_metrics,
    )
    from leafsight.evaluation.report import write_report
    from leafsight.evaluation.results import ClassResult, Evaluation, Mistake, Slice, plain
    from leafsight.evaluation.ridge import cosine_features, out_of_fold_probabilities
    from leafsight.evaluation.shortcut_records import Shortcuts, ShortcutView
    from leafsight.evaluation.shortcut_views import thumbnail_features
    from leafsight.evaluation.shortcuts import measure_shortcuts
    from leafsight.evaluation.strangers import StrangerResult, judge_strangers

# Loaded when first asked for: serving passes through this door and needs neither pydantic nor the report.
_LATE = {
    "CalibrationOptions": "options",
    "EvaluationOptions": "options",
    "Comparison": "comparison",
    "compare": "comparison",
    "PairedTests": "paired_tests",
    "holm": "paired_tests",
    "mcnemar": "paired_tests",
    "sign_flip": "paired_tests",
    "tell_apart": "paired_tests",
    "evaluate": "judging",
    "ClassResult": "results",
    "Evaluation": "results",
    "Mistake": "results",
    "Slice": "results",
    "plain": "results",
    "Resampling": "bootstrap",
    "Repeated": "repeats",
    "Resampled": "repeats",
    "repeated": "repeats",
    "repeated_difference": "repeats",
    "resampled_metrics": "repeats",
    "write_report": "report",
    "Shortcuts": "shortcut_records",
    "ShortcutView": "shortcut_records",
    "measure_shortcuts": "shortcuts",
    "thumbnail_features": "shortcut_views",
    "cosine_features": "ridge",
    "out_of_fold_probabilities": "ridge",
    "draw_rows": "folds",
    "group_codes": "folds",
    "group_folds": "folds",
    "StrangerResult": "strangers",
    "judge_strangers": "strangers",
}

__all__ = [
    "Calibration",
    "CalibrationOptions",
    "ClassResult",
    "Comparison",
    "Decisions",
    "Evaluation",
    "EvaluationOptions",
    "Familiarity",
    "Interval",
    "KINDS",
    "Kind",
    "Mistake",
    "PairedTests",
    "Repeated",
    "Resampled",
    "Resampling",
    "Scores",
    "ShortcutView",
    "Shortcuts",
    "Slice",
    "StrangerResult",
    "Verdict",
    "collect_scores",
    "compare",
    "cosine_features",
    "crop_mates",
    "decide",
    "decide_all",
    "decide_plant",
    "draw_rows",
    "evaluate",
    "fit_calibration",
    "group_codes",
    "group_folds",
    "holm",
    "join_scores",
    "judge_strangers",
    "log_softmax",
    "mcnemar",
    "measure_shortcuts",
    "out_of_fold_probabilities",
    "plain",
    "pool_log_probabilities",
    "repeated",
    "repeated_difference",
    "resampled_metrics",
    "restrict",
    "sign_flip",
    "softmax",
    "tell_apart",
    "thumbnail_features",
    "verdicts",
    "wilson",
    "write_report",
]


def __getattr__(name: str) -> Any:
    if name in _LATE:
        return getattr(import_module(f"leafsight.evaluation.{_LATE[name]}"), name)
    raise AttributeError(f"module 'leafsight.evaluation' has no attribute {name!r}")
