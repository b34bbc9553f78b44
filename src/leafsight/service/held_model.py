"""The model that this process serves, swapped when another is promoted, without a dropped request.

Enters: a registry, or one model file. Leaves: a warm predictor, always a whole one: requests that began with
the old model end with it.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from leafsight.errors import LeafsightError
from leafsight.images import DecodeLimits
from leafsight.inference import BundlePredictor
from leafsight.service.pass_size import quickest_pass

if TYPE_CHECKING:
    from leafsight.bundle import Bundle
    from leafsight.registry import Registry

SERVING = "serving"
AGAIN_S = 30.0
"""A promoted model that could not be loaded is tried again after this: somebody may have mended it."""
MOST_CLASSES = 1000
LOG = logging.getLogger("leafsight.service")


@dataclass(frozen=True, slots=True)
class HeldModel:
    """A model in service.

    Attributes:
        predictor: warm.
        id: content hash of its bundle.
        name: of the model.
    """

    predictor: BundlePredictor
    id: str
    name: str


class ModelHolder:
    """Holds one model and notices promotions.

    Args:
        registry: followed by its alias ``serving``, unless ``model`` is given.
        model: one file that is served whatever the registry says.
        threads: of ONNX Runtime for one call.
        limits: of the decoder.
        pass_size: photographs in one pass of the network at most; ``None`` measures which is quickest where
            larger ones may be: on an accelerator, or with several threads a call. On one thread of a
            processor they are not, and nothing is measured.
        swapped: told when another model was taken into service.
        chosen: told of the size of pass of a model that was loaded.
        now: seconds of a clock that never goes back.

    Attributes:
        now: the model in service.
        promoted_ms: when it was promoted; None for one that never was.
        shadow: the model that answers unheard, see ``shadowing``.
    """

    def __init__(
        self,
        registry: Registry,
        *,
        model: Path | None,
        threads: int,
        limits: DecodeLimits,
        pass_size: int | None = None,
        swapped: Callable[[], None] = lambda: None,
        chosen: Callable[[int], None] = lambda _: None,
        now: Callable[[], float] = time.monotonic,
    ) -> None:
        self._registry, self._model, self._threads = registry, model, threads
        self._limits, self._swapped, self._pass_size, self._chosen = limits, swapped, pass_size, chosen
        self._now, self._refused, self._again = now, "", 0.0
        self._token = "" if model else registry.watch_token(SERVING)
        self.now = self._load()
        self.promoted_ms = self._promoted()
        self.shadow: HeldModel | None = None
        self._no_shadow = ""

    def look(self) -> bool:
        """Take another model into service if one was promoted; slow when it was. Whether it did.

        A promoted model that cannot be loaded is not taken: the old one goes on, and the log says why.
        """
        if self._model is not None:
            return False
        token = self._registry.watch_token(SERVING)
        if token == self._token or (token == self._refused and self._now() < self._again):
            return False
        try:
            held = self._load()
        except LeafsightError as error:
            self._refused, self._again = token, self._now() + AGAIN_S
            LOG.error("model not taken", extra={"fields": {"reason": error.message, "hint": error.hint}})
            return False
        self._token = token
        if held.id == self.now.id:
            return False
        LOG.info("model taken into service", extra={"fields": {"model": held.name, "id": held.id}})
        self.now, self.promoted_ms = held, self._promoted()
        self._swapped()
        return True

    def hold_shadow(self, wanted: str | None) -> None:
        """Hold a second model beside the one in service, or none; slow when it is another one.

        It takes about as much memory as the first. One that cannot be loaded is not held, and not tried
        again before another is wanted.

        Args:
            wanted: hash of its bundle; None, and that of the model in service, mean none.
        """
        if wanted is None or wanted == self.now.id:
            self.shadow, self._no_shadow = None, ""
            return
        if wanted == self._no_shadow or (self.shadow is not None and self.shadow.id == wanted):
            return
        self.shadow = None  # before the next one is loaded: two at a time are enough
        try:
            bundle = self._registry.bundle(self._registry.get(wanted), keep_network=True)
            predictor = self._warm(bundle)
        except LeafsightError as error:
            self._no_shadow = wanted
            LOG.error("no shadow", extra={"fields": {"reason": error.message, "hint": error.hint}})
            return
        self.shadow = HeldModel(predictor, predictor.bundle.content_hash, predictor.bundle.name)

    def _promoted(self) -> int | None:
        """Since when the model serves, as the registry remembers it."""
        if self._model is not None:
            return None
        try:
            changes = self._registry.history(SERVING, 1)
        except LeafsightError:
            return None
        return changes[0].since_ms if changes else None

    def _warm(self, bundle: Bundle | Path) -> BundlePredictor:
        predictor = BundlePredictor(
            bundle, threads=self._threads, pass_size=1, limits=self._limits, top=MOST_CLASSES
        )
        predictor.warm_up()
        return predictor

    def _load(self) -> HeldModel:
        registry = self._registry
        # Opened by the registry, a bundle is what its name says, and the error names the way back.
        predictor = self._warm(self._model or registry.bundle(registry.get(SERVING), keep_network=True))
        network = predictor.network
        if self._pass_size is not None:
            network.batch_size = self._pass_size
        elif network.may_gain_from_batches:
            network.batch_size = quickest_pass(network.run_grey)
        self._chosen(network.batch_size)
        return HeldModel(predictor, predictor.bundle.content_hash, predictor.bundle.name)
