"""``leafsight retrain``: the next model, from what was accepted."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from leafsight.cli.desk import Desk, Plain, desk_for, everywhere, places_of
from leafsight.cli.terminal import json_option, print_json, print_table, quiet_option, talk
from leafsight.errors import UsageError

SHORT_DIGITS = 12


@click.group(name="retrain", invoke_without_command=True)
@click.option("--quick", "path", flag_value="quick", default=True, help="The head on embeddings: seconds.")
@click.option("--full", "path", flag_value="full", help="The whole network: long.")
@click.option(
    "--data",
    type=click.Path(path_type=Path),
    help="Photographs that the model was trained from, for --full.  [default: training_data]",
)
@click.option(
    "--promote",
    type=click.Choice(["auto", "ask"]),
    help="Whether a model that holds the gate serves at once.",
)
@click.option("--reason", default="", help="Why; kept with it.")
@click.option("--detach", is_flag=True, help="Only put it into the queue; a server takes it up.")
@everywhere
@quiet_option
@json_option
@click.pass_context
def command(
    context: click.Context,
    /,
    path: str,
    data: Path | None,
    promote: str | None,
    reason: str,
    detach: bool,
    server: str | None,
    key: str | None,
    quiet: bool,
    as_json: bool,
    **places: Any,
) -> int:
    """Make the next model from what was accepted, hold it against the present one, and promote it.

    Without a server it is done here. What was interrupted goes on where it was: run the command again.
    """
    if context.invoked_subcommand is not None:
        return 0
    if server and (data or promote):
        raise UsageError(
            "--data and --promote are for a retraining here", hint="the server has settings of its own for it"
        )
    flags = {**places_of(places), "training_data": data, "learning_promote": promote}
    with desk_for(server, key, **flags) as desk:
        made = desk.learning.retrain(path, reason)
        if detach:
            print_json(made) if as_json else click.echo(made["id"])
            talk("a running server takes it up; leafsight retrain show ID tells how far it is", quiet)
            return 0
        done = _followed(desk, made["job"], quiet)
        return _tell(desk.learning.retraining(made["id"]) if as_json else done, as_json)


@command.command(name="ls")
@click.option("--limit", type=click.IntRange(1, 10_000), default=50, show_default=True, help="Most rows.")
@everywhere
@json_option
def list_retrainings(limit: int, server: str | None, key: str | None, as_json: bool, **places: Any) -> None:
    """Retrainings, the newest first."""
    rows: list[Plain] = []
    after = None
    with desk_for(server, key, **places_of(places)) as desk:
        while len(rows) < limit:
            page = desk.learning.retrainings(after=after, limit=min(200, limit - len(rows)))
            rows += page["retrainings"]
            after = page["next"]
            if after is None:
                break
    if as_json:
        print_json(rows)
        return
    columns = ("id", "state", "path", "why", "by", "outcome")
    print_table(
        "",
        columns,
        [(one["id"], one["state"], one["path"], one["why"], one["by"], _outcome(one)) for one in rows],
    )


@command.command(name="show")
@click.argument("id", metavar="ID")
@click.option("--report", metavar="FILE", type=click.Path(path_type=Path), help="Write the page of its gate.")
@everywhere
@json_option
def show(
    id: str,  # noqa: A002 (the word people type)
    report: Path | None,
    server: str | None,
    key: str | None,
    as_json: bool,
    **places: Any,
) -> None:
    """One retraining: how far it is, what it learned from, and what the gate said."""
    with desk_for(server, key, **places_of(places)) as desk:
        found = desk.learning.retraining(id)
        page = desk.learning.gate_report(id) if report is not None else b""
    if report is not None:
        from leafsight.storage import write_bytes

        write_bytes(report, page)
    if as_json:
        print_json(found)
        return
    rows: list[tuple[str, object]] = [
        (name, found[name]) for name in ("id", "state", "path", "why", "by", "reason") if found.get(name)
    ]
    told = found.get("progress") or {}
    if found["state"] == "running" and told.get("step"):
        rows.append(("step", told["step"]))
    rows.append(("outcome", _outcome(found)))
    for check in (found.get("gate") or {}).get("checks", ()):
        held = "held" if check.get("passed", True) else "NOT held"
        rows.append(
            (str(check.get("name") or check.get("kind") or "check"), f"{held}: {check.get('said', '')}")
        )
    print_table("", ("what", "value"), rows)


@command.command(name="cancel")
@click.argument("id", metavar="ID")
@everywhere
@json_option
def cancel(id: str, server: str | None, key: str | None, as_json: bool, **places: Any) -> None:  # noqa: A002
    """End a retraining that has not ended. The model that serves goes on."""
    with desk_for(server, key, **places_of(places)) as desk:
        done = desk.learning.cancel(id)
    print_json(done) if as_json else click.echo(f"{done['id']} is {done['state']}")


def _followed(desk: Desk, job: str, quiet: bool) -> Plain:
    from leafsight.cli.following import shown_to_its_end

    try:
        return shown_to_its_end(desk.follow(job), quiet=quiet)
    except KeyboardInterrupt:
        talk(f"retraining {job} is kept: the same command goes on with it, or a running server does")
        raise


def _tell(done: Plain, as_json: bool) -> int:
    """Say how it ended; the exit code is 1 when the gate did not hold."""
    result = done.get("result") or {}
    passed = bool((result.get("gate") or {}).get("passed"))
    if as_json:
        print_json(done)
        return 0 if passed else 1
    click.echo(_outcome(done))
    candidate = str(result.get("candidate") or "")[:SHORT_DIGITS]
    if passed and not result.get("promoted"):
        talk(f"next: leafsight promote {candidate}")
    elif not passed:
        talk(f"leafsight retrain show {done['id']} --report gate.html tells why it did not hold")
    return 0 if passed else 1


def _outcome(one: Plain) -> str:
    """How a retraining ended, in one line; nothing while it has not."""
    if one.get("error"):
        return f"failed: {one['error'].get('message', '')}"
    result = one.get("result")
    if not result:
        return ""
    gate = result.get("gate") or {}
    what = "promoted" if result.get("promoted") else "gate held" if gate.get("passed") else "gate NOT held"
    learned = ", ".join(result.get("classes_added") or ())
    new = f", learned {learned}" if learned else ""
    model = str(result.get("candidate") or "")[:SHORT_DIGITS]
    return f"model {model}: {what}{new}. {gate.get('said', '')}".strip()
