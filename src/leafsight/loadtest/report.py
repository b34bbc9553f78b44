"""The report of a study: HTML, Markdown, pictures and all numbers, from what is stored."""

from __future__ import annotations

import json
from typing import Any

from leafsight.loadtest.blocks import Block, Heading, Words, as_html, as_markdown
from leafsight.loadtest.charts import standalone
from leafsight.loadtest.pooling import Row
from leafsight.loadtest.report_pictures import pictures_of
from leafsight.loadtest.report_tables import (
    capacity_table,
    client_table,
    failure_table,
    generator_table,
    groups_table,
    model_table,
    photograph_table,
    proxy_table,
    refusal_table,
    saturation_table,
    scaling_table,
    server_table,
)  # fmt: skip
from leafsight.loadtest.report_words import (
    CAPACITY_SAID,
    HOW,
    calibration_said,
    failures_said,
    setting_table,
)  # fmt: skip
from leafsight.loadtest.results import results_of
from leafsight.loadtest.store import StudyFolder
from leafsight.storage import write_text

TITLE = "Load study"
BY_SIZE = ("by_size_ms", "Latency by size, at the highest rate that each set-up carries", "size")


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
            groups_table(highest_carried(rated), *BY_SIZE),
        ]
    blocks += [
        Heading("Refusals and failures"),
        Words(failures_said(found), warning=bool(found["failures"]["failed"])),
    ]
    blocks += [one for one in (refusal_table(rows), failure_table(rows)) if one]
    blocks += [Heading("The generator"), Words((calibration_said(found["study"]),)), generator_table(rows)]
    blocks += [Heading("What it ran on"), setting_table(found)]
    return blocks + ([photograph_table(found["study"])] if "photographs" in found["study"] else [])


def highest_carried(rated: list[Row]) -> list[Row]:
    """Of each set-up the row with the highest carried rate."""
    found: dict[str, Row] = {}
    for row in rated:
        if row["carried"] and row["rate_per_s"] >= found.get(row["setup"], row)["rate_per_s"]:
            found[row["setup"]] = row
    return list(found.values())
