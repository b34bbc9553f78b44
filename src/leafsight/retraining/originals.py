"""The photographs that a model was trained from, with the split that it was trained with.

Enters: the folders that the server was started with, and what the bundle says it was made from. Leaves: their
index, if it is that split to the last photograph; otherwise an error, because the locked test would not stay
locked. It does not know what is learned from them.
"""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.dataset import PhotoIndex
from leafsight.errors import ConflictError, LeafsightError, NotFoundError
from leafsight.retraining.snapshot import PROVENANCE
from leafsight.storage import write_text

if TYPE_CHECKING:
    from leafsight.bundle import Bundle
    from leafsight.retraining.workplace import Workplace
    from leafsight.training import Recipe

INDEX = "index.parquet"
FULL = "the full path needs the photographs that the model was trained from"


def require_originals(place: Workplace, parent: Bundle) -> PhotoIndex:
    """The index of the original photographs; kept in the folder of the job.

    Raises:
        ConflictError: there are none, they are others, or are split otherwise; or the model cannot be gone on
            from.
        NotFoundError: some are gone.
        MissingExtraError: a library for training is not installed.
        DatasetError, StorageError: they cannot be read.
    """
    from leafsight.errors import require

    for library in ("torch", "pyarrow"):
        require(library, "train")
    if not place.order.training_data:
        raise ConflictError(FULL, hint="serve --training-data FOLDER")
    if parent.weights() is None:
        raise ConflictError(
            f"the model {parent.name!r} carries no weights to go on from",
            hint="export it with --weights, or take the quick path",
        )
    wanted = split_of(parent.provenance)
    kept = place.folder.data / INDEX
    index = PhotoIndex.load(kept) if kept.exists() else None
    if index is None or index.split_fingerprint() != wanted:
        index = _found(place, parent)
        if index.split_fingerprint() != wanted:
            raise ConflictError(
                f"{FULL}; these are others, or are split otherwise, and the locked test must stay unseen",
                hint=f"give the {INDEX} of the run that made the model, or its folders unchanged",
            )
        index.save(kept)
    _require_files(index)
    return index


def split_of(provenance: Mapping[str, Any]) -> str:
    """The fingerprint of the original photographs and their split; empty when a model does not say."""
    return str(provenance.get("split_fingerprint", ""))


def trained_ancestor(place: Workplace, parent: Bundle) -> Bundle:
    """The model itself, or the one whose network it has: quick candidates carry no recipe to train by.

    Raises:
        ConflictError: that model is not on the shelf any more.
    """
    lineage = parent.provenance.get("lineage")
    made = parent.provenance.get(PROVENANCE)
    if not isinstance(made, Mapping) or made.get("path") != "quick" or not lineage:
        return parent
    wanted = str(lineage[0]["parent"])
    try:
        return place.model(wanted)
    except LeafsightError as error:
        raise ConflictError(
            f"the model {wanted[:12]}, from whose network this one comes, is not on the shelf any more",
            hint="add it again, or take the quick path",
        ) from error


def parent_recipe(place: Workplace, parent: Bundle) -> Recipe:
    """The recipe in the bundle.

    Raises:
        ConflictError: there is none that can be followed.
    """
    from leafsight.training import load_recipe

    path = place.folder.path / "parent.toml"
    write_text(path, trained_ancestor(place, parent).recipe)
    try:
        return load_recipe(path)
    except LeafsightError as error:
        raise ConflictError(
            f"the recipe of the model {parent.name!r} cannot be followed: {error.message.splitlines()[0]}",
            hint="take the quick path, or promote a model that was trained by a recipe",
        ) from error


def _found(place: Workplace, parent: Bundle) -> PhotoIndex:
    """A saved index, or the folders indexed and split as the recipe of the model says."""
    from leafsight.training import index_and_split

    given = place.order.training_data
    for path in given:
        saved = path if path.suffix == ".parquet" else path / INDEX
        if saved.is_file():
            return PhotoIndex.load(saved)
    gone = [path for path in given if not path.exists()]
    if gone:
        raise NotFoundError(f"{FULL}; there is no {gone[0].name}", hint="serve --training-data FOLDER")
    recipe = parent_recipe(place, parent)
    sources = [one for path in given for one in _collections(path, parent.provenance)]
    place.folder.data.mkdir(parents=True, exist_ok=True)
    return index_and_split(
        recipe, sources, place.folder.data / "found", limits=place.limits, progress=place.telling
    )


def _collections(folder: Path, provenance: Mapping[str, Any]) -> list[Path]:
    """The collections of the model in a folder of collections; else the folder itself."""
    named = [folder / str(name) for name in provenance.get("sources", ())]
    return named if named and all(path.exists() for path in named) else [folder]


def _require_files(index: PhotoIndex) -> None:
    gone = [path for path in index.usable().files() if not path.is_file()]
    if gone:
        raise NotFoundError(
            f"{len(gone)} of {len(index)} photographs that the model was trained from are gone, such as"
            f" {gone[0].name}",
            hint="put them back, or index them where they are now",
        )
