"""``leafsight check``: what is wrong with a collection before anything is trained on it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from leafsight.cli.collections import (
    bundle_embedder,
    fresh_option,
    model_option,
    no_model_option,
    photo_workers,
    read_collection,
)
from leafsight.cli.grouping import leaf_maps
from leafsight.cli.on_cluster import ClusterCommand, cluster_options, wanted_cluster
from leafsight.cli.terminal import (
    decode_limits,
    json_option,
    print_json,
    progress,
    quiet_option,
    talk,
)
from leafsight.errors import UsageError


@click.command(name="check", cls=ClusterCommand)
@click.argument("sources", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option(
    "--against",
    multiple=True,
    type=click.Path(path_type=Path),
    help="Another collection: which photographs of SOURCES stand in it, too?",
)
@click.option("--report", type=click.Path(path_type=Path), help="Write a page with thumbnails here (.html).")
@click.option(
    "--index", "index_path", type=click.Path(path_type=Path), help="Keep the index here (.parquet)."
)
@click.option(
    "--leaf-map", type=click.Path(path_type=Path), help="CSV class,file,leaf: photographs of one leaf."
)
@click.option("--seed", default=0, show_default=True, help="Of folds and resamples.")
@model_option
@no_model_option
@fresh_option
@cluster_options
@quiet_option
@json_option
def command(
    sources: tuple[Path, ...],
    against: tuple[Path, ...],
    report: Path | None,
    index_path: Path | None,
    **words: Any,
) -> int:
    """Read every photograph of SOURCES once and say what is wrong, worst first.

    SOURCES are folders of class folders, listings (CSV, COCO, metadata), tar or zip archives, or a saved
    index. What was read is kept in the cache folder: a second run reads only what changed. The exit code is 1
    when something should be mended before training.
    """
    from leafsight.inspection import CheckOptions, check_collection, picture_of, write_health_report

    if report is not None and report.suffix.lower() not in {".html", ".htm"}:
        raise UsageError(f"--report {report} must end in .html")
    quiet = words["quiet"]
    on = wanted_cluster(words["cluster"], words["workers"], words["worker_cpus"], words["worker_gpus"])
    model = None if words["no_model"] else words["model"]
    embedder = None if words["no_model"] else bundle_embedder(model)
    with photo_workers(on, sources + against, quiet=quiet, model=model, embedder=embedder) as elsewhere:
        how: dict[str, Any] = {"quiet": quiet, "fresh": words["fresh"], "elsewhere": elsewhere}
        read = read_collection(sources, embedder=embedder, **how)
        if index_path is not None:
            read.looked.index.save(index_path)
        other = read_collection(against, **how).looked if against else None
    health = check_collection(
        read.looked,
        against=other,
        against_name=" and ".join(place.resolve().name for place in against),
        leaf_map=leaf_maps(words["leaf_map"], sources),
        options=CheckOptions(seed=words["seed"]),
        progress=progress(quiet),
    )
    if report is not None:
        title = f"Health of {', '.join(source.resolve().name for source in sources)}"
        limits = decode_limits()
        write_health_report(
            health, report, pictures=lambda row: picture_of(read.looked, row, limits), title=title
        )
        talk(f"wrote {report} and {report.with_suffix('.json').name}", quiet)
    if words["as_json"]:
        print_json(health.to_dict())
    else:
        click.echo("\n".join(health.lines()))
    return 0 if health.is_clean else 1
