"""Looks whether an installation works, and says what to do where it does not.

Enters: an installation in plain values, a limit of time. Leaves: findings, each with what was seen and one
sentence on what to do. Nothing is made, migrated or repaired by looking; what breaks in one check is a
finding and stops no other. It does not know how findings are shown.
"""

from leafsight.doctor.checks import NAMES, checks_of
from leafsight.doctor.findings import Finding, State, Verdict, counted, verdict_of
from leafsight.doctor.hiding import password_in
from leafsight.doctor.installation import Installation
from leafsight.doctor.running import Check, examine

__all__ = [
    "Check",
    "Finding",
    "Installation",
    "NAMES",
    "State",
    "Verdict",
    "checks_of",
    "counted",
    "examine",
    "password_in",
    "verdict_of",
]
