"""``leafsight loadtest``: what a set-up of containers carries, and where it gives in."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from leafsight.cli.terminal import json_option, print_json, progress, quiet_option, settings_for, talk
from leafsight.errors import UsageError

if TYPE_CHECKING:
    from leafsight.loadtest import Engine, StudyOptions

UNITS = {"": 1, "b": 1, "k": 2**10, "m": 2**20, "g": 2**30}
YES_NO = {"yes": True, "no": False}


@click.group(name="loadtest", invoke_without_command=True)
@click.option("--replicas", default="1,2,4", show_default=True, help="Numbers of containers to compare.")
@click.option(
    "--users", default="8,32", show_default=True, help="Numbers of people (closed loop, Locust); 0 for none."
)
@click.option(
    "--rates",
    default="auto",
    show_default=True,
    help="Requests a second (open loop), such as 5,10,20; auto finds them.",
)
@click.option(
    "--cpus",
    default=0.4,
    show_default=True,
    type=click.FloatRange(0.05),
    help="Processors of each container.",
)
@click.option("--memory", default="512m", show_default=True, help="Memory of each container.")
@click.option(
    "--workers", default=1, show_default=True, type=click.IntRange(1, 64), help="Processes of each replica."
)
@click.option(
    "--proxy", default="no", show_default=True, help="With a proxy in front: yes, no, or both as no,yes."
)
@click.option(
    "--models",
    default="",
    help="Model files to compare; 'built-in' is that which ships.  [default: built-in]",
)
@click.option("--cross", is_flag=True, help="Every combination, not only what is needed to compare.")
@click.option(
    "--engine", default="auto", show_default=True, type=click.Choice(["auto", "podman", "docker", "process"]),
    help="What runs the set-ups; process means plain processes without limits.",
)  # fmt: skip
@click.option("--image", default="leafsight:serve", show_default=True, help="Image of the service.")
@click.option("--worker-image", default="", help="Image of a worker to run beside; none by default.")
@click.option(
    "--proxy-image", default="localhost/leafsight-standin/proxy", show_default=True, help="Image of nginx."
)
@click.option("--proxy-tls/--no-proxy-tls", default=True, show_default=True, help="TLS at the proxy.")
@click.option(
    "--database-image",
    default="localhost/leafsight-standin/database",
    show_default=True,
    help="Image of PostgreSQL.",
)
@click.option(
    "--proxy-cpus", default=0.0, type=click.FloatRange(0), help="Processors of the proxy; 0 means no limit."
)
@click.option("--database-cpus", default=0.0, type=click.FloatRange(0), help="The same for the database.")
@click.option(
    "--seconds", default=30.0, show_default=True, type=click.FloatRange(1), help="Measured time of each load."
)
@click.option(
    "--warm-s", default=5.0, show_default=True, type=click.FloatRange(0), help="Before it, not counted."
)
@click.option(
    "--repeats",
    default=3,
    show_default=True,
    type=click.IntRange(1),
    help="Rounds, each with new containers.",
)
@click.option("--seed", default=0, show_default=True, help="Of photographs, arrivals and people.")
@click.option(
    "--timeout-s",
    default=10.0,
    show_default=True,
    type=click.FloatRange(0.1),
    help="After that a request has failed.",
)
@click.option(
    "--think-s", default=2.0, show_default=True, type=click.FloatRange(0), help="Mean pause of people."
)
@click.option(
    "--arrivals", default="poisson", show_default=True, type=click.Choice(["poisson", "constant"]),
    help="How requests of the open loop arrive.",
)  # fmt: skip
@click.option(
    "--photos", type=click.Path(path_type=Path), help="Folder of photographs to send; drawn ones by default."
)
@click.option(
    "--url", help="Drive a server that runs already, such as http://127.0.0.1:8000; LEAFSIGHT_KEY is its key."
)
@click.option("--i-may", is_flag=True, help="Its owner allows a load on a server of another computer.")
@click.option(
    "--out",
    type=click.Path(path_type=Path),
    default=Path("load-study"),
    show_default=True,
    help="Folder of the study.",
)
@click.option("--resume", is_flag=True, help="Go on with the study in the folder.")
@json_option
@quiet_option
@click.pass_context
def command(context: click.Context, /, as_json: bool, quiet: bool, **words: Any) -> int:
    """Run a whole load study: start containers, drive them, measure both sides, write a report."""
    if context.invoked_subcommand is not None:
        return 0
    from leafsight.loadtest import Study, StudyFolder, write_report

    options = _options(words)
    engine = _engine(words, options)
    folder = StudyFolder(options.out)
    _warn(words, options, quiet)
    _end_in_order()
    study = Study(options, engine, folder, progress(quiet))
    talk(f"about {study.minutes_left():.0f} minutes for {len(study.setups())} set-ups", quiet)
    try:
        study.run(resume=words["resume"])
    finally:
        if folder.cells():
            summary = write_report(folder)
    _print(summary, options.out, as_json)
    return int(bool(summary["failures"]["wrong"] or sum(summary["failures"]["lost"].values())))


@command.command(name="report")
@click.argument("folder", type=click.Path(path_type=Path))
@json_option
def report(folder: Path, as_json: bool) -> None:
    """Write the report of the study in FOLDER again, from its results."""
    from leafsight.loadtest import StudyFolder, write_report

    _print(write_report(StudyFolder(folder)), folder, as_json)


def _end_in_order() -> None:
    """SIGTERM ends a study as Ctrl-C does, so that its containers go; a shell's ``&`` ignores neither."""
    import signal

    for name in (signal.SIGTERM, signal.SIGINT):
        signal.signal(name, signal.default_int_handler)


def _print(summary: dict[str, Any], folder: Path, as_json: bool) -> None:
    if as_json:
        print_json(summary)
        return
    for line in summary["in_words"]:
        click.echo(line)
    click.echo(f"report: {folder / 'report.html'}")


def _options(words: dict[str, Any]) -> StudyOptions:
    """The words of the command as options of a study.

    Raises:
        UsageError: a list cannot be read.
    """
    from leafsight.errors import validated
    from leafsight.loadtest import BUILT_IN, StudyOptions

    models = tuple(one if one == BUILT_IN else str(Path(one)) for one in _list(words["models"])) or (
        BUILT_IN,
    )
    for one in models:
        if one != BUILT_IN and not Path(one).is_file():
            raise UsageError(f"there is no model file {one}", hint="leafsight models ls tells which are kept")
    if words["url"]:
        words |= {"replicas": "1", "proxy": "no", "engine": "url"}
    values = {name: words[name] for name in StudyOptions.model_fields if name in words}
    values |= {
        "replicas": _numbers("--replicas", words["replicas"], int),
        "users": tuple(one for one in _numbers("--users", words["users"], int) if one),
        "rates": () if words["rates"] == "auto" else _numbers("--rates", words["rates"], float),
        "models": models,
        "proxies": _proxies(words["proxy"]),
        "photos": str(words["photos"] or ""),
        "memory_bytes": _bytes(words["memory"]),
        "engine": words["url"] or words["engine"],
    }
    return validated(StudyOptions, values, "loadtest")


def _list(text: str) -> list[str]:
    return [one.strip() for one in text.split(",") if one.strip()]


def _numbers(option: str, text: str, kind: type) -> tuple[Any, ...]:
    try:
        found = tuple(dict.fromkeys(kind(one) for one in _list(text)))
    except ValueError:
        found = ()
    if not found or any(one < 0 for one in found):
        raise UsageError(f"{option} got '{text}'", hint=f"write numbers with commas, such as {option} 1,2,4")
    return found


def _proxies(text: str) -> tuple[bool, ...]:
    words = _list(text)
    if not words or any(one not in YES_NO for one in words):
        raise UsageError(f"--proxy got '{text}'", hint="write yes, no, or no,yes")
    return tuple(dict.fromkeys(YES_NO[one] for one in words))


def _bytes(text: str) -> int:
    number, unit = text.rstrip("bBkKmMgGiI"), text.lower().removesuffix("ib").removesuffix("b")[-1:]
    try:
        return int(float(number) * UNITS[unit if unit in UNITS else ""])
    except ValueError:
        raise UsageError(f"--memory got '{text}'", hint="write it as 512m or 1g") from None


def _engine(words: dict[str, Any], options: StudyOptions) -> Engine:
    """Who runs the set-ups."""
    from leafsight.loadtest import (
        ContainerEngine,
        ContainerOptions,
        ProcessEngine,
        RemoteEngine,
        found_engine,
    )

    if words["url"]:
        return RemoteEngine(words["url"], settings_for().key, may=words["i_may"])
    environment = _environment()
    if words["engine"] == "process":
        if True in options.proxies:
            raise UsageError(
                "plain processes have no proxy in front", hint="leave out --proxy, or use podman"
            )
        return ProcessEngine(environment, workers=words["workers"])
    names = (
        "image",
        "worker_image",
        "proxy_image",
        "database_image",
        "proxy_cpus",
        "proxy_tls",
        "database_cpus",
        "workers",
    )
    container = ContainerOptions(
        **{name: words[name] for name in names}, cpus=options.cpus, memory_bytes=options.memory_bytes,
        environment=environment,
    )  # fmt: skip
    return ContainerEngine(found_engine(words["engine"]), container)


def _environment() -> dict[str, str]:
    """Uploads wait for a worker, or nobody looks at them: the load is that of the service alone."""
    from leafsight.settings import descriptions

    return {"LEAFSIGHT_JOBS": "none"} if "jobs" in descriptions() else {}


def _warn(words: dict[str, Any], options: StudyOptions, quiet: bool) -> None:
    """Say when set-ups and generator want more than the machine has."""
    from leafsight.cli.terminal import cores

    if words["url"] or words["engine"] == "process":
        return
    wanted = max(options.replicas) * options.cpus + words["proxy_cpus"] + 0.4
    if wanted > cores():
        talk(
            f"warning: {max(options.replicas)} replicas of {options.cpus:g} processors and the generator want"
            f" {wanted:.1f} processors of {cores()}: they will take them from each other",
            quiet,
        )
