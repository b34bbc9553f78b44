"""Makes a report on a collection: its health, and figures that answer questions.

Enters: a job that names a collection. Leaves: a report in the store. The work is done by ``leafsight check``
and ``leafsight insight``, each a process of its own, so that nothing they need is loaded here.
"""

from __future__ import annotations

import tempfile
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from leafsight.errors import NotFoundError
from leafsight.service.job_work import Work, need, printed_json
from leafsight.service.report_store import Reports, collection_id

TIMEOUT_S = 6 * 3600.0
CASES, NAMES_OF_A_CASE, CLASSES, NOTES = 6, 4, 1000, 20
VERB = "leafsight.service.minded"
WEIGHTS = ("mend", "look", "know")


def make_report(work: Work) -> dict[str, Any]:
    """Make the report that ``work.job`` asks for.

    Returns:
        The result of the job.

    Raises:
        MissingExtraError: pyarrow or matplotlib is not installed.
        NotFoundError: the collection is not there.
        LeafsightError: the collection cannot be read.
        GivenUpError: the job was cancelled.
    """
    need("pyarrow", "matplotlib")
    source = Path(str(work.job.request["source"]))
    if not source.exists():
        raise NotFoundError(
            f"the collection {source} is not there",
            hint="start the server, and the job worker if there is one, with a --data that both find",
        )
    with tempfile.TemporaryDirectory(prefix="leafsight-report-") as folder:
        return _make(work, source, Path(folder), Reports(work.blobs))


def _make(work: Work, source: Path, folder: Path, reports: Reports) -> dict[str, Any]:
    work.step("starting", "health")
    page = folder / "health.html"
    words = ["check", str(source), "--report", str(page), "--json"]
    health = printed_json(work.child(VERB, words, folder / "check.out", timeout_s=TIMEOUT_S), folder)
    work.step("starting", "figures")
    words = ["insight", str(source), "--out", str(folder / "insight.html"), "--png", str(folder), "--json"]
    insight = printed_json(work.child(VERB, words, folder / "insight.out", timeout_s=TIMEOUT_S), folder)
    work.step("storing", "store")
    work.go_on()
    report = work.job.id
    pictures = [Path(one).name for one in insight["pictures"]]
    names = ["health.html", "health.json", "insight.html", *pictures]
    kept = reports.put(report, {name: (folder / name).read_bytes() for name in names})
    summary = _summary(work, source, health, insight)
    work.go_on()
    brief = {name: summary[name] for name in ("id", "created_at", "collection", "photographs", "usable")}
    manifest = {
        "format": 1, **brief, "classes": len(health["class_counts"]), "findings": summary["weights"],
        "collection_id": collection_id(str(source)), "files": kept,
    }  # fmt: skip
    reports.finish(report, manifest, summary)
    return {"report": report, **{name: manifest[name] for name in ("photographs", "classes", "findings")}}


def _summary(
    work: Work, source: Path, health: Mapping[str, Any], insight: Mapping[str, Any]
) -> dict[str, Any]:
    findings = [_finding(one) for one in health["findings"]]
    pictures = [Path(one).name for one in insight["pictures"]]
    counts = sorted(health["class_counts"].items(), key=lambda item: (-item[1], item[0]))
    return {
        "id": work.job.id,
        "created_at": work.job.updated_ms,
        "collection": source.name or str(source),
        "photographs": health["photographs"],
        "usable": health["usable"],
        "is_clean": health["is_clean"],
        "class_counts": dict(counts[:CLASSES]),
        "weights": {weight: sum(one["weight"] == weight for one in findings) for weight in WEIGHTS},
        "findings": findings,
        "not_looked_at": health["not_looked_at"][:NOTES],
        "notes": health["notes"][:NOTES],
        "figures": [
            {**one, "picture": picture}
            for one, picture in zip(insight["figures"], pictures, strict=True)
        ],
    }  # fmt: skip


def _finding(one: Mapping[str, Any]) -> dict[str, Any]:
    """A finding with its first cases; all of them stand in ``health.json``."""
    cases = [
        {
            "photographs": case["photographs"][:NAMES_OF_A_CASE],
            "elsewhere": case.get("elsewhere", [])[:NAMES_OF_A_CASE],
            "text": case.get("text", ""),
        }
        for case in one["cases"][:CASES]
    ]
    names = ("kind", "part", "weight", "sentence", "hint", "count", "of")
    per_class = dict(list(one["per_class"].items())[:CLASSES])
    return {**{name: one[name] for name in names}, "per_class": per_class, "cases": cases,
            "more_cases": len(one["cases"]) - len(cases)}  # fmt: skip
