"""The report on drift as one page for people.

Enters: what ``drift`` found, and maybe a small picture of each photograph. Leaves: the text of an HTML file
that asks for nothing from outside. It does not know where pictures are kept.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from leafsight.pages import Html, document, section, table, tag

NAMES = {
    "look": "distance to the training domain (standard deviations above what is usual for the class named)",
    "doubt": "doubt (the same way)",
    "mix_of_looks": "other shares of looks (maximum mean discrepancy)",
    "mix_of_classes": "other shares of conditions (chi-squared by photograph)",
}


def drift_page(found: Mapping[str, Any], pictures: Mapping[str, Html] | None = None) -> str:
    """One self-contained page.

    Args:
        found: of ``look_for_drift``, with ``at_ms``.
        pictures: small pictures (``pages.thumbnail``) by id of the prediction, where photographs are kept.
    """
    pictures = pictures or {}
    body = [
        tag("h1", "Drift against the training domain"),
        tag("p", found["said"], class_="lead"),
        tag("p", _about(found)),
    ]
    if found["windows"]:
        body.append(section("Windows", "windows", _windows(found)))
    if found["drifted"]:
        body.append(section("Photographs that lie farthest", "farthest", _drifted(found, pictures)))
    return document("Drift", tag("main", body))


def _about(found: Mapping[str, Any]) -> str:
    when = f" at {_moment(found['at_ms'])}" if "at_ms" in found else ""
    if "reference_photographs" not in found:
        return f"Model {found['model'][:12]}{when}."
    return (
        f"Model {found['model'][:12]}, looked{when}: {found['photographs']} photographs beside "
        f"{found['reference_photographs']} held-out ones that the model remembers. A look at photographs of "
        f"the training domain raises an alarm in {found['false_alarms']:.0%} of looks."
    )


def _windows(found: Mapping[str, Any]) -> Html:
    rows = [
        [
            f"{window['photographs']}",
            f"{window['occasions']}",
            NAMES[one["name"]],
            f"{one['value']:g}",
            f"{one['limit']:g}",
            ("alarm" if one["alarms"] else "another mix") if one["over"] else "",
        ]
        for window in found["windows"]
        for one in window["measures"]
    ]
    head = ["newest", "occasions", "measure", "value", "limit", "said"]
    return table(head, rows, "What was measured in each window", numeric=(0, 1, 3, 4))


def _drifted(found: Mapping[str, Any], pictures: Mapping[str, Html]) -> Html:
    rows = [
        [
            one["id"],
            pictures.get(one["id"], "not kept"),
            _moment(one["created_at"]),
            one["class_key"] or one["verdict"].replace("_", " "),
            f"{one['steps']:.1f}",
            f"{one['of_rare']:.2f}",
        ]
        for one in found["drifted"]
    ]
    head = ["prediction", "photograph", "when", "said", "farther than usual", "of what is rare at home"]
    return table(head, rows, "Farthest first", numeric=(4, 5))


def _moment(at_ms: int) -> str:
    return datetime.fromtimestamp(at_ms / 1000, UTC).strftime("%Y-%m-%d %H:%M UTC")
