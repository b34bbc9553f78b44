"""``leafsight doctor``: does this installation work, and what is to be done where it does not."""

from __future__ import annotations

import os
import shutil
import sys
import textwrap
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.places import (
    blob_url,
    blobs_option,
    database_option,
    database_url,
    registry_dir,
    state_dir_option,
)
from leafsight.cli.terminal import cores, json_option, one_line, print_json, printable, progress, quiet_option
from leafsight.errors import UsageError, nearest

if TYPE_CHECKING:
    from leafsight.doctor import Finding, Installation, Verdict
    from leafsight.settings import Settings

MARKS = {"ok": "ok", "warn": "WARN", "fail": "FAIL", "skipped": "-"}
NAME_WIDTH = 24
SHOWN_SECRET = "(not shown)"  # noqa: S105 (what stands in its place)


@click.command(name="doctor")
@click.option("--only", multiple=True, metavar="NAME", help="Only this check or finding; may be repeated.")
@click.option("--strict", is_flag=True, help="Warnings count as failures.")
@click.option(
    "--timeout-s",
    type=click.FloatRange(0.5, 600),
    default=20.0,
    show_default=True,
    help="For everything together.",
)
@click.option("--url", help="Ask the running server there from outside, too.")
@click.option("--key", help="Key for that server.  [default: the setting key]")
@click.option("--model", type=click.Path(path_type=Path), help="Look at this file, whatever was promoted.")
@state_dir_option
@database_option
@blobs_option
@click.option("--registry", metavar="URL", help="Where several servers share their models.")
@quiet_option
@json_option
def command(
    only: tuple[str, ...],
    strict: bool,
    timeout_s: float,
    url: str | None,
    key: str | None,
    model: Path | None,
    state_dir: Path | None,
    database: str | None,
    blobs: str | None,
    registry: str | None,
    quiet: bool,
    as_json: bool,
) -> int:
    """Look whether this installation works, and say what to do. Nothing is made or repaired."""
    from leafsight.doctor import checks_of, examine, verdict_of

    _check_names(only, asked=bool(url))
    flags = {
        "model": model, "state_dir": state_dir, "database_url": database, "blob_url": blobs,
        "registry_url": registry, "key": key,
    }  # fmt: skip
    settings, here = _installation(flags)
    started = time.perf_counter()
    checks = checks_of(here, timeout_s=timeout_s, url=url or "", key=settings.key)
    found = examine(
        checks, timeout_s=timeout_s, only=only, secrets=here.secrets, progress=progress(quiet or as_json)
    )
    verdict, took_s = verdict_of(found), time.perf_counter() - started
    if as_json:
        first = verdict.first.to_dict() if verdict.first else None
        print_json(
            {
                "fine": not verdict.fails, "counts": verdict.counts, "first": first,
                "took_s": round(took_s, 3),
                "findings": [one.to_dict() for one in found],
            }
        )  # fmt: skip
    else:
        for line in (*_lines(found), *_summary(verdict, took_s)):
            click.echo(line)
    return 1 if verdict.fails or (strict and verdict.warns) else 0


def _check_names(only: Sequence[str], *, asked: bool) -> None:
    from leafsight.doctor import NAMES

    for name in only:
        check = name.partition(".")[0]
        if check not in NAMES:
            close = nearest(check, NAMES)
            hint = f"did you mean '{close}'? " if close else ""
            raise UsageError(f"there is no check '{check}'", hint=f"{hint}there are {', '.join(NAMES)}")
        if check == "server" and not asked:
            raise UsageError("no server was named to be asked", hint="give its address with --url")


def _installation(flags: dict[str, Any]) -> tuple[Settings, Installation]:
    """What can be used of the settings, as plain values."""
    from leafsight.doctor import Installation, password_in
    from leafsight.settings import FILE_NAME, PREFIX, usable_settings

    settings, faults = usable_settings(Path.cwd(), os.environ, flags)
    lost = {fault.key.removeprefix(PREFIX).lower() for fault in faults}
    chosen = _chosen(settings, flags, lost)
    hidden = {name for name, (value, where) in chosen.items() if value == SHOWN_SECRET and where == FILE_NAME}
    secrets = (settings.key, settings.alert_url, os.environ.get("AWS_SECRET_ACCESS_KEY", ""))
    return settings, Installation(
        state_dir=settings.state_dir,
        cache_dir=settings.cache_dir,
        database_url=database_url(settings),
        database_chosen=bool(settings.database_url),
        blob_url=blob_url(settings),
        registry_dir=registry_dir(settings),
        registry_url=settings.registry_url,
        model=settings.model,
        host=settings.host,
        port=settings.port,
        admin_host=settings.admin_host,
        admin_port=settings.admin_port,
        workers=settings.workers or cores(),
        max_request_bytes=settings.max_request_bytes,
        first_key=settings.first_key == "yes",
        faults=faults,
        chosen=chosen,
        secret_file=Path.cwd() / FILE_NAME if hidden else None,
        secrets=(*secrets, *password_in(settings.database_url)),
    )


def _chosen(settings: Settings, flags: dict[str, Any], lost: set[str]) -> dict[str, tuple[str, str]]:
    """Setting -> value for people, and where it comes from; without those that nobody set."""
    from leafsight.errors import ConfigError
    from leafsight.settings import origins

    try:
        whence = origins(Path.cwd(), os.environ)
    except ConfigError:  # the file cannot be read, which is a finding of its own
        whence = origins(Path(os.devnull), os.environ)
    whence |= dict.fromkeys((name for name, value in flags.items() if value is not None), "command line")
    plain = settings.to_dict()
    return {
        name: (SHOWN_SECRET if str(plain[name]).startswith("(set") else str(plain[name]), where)
        for name, where in whence.items()
        if where != "default" and name in plain and name not in lost
    }


def _lines(found: Sequence[Finding]) -> Iterator[str]:
    """One group after the other; what is to be done stands under what was found."""
    width = shutil.get_terminal_size().columns if sys.stdout.isatty() else 10_000
    group = ""
    for one in found:
        if one.check != group:
            group = one.check
            yield group
        thing = one.name.partition(".")[2]
        head = f"  {MARKS[one.state]:<5} {thing:<{NAME_WIDTH}} "
        yield from _wrapped(head, one.said, width)
        if one.todo:
            yield from _wrapped(f"{'':8}{'':{NAME_WIDTH}} -> ", one.todo, width)


def _wrapped(head: str, text: str, width: int) -> list[str]:
    shown = one_line(printable(text))
    return textwrap.wrap(
        shown, max(width, len(head) + 20), initial_indent=head, subsequent_indent=" " * len(head)
    ) or [head.rstrip()]


def _summary(verdict: Verdict, took_s: float) -> Iterator[str]:
    from leafsight.doctor import counted

    counts = verdict.counts
    told = (
        f"{counts['ok']} ok, {counted(counts['warn'], 'warning')}, {counted(counts['fail'], 'failure')},"
        f" {counts['skipped']} skipped, in {took_s:.1f} s"
    )
    yield ""
    if verdict.first is None:
        yield f"{told}; nothing to do"
    else:
        yield f"{told}; first: {verdict.first.name}: {verdict.first.todo or verdict.first.said}"
