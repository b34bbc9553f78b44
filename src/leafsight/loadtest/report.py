"""The report of a study: HTML, Markdown, pictures and all numbers, from what is stored."""

from __future__ import annotations

import json
from typing import Any

from leafsight.loadtest.blocks import Block, Heading, Table, Words, as_html, as_markdown
from leafsight.loadtest.charts import standalone
from leafsight.loadtest.report_pictures import pictures_of
from leafsight.loadtest.report_tables import (
    capacity_table, client_table, failure_table, generator_table, groups_table, model_table, number, percent,
    photograph_table, proxy_table, refusal_table, saturation_table, scaling_table, server_table,
)  # fmt: skip
from leafsight.loadtest.results import results_of
from leafsight.loadtest.store import StudyFolder
from leafsight.storage import write_text

TITLE = "Load study"
HOW = (
    "Open loop: requests arrive when they arrive; a latency counts from the moment at which the request should have"
    " been sent, so a stall is paid for by everyone who comes meanwhile. People: a closed loop with pauses (Locust).",
    "A request is answered, refused (429, 503: \"not now\", with Retry-After), or failed (any other status, timeout,"
    " connection, an answer that is incomplete, wrong or another photograph's). Latencies are those of answered"
    " requests only; refusals have their own table; failures are counted and never part of a latency or a throughput.",
    "A load with more than 1 % failures is called FAILED, whatever its latencies are. A rate is carried when it has not"
    " failed, at most 1 % was refused and the generator kept up.",
    "Numbers in brackets: for latencies a 95 % interval from order statistics over all rounds (\"few\": too few"
    " requests for one); for answers a second the least and the most of the rounds.",
    "Every answer is held against the reference answer of its photograph. After each load, everything that the service"
    " said it keeps is looked for in it. /healthz and /readyz are never counted.",
)  # fmt: skip


def write_report(folder: StudyFolder) -> dict[str, Any]:
    """Write ``report.html``, ``report.md``, ``pictures/`` and ``results.json``; the numbers.

    Raises:
        NotFoundError: the folder holds no study.
        DiskFullError, PermissionDeniedError, StorageError: it cannot be written.
    """
    found = results_of(folder)
    write_text(folder.path / "results.json", json.dumps(found, indent=1, allow_nan=False) + "\n")
    blocks = blocks_of(found)
    lead = found["in_words"][0]
    write_text(folder.path / "report.html", as_html(TITLE, lead, blocks))
    write_text(folder.path / "report.md", as_markdown(TITLE, lead, blocks))
    for picture in pictures_of(found):
        write_text(folder.path / "pictures" / f"{picture.name}.svg", standalone(picture.drawing))
    return found


def blocks_of(found: dict[str, Any]) -> list[Block]:
    """The report, from the numbers."""
    rows = found["rows"]
    rated, people = ([row for row in rows if row[name]] for name in ("rate_per_s", "users"))
    blocks: list[Block] = [Heading("In short"), Words(tuple(found["in_words"]))]
    blocks += [Heading("How to read it"), Words(HOW)]
    if rated:
        blocks += [Heading("Where it saturates, and why"), saturation_table(found), *pictures_of(found)]
        blocks += [client_table(rated, "Open loop: what clients saw")]
    if people:
        blocks += [Heading("People"), client_table(people, "Closed loop with pauses: what clients saw")]
        blocks += [groups_table(people, "by_deed_ms", "What people did", "what")]
    blocks += [Heading("What the server used"), server_table(rows)]
    if rated:
        blocks += [Heading("Comparisons"), scaling_table(found), model_table(found)]
        blocks += [one for one in [proxy_table(found)] if one]
        blocks += [Heading("Capacity"), Words((CAPACITY_SAID,))]
        blocks += [capacity_table(found, family) for family in dict.fromkeys(row["family"] for row in rated)]
        blocks += [
            Heading("By size of photograph"),
            groups_table(rated, "by_size_ms", "Latency by size", "size"),
        ]
    blocks += [
        Heading("Refusals and failures"),
        Words(_failures_said(found), warning=bool(found["failures"]["failed"])),
    ]
    blocks += [one for one in (refusal_table(rows), failure_table(rows)) if one]
    blocks += [Heading("The generator"), Words((_calibration(found["study"]),)), generator_table(rows)]
    blocks += [Heading("What it ran on"), *_setting(found)]
    return blocks


CAPACITY_SAID = (
    "An entry without a mark was measured: so many containers carried a rate at least as high with such a p99. An entry"
    " with ~ assumes that more containers carry as much each as the most that were measured; nobody has seen that."
)


def _failures_said(found: dict[str, Any]) -> tuple[str, ...]:
    one = found["failures"]
    kinds = ", ".join(f"{name} {count}" for name, count in one["kinds"].items()) or "none"
    checked = ", ".join(f"{count} {name}" for name, count in one["checked"].items())
    lost = ", ".join(f"{count} {name}" for name, count in one["lost"].items())
    lines = [
        f"{one['requests']} requests: {one['ok']} answered, {one['refused']} refused, {one['failed']} failed;"
        f" failures by kind: {kinds}. Answered wrongly: {one['wrong']}.",
        f"Looked for afterwards: {checked}. Lost: {lost}.",
        f"References: {'; '.join(found['references'])}.",
    ]
    if one["not_checked"]:
        lines.append(
            f"In {one['not_checked']} loads it could not be looked: there nothing is known of losses."
        )
    return tuple(lines)


def _calibration(study: dict[str, Any]) -> str:
    one = study.get("calibration")
    if not one:
        return "The generator was not calibrated."
    late = one["half_rate_late_ms"]["p99"] if one["half_rate_late_ms"] else None
    return (
        f"Against a server that only reads, the generator reached {number(one['most_per_s'])} requests a second with these"
        f" photographs ({percent(one['cpu_share_at_most'])} of a processor); at {number(one['half_rate_per_s'])} a second it"
        f" used {percent(one['half_rate_cpu_share'])} of a processor and was {number(late)} ms late (p99). A load in which it"
        " used more than 80 % of a processor or was more than 20 ms late (p99) is called generator-bound."
    )


def _setting(found: dict[str, Any]) -> list[Block]:
    study = found["study"]
    machine, engine, asked = study.get("machine", {}), study.get("engine", {}), study["asked"]
    versions = ", ".join(f"{name} {one}" for name, one in machine.get("versions", {}).items())
    lines = [
        ("processor", f"{machine.get('processor')}, {machine.get('cores')} cores"),
        ("memory", f"{machine.get('memory_bytes', 0) / 2**30:.1f} GiB"),
        ("kernel", f"{machine.get('system')} {machine.get('kernel')}, control groups version {machine.get('cgroups')}"),
        ("engine", f"{engine.get('engine')}, {engine.get('version')}"),
        ("database", str(engine.get("database"))),
        ("each replica", _limits(asked, engine)),
        ("without a proxy", "the client asks the replicas in turn; a person stays with one of them"),
        ("with a proxy", "nginx, fewest connections first, requests buffered whole, no TLS and no limits of rates"),
        ("versions", f"Python {machine.get('python')}, {versions}"),
        ("when", f"{machine.get('when')}, load of the machine before: {machine.get('load_before')}"),
        ("asked", ", ".join(f"{name} {_shown(value)}" for name, value in asked.items())),
        ("ready after", f"{number(min(found['ready_s'], default=None))} to {number(max(found['ready_s'], default=None))} s from the first container on"),
    ]  # fmt: skip
    for name, image in engine.get("images", {}).items():
        shown = f"{image['id']}, {image['bytes'] / 1e6:.0f} MB" if image else "not known"
        lines.append((f"image {name}", shown))
    people = study.get("people", {})
    if people:
        shares = ", ".join(f"{name} {percent(share)}" for name, share in people["shares"].items())
        lines.append(
            ("people", f"{shares}; {percent(people['corrected'])} of single answers are corrected or confirmed; pauses of"
             f" {people['think_s']:g} s on average. Assumed, not measured.")
        )  # fmt: skip
    table = Table("Setting", ("what", ""), tuple((name, value) for name, value in lines), words=2)
    return [table, photograph_table(study)] if "photographs" in study else [table]


def _limits(asked: dict[str, Any], engine: dict[str, Any]) -> str:
    if not engine.get("images"):
        return "no limits"
    return f"{asked['cpus']:g} processors (quota), {asked['memory_bytes'] / 2**20:.0f} MiB without swap, read-only"


def _shown(value: object) -> str:
    return "/".join(str(one) for one in value) if isinstance(value, list) else str(value)
