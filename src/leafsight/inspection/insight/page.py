"""The figures as one interactive HTML page that asks for nothing from outside, and as PNG files."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from importlib.resources import files
from pathlib import Path
from typing import Any

import numpy as np

from leafsight.inspection.insight import charts
from leafsight.inspection.insight.figure import Figure
from leafsight.inspection.insight.material import Material
from leafsight.inspection.insight.options import InsightOptions
from leafsight.inspection.insight.palette import told_apart
from leafsight.inspection.insight.phrases import counted, photographs, visible
from leafsight.inspection.insight.series import Bars, Matrix, Points, Say, Spreads, Tiles
from leafsight.inspection.insight.sprites import Sprites, make_sprites
from leafsight.pages import Html, Script, document, join, section, tag
from leafsight.progress import Progress, Silent
from leafsight.storage import write_bytes, write_text

LONGEST_SHOWN_NAME = 120
NOTE_BYTES = 20_000  # of the page's own words, style and script, beside figures and data


def write_insight_page(
    path: Path, material: Material, figures: Sequence[Figure], options: InsightOptions | None = None
) -> Path:
    """Write one self-contained HTML file.

    Args:
        path: of the page.
        material: what ``figures`` were made from; its pictures become thumbnails.
        figures: of ``insight_figures``.
        options: ``page_bytes`` is the most that the file may weigh; thumbnails are left out beyond it, which
            the page says.

    Returns:
        ``path``.

    Raises:
        DiskFullError, PermissionDeniedError, StorageError: the file cannot be written; an old one stays.
    """
    write_text(path, insight_page(material, figures, options))
    return path


def insight_page(material: Material, figures: Sequence[Figure], options: InsightOptions | None = None) -> str:
    """The text of the page; see ``write_insight_page``."""
    chosen = options or InsightOptions()
    shown = _shown(material, figures)
    apart = told_apart(material.labels, len(material.classes))
    sections = [_section(figure, shown, material, apart) for figure in figures]
    here = files(__package__)
    style = here.joinpath("insight.css").read_text(encoding="utf-8")
    script = here.joinpath("insight.js").read_text(encoding="utf-8")
    data = _data(material, figures, shown, apart)
    so_far = sum(len(part.encode()) for part in (*sections, style, script, data))
    sprites = _sprites(material, shown, chosen.page_bytes - so_far - NOTE_BYTES)
    body = [
        _header(material, figures, shown, sprites),
        _chooser(material),
        tag("main", sections),
        tag(
            "footer", "Written by leafsight. This page asks for nothing from outside; its script is its own."
        ),
        tag("div", "", id="tip", hidden=True),
        tag("div", "", id="said", class_="unseen", aria_live="polite"),
        tag("script", Html(data), type="application/json", id="insight-data"),
        *_sheets(sprites),
    ]
    title = f"Insight: {visible(material.title)}" if material.title else "Insight"
    return document(title, body, style=style, scripts=[Script(script)])


def write_pngs(
    folder: Path,
    figures: Sequence[Figure],
    *,
    width_px: int = 1200,
    words: bool = True,
    say: Say = str,
    progress: Progress | None = None,
) -> list[Path]:
    """Write every figure as ``01-counts.png`` and so on.

    Args:
        folder: made when it is not there.
        figures: of ``insight_figures``.
        width_px: of each picture.
        words: whether question and answer stand in the pictures.
        say: what axes and notes say, in the language of who looks at them.
        progress: told of every picture.

    Raises:
        MissingExtraError: matplotlib is not installed.
        DiskFullError, PermissionDeniedError, StorageError: a file cannot be written.
    """
    talk = progress or Silent()
    paths = []
    talk.start("drawing pictures", len(figures))
    for place, figure in enumerate(figures, 1):
        paths.append(folder / f"{place:02d}-{figure.name}.png")
        write_bytes(paths[-1], figure.png(width_px=width_px, words=words, say=say))
        talk.advance()
    talk.finish()
    return paths


@dataclass(frozen=True, slots=True, eq=False)
class _Shown:
    """Photographs that the page names: rows of the material, those of extremes and tiles first."""

    rows: np.ndarray
    number_of: dict[int, int]


def _shown(material: Material, figures: Sequence[Figure]) -> _Shown:
    first: list[int] = []
    later: list[int] = []
    for figure in figures:
        series = figure.series
        if isinstance(series, Tiles):
            first += [tile.row for tile in series.tiles if tile.row is not None]
        elif isinstance(series, Spreads):
            first += [row for one in series.spreads for _, row in one.extremes]
        elif isinstance(series, Points):
            # Evenly mixed, so that a budget that runs out leaves no class without thumbnails.
            mixed = np.random.default_rng(0).permutation(series.rows)
            later += mixed.tolist()
    rows = list(dict.fromkeys([*first, *later]))
    return _Shown(np.array(rows, np.int64), {row: place for place, row in enumerate(rows)})


def _sprites(material: Material, shown: _Shown, max_characters: int) -> Sprites:
    if material.pictures is None:
        return make_sprites(shown.rows[:0], lambda rows: rows, 0)
    kept = shown.rows[material.has_picture[shown.rows]]
    return make_sprites(kept, material.pictures, max_characters)


def _sheets(sprites: Sprites) -> list[Html]:
    shape = {"side": sprites.side_px, "columns": sprites.columns, "placed": sprites.placed}
    sheets = [
        tag("script", Html(sheet), type="text/plain", id=f"sheet-{place}")
        for place, sheet in enumerate(sprites.sheets)
    ]
    return [tag("script", Html(json.dumps(shape)), type="application/json", id="insight-sheets"), *sheets]


def _data(material: Material, figures: Sequence[Figure], shown: _Shown, apart: Sequence[int]) -> str:
    """What the script needs, as JSON that cannot end its element."""
    has = material.has_picture if material.pictures is not None else np.zeros(len(material), bool)
    with_picture = has[shown.rows]
    places = np.where(with_picture, np.cumsum(with_picture) - 1, -1)
    value = {
        "classes": [visible(name) for name in material.classes],
        "apart": list(apart),
        "names": [visible(material.names[row], LONGEST_SHOWN_NAME) for row in shown.rows],
        "labels": material.labels[shown.rows].tolist(),
        "places": places.tolist(),
        "figures": {
            figure.name: _points(figure.series, shown)
            for figure in figures
            if isinstance(figure.series, Points)
        },
    }
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).replace("<", "\\u003c")


def _points(series: Points, shown: _Shown) -> dict[str, Any]:
    axes = {
        name: {"label": axis.label, "unit": axis.unit, "log": axis.log}
        for name, axis in (("xAxis", series.x_axis), ("yAxis", series.y_axis))
    }
    return {
        **axes,
        "x": [float(f"{value:.5g}") for value in series.x],
        "y": [float(f"{value:.5g}") for value in series.y],
        "photos": [shown.number_of[int(row)] for row in series.rows],
        "counts": series.counts.tolist() if int(series.counts.max()) > 1 else None,
        "byClass": series.by_class,
    }


def _header(material: Material, figures: Sequence[Figure], shown: _Shown, sprites: Sprites) -> Html:
    title = visible(material.title) if material.title else "this collection"
    lead = f"{photographs(len(material))} in {counted(len(material.classes), 'class')}."
    if material.unreadable:
        lead += f" {photographs(material.unreadable)} that cannot be read are left out."
    if sprites.placed < len(shown.rows):
        thumbs = (
            f"{sprites.placed:,} of {len(shown.rows):,} dots show their photograph; the others only its name."
        )
    else:
        thumbs = "Every dot shows its photograph."
    links = [tag("a", figure.title.lower(), href=f"#{figure.name}") for figure in figures]
    names = [tag("option", "all alike", value="-1")]
    names += [tag("option", visible(name), value=str(label)) for label, name in enumerate(material.classes)]
    return tag(
        "header",
        [
            tag("h1", ["Insight: ", tag("bdi", title)]),
            tag("p", lead, class_="lead"),
            tag("p", f"Every answer below was computed from all photographs. {thumbs}", class_="soft"),
            tag("nav", links, aria_label="Figures"),
        ],
    )


def _chooser(material: Material) -> Html:
    """Picks out one class in every figure; stays in view."""
    if len(material.classes) < 2:
        return Html("")
    names = [tag("option", "all alike", value="-1")]
    names += [tag("option", visible(name), value=str(label)) for label, name in enumerate(material.classes)]
    label = tag("label", ["Class to pick out ", tag("select", names, id="chosen")], for_="chosen")
    return tag("div", label, class_="chooser")


def _section(figure: Figure, shown: _Shown, material: Material, apart: Sequence[int]) -> Html:
    answer = [tag("p", figure.answer, class_="answer")]
    if figure.note:
        answer.append(tag("p", figure.note, class_="soft"))
    drawn, numbers = _drawing(figure, shown, material, apart)
    whole = tag("figure", [drawn, tag("figcaption", [*answer, numbers])])
    return section(figure.question, figure.name, whole)


def _drawing(figure: Figure, shown: _Shown, material: Material, apart: Sequence[int]) -> tuple[Html, Html]:
    """The picture, and its numbers as a table where that helps."""
    none = Html("")
    series = figure.series
    if isinstance(series, Bars):
        return charts.bars(series)
    if isinstance(series, Spreads):
        return charts.spreads(series, shown.number_of, figure.question)
    if isinstance(series, Matrix):
        return charts.matrix(series, figure.answer)
    if isinstance(series, Tiles):
        return charts.tiles(series, shown.number_of), none
    if isinstance(series, Points):
        return _scatter(figure, series, material, apart), none
    return none, none


def _scatter(figure: Figure, series: Points, material: Material, apart: Sequence[int]) -> Html:
    words = (
        f"{figure.question} Arrow keys go from photograph to photograph, plus and minus zoom, shift with "
        "arrows moves, 0 shows all."
    )
    canvas = tag(
        "canvas", figure.answer, id=f"canvas-{figure.name}", tabindex="0", role="img", aria_label=words
    )
    tools = [
        tag("button", said, type="button", data_tool=tool, aria_label=name)
        for tool, said, name in (("in", "+", "zoom in"), ("out", "−", "zoom out"), ("all", "all", "show all"))
    ]
    hint = (
        "Drag to move; + and −, two fingers, or the wheel after a click to zoom; arrow keys from dot to dot."
    )
    box = tag("div", [canvas, tag("div", tools, class_="tools")], class_="scatter", data_figure=figure.name)
    parts = [box, tag("p", hint, class_="key-line soft")]
    if series.by_class and len(material.classes) > 1:
        names = [visible(name) for name in material.classes]
        parts.append(charts.legend(names, apart, len(material.classes) - len(apart)))
    return join(
        [*parts, tag("noscript", tag("p", "This picture needs the script of the page.", class_="soft"))]
    )
