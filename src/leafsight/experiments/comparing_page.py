"""A comparison as one page for people, and the same as JSON beside it.

Enters: a ``ComparedRuns`` and a way to get pictures. Leaves: one HTML file without scripts or requests. It
finds nothing.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

import numpy as np

from leafsight.experiments import comparing_origins as origins
from leafsight.experiments import comparing_sections as sections
from leafsight.experiments.comparing_records import AnsweredPhoto, ComparedRuns
from leafsight.pages import Html, document, join, tag, thumbnail
from leafsight.storage import write_json, write_text

Picture: TypeAlias = np.ndarray[Any, np.dtype[np.uint8]]
Pictures: TypeAlias = Callable[[int], "Picture | None"]

PHOTOGRAPHS_SHOWN = 24
PICTURES_BUDGET_CHARACTERS = 2_000_000  # of base64, as in the report of one evaluation
# Two columns only where both fit: the house's 330 px are wider than a small phone. Pictures are small enough
# for two in a row there, with the words below each other.
STYLE = """
.two { grid-template-columns:repeat(auto-fit,minmax(min(330px,100%),1fr)); }
.words { grid-template-columns:repeat(auto-fit,minmax(min(300px,100%),1fr)); }
.lead, h1 { overflow-wrap:anywhere; } .gallery .wrong { color:var(--bad); }
.gallery { grid-template-columns:repeat(auto-fill,minmax(145px,1fr)); }
.gallery dl { grid-template-columns:minmax(0,1fr); } .gallery dt { margin-top:3px; font-size:.78rem; }
.forest text { font-variant-numeric:tabular-nums; }
"""
PARTS = (
    ("numbers", "numbers"),
    ("tests", "chance"),
    ("photographs", "photographs"),
    ("wrong", "wrong by all"),
    ("confusions", "mistakes"),
    ("classes", "classes"),
    ("training", "training"),
    ("recipes", "recipes"),
    ("runs", "runs"),
    ("method", "method"),
)


def write_comparison(found: ComparedRuns, path: Path, *, pictures: Pictures) -> Path:
    """Write one self-contained HTML file, and the same as JSON beside it.

    Args:
        found: what ``compare_runs`` found.
        path: of the page; the JSON has the same name with ``.json``.
        pictures: row of ``found.index`` -> uint8[h, w, 3] RGB, or ``None`` where there is none. Asked only
            for the most surprising photographs.

    Raises:
        StorageError: a file cannot be written; the old ones stay as they were.
    """
    write_json(path.with_suffix(".json"), found.to_dict())
    write_text(path, comparison_page(found, pictures))
    return path


def comparison_page(found: ComparedRuns, pictures: Pictures) -> str:
    """The text of the page; see ``write_comparison``."""
    names = found.names
    title = f"{names[0]} and {names[1]}" if len(names) == 2 else f"{len(names)} runs compared"
    differing, wrong = found.differing[:PHOTOGRAPHS_SHOWN], found.all_wrong[:PHOTOGRAPHS_SHOWN]
    images = _images((*differing, *wrong), pictures)
    parts = [
        sections.numbers(found),
        sections.tests(found),
        sections.photographs(found, differing, images),
        sections.wrong(found, wrong, images),
        sections.confusions(found),
        sections.classes(found),
        origins.training(found),
        origins.recipes(found),
        origins.runs(found),
        origins.method(found),
    ]
    body = join(parts)
    links = [tag("a", word, href=f"#{anchor}") for anchor, word in PARTS if f'id="{anchor}"' in body]
    header = [
        tag("h1", title),
        sections.first_screen(found),
        tag("nav", links, aria_label="Parts of this page"),
    ]
    footer = "Written by leafsight compare. This page holds no script and asks for nothing from outside."
    return document(title, [tag("header", header), tag("main", body), tag("footer", footer)], style=STYLE)


def _images(shown: Sequence[AnsweredPhoto], pictures: Pictures) -> dict[int, Html]:
    """Thumbnails by row, the most surprising first, until the budget is spent."""
    found: dict[int, Html] = {}
    left = PICTURES_BUDGET_CHARACTERS
    for one in shown:
        if one.row in found:
            continue
        picture = pictures(one.row)
        if picture is None:
            continue
        image = thumbnail(picture, f"{one.label}: {one.photo}")
        left -= len(image)
        if left < 0:
            break
        found[one.row] = image
    return found
