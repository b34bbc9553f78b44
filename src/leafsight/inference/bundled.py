"""The predictor that runs a bundle in this process."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from time import perf_counter

import numpy as np

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import BundleCorruptError, BundleError, ConfigError, EvaluationError, ImageError
from leafsight.evaluation import Calibration, Scores
from leafsight.images import DecodeLimits, Preprocessing
from leafsight.inference.combining import combine
from leafsight.inference.crops import ANY_CROP, CropChoice, choose_crop
from leafsight.inference.heatmap import activation_map, normalised_map, onto_photo
from leafsight.inference.judging import Judge
from leafsight.inference.network import DEFAULT_PROVIDERS, NetworkOutputs, OnnxNetwork
from leafsight.inference.prediction import Combined, Prediction
from leafsight.inference.predictor import Photo
from leafsight.inference.reading import ReadPhoto, check_photo, read_one
from leafsight.inference.views import check_views, make_views, mean_over_views

MIN_SHARPNESS = 2.0
"""Used when the bundle's calibration has no ``min_sharpness``; squared grey levels of a 256 px copy."""


class BundlePredictor:
    """Diagnoses with one bundle. Safe to use from several threads at once.

    Loading happens here, so a bundle that cannot be used fails at once. The first pass of a network costs
    several times the later ones; a server calls ``warm_up`` before it says that it is ready.

    Args:
        bundle: an open bundle, or its path.
        threads: of ONNX Runtime for one call.
        providers: of ONNX Runtime, in order of preference.
        test_time_views: views of each photograph that are averaged, 1 to ``MAX_VIEWS``. Each costs one more
            pass. The calibration was fitted for a number of views: use the same here.
        batch_size: most photographs (times views) that are worked on together; bounds the memory.
        pass_size: most of them in one pass of the network; ``batch_size`` by default.
        top: how many classes a prediction lists at most, from 1 on.
        limits: of the decoder.

    Attributes:
        bundle: the bundle.
        preprocessing: its contract.
        calibration: what turns scores into answers.
        network: its network; also a callable for room ``evaluation``, without views.

    Raises:
        BundleError: the bundle cannot be opened, or was exported without a calibration.
        BundleCorruptError: its network or calibration does not fit the rest.
        UsageError: ``threads``, ``providers`` or ``test_time_views`` out of range.
    """

    def __init__(
        self,
        bundle: Bundle | Path | str,
        *,
        threads: int = 1,
        providers: Sequence[str] = DEFAULT_PROVIDERS,
        test_time_views: int = 1,
        batch_size: int = 8,
        pass_size: int | None = None,
        top: int = 5,
        limits: DecodeLimits | None = None,
    ) -> None:
        self.bundle = bundle if isinstance(bundle, Bundle) else open_bundle(bundle, keep_network=True)
        self.test_time_views = check_views(test_time_views)
        self.limits, self._batch_size = limits or DecodeLimits(), batch_size
        self.preprocessing = _preprocessing(self.bundle)
        self.calibration = calibration = _calibration(self.bundle)
        self._head = self.bundle.cam_head()
        self._judge = Judge(
            name=self.bundle.name,
            model_hash=self.bundle.content_hash,
            labels=self.bundle.labels,
            calibration=calibration,
            min_sharpness=float(self.bundle.calibration.get("min_sharpness", MIN_SHARPNESS)),
            top=max(1, top),
        )
        self._crops: dict[str, CropChoice] = {}
        self.network = OnnxNetwork(
            self.bundle.network(),
            self.bundle.network_spec,
            threads=threads,
            providers=providers,
            batch_size=batch_size if pass_size is None else pass_size,
        )

    @property
    def explains(self) -> bool:
        """Whether this network gives heatmaps (average pooling and a single dense layer)."""
        return self._head is not None

    def warm_up(self) -> None:
        """Make the next prediction as quick as the later ones."""
        self.network.warm_up()

    def scores(self, squares: np.ndarray) -> Scores:
        """Logits and embedding of prepared squares, averaged over the views: the callable of ``evaluation``.

        Args:
            squares: uint8 ``[n, side, side, 3]``.
        """
        outputs = self._outputs(squares, with_feature_map=False)
        return Scores(outputs.logits, outputs.embedding)

    def predict(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> list[Prediction]:
        """One prediction for each photograph, in their order; see ``Predictor``.

        Raises:
            TaxonomyError: the model does not know the crop.
            UsageError: something that is neither bytes nor an RGB array.
            BundleCorruptError: the network gives NaN, or its file changed.
        """
        for number, photo in enumerate(photos):
            check_photo(photo, number)
        choice = ANY_CROP if crop is None else self._choose_crop(crop)
        together = max(1, self._batch_size // self.test_time_views)
        found: list[Prediction] = []
        for at in range(0, len(photos), together):
            found.extend(self._predict_some(photos[at : at + together], choice, heatmap))
        return found

    def predict_plant(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> tuple[list[Prediction], Combined]:
        """One prediction for each photograph and one answer for the plant; see ``PlantPredictor``.

        Raises:
            TaxonomyError: the model does not know the crop.
            UsageError: no photograph, or something that is neither bytes nor an RGB array.
            BundleCorruptError: as ``predict``.
        """
        predictions = self.predict(photos, crop=crop, heatmap=heatmap)
        return predictions, self.combine(predictions)

    def combine(self, predictions: Sequence[Prediction]) -> Combined:
        """One answer for one plant, from predictions that this predictor (or one on the same bundle) made.

        Raises:
            UsageError: none or too many, of several models or crops, or read from JSON.
        """
        crop = predictions[0].crop_given if predictions else None
        return combine(self._judge, predictions, ANY_CROP if crop is None else self._choose_crop(crop))

    def _choose_crop(self, crop: str) -> CropChoice:
        if crop not in self._crops:
            self._crops[crop] = choose_crop(crop, self.bundle.labels)
        return self._crops[crop]

    def _predict_some(
        self, photos: Sequence[Photo], choice: CropChoice, heatmap: bool
    ) -> Iterator[Prediction]:
        read = [self._read(photo) for photo in photos]
        good = [one for one in read if isinstance(one, ReadPhoto)]
        judged = iter(self._judged(good, choice, heatmap) if good else ())
        for one in read:
            if isinstance(one, ReadPhoto):
                yield next(judged)
            else:
                yield self._judge.unreadable(one, choice.key)

    def _read(self, photo: Photo) -> ReadPhoto | ImageError:
        try:
            return read_one(photo, self.preprocessing, self.limits)
        except ImageError as error:
            return error

    def _judged(self, photos: Sequence[ReadPhoto], choice: CropChoice, heatmap: bool) -> list[Prediction]:
        started = perf_counter()
        explain = heatmap and self.explains
        outputs = self._outputs(np.stack([one.square for one in photos]), with_feature_map=explain)
        ran = perf_counter()
        predictions = self._judge.judge(photos, outputs.logits, outputs.embedding, choice)
        if explain:
            predictions = [
                replace(prediction, heatmap=self._heatmap(prediction, photo, outputs, row))
                for row, (prediction, photo) in enumerate(zip(predictions, photos, strict=True))
            ]
        each = {
            "network": (ran - started) * 1e3 / len(photos),
            "judge": (perf_counter() - ran) * 1e3 / len(photos),
        }
        return [replace(one, timing_ms={**one.timing_ms, **each}) for one in predictions]

    def _outputs(self, squares: np.ndarray, *, with_feature_map: bool) -> NetworkOutputs:
        count = self.test_time_views
        views = make_views(squares, count, self.preprocessing)
        outputs = self.network.run(views, with_feature_map=with_feature_map)
        first = None if outputs.feature_map is None else outputs.feature_map[: len(squares)]
        return NetworkOutputs(
            mean_over_views(outputs.logits, count), mean_over_views(outputs.embedding, count), first
        )

    def _heatmap(
        self, prediction: Prediction, photo: ReadPhoto, outputs: NetworkOutputs, row: int
    ) -> np.ndarray:
        """The map of the most probable class, from the first view: the photograph as it is."""
        assert self._head is not None
        assert outputs.feature_map is not None
        weight, _ = self._head
        number = self.bundle.classes.index(prediction.top[0].class_name)
        heat = normalised_map(activation_map(outputs.feature_map[row], weight[number]))
        return onto_photo(heat, self.preprocessing, photo.height_px, photo.width_px)


def _preprocessing(bundle: Bundle) -> Preprocessing:
    try:
        return Preprocessing.from_dict(bundle.preprocessing, str(bundle.path))
    except ConfigError as error:
        raise BundleCorruptError(error.message, hint="export the model again, or update leafsight") from error


def _calibration(bundle: Bundle) -> Calibration:
    if not bundle.calibration:
        raise BundleError(
            f"{bundle.path} has no calibration, so its probabilities mean nothing",
            hint="export the model with a calibration split",
        )
    try:
        calibration = Calibration.from_parts(bundle.calibration_arrays(), bundle.calibration)
    except EvaluationError as error:
        raise BundleCorruptError(f"{bundle.path}: {error.message}", hint=error.hint) from error
    if calibration.classes != bundle.classes:
        raise BundleCorruptError(f"{bundle.path}: the calibration is for another list of classes")
    return calibration
