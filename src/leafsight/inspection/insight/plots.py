"""Figures as PNG, drawn by matplotlib: question above, picture, answer in words below."""

from __future__ import annotations

import io
import textwrap
import warnings
from collections.abc import Sequence
from typing import Any

import numpy as np

from leafsight.errors import require
from leafsight.inspection.insight.palette import (
    COLOURS,
    MARK,
    MARK_FAINT,
    MARK_SOFT,
    OTHERS,
    SHAPES,
    told_apart,
)
from leafsight.inspection.insight.phrases import number, visible
from leafsight.inspection.insight.scales import ticks
from leafsight.inspection.insight.series import (
    Axis,
    Bars,
    Matrix,
    Points,
    Say,
    Series,
    Spreads,
    Tiles,
    Words,
    in_words,
)

DPI = 100
INK, SOFT, GRID = "#1c2420", "#5a655f", "#e3e7e3"
CHARACTER_PX = 8.2  # mean width of a character of the answer
LINE_PX = 21
ROW_PX = 24
TILE_PX, TILE_TEXT_PX = 150, 38
LONGEST_LABEL = 34
LABEL_PX, MATRIX_FOOT_PX = 290, 190


def draw_png(
    series: Series,
    *,
    heading: str,
    answer: str,
    classes: Sequence[str],
    labels: np.ndarray,
    width_px: int = 1200,
    say: Say = str,
) -> bytes:
    """One figure as the bytes of a PNG.

    Args:
        series: what is drawn.
        heading: set above.
        answer: set below.
        classes: names for the labels of dots.
        labels: int64[n], of every photograph.
        width_px: of the PNG; the height follows from what is drawn.
        say: what axes and notes say, in the language of who looks at it.

    Raises:
        MissingExtraError: matplotlib is not installed.
    """
    require("matplotlib", "train")
    from matplotlib.backends.backend_agg import FigureCanvasAgg
    from matplotlib.figure import Figure

    above = textwrap.wrap(heading, int((width_px - 60) / (CHARACTER_PX * 1.25)))
    below = textwrap.wrap(answer, int((width_px - 60) / CHARACTER_PX))
    top_px, bottom_px = 26 + 27 * len(above), 24 + LINE_PX * len(below)
    series = in_words(series, say)
    middle_px = _height_px(series, width_px)
    height_px = top_px + middle_px + bottom_px
    figure = Figure(figsize=(width_px / DPI, height_px / DPI), dpi=DPI, facecolor="white")
    canvas: Any = FigureCanvasAgg(figure)
    at: dict[str, Any] = {
        "x": 28 / width_px,
        "ha": "left",
        "va": "top",
        "parse_math": False,
        "linespacing": 1.3,
    }
    figure.text(y=1 - 16 / height_px, s="\n".join(above), fontsize=15, weight="bold", color=INK, **at)
    figure.text(y=(bottom_px - 8) / height_px, s="\n".join(below), fontsize=11.5, color=INK, **at)
    body = figure.add_gridspec(
        1, 1, left=0, right=1, top=1 - top_px / height_px, bottom=bottom_px / height_px
    )
    with warnings.catch_warnings():
        # A class name in a script that the font lacks is drawn as boxes; that is no reason to stop.
        warnings.filterwarnings("ignore", message="Glyph .* missing")
        warnings.filterwarnings("ignore", message=".*Matplotlib currently does not support.*")
        _draw(figure, body[0], series, classes, labels, (width_px, middle_px), say)
        file = io.BytesIO()
        canvas.print_png(file, metadata={"Software": "leafsight"})
    return file.getvalue()


def _height_px(series: Series, width_px: int) -> int:
    if isinstance(series, Words):
        return 4
    if isinstance(series, Bars):
        return 76 + ROW_PX * len(series.bars)
    if isinstance(series, Spreads):
        return 76 + ROW_PX * len(series.spreads)
    if isinstance(series, Tiles):
        rows = -(-len(series.tiles) // _columns(width_px))
        return 12 + rows * (TILE_PX + TILE_TEXT_PX)
    if isinstance(series, Matrix):
        return int(MATRIX_FOOT_PX + 14 + _cell_px(series, width_px) * len(series.labels))
    return int(width_px * 0.6)


def _cell_px(series: Matrix, width_px: int) -> float:
    return float(min(56, (width_px - LABEL_PX - 150) / len(series.labels)))


def _columns(width_px: int) -> int:
    return max(1, (width_px - 40) // (TILE_PX + 12))


def _draw(
    figure: Any,
    place: Any,
    series: Series,
    classes: Sequence[str],
    labels: np.ndarray,
    size: tuple[int, int],
    say: Say,
) -> None:
    if isinstance(series, Words):
        return
    if isinstance(series, Tiles):
        _tiles(figure, place, series, size)
        return
    width_px, height_px = size
    top = 1 - 14 / height_px
    named = isinstance(series, Bars | Spreads | Matrix)
    left_px = LABEL_PX if named else 80
    bottom_px = MATRIX_FOOT_PX if isinstance(series, Matrix) else 56
    right_px = 280.0 if isinstance(series, Points) and series.by_class else 60.0
    if isinstance(series, Matrix):
        right_px = width_px - left_px - _cell_px(series, width_px) * len(series.labels)
    box = place.get_position(figure)
    axes = figure.add_axes(
        (
            left_px / width_px,
            box.y0 + box.height * bottom_px / height_px,
            1 - (left_px + right_px) / width_px,
            box.height * (top - bottom_px / height_px),
        )
    )
    axes.set_facecolor("white")
    for side in ("top", "right", "left"):
        axes.spines[side].set_visible(False)
    axes.spines["bottom"].set_color(GRID)
    axes.tick_params(length=0, colors=SOFT, labelsize=10)
    if isinstance(series, Bars):
        _bars(axes, series)
    elif isinstance(series, Spreads):
        _spreads(axes, series)
    elif isinstance(series, Matrix):
        _matrix(figure, axes, series)
    else:
        _points(axes, series, classes, labels, say)
    for text in (*axes.get_xticklabels(), *axes.get_yticklabels()):
        text.set_parse_math(False)


def _axis_name(axis: Axis) -> str:
    return f"{axis.label} ({axis.unit})" if axis.unit else axis.label


def _rows(axes: Any, names: Sequence[str]) -> None:
    axes.set_yticks(range(len(names)), [visible(name, LONGEST_LABEL) for name in names])
    axes.set_ylim(len(names) - 0.4, -0.6)
    axes.tick_params(axis="y", labelcolor=INK)


def _bars(axes: Any, series: Bars) -> None:
    _rows(axes, [bar.label for bar in series.bars])
    own = [MARK if bar.label_number is not None or not bar.note else MARK_SOFT for bar in series.bars]
    axes.barh(range(len(series.bars)), [bar.value for bar in series.bars], height=0.68, color=own)
    highest = max((bar.value for bar in series.bars), default=1.0)
    for place, bar in enumerate(series.bars):
        said = bar.note or f"{bar.value:,.0f}"
        axes.text(
            bar.value + highest * 0.008, place, said, va="center", fontsize=10, color=SOFT, parse_math=False
        )
    axes.set_xlim(0, highest * 1.08)
    axes.set_xticks([])
    axes.set_xlabel(_axis_name(series.axis), color=SOFT, fontsize=10)


def _spreads(axes: Any, series: Spreads) -> None:
    _rows(axes, [spread.label for spread in series.spreads])
    floor = positive_floor(series) if series.axis.log else None
    axes.axvline(_lifted(series.middle, floor), color=SOFT, linewidth=1, linestyle=(0, (4, 4)), zorder=0)
    for place, one in enumerate(series.spreads):
        low, quarter, middle, upper, high = (
            _lifted(value, floor) for value in (one.low, one.quarter, one.middle, one.upper_quarter, one.high)
        )
        axes.barh(place, high - low, left=low, height=0.30, color=MARK_FAINT)
        axes.barh(place, upper - quarter, left=quarter, height=0.62, color=MARK_SOFT)
        axes.plot([middle, middle], [place - 0.36, place + 0.36], color=MARK, linewidth=2.6)
        values = [_lifted(value, floor) for value, _ in one.extremes]
        axes.plot(values, [place] * len(values), "o", color=SOFT, markersize=3.2)
    if series.axis.log:
        axes.set_xscale("log")
        _log_ticks(axes.xaxis, axes.get_xlim())
    elif series.axis.from_zero:
        axes.set_xlim(left=0)
    axes.grid(axis="x", color=GRID)
    axes.set_axisbelow(True)
    axes.set_xlabel(_axis_name(series.axis), color=SOFT, fontsize=10)


def _log_ticks(axis: Any, ends: tuple[float, float]) -> None:
    values = ticks(*ends, log=True)
    axis.set_ticks(values, [number(value) for value in values])
    axis.set_ticks([], minor=True)


def positive_floor(series: Spreads) -> float:
    """The smallest value above zero, which zeros are drawn at on an axis in powers of ten."""
    values = [value for one in series.spreads for value in (one.low, one.middle, one.high)]
    values += [value for one in series.spreads for value, _ in one.extremes]
    return min((value for value in values if value > 0), default=1.0)


def _lifted(value: float, floor: float | None) -> float:
    return value if floor is None else max(value, floor)


def _points(axes: Any, series: Points, classes: Sequence[str], labels: np.ndarray, say: Say) -> None:
    if not series.by_class:
        area = 900 * series.counts / max(int(series.counts.max()), 1) + 8
        axes.scatter(series.x, series.y, s=area, color=MARK, alpha=0.45, linewidths=0.6, edgecolors=MARK)
    else:
        _by_class(axes, series, classes, labels, say)
    for axis, name in ((axes.xaxis, "x"), (axes.yaxis, "y")):
        said: Axis = getattr(series, f"{name}_axis")
        getattr(axes, f"set_{name}label")(_axis_name(said), color=SOFT, fontsize=10)
        if said.log:
            getattr(axes, f"set_{name}scale")("log")
            _log_ticks(axis, getattr(axes, f"get_{name}lim")())
        elif not said.unit:
            axis.set_ticks([])
    axes.grid(color=GRID)
    axes.set_axisbelow(True)


def _by_class(axes: Any, series: Points, classes: Sequence[str], labels: np.ndarray, say: Say) -> None:
    own = labels[series.rows]
    apart = told_apart(labels, len(classes))
    size = float(np.clip(60_000 / max(len(own), 1), 4, 28))
    rest = ~np.isin(own, apart)
    handles = []
    if rest.any():
        axes.scatter(series.x[rest], series.y[rest], s=size * 0.7, color=OTHERS, linewidths=0, alpha=0.6)
    for place, label in enumerate(apart):
        mine = own == label
        colour, shape = COLOURS[place % len(COLOURS)], SHAPES[place // len(COLOURS)]
        axes.scatter(
            series.x[mine], series.y[mine], s=size, color=colour, marker=shape, linewidths=0, alpha=0.7
        )
        handle = axes.plot([], [], shape, color=colour, label=visible(classes[label], 25), markersize=7)
        handles.append(handle[0])
    if rest.any():
        more = len(classes) - len(apart)
        handles += axes.plot([], [], "o", color=OTHERS, label=say(f"{more} more"), markersize=7)
    if len(handles) > 1:
        legend = axes.legend(
            handles=handles, loc="upper left", bbox_to_anchor=(1.01, 1), frameon=False, fontsize=10
        )
        for text in legend.get_texts():
            text.set_parse_math(False)


def _matrix(figure: Any, axes: Any, series: Matrix) -> None:
    image = axes.imshow(series.values, cmap="cividis", aspect="auto")
    names = [visible(name, LONGEST_LABEL) for name in series.labels]
    places = range(len(names))
    axes.set_yticks(places, names)
    axes.set_xticks(places, names, rotation=60, ha="right", rotation_mode="anchor")
    axes.tick_params(labelcolor=INK, labelsize=10 if len(names) <= 25 else 8)
    axes.spines["bottom"].set_visible(False)
    if len(names) <= 12:
        pale = np.nanmean([np.nanmin(series.values), np.nanmax(series.values)])
        for (row, column), value in np.ndenumerate(series.values):
            ink = INK if value > pale else "white"
            axes.text(column, row, number(float(value)), ha="center", va="center", color=ink, fontsize=10)
    box = axes.get_position()
    wide = 1 / (figure.get_size_inches()[0] * DPI)
    beside = figure.add_axes((box.x1 + 24 * wide, box.y0, 14 * wide, box.height))
    bar = figure.colorbar(image, cax=beside)
    bar.outline.set_visible(False)
    beside.tick_params(length=0, colors=SOFT, labelsize=10)
    bar.set_label(_axis_name(series.axis), color=SOFT, fontsize=10)


def _tiles(figure: Any, place: Any, series: Tiles, size: tuple[int, int]) -> None:
    width_px, height_px = size
    columns = _columns(width_px)
    box = place.get_position(figure)
    for index, tile in enumerate(series.tiles):
        row, column = divmod(index, columns)
        left = (28 + column * (TILE_PX + 12)) / width_px
        top = 1 - (row * (TILE_PX + TILE_TEXT_PX) + TILE_PX) / height_px
        wide, high = TILE_PX / width_px, box.height * TILE_PX / height_px
        axes = figure.add_axes((left, box.y0 + box.height * top, wide, high))
        axes.imshow(tile.pixels, interpolation="bilinear")
        axes.axis("off")
        said = f"{visible(tile.caption, 22)}\n{visible(tile.note, 28)}"
        axes.text(
            0, -0.03, said, transform=axes.transAxes, va="top", fontsize=8.2, color=INK, parse_math=False
        )
