"""``leafsight feedback``: photographs to learn from, and what becomes of them."""

from __future__ import annotations

import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from leafsight.cli.contributed import (
    findings_of,
    said_of,
    sent_line,
    sent_plain,
    standing_of,
    tell_classes,
    tell_decided,
)
from leafsight.cli.desk import Desk, Plain, desk_for, everywhere, places_of
from leafsight.cli.terminal import json_option, print_json, print_table, quiet_option, talk
from leafsight.errors import UsageError

AT_ONCE = 1000
"""Ids in one decision."""
PAGE = 200
STATES = ("waiting", "accepted", "rejected")


@click.group(name="feedback")
def command() -> None:
    """Send photographs to learn from; accept, relabel or reject what was sent."""


@command.command(name="add")
@click.argument("path", type=click.Path(path_type=Path))
@click.option("--label", help="The class of all photographs in it.")
@click.option("--detach", is_flag=True, help="Do not wait until it was looked into.")
@click.option("--resume", metavar="ID", help="Go on with an upload that was interrupted.")
@everywhere
@quiet_option
@json_option
def add(
    path: Path,
    label: str | None,
    detach: bool,
    resume: str | None,
    server: str | None,
    key: str | None,
    quiet: bool,
    as_json: bool,
    **places: Any,
) -> int:
    """Send PATH: a folder of class folders, a table (CSV), an archive, or one photograph.

    What was sent before is not sent again. Everything waits until somebody accepts it.
    """
    from leafsight.cli.packing import sendings

    told: list[Plain] = []
    with (
        desk_for(server, key, new=True, **places_of(places)) as desk,
        tempfile.TemporaryDirectory(prefix="leafsight-") as made,
    ):
        for sending in sendings(path, label or None, Path(made)):
            sent = desk.send(sending, resume, _bytes_told(quiet))
            if not sent["again"]:
                resume = None  # of several archives only one was interrupted
            if detach:
                told.append(sent_plain(sent, {"state": "queued"}))
            else:
                told.append(sent_plain(sent, _looked_into(desk, sent, quiet)))
            if not as_json:
                click.echo(sent_line(told[-1]))
    if as_json:
        print_json(told)
    elif any(one["usable"] for one in told):
        talk("next: leafsight feedback ls, then leafsight feedback accept --clean", quiet)
    return 1 if any(one["refused"] for one in told) else 0


@command.command(name="ls")
@click.option("--state", type=click.Choice(STATES), help="Only those.")
@click.option("--label", help="Only of this class.")
@click.option("--finding", help="Only with this finding, such as near_duplicate.")
@click.option("--upload", metavar="ID", help="Only those of this upload.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=50, show_default=True, help="Most rows.")
@everywhere
@json_option
def list_contributions(
    state: str | None,
    label: str | None,
    finding: str | None,
    upload: str | None,
    limit: int,
    server: str | None,
    key: str | None,
    as_json: bool,
    **places: Any,
) -> None:
    """What was sent to learn from, the newest first."""
    wanted = {"state": state, "label": label, "finding": finding, "upload": upload}
    with desk_for(server, key, **places_of(places)) as desk:
        rows = _all_of(desk, wanted, limit)
    if as_json:
        print_json(rows)
        return
    columns = ("id", "state", "label", "said", "findings", "name")
    print_table(
        "",
        columns,
        [
            (row["id"], row["state"], row["label"], said_of(row), findings_of(row), row["name"])
            for row in rows
        ],
    )


@command.command(name="summary")
@everywhere
@json_option
def summary(server: str | None, key: str | None, as_json: bool, **places: Any) -> None:
    """How much waits, was accepted and was rejected, by class."""
    with desk_for(server, key, **places_of(places)) as desk:
        found = desk.learning.contributions_summary()
    if as_json:
        print_json(found)
        return
    rows = [
        (one["label"], one["waiting"], one["accepted"], one["rejected"], standing_of(one))
        for one in found["labels"]
    ]
    print_table("", ("class", *STATES, "may be learned"), rows, right=(1, 2, 3))
    talk(f"doubtful: {found['doubtful']}; accepted since the last retraining: {found['new_since_training']}")


@command.command(name="show")
@click.argument("id", metavar="ID")
@click.option("--save", metavar="FILE", type=click.Path(path_type=Path), help="Write its photograph.")
@everywhere
@json_option
def show(
    id: str,  # noqa: A002 (the word people type)
    save: Path | None,
    server: str | None,
    key: str | None,
    as_json: bool,
    **places: Any,
) -> None:
    """One photograph that was sent: what was found about it and what was decided."""
    with desk_for(server, key, **places_of(places)) as desk:
        found = desk.learning.contribution(id)
        data = desk.learning.photograph(id) if save is not None else b""
    if save is not None:
        from leafsight.storage import write_bytes

        write_bytes(save, data)
    if as_json:
        print_json(found)
        return
    rows: list[tuple[str, object]] = [
        (name.replace("_", " "), found[name])
        for name in ("id", "name", "class_name", "label", "state", "upload", "group", "decided_by", "reason")
        if found.get(name)
    ]
    rows += [("model said", said_of(found))]
    rows += [(one["kind"].replace("_", " "), one["said"]) for one in found["findings"]]
    print_table("", ("what", "value"), rows)


def deciding(command: Any) -> Any:
    """What a decision is about, and why."""
    for option in (
        json_option,
        everywhere,
        click.option("--reason", default="", help="Why; kept with it."),
        click.option("--upload", metavar="ID", help="All of this upload."),
        click.argument("ids", metavar="[ID]...", nargs=-1),
    ):
        command = option(command)
    return command


@command.command(name="accept")
@click.option("--clean", is_flag=True, help="All that wait and that nothing speaks against.")
@click.option("--label", help="What they really show; with --clean, only those of this class.")
@deciding
def accept(
    ids: Sequence[str],
    clean: bool,
    label: str | None,
    upload: str | None,
    reason: str,
    server: str | None,
    key: str | None,
    as_json: bool,
    **places: Any,
) -> int:
    """Let the next retraining learn from them. Of the locked test nothing is accepted."""
    wish = _wish("accepted", label, reason)
    with desk_for(server, key, **places_of(places)) as desk:
        if clean:
            if ids or upload:
                raise UsageError("--clean is about all that wait", hint="leave out the ids and --upload")
            return tell_decided([desk.learning.decide({**wish, "all": "clean"})], as_json)
        return tell_decided(_decided(desk, wish, ids, upload), as_json)


@command.command(name="reject")
@deciding
def reject(
    ids: Sequence[str],
    upload: str | None,
    reason: str,
    server: str | None,
    key: str | None,
    as_json: bool,
    **places: Any,
) -> int:
    """Learn nothing from them. They are kept and may be accepted later."""
    with desk_for(server, key, **places_of(places)) as desk:
        return tell_decided(_decided(desk, _wish("rejected", None, reason), ids, upload), as_json)


@command.command(name="relabel")
@click.option("--label", required=True, help="What they really show.")
@deciding
def relabel(
    ids: Sequence[str],
    label: str,
    upload: str | None,
    reason: str,
    server: str | None,
    key: str | None,
    as_json: bool,
    **places: Any,
) -> int:
    """Correct the class; what waits, was accepted or was rejected stays so."""
    with desk_for(server, key, **places_of(places)) as desk:
        rows = (
            _all_of(desk, {"upload": upload}, 10**9)
            if upload and not ids
            else [desk.learning.contribution(one) for one in _named(ids, upload)]
        )
        done = []
        for state in STATES:
            those = [row["id"] for row in rows if row["state"] == state]
            if those:
                done += _decided(desk, _wish(state, label, reason), those, None)
    return tell_decided(done, as_json)


@command.group(name="classes")
def classes() -> None:
    """Classes that may be learned although the model does not know them."""


@classes.command(name="ls")
@everywhere
@json_option
def list_classes(server: str | None, key: str | None, as_json: bool, **places: Any) -> None:
    """The declared classes."""
    with desk_for(server, key, **places_of(places)) as desk:
        tell_classes(desk.learning.declared(), as_json)


@classes.command(name="declare")
@click.argument("name")
@click.option("--note", default="", help="Kept with it.")
@everywhere
@json_option
def declare(name: str, note: str, server: str | None, key: str | None, as_json: bool, **places: Any) -> None:
    """Let the class NAME be learned, such as Okra___Leaf_curl. Again is no error."""
    with desk_for(server, key, new=True, **places_of(places)) as desk:
        made = desk.learning.declare(name, note)
    print_json(made) if as_json else click.echo(made["name"])


@classes.command(name="remove")
@click.argument("name")
@everywhere
@json_option
def remove(name: str, server: str | None, key: str | None, as_json: bool, **places: Any) -> None:
    """Let the class NAME be learned no more. What was accepted stays accepted."""
    with desk_for(server, key, **places_of(places)) as desk:
        left = desk.learning.take_back(name)
    tell_classes(left, as_json)


def _looked_into(desk: Desk, sent: Plain, quiet: bool) -> Plain:
    from leafsight.cli.following import shown_to_its_end

    return shown_to_its_end(desk.follow(sent["job"]), quiet=quiet)


def _bytes_told(quiet: bool) -> Any:
    """Says how much of a long file is there, now and then."""
    from leafsight.storage import bytes_in_words

    def told(done: int, total: int) -> None:
        if total > PAGE * 1024**2 or done < total:
            talk(f"sent {bytes_in_words(done)} of {bytes_in_words(total)}", quiet)

    return told


def _all_of(desk: Desk, wanted: dict[str, str | None], limit: int) -> list[Plain]:
    rows: list[Plain] = []
    after = None
    while len(rows) < limit:
        page = desk.learning.contributions(wanted, after=after, limit=min(PAGE, limit - len(rows)))
        rows += page["contributions"]
        after = page["next"]
        if after is None:
            break
    return rows


def _wish(state: str, label: str | None, reason: str) -> Plain:
    return {"state": state, "reason": reason, **({"label": label} if label else {})}


def _named(ids: Sequence[str], upload: str | None) -> Sequence[str]:
    """The ids.

    Raises:
        UsageError: neither ids nor an upload, or both.
    """
    if bool(ids) == bool(upload):
        raise UsageError(
            "nothing says which photographs are meant" if not ids else "ids and --upload do not go together",
            hint="name their ids, or --upload ID; leafsight feedback ls lists them",
        )
    return ids


def _decided(desk: Desk, wish: Plain, ids: Sequence[str], upload: str | None) -> list[Plain]:
    _named(ids, upload)
    if upload:
        return [desk.learning.decide({**wish, "upload": upload})]
    return [
        desk.learning.decide({**wish, "ids": list(ids[at : at + AT_ONCE])})
        for at in range(0, len(ids), AT_ONCE)
    ]
