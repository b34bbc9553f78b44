"""``leafsight evaluate``: a model file judged on labelled photographs that it has not seen."""

from __future__ import annotations

import math
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from leafsight.cli.terminal import (
    cores,
    decode_limits,
    json_option,
    print_json,
    print_table,
    progress,
    quiet_option,
    settings_for,
    talk,
)
from leafsight.errors import EvaluationError

if TYPE_CHECKING:
    from leafsight.dataset import PhotoIndex, PixelCache
    from leafsight.evaluation import Evaluation, Interval
    from leafsight.inference import BundlePredictor
    from leafsight.progress import Progress

SHOWN = (
    "accuracy",
    "group_accuracy",
    "macro_f1",
    "auc",
    "crop_given_accuracy",
    "ece",
    "answered",
    "accuracy_answered",
    "set_coverage",
    "mean_set_size",
)


@click.command(name="evaluate")
@click.argument("data", nargs=-1, required=True, type=click.Path(path_type=Path))
@click.option("--model", type=click.Path(path_type=Path), help="A model file instead of the built-in one.")
@click.option("--split", help="Judge this split of an index only, such as test.")
@click.option("--report", type=click.Path(path_type=Path), help="Write an HTML page (and JSON beside it).")
@click.option(
    "--views", default=1, show_default=True, type=click.IntRange(1, 8), help="Averaged views a photograph."
)
@click.option(
    "--cache", type=click.Path(path_type=Path), help="Keep prepared pixels here.  [default: the cache folder]"
)
@click.option(
    "--same-disease",
    is_flag=True,
    help="Also judge classes that the model knows under the disease's other name.",
)
@quiet_option
@json_option
def command(
    data: tuple[Path, ...],
    model: Path | None,
    split: str | None,
    report: Path | None,
    views: int,
    cache: Path | None,
    same_disease: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Judge a model on DATA (folders of class folders, CSVs, archives, or an index with splits).

    Classes are matched by meaning: "Tomato leaf bacterial spot" counts as Tomato___Bacterial_spot.
    Photographs of classes that the model does not know are not scored as right or wrong: it is counted what
    the model says of them.
    """
    from leafsight.cli.collections import read_index
    from leafsight.cli.predict import load_predictor
    from leafsight.dataset import coverage_sentence

    settings = settings_for(model=model)
    predictor = load_predictor(settings.model, settings.threads or cores(), views=views)
    index = read_index(data, None, quiet=quiet)
    if split is not None:
        index = index.where(split=split)
    index, own = index.usable(), predictor.bundle.classes
    known, strangers = by_meaning(index, own, same_disease=same_disease)
    twins = names_by_disease(index.classes, own)
    if not len(known):
        hint = "--same-disease judges these, too" if twins else "leafsight show MODEL lists its classes"
        raise EvaluationError("none of the photographs shows a class that the model knows", hint=hint)
    folder = cache or settings.cache_dir / "evaluate"
    evaluation = judged(predictor, known, folder, report, quiet=quiet)
    unknown = told_of_strangers(predictor, strangers, folder, quiet=quiet) if len(strangers) else None
    if as_json:
        twins_told = {"same_disease": {"judged": same_disease, "classes": twins}}
        split_told = {"split_record": dict(index.split_record)}
        print_json({**evaluation.to_dict(), "unknown_classes": unknown, **twins_told, **split_told})
        return
    print_evaluation(evaluation)
    if told := coverage_sentence(index.split_record):
        click.echo(told)
    if unknown is not None:
        click.echo(
            f"of {unknown['photographs']} photographs of classes it does not know: {unknown['verdicts']}"
        )
    for name, twin in twins.items():
        verb = "was judged" if same_disease else "is judged with --same-disease"
        click.echo(f"{name} is another name for the disease of {twin}; it {verb}")


def by_meaning(
    index: PhotoIndex, classes: tuple[str, ...], *, same_disease: bool = False
) -> tuple[PhotoIndex, PhotoIndex]:
    """The photographs of known classes under the model's own names, and the others.

    With ``same_disease``, a class that the model knows under the disease's other name counts as known.
    """
    from leafsight.taxonomy import find_class

    own = {find_class(name).key: name for name in classes}
    twins = names_by_disease(index.classes, classes) if same_disease else {}
    names = {name: own.get(find_class(name).key) or twins.get(name) for name in index.classes}
    renamed = index.with_class_names(lambda name: names.get(name) or name)
    rows = [row for row, name in enumerate(index.column("class_name")) if names.get(name)]
    others = [row for row, name in enumerate(index.column("class_name")) if not names.get(name)]
    return renamed.rows(rows), index.rows(others)


def names_by_disease(names: Sequence[str], classes: Sequence[str]) -> dict[str, str]:
    """Names that are none of the model's -> its class for the same disease: frogeye leaf spot, black rot."""
    from leafsight.taxonomy import find_class

    own = {find_class(name).key: name for name in classes}
    found = {name: find_class(name) for name in names}
    return {
        name: own[one.same_as] for name, one in found.items() if one.key not in own and one.same_as in own
    }


def judged(
    predictor: BundlePredictor, index: PhotoIndex, folder: Path, report: Path | None, *, quiet: bool
) -> Evaluation:
    """Prepare, score, measure, and write the page if one is wanted."""
    from leafsight.cli.report import heatmaps_of
    from leafsight.evaluation import collect_scores, evaluate
    from leafsight.evaluation.report import write_report

    bars = progress(quiet)
    cache = _prepared(predictor, index, folder, bars)
    kept = index.rows(cache.row_ids)
    classes = predictor.bundle.classes
    labels = kept.labels_for(classes)
    crops = {label.class_name: label.crop for label in predictor.bundle.labels if label.crop}
    evaluation = evaluate(
        collect_scores(predictor.scores, cache.images, progress=bars),
        labels,
        classes,
        predictor.calibration,
        groups=kept.column("group") if any(kept.column("group")) else None,
        domains=kept.column("source"),
        known_crops=crops,
    )
    if report is not None:
        write_report(
            evaluation,
            report,
            pictures=lambda row: cache.images[row],
            heatmaps=heatmaps_of(predictor, cache.images) if predictor.explains else None,
            title=f"{predictor.bundle.name} on {', '.join(index.sources)}",
            provenance={"model": predictor.bundle.name, "content_hash": predictor.bundle.content_hash},
            data_summary=_data_summary(kept, index.fingerprint()),
        )
        talk(f"wrote {report}", quiet)
    return evaluation


def _data_summary(index: PhotoIndex, fingerprint: str) -> dict[str, object]:
    """Which photographs, and how far the split that they come from can be trusted."""
    from leafsight.dataset import coverage_sentence

    told = coverage_sentence(index.split_record)
    facts: dict[str, object] = {"photographs": len(index), "fingerprint": fingerprint}
    return {**facts, "split": told} if told else facts


def _prepared(predictor: BundlePredictor, index: PhotoIndex, folder: Path, bars: Progress) -> PixelCache:
    from leafsight.dataset import PixelCache

    return PixelCache.build(
        index,
        folder,
        predictor.preprocessing,
        max_bytes=settings_for().max_cache_bytes,
        limits=decode_limits(),
        workers=cores(),
        progress=bars,
    )


def told_of_strangers(
    predictor: BundlePredictor, index: PhotoIndex, folder: Path, *, quiet: bool
) -> dict[str, object]:
    """What the model says of photographs that show none of its classes."""
    from collections import Counter

    cache = _prepared(predictor, index, folder, progress(quiet))
    counts: Counter[str] = Counter()
    for start in range(0, len(cache), 64):
        counts.update(one.verdict for one in predictor.predict(list(cache.images[start : start + 64])))
    return {
        "photographs": len(cache),
        "classes": list(index.classes),
        "verdicts": dict(counts.most_common()),
    }


def _with_interval(found: Interval) -> str:
    """Value and interval; a number that these photographs cannot give, such as of no answers, is a dash."""
    known = not math.isnan(found.value)
    return f"{found.value:.3f} [{found.low:.3f}, {found.high:.3f}]" if known else "-"


def print_evaluation(evaluation: Evaluation) -> None:
    """The headline numbers of all photographs and of each source."""
    slices = [evaluation.overall, *(evaluation.domains if len(evaluation.domains) > 1 else ())]
    names = [name for name in SHOWN if any(name in one.metrics for one in slices)]
    rows = []
    for one in slices:
        cells = []
        for name in names:
            found = one.metrics.get(name)
            cells.append("" if found is None else _with_interval(found))
        rows.append((one.name, one.photos, *cells))
    print_table("", ("photographs", "n", *names), rows, right=(1,))
