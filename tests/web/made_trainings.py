"""Trainings, gates, watches and drift as the service answers them, made up for tests.

Enters: what came of them. Leaves: plain values in the shapes of the routes. It does not know who serves them.
"""

from __future__ import annotations

from typing import Any

from tests.web.made_learning import NOW_MS, an_id

CHAMPION, CHALLENGER = "c1" * 32, "d2" * 32


def a_model(model: str, name: str, **more: Any) -> dict[str, Any]:
    """A row of `/v1/models`."""
    return {
        "id": model,
        "name": name,
        "aliases": [],
        "serving": False,
        "builtin": False,
        "damaged": False,
        "bytes": 4_500_000,
        "classes": 50,
        "note": "",
        "created_at": NOW_MS,
        **more,
    }


def a_check(name: str, value: float | None, limit: float | None, said: str, **more: Any) -> dict[str, Any]:
    """One condition of a gate."""
    return {"name": name, "passed": True, "value": value, "low": None, "limit": limit, "said": said, **more}


def a_class(
    name: str, photos: int, champion: int | None, candidate: int, where: str = "locked test"
) -> dict[str, Any]:
    """One class of a gate."""
    share = candidate / photos
    return {
        "name": name,
        "where": where,
        "photos": photos,
        "champion": champion,
        "candidate": candidate,
        "low": max(0.0, share - 0.09),
        "high": min(1.0, share + 0.06),
    }


def a_gate(*, passed: bool = True, classes: int = 20) -> dict[str, Any]:
    """A gate with its numbers; one that did not hold lost a class."""
    rows = [a_class(f"Crop{at}___rust", 40, 36, 36 + (at % 3 - 1)) for at in range(classes)]
    rows.append(a_class("Bean___rust", 40, None, 38, "contributions"))
    lost = (
        "The class that changes for the worst is Crop3___rust: -20.00 points of "
        "40 photographs, which chance does with probability 0.01; -5.00 points is the limit."
    )
    if not passed:
        rows[3] = a_class("Crop3___rust", 40, 36, 28)
    return {
        "version": 1,
        "champion": CHAMPION,
        "candidate": CHALLENGER,
        "passed": passed,
        "said": "All 9 conditions hold." if passed else f"Not better to serve: {lost}",
        "checks": [
            a_check("usable", None, None, "It can be opened, and answers."),
            a_check("classes", 0.0, 0.0, "It knows all 49 classes of the champion."),
            a_check(
                "accuracy",
                0.0006,
                -0.005,
                (
                    "On the 1686 photographs of the locked test "
                    "the candidate has 93.18% right, the champion 93.12%."
                ),
                low=-0.0021,
            ),
            a_check(
                "classes",
                -0.01 if passed else -0.2,
                -0.05,
                "The class that changes for the worst is Crop5___rust: -1.00 points." if passed else lost,
                passed=passed,
            ),
            a_check(
                "calibration",
                0.002,
                0.01,
                ("The calibration error is 0.023, that of the champion 0.021; it may rise by 0.010."),
            ),
            a_check(
                "taught",
                0.95,
                0.5,
                "Bean___rust was taught: 38 of 40 held-out photographs are right.",
                low=0.83,
            ),
            a_check(
                "parity",
                2.1e-6,
                1e-3,
                ("The graph differs from its head by at most 2.1e-06; 1e-03 is the limit."),
            ),
            a_check(
                "latency",
                1.01,
                1.15,
                ("One photograph takes 1.01 times as long as with the champion (9.4 ms here)."),
            ),
            a_check(
                "size", 1.0, 1.25, ("The file without its memory has 4.51 MB, that of the champion 4.50 MB.")
            ),
        ],
        "photos": 1686,
        "lost": 6,
        "gained": 7,
        "classes": rows,
        "options": {"margin": 0.005},
        "measured": {
            "accuracy": [0.9312, 0.9318],
            "macro_f1": [0.902, 0.905],
            "ece": [0.021, 0.023],
            "answered": [0.91, 0.90],
        },
    }


def a_training(
    number: int, state: str = "done", gate: dict[str, Any] | None = None, **more: Any
) -> dict[str, Any]:
    """A retraining as `/v1/retraining` lists it."""
    result = None
    if state == "done":
        gate = gate or a_gate()
        result = {
            "path": "quick",
            "snapshot": "5a" * 32,
            "parent": CHAMPION,
            "candidate": CHALLENGER,
            "classes_added": ["Bean___rust"],
            "photographs": 1012,
            "left_out": [],
            "gate": {name: gate[name] for name in ("passed", "said", "checks", "champion")},
            "promoted": gate["passed"],
            "change": 3 if gate["passed"] else None,
            "why_not": "" if gate["passed"] else "the gate did not hold",
            "files": ["gate.json", "gate.html", "snapshot.json", "snapshot-summary.json"],
        }
    return {
        "id": an_id(9000 + number),
        "created_at": NOW_MS + number * 60_000,
        "state": state,
        "path": "quick",
        "why": "hand",
        "by": "tests",
        "reason": "",
        "progress": {},
        "result": result,
        "error": None,
        **more,
    }


def a_progress(part: str, at: int, **more: Any) -> dict[str, Any]:
    """How far a training is."""
    return {
        "part": part,
        "step": "learning a head",
        "done": 2,
        "total": 4,
        "share": 0.5,
        "eta_s": 14,
        "done_steps": at,
        **more,
    }


def a_change(
    number: int, model: str, former: str | None, kind: str = "promote", **more: Any
) -> dict[str, Any]:
    """A row of `/v1/models/history`."""
    return {
        "alias": "serving",
        "number": number,
        "kind": kind,
        "model": model,
        "former": former,
        "created_at": NOW_MS + number * 3_600_000,
        "reason": "the gate held",
        "by": "retraining",
        **more,
    }


def a_watch(state: str = "watching", **more: Any) -> dict[str, Any]:
    """A watch with two measures, one of them over its limit where it was rolled back."""
    bad = state == "rolled_back"
    said = {
        "watching": "Watching: no limit was crossed in 212 photographs so far.",
        "passed": "Passed: no limit was crossed in 840 photographs.",
        "rolled_back": ("Rolled back: 'cannot tell' rose from 12% to 41% (at most 15 points are allowed)."),
        "none": "Nothing was promoted yet that would have been watched.",
    }[state]
    if state == "none":
        return {"state": state, "said": said}
    measures = [
        {
            "name": "cannot_tell",
            "how": "before",
            "before": 0.12,
            "now": 0.41 if bad else 0.13,
            "limit": 0.15,
            "p": 0.0001 if bad else None,
            "photographs": 212,
            "occasions": 30,
            "judged": True,
            "crossed": bad,
        },
        {
            "name": "slow",
            "how": "before",
            "before": 0.05,
            "now": 0.051,
            "limit": 0.05,
            "p": None,
            "photographs": 212,
            "occasions": 30,
            "judged": True,
            "crossed": False,
        },
        {
            "name": "wrong",
            "how": "before",
            "before": None,
            "now": None,
            "limit": 0.2,
            "p": None,
            "photographs": 0,
            "occasions": 0,
            "judged": False,
            "crossed": False,
        },
    ]
    return {
        "state": state,
        "said": said,
        "model": CHALLENGER,
        "former": CHAMPION,
        "alias": "serving",
        "change": 3,
        "began_ms": NOW_MS,
        "until_ms": NOW_MS + 3_600_000,
        "ended_ms": None if state == "watching" else NOW_MS + 1_800_000,
        "minutes": 60,
        "photographs": 212,
        "measures": measures,
        "limits": [
            {"name": "cannot_tell", "rise": 0.15, "words": "'cannot tell'"},
            {"name": "slow", "rise": 0.05, "words": "answers slower than before"},
            {"name": "wrong", "rise": 0.2, "words": "corrections that say wrong"},
        ],
        "least": {"photographs": 50, "occasions": 8},
        **more,
    }


def a_drift(state: str = "drift") -> dict[str, Any]:
    """Drift against what the model was made for."""
    over = state == "drift"
    measures = [
        {
            "name": "look",
            "value": 0.61 if over else 0.38,
            "limit": 0.44,
            "usual": 0.36,
            "over": over,
            "alarms": True,
        },
        {"name": "doubt", "value": 0.21, "limit": 0.24, "usual": 0.15, "over": False, "alarms": True},
        {"name": "mix_of_looks", "value": 0.052, "limit": 0.04, "usual": None, "over": True, "alarms": False},
        {"name": "mix_of_classes", "value": 0.4, "limit": 0.5, "usual": None, "over": False, "alarms": False},
    ]
    said = (
        (
            "Drift in the newest 200 photographs: photographs lie farther from the "
            "training domain than its own do (0.61, at most 0.44 by chance)."
        )
        if over
        else "The newest 200 photographs are like those that the model was made for."
    )
    far = [
        {
            "id": an_id(500 + at),
            "created_at": NOW_MS,
            "verdict": "cannot_tell" if at % 2 else "diagnosis",
            "class_key": None if at % 2 else "apple/scab",
            "distance": 0.9 - 0.02 * at,
            "of_rare": 1.6 - 0.04 * at,
        }
        for at in range(12)
    ]
    return {
        "state": state,
        "said": said,
        "model": CHALLENGER,
        "since_ms": NOW_MS,
        "at_ms": NOW_MS,
        "photographs": 340,
        "drifted": far,
        "windows": [
            {
                "photographs": 200,
                "occasions": 40,
                "visit": 1,
                "since_ms": NOW_MS - 86_400_000,
                "measures": measures,
            }
        ],
        "reference_photographs": 2100,
        "false_alarms": 0.01,
        "mix": {"differs": True, "measures": ["mix_of_looks"]},
    }


def a_shadow() -> dict[str, Any]:
    """What a challenger says in the shadow."""
    return {
        "model_hash": CHALLENGER,
        "since_ms": NOW_MS,
        "photographs": 480,
        "verdicts": {"diagnosis": 400, "cannot_tell": 80},
        "compared": 470,
        "same": 431,
        "classes_differ": 12,
        "latency_ms": {"p50": 11.2, "p95": 16.0},
    }
