"""The decision in a sentence, and as plain values."""

from __future__ import annotations

import json

from leafsight.retraining import Check
from leafsight.retraining.gate_report import decided
from leafsight.storage import canonical_json

GOOD = Check("accuracy", True, 0.01, -0.002, -0.005, "It is better.")
BAD = Check("size", False, 3.0, None, 1.25, "It is too large.")
ODD = Check("taught", False, float("nan"), None, 0.5, "Nothing is known.")


def test_every_condition_must_hold() -> None:
    assert decided("a", "b", [GOOD, GOOD]).passed
    report = decided("a", "b", [GOOD, BAD])
    assert not report.passed
    assert report.said == "Not better to serve: It is too large."
    assert decided("a", "b", [BAD, ODD]).said.startswith("Not better to serve (and 1 more of 2 conditions)")


def test_no_condition_is_no_pass() -> None:
    assert not decided("a", "b", []).passed


def test_plain_values_hold_no_nan() -> None:
    values = json.loads(
        canonical_json(decided("a", "b", [GOOD, ODD], measured={"nll": (0.1, float("nan"))}).to_dict())
    )
    assert values["checks"][1]["value"] is None
    assert values["measured"]["nll"] == [0.1, None]
    assert values["checks"][0]["low"] == -0.002
