"""The page as a whole, and the same as JSON beside it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.evaluation.report import appendix, sections
from leafsight.evaluation.results import Evaluation, Mistake, plain
from leafsight.pages import Html, document, join, tag, thumbnail
from leafsight.storage import write_json, write_text

if TYPE_CHECKING:
    from leafsight.evaluation.shapes import Picture

PICTURES_BUDGET_CHARACTERS = 2_000_000  # of base64; the page stays below 3 MB

Pictures = Callable[[int], "Picture | None"]


def write_report(
    evaluation: Evaluation,
    path: Path,
    *,
    pictures: Pictures | None = None,
    heatmaps: Pictures | None = None,
    title: str = "Evaluation",
    provenance: Mapping[str, Any] | None = None,
    curves: Mapping[str, Mapping[str, Sequence[float]]] | None = None,
    data_summary: Mapping[str, Any] | None = None,
) -> Path:
    """Write one self-contained HTML file, and the same as JSON beside it.

    Args:
        evaluation: what ``evaluate`` measured.
        path: of the page; the JSON has the same name with ``.json``.
        pictures: row of the scores -> uint8[h, w, 3] RGB, or ``None`` where there is none. Asked only for the
            worst mistakes. They are embedded as small JPEG files without metadata.
        heatmaps: the same with the heatmap laid over, shown beside.
        title: headline and window title.
        provenance: plain values about model, data and versions.
        curves: quantity -> line -> one value an epoch, such as ``{"loss": {"train": [...]}}``.
        data_summary: plain values about the photographs.

    Returns:
        ``path``.

    Raises:
        MissingExtraError: pictures are wanted and Pillow is not installed.
        StorageError: a file cannot be written; the old ones stay as they were.
    """
    images = _images(evaluation, pictures, heatmaps)
    parts = [sections.domains(evaluation)] if evaluation.domains else []
    parts += [sections.per_class(evaluation), sections.confusion(evaluation), sections.confidence(evaluation)]
    if evaluation.verdicts:
        parts.append(sections.sets(evaluation))
    parts.append(sections.gallery(evaluation, images))
    if curves:
        parts.append(appendix.training_curves(curves))
    parts.append(appendix.all_numbers(evaluation))
    if data_summary:
        parts.append(appendix.facts("The photographs", "data", data_summary))
    parts.append(appendix.method(evaluation))
    if provenance:
        parts.append(appendix.facts("Provenance", "provenance", provenance))
    extra = {"title": title, "provenance": provenance, "curves": curves, "data_summary": data_summary}
    write_json(path.with_suffix(".json"), evaluation.to_dict() | plain({k: v for k, v in extra.items() if v}))
    write_text(path, _page(title, sections.first_screen(evaluation), parts))
    return path


def _page(title: str, first: Html, parts: Sequence[Html]) -> str:
    names = [("domains", "origin"), ("classes", "classes"), ("confusion", "mistaken pairs")]
    names += [("confidence", "confidence"), ("answers", "answers"), ("mistakes", "worst mistakes")]
    names += [
        ("training", "training"),
        ("numbers", "all numbers"),
        ("data", "photographs"),
        ("method", "method"),
    ]
    body = join(parts)
    links = [tag("a", name, href=f"#{anchor}") for anchor, name in names if f'id="{anchor}"' in body]
    return document(
        title,
        [
            tag("header", [tag("h1", title), first, tag("nav", links, aria_label="Parts of this report")]),
            tag("main", body),
            tag(
                "footer", "Written by leafsight. This page holds no script and asks for nothing from outside."
            ),
        ],
    )


def _images(evaluation: Evaluation, pictures: Pictures | None, heatmaps: Pictures | None) -> dict[int, Html]:
    """Thumbnails by row, the worst mistakes first, until the budget is spent."""
    found: dict[int, Html] = {}
    left = PICTURES_BUDGET_CHARACTERS
    for mistake in evaluation.mistakes:
        image = join(
            [
                _image(source, mistake, what)
                for source, what in ((pictures, ""), (heatmaps, ", heatmap"))
                if source
            ]
        )
        left -= len(image)
        if left < 0:
            break
        if image:
            found[mistake.row] = image
    return found


def _image(source: Pictures, mistake: Mistake, what: str) -> Html:
    picture = source(mistake.row)
    return (
        Html("") if picture is None else thumbnail(picture, f"{mistake.true}, called {mistake.answer}{what}")
    )
