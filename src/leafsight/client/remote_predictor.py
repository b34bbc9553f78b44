"""A server in the place of a model: the protocol ``leafsight.inference.Predictor`` over HTTP.

Enters: photographs. Leaves: the predictions that the server's model makes. It does not know how they are
shown, and a caller does not know that they came from elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING

import numpy as np

from leafsight.client.photographs import as_png, checked_photo
from leafsight.client.reading import VERSION_HINT
from leafsight.errors import RemoteError, RequestTooLargeError, UsageError
from leafsight.inference import Combined, Photo, Prediction

if TYPE_CHECKING:
    from leafsight.client.client import Client

MAX_PHOTOGRAPHS = 16
MAX_BYTES = 16 * 1024**2
MOST_TOP = 100
"""A server lists no more classes than that."""


class RemotePredictor:
    """Diagnoses with the model of a server, some photographs a request.

    A request that the server finds too large is divided. A single photograph that it finds too large gets the
    verdict ``unreadable``, as one that is no photograph does, so that it never stops the others.

    Args:
        client: of the server; stays open.
        max_photographs: of one request.
        max_bytes: of the photographs of one request; a larger one goes alone.
        top: how many classes a prediction lists at most, of which a server gives ``MOST_TOP``; None leaves
            it to the server.
        store: let the server keep the photographs; None leaves it to the server.

    Raises:
        UsageError: a limit below 1.
    """

    def __init__(
        self,
        client: Client,
        *,
        max_photographs: int = MAX_PHOTOGRAPHS,
        max_bytes: int = MAX_BYTES,
        top: int | None = None,
        store: bool | None = None,
    ) -> None:
        if max_photographs < 1 or max_bytes < 1:
            raise UsageError("a request needs room for a photograph", hint="both limits are at least 1")
        self._client, self._store = client, store
        self._top = None if top is None else min(top, MOST_TOP)
        self._max_photographs, self._max_bytes = max_photographs, max_bytes

    def predict(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> list[Prediction]:
        """One prediction for each photograph, in their order; see ``Predictor``.

        Raises:
            TaxonomyError: the server's model does not know the crop.
            UsageError: something that is neither bytes nor an RGB array.
            RemoteError: there is no server, or one that answers what no leafsight server would.
            LeafsightError: whatever else the server names, such as a key that it does not know.
        """
        for number, photo in enumerate(photos):
            checked_photo(photo, number)
        found: list[Prediction] = []
        for batch in self._batches(photos):
            found.extend(self._ask(batch, crop, heatmap))
        return found

    def predict_plant(
        self, photos: Sequence[Photo], *, crop: str | None = None, heatmap: bool = False
    ) -> tuple[list[Prediction], Combined]:
        """One prediction for each photograph, and one answer for the plant; see ``PlantPredictor``.

        All photographs go in one request, whatever the limits are.

        Raises:
            RequestTooLargeError: the server does not take so many, or so large ones, at once.
            LeafsightError: as ``predict``.
        """
        for number, photo in enumerate(photos):
            checked_photo(photo, number)
        sent = [as_png(photo) if isinstance(photo, np.ndarray) else photo for photo in photos]
        answer = self._client.predict(
            sent,
            crop=crop,
            heatmap="layer" if heatmap else None,
            top=self._top,
            store=self._store,
            combine=True,
        )
        if answer.combined is None:
            raise RemoteError("combined: the server gave no answer for the plant", hint=VERSION_HINT)
        return [one.prediction for one in answer.predictions], answer.combined

    def _batches(self, photos: Sequence[Photo]) -> Iterator[list[bytes]]:
        """Arrays become PNG here, a batch at a time, so that not all of them are in memory twice."""
        batch: list[bytes] = []
        held_bytes = 0
        for photo in photos:
            data = as_png(photo) if isinstance(photo, np.ndarray) else photo
            if batch and (len(batch) == self._max_photographs or held_bytes + len(data) > self._max_bytes):
                yield batch
                batch, held_bytes = [], 0
            batch.append(data)
            held_bytes += len(data)
        if batch:
            yield batch

    def _ask(self, photos: Sequence[bytes], crop: str | None, heatmap: bool) -> list[Prediction]:
        try:
            answer = self._client.predict(
                photos, crop=crop, heatmap="layer" if heatmap else None, top=self._top, store=self._store
            )
        except RequestTooLargeError as error:
            if len(photos) == 1:
                return [Prediction.unread(error, crop)]
            half = len(photos) // 2
            return self._ask(photos[:half], crop, heatmap) + self._ask(photos[half:], crop, heatmap)
        return [one.prediction for one in answer.predictions]
