"""What ``leafsight feedback`` says about photographs that were sent, in words and as plain values.

Enters: plain values as the contract of the server has them. Leaves: lines, rows and exit codes.
"""

from __future__ import annotations

from collections.abc import Sequence

import click

from leafsight.cli.desk import Plain
from leafsight.cli.terminal import print_json, print_table, talk

SHOWN_SKIPPED = 10
"""Of those that stay as they are; of the others there is the number."""


def sent_plain(sent: Plain, job: Plain) -> Plain:
    """An upload and what became of it, for ``--json``."""
    result = job.get("result") or {}
    return {
        "upload": sent["id"],
        "job": sent["job"],
        "again": sent["again"],
        "state": result.get("state") or job["state"],
        "photographs": result.get("photographs"),
        "usable": result.get("usable"),
        "contributions": result.get("contributions"),
        "left_out": sent["left_out"],
        "refused": result.get("refused"),
        "notes": list(result.get("notes", ())),
    }


def sent_line(one: Plain) -> str:
    """The same in one line."""
    before = ", sent before" if one["again"] else ""
    if one["refused"]:
        return f"{one['upload']}: refused{before}: {one['refused']['message']}"
    words = [f"{one['upload']}: {one['state']}{before}"]
    if one["photographs"] is not None:
        words.append(f"{one['usable']} of {one['photographs']} photographs are usable")
    kept = one["contributions"]
    if kept:
        words.append(f"{kept['refused']} are of the locked test" if kept.get("refused") else "")
        found = (f"{kind.replace('_', ' ')} {count}" for kind, count in kept.get("findings", {}).items())
        words.append("; ".join(found))
    return ", ".join(word for word in words if word)


def tell_decided(done: Sequence[Plain], as_json: bool) -> int:
    """Say what became of them; the exit code is 1 when one stays as it was."""
    changed = sum(one["changed"] for one in done)
    skipped = [row for one in done for row in one["skipped"]]
    if as_json:
        print_json({"changed": changed, "skipped": skipped})
    else:
        click.echo(f"changed: {changed}, skipped: {len(skipped)}")
        for row in skipped[:SHOWN_SKIPPED]:
            talk(f"{row['id']}: {row['why']}")
        if len(skipped) > SHOWN_SKIPPED:
            talk(f"and {len(skipped) - SHOWN_SKIPPED} more; --json lists them")
    return 1 if skipped else 0


def tell_classes(rows: Sequence[Plain], as_json: bool) -> None:
    """List declared classes."""
    if as_json:
        print_json(list(rows))
        return
    print_table("", ("class", "declared by", "note"), [(one["name"], one["by"], one["note"]) for one in rows])


def said_of(row: Plain) -> str:
    """What the model said of a photograph."""
    said = row.get("said")
    if not said:
        return ""
    probability = f" {said['probability']:.0%}" if said.get("probability") is not None else ""
    return f"{said.get('display') or said.get('class_key') or said.get('verdict')}{probability}"


def findings_of(row: Plain) -> str:
    """Kinds of what was found."""
    return ", ".join(one["kind"] for one in row["findings"])


def standing_of(one: Plain) -> str:
    """Whether a class may be learned."""
    if one["known"]:
        return "the model knows it"
    return "declared" if one["declared"] else "no: leafsight feedback classes declare"
