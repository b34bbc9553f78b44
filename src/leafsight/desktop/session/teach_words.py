"""The words of the page Teach: uploads, contributions, trainings, gates; as the web page says them.

Enters: values of the API. Leaves: sentences. A test runs the web page's functions beside these and compares.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from leafsight.desktop.session.language import named, tr, translated, trn
from leafsight.desktop.session.wording import (
    class_name,
    count,
    fixed,
    number,
    percent,
    plain,
    upper,
    verdict_name,
)

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
OUTCOMES = {"failed": "Failed", "cancelled": "Stopped", "queued": "Waits", "running": "Runs"}
MINUS = "\u2212"


def sentence(text: str | None) -> str:
    """Of another room or a server, with a capital at the beginning and a full stop at the end."""
    text = translated(text)
    if not text:
        return ""
    return f"{text[0].upper()}{text[1:]}{'' if text.endswith(('.', '!', '?')) else '.'}"


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
    parts = [
        tr(
            "{photographs} in {classes}.",
            photographs=count(photographs, "photograph"),
            classes=count(found["classes"], "class", "classes"),
        )
    ]
    unusable = photographs - usable
    if unusable:
        kinds = ", ".join(
            f"{many} {translated(kind.replace('-', ' '))}" for kind, many in found["faults"].items()
        )
        parts.append(
            trn(
                "{number} cannot be used: {kinds}.",
                "{number} cannot be used: {kinds}.",
                unusable,
                kinds=kinds,
            )
        )
    if twice:
        parts.append(
            trn(
                "{number} of them twice, with the same pixels.",
                "{number} of them twice, with the same pixels.",
                twice,
            )
        )
    if not unusable and not twice:
        parts.append(tr("All can be used, and none is in it twice."))
    return " ".join(parts)


def went_on(made: Plain) -> str:
    """What went on to be accepted or rejected, when it was looked into."""
    every = made.get("contributions") or 0
    if not every:
        return ""
    added, refused, clean = made["added"], made["refused"], made["clean"]
    accepted = made.get("accepted", 0)
    if added < every:
        return trn(
            "{number} photograph went on to be looked through.",
            "{number} photographs went on to be looked through.",
            every,
        )
    if every == 1:
        if refused:
            return tr("It was rejected at once: it is of the locked test.")
        if accepted:
            return tr("It was accepted by the rule.")
        if clean:
            return tr("It went on to be looked through, without doubts.")
        return tr("It went on to be looked through, with a doubt.")
    parts = []
    if every > refused:
        parts.append(
            trn(
                "{number} photograph went on to be looked through, {clean} of them without doubts.",
                "{number} photographs went on to be looked through, {clean} of them without doubts.",
                every - refused,
                clean=number(clean) if clean else tr("none"),
            )
        )
    if accepted:
        parts.append(
            trn(
                "{number} of these was accepted by the rule.",
                "{number} of these were accepted by the rule.",
                accepted,
            )
        )
    if refused:
        parts.append(
            trn(
                "{number} was rejected at once: it is of the locked test.",
                "{number} were rejected at once: they are of the locked test.",
                refused,
            )
        )
    return " ".join(parts)


def model_says(said: Plain | None, *, agree: bool = False) -> str:
    """What the model says of a contribution, in few words."""
    if not said:
        return tr("The model was not asked")
    if said["verdict"] != "diagnosis":
        return tr("Model: {said}", said=verdict_name(said["verdict"]).lower())
    share = percent(said["probability"])
    if agree:
        return tr("The model agrees, {share}", share=share)
    return tr("Model: {said} {share}", said=named(said["display"]), share=share)


def decided(came: Plain, done: str) -> str:
    """What came of a decision, with the reasons of those that were left as they were."""
    changed, skipped = came["changed"], came["skipped"]
    first = (
        tr("{photographs} {done}.", photographs=count(changed, "photograph"), done=done)
        if changed or not skipped
        else ""
    )
    reasons: dict[str, int] = {}
    for one in skipped:
        reasons[one["why"]] = reasons.get(one["why"], 0) + 1
    left = [
        trn(
            "{number} photograph left as it was: {why}",
            "{number} photographs left as they were: {why}",
            many,
            why=sentence(why),
        )
        for why, many in reasons.items()
    ]
    return " ".join(one for one in (first, *left) if one)


def state_words(state: str) -> str:
    """What became of a contribution, in a word."""
    return tr(STATES[state]) if state in STATES else state


def check_name(check: Plain) -> str:
    """Two conditions may be called ``classes``: that none is missing, and that none loses much."""
    if check["name"] != "classes":
        return str(check["name"])
    return "knows" if check["limit"] == 0 else "worst_class"


def check_title(check: Plain) -> str:
    """What a condition is called."""
    said = str(check.get("said") or "")
    if check["name"] == "taught" and " was taught" in said and not said.startswith(" was taught"):
        return tr("Recognises {name}", name=class_name(said.partition(" was taught")[0]))
    title = TITLES.get(check_name(check))
    return plain(check["name"]) if title is None else tr(title)


def check_numbers(check: Plain) -> tuple[str, str]:
    """What was measured and the limit, in words; empty where there is none."""
    name, value, limit = check_name(check), check.get("value"), check.get("limit")
    if value is None:
        return "", ""
    if name in SHARES:
        return percent(value, 1), "" if limit is None else tr("at least {limit}", limit=percent(limit))
    if name in TIMES:
        shown = tr("{factor} times", factor=number(value, 2))
        if limit is None:
            return shown, ""
        return shown, tr("at most {limit}", limit=tr("{factor} times", factor=number(limit, 2)))
    if name == "knows":
        return tr("{classes} missing", classes=number(value)), tr("none")
    if name == "parity":
        return _power(value, 1), "" if limit is None else tr("at most {limit}", limit=_power(limit, 0))
    low = check.get("low")
    shown = points(value, 2)
    if low is not None:
        shown = tr("{measured}, at worst {low}", measured=signed(value * 100, 2), low=points(low, 2))
    if limit is None:
        return shown, ""
    furthest = points(limit, 2)
    if name in RISES:
        return shown, tr("at most {limit}", limit=furthest)
    return shown, tr("at least {limit}", limit=furthest)


def signed(value: float, digits: int) -> str:
    """A number with its sign: +0.5, -2.0."""
    shown = fixed(abs(value), digits, grouped=True)
    zero = not any(one in "123456789" for one in shown)
    return f"{'' if zero else MINUS if value < 0 else '+'}{shown}"


def points(share: float, digits: int = 1) -> str:
    """How far two shares are apart, in points of a percentage."""
    return tr("{size} points", size=signed(share * 100, digits))


def is_main(check: Plain) -> bool:
    """Whether people ask for this condition first."""
    return check_name(check) in MAIN


def outcome_words(one: Plain) -> str:
    """How a training ended, in few words."""
    state = one["state"]
    if state in ("failed", "cancelled", "queued", "running"):
        return tr(OUTCOMES[state])
    if state != "done":  # a server of another version
        return plain(state)
    result = one.get("result") or {}
    held = (result.get("gate") or {}).get("passed")
    if held is None:
        return tr("Ended")
    if not held:
        return tr("Gate did not hold")
    return tr("Promoted") if result.get("promoted") else tr("Gate held")


def step_words(job: Plain) -> str:
    """Which step a training is at."""
    if job["state"] == "queued":
        return tr("Waits for its turn: one training runs at a time.")
    progress = job.get("progress") or {}
    names = [name for name, _ in PARTS]
    part = progress.get("part", "")
    if part not in names:
        return f"{upper(translated(plain(part).lower()))}." if part else tr("Begins.")
    at = names.index(part)
    step, total = progress.get("step"), progress.get("total")
    what = upper(translated(step.replace("_", " "))) if step else tr(PARTS[at][1])
    said = tr("Step {step} of {steps}: {what}", step=at + 1, steps=len(PARTS), what=what)
    if not total:
        return said
    return tr(
        "{said}, {done} of {total}", said=said, done=number(progress.get("done", 0)), total=number(total)
    )


def time_left(job: Plain) -> str:
    """About how long still; empty where nobody knows."""
    seconds = (job.get("progress") or {}).get("eta_s")
    if not isinstance(seconds, int | float) or job["state"] != "running":
        return ""
    if seconds < 90:
        return tr("about {seconds} s left", seconds=max(1, round(seconds)))
    return trn("about {number} minute left", "about {number} minutes left", round(seconds / 60))


def _power(value: float | None, digits: int) -> str:
    if value is None:
        return ""
    mantissa, _, power = f"{value:.{digits}e}".partition("e")
    return f"{mantissa}e{power[0]}{power[1:].lstrip('0') or '0'}"
