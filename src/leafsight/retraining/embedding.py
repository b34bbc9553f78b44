"""What a model's network sees in contributions that another one looked at before, or none.

Enters: contributions and a bundle that remembers. Leaves: the same contributions with features of this
bundle's backbone, written down for the next time. It does not know what is learned from them.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np

from leafsight.errors import ImageError, NotFoundError
from leafsight.images import DecodeLimits, Preprocessing, prepare_bytes
from leafsight.inference import OnnxNetwork

if TYPE_CHECKING:
    from leafsight.bundle import Bundle
    from leafsight.retraining.workplace import Workplace
    from leafsight.state import ContributionRecord

BATCH = 16


@dataclass(frozen=True, slots=True)
class Seen:
    """Contributions that the network saw.

    Attributes:
        records: with features, in the order given.
        left_out: ids of those whose photograph cannot be read any more, and why.
    """

    records: tuple[ContributionRecord, ...]
    left_out: tuple[tuple[str, str], ...] = ()


def see(place: Workplace, bundle: Bundle, backbone: str, records: Sequence[ContributionRecord]) -> Seen:
    """Give every contribution the features of this backbone; those that have them are not looked at again.

    Args:
        place: store, limits and who is told.
        bundle: whose graph it is.
        backbone: identity of the graph's function from photograph to features.
        records: in any order.

    Raises:
        StateBusyError, StateError: database or store do not answer.
        BundleCorruptError: the graph cannot be run.
    """
    missing = [one for one in records if one.embedded_by != backbone or one.embedding is None]
    if not missing:
        return Seen(tuple(records))
    network = OnnxNetwork(bundle.network(), bundle.network_spec, threads=place.order.threads)
    contract = Preprocessing.from_dict(dict(bundle.preprocessing))
    found: dict[str, ContributionRecord] = {}
    left_out: list[tuple[str, str]] = []
    place.telling.start("looking at photographs", len(missing))
    for some in _batches(missing):
        squares, kept = [], []
        for one in some:
            try:
                squares.append(_square(place, one, contract, place.limits))
                kept.append(one)
            except (ImageError, NotFoundError) as error:
                left_out.append((one.id, error.message))
        if squares:
            features = network.run(np.stack(squares)).embedding.astype(np.float16)
            for one, row in zip(kept, features, strict=True):
                place.state.contributions.annotate(one.id, embedding=row, embedded_by=backbone)
                found[one.id] = replace(one, embedding=row, embedded_by=backbone)
        place.telling.advance(len(some))
    place.telling.finish()
    gone = {one for one, _ in left_out}
    return Seen(tuple(found.get(one.id, one) for one in records if one.id not in gone), tuple(left_out))


def _square(
    place: Workplace, one: ContributionRecord, contract: Preprocessing, limits: DecodeLimits
) -> np.ndarray:
    return prepare_bytes(place.blobs.get(one.blob, max_bytes=limits.max_bytes), contract, limits)


def _batches(records: Sequence[ContributionRecord]) -> Iterable[Sequence[ContributionRecord]]:
    for start in range(0, len(records), BATCH):
        yield records[start : start + BATCH]
