"""The health report as one page for people, with thumbnails, and the same as JSON beside it.

Enters: a ``Health`` and a way to get pictures. Leaves: one HTML file without scripts or requests. It finds
nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from itertools import groupby
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from leafsight.inspection.findings import Case, Finding, share
from leafsight.inspection.health import Health
from leafsight.pages import Html, document, folded, join, section, table, tag, thumbnail
from leafsight.storage import write_json, write_text

Picture: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
Pictures: TypeAlias = Callable[[int], "Picture | None"]

HEADINGS = {
    "mend": ("Mend before training", "mend", "Each of these makes a result wrong."),
    "look": ("Look at these", "look", "Probably wrong, or harmful in some uses; a person has to decide."),
    "know": ("Good to know", "know", "Nothing to mend."),
}
CASES_SHOWN = 24
ROWS_SHOWN = 4
NAMES_LISTED = 500
CLASSES_SHOWN = 8
PICTURES_BUDGET_CHARACTERS = 6_000_000
"""Of base64; the worst findings come first, so what does not fit is what matters least."""


def write_health_report(health: Health, path: Path, *, pictures: Pictures, title: str) -> Path:
    """Write the page, and the same as JSON beside it.

    Args:
        health: what was found.
        path: of the page; the JSON has the same name with ``.json``.
        pictures: row of the index -> uint8[h, w, 3] RGB, or ``None`` where there is none.
        title: headline and window title.

    Raises:
        StorageError: a file cannot be written; the old ones stay as they were.
    """
    album = _Album(pictures, health.names())
    parts = []
    for weight, findings in groupby(health.findings, key=lambda finding: finding.weight):
        heading, anchor, words = HEADINGS[weight]
        content = [tag("p", words, class_="soft"), *(_finding(finding, album) for finding in findings)]
        parts.append(section(heading, anchor, content))
    parts.append(section("Classes", "classes", _classes(health)))
    for name, value in health.facts.items():
        parts.append(section(name.replace("_", " ").capitalize(), f"fact-{name}", _fact(value)))
    parts.append(section("What was not looked at", "limits", _limits(health)))
    links = [
        ("mend", "mend"),
        ("look", "look at"),
        ("know", "know"),
        ("classes", "classes"),
        ("limits", "limits"),
    ]
    body = join(parts)
    nav = [tag("a", words, href=f"#{anchor}") for anchor, words in links if f'id="{anchor}"' in body]
    whole = [
        tag(
            "header",
            [tag("h1", title), _first_screen(health), tag("nav", nav, aria_label="Parts of this report")],
        ),
        tag("main", body),
        tag(
            "footer",
            "Written by leafsight check. This page holds no script and asks for nothing from outside.",
        ),
    ]
    write_json(path.with_suffix(".json"), health.to_dict())
    write_text(path, document(title, whole))
    return path


def _first_screen(health: Health) -> Html:
    mend = [finding for finding in health.findings if finding.weight == "mend"]
    if mend:
        things = "thing" if len(mend) == 1 else "things"
        lead = f"{len(mend)} {things} to mend before anything is trained on this."
    elif any(finding.weight == "look" for finding in health.findings):
        lead = "Nothing must be mended; some photographs deserve a look."
    else:
        lead = "Nothing was found to mend."
    tiles = [
        (f"{health.photographs:,}", "photographs", f"{health.usable:,} usable"),
        (f"{len(health.class_counts):,}", "classes", ""),
        *((f"{finding.count:,}", _short(finding), f"of {finding.of:,}") for finding in mend if finding.cases),
    ]
    shown = [
        tag("li", [tag("b", number), tag("span", words), tag("span", note, class_="note")], class_="tile")
        for number, words, note in tiles
    ]
    return join([tag("p", lead, class_="lead"), tag("ul", shown, class_="tiles")])


def _short(finding: Finding) -> str:
    return finding.kind.replace("-", " ")


def _finding(finding: Finding, album: _Album) -> Html:
    parts = [tag("h3", finding.sentence)]
    if finding.hint:
        parts.append(tag("p", finding.hint, class_="soft"))
    if len(finding.per_class) > 1:
        parts.append(_per_class(finding))
    pictures = [item for case in finding.cases[:CASES_SHOWN] if (item := album.case(case))]
    if pictures:
        parts.append(tag("ul", pictures, class_="gallery"))
    if len(finding.cases) > len(pictures):
        parts.append(_listed(finding.cases, album.names))
    return tag("div", parts, id=f"finding-{finding.kind}")


def _per_class(finding: Finding) -> Html:
    counts = list(finding.per_class.items())
    sizes = finding.class_sizes
    shown = ", ".join(
        f"{name} {share(count, sizes[name]) if sizes.get(name) else count}"
        for name, count in counts[:CLASSES_SHOWN]
    )
    rest = counts[CLASSES_SHOWN:]
    more = f" and {sum(count for _, count in rest)} in {len(rest)} other classes" if rest else ""
    return tag("p", f"By class: {shown}{more}.")


def _listed(cases: Sequence[Case], names: Sequence[str]) -> Html:
    lines = [
        tag(
            "li",
            " = ".join([*(names[row] for row in case.rows), *case.elsewhere])
            + (f": {case.text}" if case.text else ""),
        )
        for case in cases[:NAMES_LISTED]
    ]
    if len(cases) > NAMES_LISTED:
        lines.append(tag("li", f"and {len(cases) - NAMES_LISTED} more, all in the JSON beside this page"))
    return folded(f"All {len(cases)} by name", tag("ul", lines))


def _classes(health: Health) -> Html:
    concerned = [finding for finding in health.findings if finding.per_class and finding.weight != "know"][:5]
    rows = [
        [name, f"{count:,}", *(str(finding.per_class.get(name, "")) for finding in concerned)]
        for name, count in sorted(health.class_counts.items(), key=lambda item: (-item[1], item[0]))
    ]
    head = ["class", "usable photographs", *(_short(finding) for finding in concerned)]
    whole = table(head, rows, "Photographs and findings by class", numeric=range(1, len(head)))
    return whole if len(rows) <= 60 else folded(f"All {len(rows)} classes", whole)


def _fact(value: Mapping[str, Any]) -> Html:
    """Measured parts: sentences under ``lines``, tables under ``shown`` as lists of equal records."""
    parts: list[Html] = [tag("p", str(line)) for line in value.get("lines", ())]
    parts += [_records(name, rows) for name, rows in value.get("shown", {}).items() if rows]
    return join(parts)


def _records(name: str, rows: Sequence[Mapping[str, Any]]) -> Html:
    head = list(rows[0])
    numeric = [number for number, key in enumerate(head) if isinstance(rows[0][key], (int, float))]
    cells = [[_cell(row.get(key)) for key in head] for row in rows]
    whole = table([key.replace("_", " ") for key in head], cells, name.replace("_", " "), numeric=numeric)
    return whole if len(rows) <= 12 else folded(f"{name.replace('_', ' ')} ({len(rows)})", whole)


def _cell(value: Any) -> str:
    if isinstance(value, float):
        return f"{value:.3f}"
    return "" if value is None else str(value)


def _limits(health: Health) -> Html:
    said = [*health.not_looked, *health.index.notes]
    return tag(
        "ul", [tag("li", line) for line in said or ["Everything that leafsight check knows was looked at."]]
    )


class _Album:
    """Thumbnails until the budget is spent, each photograph encoded once."""

    def __init__(self, pictures: Pictures, names: Sequence[str]) -> None:
        self.names = names
        self._pictures = pictures
        self._made: dict[int, Html] = {}
        self._left = PICTURES_BUDGET_CHARACTERS

    def case(self, case: Case) -> Html | None:
        """A case as an item of a gallery; ``None`` when no picture can be shown."""
        images = [image for row in case.rows[:ROWS_SHOWN] if (image := self._image(row))]
        if not images:
            return None
        names = [self.names[row] for row in case.rows[:ROWS_SHOWN]]
        names += [f"= {name}" for name in case.elsewhere[:ROWS_SHOWN]]
        if len(case.rows) > ROWS_SHOWN:
            names.append(f"and {len(case.rows) - ROWS_SHOWN} more")
        said = case.text if case.score is None or not case.kind else f"{case.text} ({case.score:.2f})"
        words = [tag("dt", "what"), tag("dd", said)] if said else []
        where = [tag("dt", "which"), tag("dd", [tag("div", name) for name in names])]
        return tag("li", [tag("div", images, class_="pictures"), tag("dl", [*words, *where])])

    def _image(self, row: int) -> Html | None:
        if row not in self._made and self._left > 0:
            picture = self._pictures(row)
            if picture is None:
                return None
            self._made[row] = thumbnail(picture, self.names[row])
            self._left -= len(self._made[row])
        return self._made.get(row)
