"""The model card and the recipe of a candidate of the quick path.

Enters: the parent, the snapshot, the evaluations. Leaves: Markdown that says first how the model was made and
what that means, and TOML.
"""

from __future__ import annotations

import json

from leafsight.bundle import Bundle
from leafsight.evaluation import Evaluation, Slice
from leafsight.retraining.quick_options import QuickOptions
from leafsight.retraining.snapshot import Snapshot

HEADLINES = ("accuracy", "macro_f1", "crop_given_accuracy", "answered", "accuracy_answered", "ece")
LONGEST_PARENT_CHARACTERS = 200_000
PARENT_HEADING = "## Card of the model before"


def quick_card(
    parent: Bundle, snapshot: Snapshot, test: Evaluation, probe: Evaluation | None, *, weights_kept: bool
) -> str:
    """Markdown, how it was made in its first lines."""
    sections = [
        f"# {parent.name}",
        _made(parent, snapshot),
        "## Limits",
        _limits(snapshot, test, probe),
        "## Judged on",
        "`all` is the locked test: photographs that never taught a model and are never contributions."
        + ("" if probe is None else " `contributions` were held out: they neither taught nor calibrated it.")
        + " Intervals are 95 % bootstrap intervals over groups.",
        _table([("all", test.overall), *((one.name, one) for one in test.domains)], probe),
        "## Taught with",
        _taught(snapshot),
        "## Made from",
        f"- parent: `{parent.content_hash}`\n- snapshot: `{snapshot.hash}`\n"
        + ("- torch weights: of the parent, with the new head" if weights_kept else "- torch weights: none"),
        "## Classes",
        ", ".join(snapshot.classes),
        PARENT_HEADING,
        _before(parent.card),
    ]
    return "\n\n".join(sections) + "\n"


def quick_recipe(options: QuickOptions, snapshot: Snapshot) -> str:
    """TOML: what the quick path was asked for."""
    return (
        'path = "quick"\n'
        f"parent = {json.dumps(snapshot.parent)}\nsnapshot = {json.dumps(snapshot.hash)}\n"
        f"seed = {snapshot.seed}\n"
        f"old_pull = {options.old_pull!r}\nnew_pull = {options.new_pull!r}\nbalance = {options.balance!r}\n"
        f"most_steps = {options.most_steps}\n"
    )


def _made(parent: Bundle, snapshot: Snapshot) -> str:
    added = snapshot.classes_added
    taught = (
        f"It was taught {len(added)} new class{'es' if len(added) > 1 else ''} ({', '.join(added)})"
        if added
        else "It was taught no new class"
    )
    return (
        f"**Retrained by the quick path:** only the last layer is new; the network before it is that of model"
        f" `{parent.content_hash[:12]}`. {taught}, from {len(snapshot.rows)} contributed photographs that"
        " somebody accepted."
    )


def _limits(snapshot: Snapshot, test: Evaluation, probe: Evaluation | None) -> str:
    said = (
        f"The first guess is right for {test.overall.metrics['accuracy'].value:.1%} of the"
        f" {test.overall.photos} photographs of the locked test."
    )
    if probe is None:
        said += " No contribution was held out, so nothing is known about photographs like them."
    else:
        own = probe.overall
        said += (
            f" Of {own.photos} contributed photographs that were held out it is right for"
            f" {own.metrics['accuracy'].value:.1%} ({own.metrics['accuracy'].low:.1%} to"
            f" {own.metrics['accuracy'].high:.1%})."
        )
    return said + (
        " A taught class was learned from few photographs, mostly of few senders: other cameras, places and"
        " stages are harder. Take 'cannot tell' at its word."
    )


def _taught(snapshot: Snapshot) -> str:
    rows = ["| class | to learn from | to calibrate | held out |", "|---|---|---|---|"]
    rows += [
        f"| {_cell(label)} | {of.get('train', 0)} | {of.get('calibration', 0)} | {of.get('probe', 0)} |"
        for label, of in snapshot.counts.items()
    ]
    return "\n".join(rows)


def _table(slices: list[tuple[str, Slice]], probe: Evaluation | None) -> str:
    rows = ["| photographs | n | " + " | ".join(HEADLINES) + " |", "|---|---|" + "---|" * len(HEADLINES)]
    shown = [*slices, *([] if probe is None else [("contributions", probe.overall)])]
    return "\n".join([*rows, *(_row(name, one) for name, one in shown)])


def _row(name: str, one: Slice) -> str:
    cells = [
        f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]"
        if (found := one.metrics.get(headline)) is not None and found.value == found.value
        else "-"
        for headline in HEADLINES
    ]
    return f"| {_cell(name)} | {one.photos} | " + " | ".join(cells) + " |"


def _cell(text: str) -> str:
    """A class may be called anything; a bar would end the cell."""
    return text.replace("|", "\\|").replace("\n", " ")


def _before(card: str) -> str:
    """The card of the first model of the line, its headings one step lower; cards do not nest without end."""
    oldest = card.rsplit(f"\n{PARENT_HEADING}\n", 1)[-1]
    lines = (f"##{line}" if line.startswith("#") else line for line in oldest.splitlines())
    return "\n".join(lines).strip()[:LONGEST_PARENT_CHARACTERS]
