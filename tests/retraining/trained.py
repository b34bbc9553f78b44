"""A small collection of drawn leaves, and a model that was trained from it by a recipe, with weights."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from leafsight.dataset import PhotoIndex, SynthOptions, write_synthetic_collection
from leafsight.export import ExportOptions, PackagingOptions, package_run
from leafsight.training import load_recipe, prepare_data, train

CHANGES = ("stages.whole.epochs=4", "preprocessing.side_px=48", "model.width=0.5", "threads=1")
DRAWN = SynthOptions(
    crops=("Roundleaf",),
    conditions=("healthy", "Rust", "Blight"),
    leaves_per_class=16,
    views_per_leaf=2,
    side_px=96,
)


@dataclass(frozen=True)
class Trained:
    """Where everything lies.

    Attributes:
        photographs: class folders.
        index: the saved index of the run.
        model: the bundle.
    """

    photographs: Path
    index: Path
    model: Path


def trained_model(folder: Path) -> Trained:
    """Draw, train, package: some seconds."""
    made = Trained(folder / "leaves", folder / "index.parquet", folder / "first.leafsight")
    write_synthetic_collection(made.photographs, DRAWN)
    recipe = load_recipe("simple-cnn", CHANGES)
    prepared = prepare_data(recipe, [made.photographs], folder / "data")
    run = train(recipe, prepared.data, folder / "run", device="cpu")
    prepared.index.save(made.index)
    export = ExportOptions(precision="fp32", include_weights=True)
    package_run(
        run,
        PhotoIndex.load(made.index),
        made.model,
        cache_folder=folder / "exam",
        options=PackagingOptions(export=export),
    )
    return made
