"""``leafsight insight``: figures that answer questions about a collection, as a page and as pictures."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.collections import fresh_option, model_option
from leafsight.cli.terminal import json_option, print_json, progress, quiet_option

if TYPE_CHECKING:
    from leafsight.inspection import Figure, Material


@click.command(name="insight")
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--out",
    default=Path("insight.html"),
    show_default=True,
    type=click.Path(path_type=Path),
    help="The page to write.",
)
@click.option("--png", type=click.Path(path_type=Path), help="Write every figure into this folder, too.")
@click.option(
    "--max-mb",
    default=15,
    show_default=True,
    type=click.IntRange(1, 1000),
    help="Most that the page may weigh; thumbnails are left out beyond it.",
)
@model_option
@click.option(
    "--no-model", is_flag=True, help="Ask no network: quicker, and the map shows colour and layout only."
)
@fresh_option
@quiet_option
@json_option
def command(
    sources: tuple[Path, ...],
    out: Path,
    png: Path | None,
    max_mb: int,
    model: Path | None,
    no_model: bool,
    fresh: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Show what the photographs of SOURCES look like: fifteen figures, each with its answer in words.

    SOURCES are folders of class folders, listings, archives, or one saved index. The page holds everything it
    shows and asks for nothing from outside.
    """
    from leafsight.errors import require
    from leafsight.inspection import InsightOptions, insight_figures, write_insight_page, write_pngs

    if png is not None:
        require("matplotlib", "train")  # said before the photographs are read, not after
    material = _material(sources, model=model, ask=not no_model, fresh=fresh, quiet=quiet)
    options = InsightOptions(page_bytes=max_mb * 1_000_000)
    figures = insight_figures(material, options, progress=progress(quiet))
    write_insight_page(out, material, figures, options)
    pictures = [] if png is None else write_pngs(png, figures)
    if as_json:
        print_json(_plain(material, figures, out, pictures))
        return
    for figure in figures:
        click.echo(f"{figure.question}\n  {figure.answer}")
    click.echo(f"page: {out}")
    if png is not None:
        click.echo(f"pictures: {png}")


def _material(
    sources: tuple[Path, ...], *, model: Path | None, ask: bool, fresh: bool, quiet: bool
) -> Material:
    from leafsight.cli.collections import bundle_embedder, read_collection
    from leafsight.inspection import material_of

    embedder = bundle_embedder(model) if ask else None
    read = read_collection(sources, quiet=quiet, embedder=embedder, fresh=fresh).looked
    return material_of(
        read.index,
        read.sketches,
        embeddings=read.embeddings,
        embedded_by="the built-in model" if model is None else f"the model {model.name}",
        title=", ".join(source.resolve().name for source in sources),
    )


def _plain(material: Material, figures: list[Figure], out: Path, pictures: list[Path]) -> dict[str, object]:
    return {
        "photographs": len(material),
        "unreadable": material.unreadable,
        "classes": len(material.classes),
        "page": str(out),
        "pictures": [str(picture) for picture in pictures],
        "figures": [
            {name: getattr(figure, name) for name in ("name", "title", "question", "answer", "note", "kind")}
            for figure in figures
        ],
    }
