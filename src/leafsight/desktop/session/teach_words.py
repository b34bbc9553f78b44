"""The words of the page Teach: uploads, contributions, trainings, gates; as the web page says them.

Enters: values of the API. Leaves: sentences. A test runs the web page's functions beside these and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leafsight.desktop.session.language import tr
from leafsight.desktop.session.wording import count, fixed, number, percent, plain, verdict_name

Plain = Mapping[str, Any]
PARTS = (
    ("snapshot", "Freeze what is learned from"),
    ("train", "Train"),
    ("evaluate", "Measure"),
    ("gate", "Hold it against the champion"),
    ("publish", "Keep the new model"),
    ("promote", "Promote"),
)
TITLES = {
    "usable": "The new model can be opened and run",
    "accuracy": "Not worse on the locked test",
    "domains": "No kind of photograph loses much",
    "worst_class": "No class loses much",
    "knows": "Knows every class of the champion",
    "macro_f1": "The mean over classes",
    "calibration": "Its probabilities are as right",
    "coverage": "What it cannot exclude holds the truth",
    "answered": "Names a condition as often",
    "answers_right": "Right when it names one",
    "false_silence": "Does not keep back what it knows",
    "leaf_refused": "Leaves are not called something else",
    "no_leaf_missed": "What is no leaf is still noticed",
    "taught": "A taught class is recognised",
    "contributions": "What was taught before is not lost",
    "parity": "The graph says what its head says",
    "latency": "As quick",
    "size": "Not much larger",
}
MAIN = frozenset({"accuracy", "worst_class", "domains", "taught", "contributions", "calibration"})
SHARES = frozenset({"coverage", "answers_right", "taught"})
TIMES = frozenset({"latency", "size"})
RISES = frozenset({"calibration", "false_silence", "leaf_refused", "no_leaf_missed"})
STATES = {"waiting": "waits", "accepted": "accepted", "rejected": "rejected"}
MINUS = "\u2212"


def sentence(text: str | None) -> str:
    """A capital at the beginning and a full stop at the end."""
    if not text:
        return ""
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


def class_name(name: str | None) -> str:
    """A class as a collection spells it, ``Tomato___Early_blight``, for people."""
    return (name or "").replace("___", ": ").replace("_", " ").strip()


def found_in(result: Plain) -> str:
    """What was found in an upload, in a sentence or some."""
    refused = result.get("refused")
    if refused:
        why = f"{sentence(refused.get('message'))} {sentence(refused.get('hint'))}".strip()
        return f"{why} {tr('What was sent is kept.')}"
    said = [_summary(result), went_on(result.get("contributions") or {})]
    left = result.get("left_out") or 0
    if left:
        said.append(
            tr(
                "{files} left out and not kept: no photographs, or they cannot be read.",
                files=count(left, "file"),
            )
        )
    return " ".join(one for one in said if one)


def _summary(found: Plain) -> str:
    photographs, usable, twice = found["photographs"], found["usable"], found["twice"]["photographs"]
    if photographs is None:  # a server of another version
        return tr("It was looked into.")
    if photographs == 1 and usable == 1:
        return tr("It can be used.")
    parts = [f"{count(photographs, 'photograph')} in {count(found['classes'], 'class', 'classes')}."]
    unusable = photographs - usable
    if unusable:
        kinds = ", ".join(f"{many} {kind.replace('-', ' ')}" for kind, many in found["faults"].items())
        parts.append(f"{unusable:,} cannot be used: {kinds}.")
    if twice:
        parts.append(f"{twice:,} of them twice, with the same pixels.")
    if not unusable and not twice:
        parts.append("All can be used, and none is in it twice.")
    return " ".join(parts)


def went_on(made: Plain) -> str:
    """What went on to be accepted or rejected, when it was looked into."""
    every = made.get("contributions") or 0
    if not every:
        return ""
    added, refused, clean = made["added"], made["refused"], made["clean"]
    accepted = made.get("accepted", 0)
    if added < every:
        return f"{count(every, 'photograph')} went on to be looked through."
    if every == 1:
        if refused:
            return "It was rejected at once: it is of the locked test."
        if accepted:
            return "It was accepted by the rule."
        return f"It went on to be looked through, {'without doubts' if clean else 'with a doubt'}."
    parts = []
    if every > refused:
        doubts = f"{clean:,}" if clean else "none"
        parts.append(
            f"{count(every - refused, 'photograph')} went on to be looked through,"
            f" {doubts} of them without doubts."
        )
    if accepted:
        parts.append(f"{accepted:,} of these {'was' if accepted == 1 else 'were'} accepted by the rule.")
    if refused:
        was = "was rejected at once: it is" if refused == 1 else "were rejected at once: they are"
        parts.append(f"{refused:,} {was} of the locked test.")
    return " ".join(parts)


def model_says(said: Plain | None, *, agree: bool = False) -> str:
    """What the model says of a contribution, in few words."""
    if not said:
        return "The model was not asked"
    if said["verdict"] != "diagnosis":
        return f"Model: {verdict_name(said['verdict']).lower()}"
    first = "The model agrees," if agree else f"Model: {said['display']}"
    return f"{first} {percent(said['probability'])}"


def decided(came: Plain, done: str) -> str:
    """What came of a decision, with the reasons of those that were left as they were."""
    changed, skipped = came["changed"], came["skipped"]
    first = f"{count(changed, 'photograph')} {done}." if changed or not skipped else ""
    reasons: dict[str, int] = {}
    for one in skipped:
        reasons[one["why"]] = reasons.get(one["why"], 0) + 1
    left = [
        f"{count(many, 'photograph')} left as {'it was' if many == 1 else 'they were'}: {sentence(why)}"
        for why, many in reasons.items()
    ]
    return " ".join(one for one in (first, *left) if one)


def check_name(check: Plain) -> str:
    """Two conditions may be called ``classes``: that none is missing, and that none loses much."""
    if check["name"] != "classes":
        return str(check["name"])
    return "knows" if check["limit"] == 0 else "worst_class"


def check_title(check: Plain) -> str:
    """What a condition is called."""
    said = str(check.get("said") or "")
    if check["name"] == "taught" and " was taught" in said and not said.startswith(" was taught"):
        return f"Recognises {class_name(said.partition(' was taught')[0])}"
    return TITLES.get(check_name(check)) or plain(check["name"])


def check_numbers(check: Plain) -> tuple[str, str]:
    """What was measured and the limit, in words; empty where there is none."""
    name, value, limit = check_name(check), check.get("value"), check.get("limit")
    if value is None:
        return "", ""
    if name in SHARES:
        return percent(value, 1), "" if limit is None else f"at least {percent(limit)}"
    if name in TIMES:
        return f"{number(value, 2)} times", "" if limit is None else f"at most {number(limit, 2)} times"
    if name == "knows":
        return f"{number(value)} missing", "none"
    if name == "parity":
        return _power(value, 1), "" if limit is None else f"at most {_power(limit, 0)}"
    low = check.get("low")
    shown = f"{signed(value * 100, 2)}, at worst {_points(low)}" if low is not None else _points(value)
    return shown, "" if limit is None else f"at {'most' if name in RISES else 'least'} {_points(limit)}"


def signed(value: float, digits: int, unit: str = "") -> str:
    """A number with its sign: +0.5, -2.0."""
    shown = number(abs(float(fixed(value, digits))), digits)
    zero = not any(one in "123456789" for one in shown)
    return f"{'' if zero else MINUS if value < 0 else '+'}{shown}{unit}"


def is_main(check: Plain) -> bool:
    """Whether people ask for this condition first."""
    return check_name(check) in MAIN


def outcome_words(one: Plain) -> str:
    """How a training ended, in few words."""
    state = one["state"]
    if state in ("failed", "cancelled", "queued", "running"):
        return {"failed": "Failed", "cancelled": "Stopped", "queued": "Waits", "running": "Runs"}[state]
    if state != "done":  # a server of another version
        return plain(state)
    result = one.get("result") or {}
    held = (result.get("gate") or {}).get("passed")
    if held is None:
        return tr("Ended")
    if not held:
        return "Gate did not hold"
    return "Promoted" if result.get("promoted") else "Gate held"


def step_words(job: Plain) -> str:
    """Which step a training is at."""
    if job["state"] == "queued":
        return "Waits for its turn: one training runs at a time."
    progress = job.get("progress") or {}
    names = [name for name, _ in PARTS]
    part = progress.get("part", "")
    if part not in names:
        return f"{plain(part)}." if part else "Begins."
    at = names.index(part)
    step, total = progress.get("step"), progress.get("total")
    what = plain(step) if step else PARTS[at][1]
    more = f", {progress.get('done', 0):,} of {total:,}" if total else ""
    return f"Step {at + 1} of {len(PARTS)}: {what}{more}"


def time_left(job: Plain) -> str:
    """About how long still; empty where nobody knows."""
    seconds = (job.get("progress") or {}).get("eta_s")
    if not isinstance(seconds, int | float) or job["state"] != "running":
        return ""
    if seconds < 90:
        return f"about {max(1, round(seconds))} s left"
    return f"about {count(round(seconds / 60), 'minute')} left"


def _points(value: float) -> str:
    return signed(value * 100, 2, " points")


def _power(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    mantissa, _, power = f"{value:.{digits}e}".partition("e")
    return f"{mantissa}e{power[0]}{power[1:].lstrip('0') or '0'}"
