"""A bundle at work: photographs in, answers that may be acted on out; ONNX Runtime and NumPy only.

Enters: a bundle, and photographs as bytes or RGB arrays. Leaves: one ``Prediction`` for each, with a
calibrated probability, what cannot be excluded, or the reason why there is no diagnosis. It does not know
how the network was trained, nor where photographs come from.
"""

from leafsight.inference.bundled import BundlePredictor
from leafsight.inference.embedding import bundle_embedder
from leafsight.inference.heatmap import activation_map
from leafsight.inference.network import NetworkOutputs, OnnxNetwork
from leafsight.inference.prediction import VERDICTS, Answer, Candidate, Combined, Prediction, VerdictKind
from leafsight.inference.predictor import Photo, PlantPredictor, Predictor
from leafsight.inference.timing import interleaved_ms, median_ratio
from leafsight.inference.views import MAX_VIEWS, make_views, mean_over_views

__all__ = [
    "Answer",
    "BundlePredictor",
    "Candidate",
    "Combined",
    "MAX_VIEWS",
    "NetworkOutputs",
    "OnnxNetwork",
    "Photo",
    "PlantPredictor",
    "Prediction",
    "Predictor",
    "VERDICTS",
    "VerdictKind",
    "activation_map",
    "bundle_embedder",
    "interleaved_ms",
    "make_views",
    "mean_over_views",
    "median_ratio",
]
