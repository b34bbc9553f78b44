"""The network of a bundle as something that turns photographs into vectors, for rooms that compare them."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from leafsight.dataset import Embedder


def bundle_embedder(model: Path | None) -> Embedder:
    """The network of a bundle as room ``dataset`` sees it.

    Args:
        model: a model file; None is the built-in one.

    Raises:
        BundleError: the bundle cannot be opened.
    """
    from leafsight.bundle import builtin_bundle_path
    from leafsight.dataset import Embedder
    from leafsight.images import prepare
    from leafsight.inference.bundled import BundlePredictor

    predictor = BundlePredictor(model if model is not None else builtin_bundle_path(), threads=1)
    size = predictor.bundle.network_spec.embedding.shape[-1] or 0
    return Embedder(
        tag=predictor.bundle.content_hash,
        size=size,
        square=lambda rgb: prepare(rgb, predictor.preprocessing),
        embed=lambda squares: predictor.network.run(squares).embedding,
    )
