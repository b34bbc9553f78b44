"""The durable loop: from what was accepted to a candidate, its gate report and, if it holds, the champion.

Enters: what was accepted, the model that serves, options. Leaves: a model in the registry and a report. It
does not know HTTP. What is needed is loaded when it is asked for.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from leafsight.retraining.candidate import BuiltCandidate
    from leafsight.retraining.gate import judge_gate
    from leafsight.retraining.gate_exam import Exam
    from leafsight.retraining.gate_options import GateOptions, gate_limits
    from leafsight.retraining.gate_report import Check, GateReport
    from leafsight.retraining.quick import quick_candidate
    from leafsight.retraining.quick_options import QuickOptions
    from leafsight.retraining.snapshot import Snapshot, SnapshotRow, freeze

_HOME = {
    "BuiltCandidate": "candidate",
    "Check": "gate_report",
    "Exam": "gate_exam",
    "GateOptions": "gate_options",
    "GateReport": "gate_report",
    "QuickOptions": "quick_options",
    "Snapshot": "snapshot",
    "SnapshotRow": "snapshot",
    "freeze": "snapshot",
    "gate_limits": "gate_options",
    "judge_gate": "gate",
    "quick_candidate": "quick",
}

__all__ = [
    "BuiltCandidate",
    "Check",
    "Exam",
    "GateOptions",
    "GateReport",
    "QuickOptions",
    "Snapshot",
    "SnapshotRow",
    "freeze",
    "gate_limits",
    "judge_gate",
    "quick_candidate",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    return getattr(import_module(f"{__name__}.{_HOME[name]}"), name)
