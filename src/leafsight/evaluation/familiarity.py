"""How unlike the training photographs a photograph is, from its embedding.

Every embedding is first divided by its length (Mueller and Hein 2025, "Mahalanobis++"; Sun et al. 2022 for
nearest neighbours): the length drowns what makes a photograph odd (measured in ``docs/evaluation.md``).
The distance is then Mahalanobis to the nearest class mean with one covariance shared by all classes (Lee et
al. 2018, "A Simple Unified Framework for Detecting Out-of-Distribution Samples", section 2.1) in the
leading principal directions, plus what lies outside of them, measured in its own spread (the residual of
Wang et al. 2022, "ViM"; together they are the Gaussian of probabilistic PCA, Tipping and Bishop 1999). A
stranger may differ from leaves where leaves never vary; a projection alone is blind to it.

One unit is the distance below which the stated share of calibration photographs lies, so 1 is "as odd as
the oddest ones at home". It does not know whether the stranger is a leaf: another camera is a stranger too.
"""

from __future__ import annotations

from dataclasses import dataclass, field

import numpy as np

from leafsight.errors import EvaluationError
from leafsight.evaluation.shapes import Embedding, Labels, OtherEmbedding, RowFloats

MAX_ROWS = 20_000  # a covariance of 1,280 dimensions is settled long before that
SHRINKAGE = 0.01  # of the mean variance, added to every direction: few photographs give flat covariances


@dataclass(frozen=True, slots=True)
class Familiarity:
    """The fitted distance; about ``12 * d * k`` bytes (1 MB for 1,280 x 64).

    Attributes:
        mean: float32[d], of the training embedding, every row of length one.
        directions: float32[d, k], orthonormal principal directions.
        whitening: float32[k, k], after which the shared covariance of the classes is the identity.
        prototypes: float32[m, k], the whitened means of the m classes that were trained on.
        residual_scale: mean square length, on training photographs, of what the directions leave out.
        unit: the distance called 1.
    """

    mean: np.ndarray
    directions: np.ndarray
    whitening: np.ndarray
    prototypes: np.ndarray
    residual_scale: float
    unit: float
    _directions: np.ndarray = field(init=False, repr=False, compare=False)
    _prototypes: np.ndarray = field(init=False, repr=False, compare=False)
    """float64, as NumPy would make them anew for each photograph: half of the time that this takes."""
    _lengths: np.ndarray = field(init=False, repr=False, compare=False)
    """float64[m], squared, of the prototypes."""

    def __post_init__(self) -> None:
        """Make the wide copies."""
        wide = self.prototypes.astype(np.float64)
        object.__setattr__(self, "_directions", self.directions.astype(np.float64))
        object.__setattr__(self, "_prototypes", wide)
        object.__setattr__(self, "_lengths", (wide**2).sum(axis=1))

    def __call__(self, embedding: Embedding) -> RowFloats:
        """Unfamiliarity, float64[n], 0 at a class mean, 1 at the stated quantile of calibration leaves.

        Raises:
            EvaluationError: the embedding has another number of dimensions.
        """
        if embedding.shape[1] != len(self.mean):
            raise EvaluationError(
                f"the embedding has {embedding.shape[1]} dimensions, the calibration {len(self.mean)}",
                hint="the calibration belongs to another network",
            )
        return _distance(self, embedding) / self.unit


def fit_familiarity(
    train_embedding: Embedding,
    train_labels: Labels,
    calibration_embedding: OtherEmbedding,
    *,
    dims: int = 64,
    keep: float = 0.99,
) -> Familiarity:
    """Fit the distance on training photographs and its unit on calibration photographs.

    Args:
        train_embedding: float[n, d]. Training photographs, seen without augmentation, at least 2.
        train_labels: int[n].
        calibration_embedding: float[m, d], m >= 1, of leaves that were not trained on: a network places its
            own training photographs closer to their class means than any new one.
        dims: principal directions kept, at most; fewer where d or n is smaller.
        keep: share of calibration photographs with unfamiliarity of at most 1.

    Raises:
        EvaluationError: fewer than two training or no calibration photographs.
    """
    if len(train_embedding) < 2 or len(calibration_embedding) < 1:
        raise EvaluationError("familiarity needs two training photographs and one for calibration, at least")
    # Evenly spaced rows rather than the first ones: photographs usually lie sorted by class.
    rows = np.linspace(0, len(train_embedding) - 1, min(len(train_embedding), MAX_ROWS)).astype(np.int64)
    x, y = _unit_length(train_embedding[rows]), train_labels[rows]
    mean = x.mean(axis=0)
    x -= mean
    k = max(1, min(dims, x.shape[1], len(x) - 1))
    variances, axes = np.linalg.eigh(x.T @ x / len(x))
    directions = axes[:, ::-1][:, :k]
    z = x @ directions
    classes, index = np.unique(y, return_inverse=True)
    means = np.stack([z[index == number].mean(axis=0) for number in range(len(classes))])
    within = z - means[index]
    covariance = within.T @ within / max(len(z) - len(classes), 1)
    covariance += (SHRINKAGE * np.trace(covariance) / k + 1e-12) * np.eye(k)
    spread, turn = np.linalg.eigh(covariance)
    whitening = turn / np.sqrt(spread)
    left_out = float(np.maximum(variances[: x.shape[1] - k], 0.0).sum())
    # Where nothing is left out, rounding would be all there is: so a thousandth of the variance at least.
    least = 1e-3 * float(np.maximum(variances, 0.0).sum()) + 1e-12
    fitted = Familiarity(
        mean=mean.astype(np.float32),
        directions=directions.astype(np.float32),
        whitening=whitening.astype(np.float32),
        prototypes=(means @ whitening).astype(np.float32),
        residual_scale=max(left_out, least),
        unit=1.0,
    )
    unit = float(np.quantile(_distance(fitted, calibration_embedding), keep, method="higher"))
    return Familiarity(
        fitted.mean,
        fitted.directions,
        fitted.whitening,
        fitted.prototypes,
        fitted.residual_scale,
        max(unit, 1e-12),
    )


def _unit_length(embedding: Embedding) -> Embedding:
    x = embedding.astype(np.float64)
    return np.asarray(x / np.maximum(np.linalg.norm(x, axis=1, keepdims=True), 1e-12))


def _distance(fitted: Familiarity, embedding: Embedding) -> RowFloats:
    x = _unit_length(embedding) - fitted.mean
    z = x @ fitted._directions
    outside = np.maximum((x * x).sum(axis=1) - (z * z).sum(axis=1), 0.0) / fitted.residual_scale
    white = z @ fitted.whitening
    # |a - b|^2 = |a|^2 - 2ab + |b|^2: one matrix product instead of an array [n, m, k].
    squares = (white * white).sum(axis=1)[:, None] - 2.0 * white @ fitted._prototypes.T + fitted._lengths
    inside = np.maximum(squares.min(axis=1), 0.0) / fitted.directions.shape[1]
    return np.asarray(np.sqrt(inside + outside))
