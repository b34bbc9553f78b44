"""Everything that the steps of one retraining work with.

Enters: an order. Leaves: the open database, store and registry, the folder of the job, and the candidate
wherever it lies. It does not know what is done with them.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from leafsight.bundle import Bundle, open_bundle
from leafsight.errors import BundleCorruptError, BundleError, NotFoundError, StorageError
from leafsight.images import DecodeLimits
from leafsight.storage import canonical_json, write_bytes

if TYPE_CHECKING:
    from leafsight.registry import Registry
    from leafsight.retraining.order import Order
    from leafsight.retraining.telling import Telling
    from leafsight.retraining.work_folder import WorkFolder
    from leafsight.state import Blobs, State

SNAPSHOT, SUMMARY = "snapshot.json", "snapshot-summary.json"
GATE, GATE_PAGE, CANDIDATE = "gate.json", "gate.html", "candidate.leafsight"
CHALLENGER = "challenger"


@dataclass(frozen=True)
class Workplace:
    """What one retraining works with.

    Attributes:
        order: what is asked for.
        state: the database.
        blobs: the store.
        registry: of models.
        folder: of this job.
        telling: told how far it is.
    """

    order: Order
    state: State
    blobs: Blobs
    registry: Registry
    folder: WorkFolder
    telling: Telling

    @property
    def limits(self) -> DecodeLimits:
        """Of the decoder."""
        return DecodeLimits(max_bytes=self.order.max_image_bytes, max_pixels=self.order.max_image_pixels)

    def blob(self, name: str) -> str:
        """Where a file of this job lies in the store."""
        return f"retrainings/{self.order.job}/{name}"

    def put_json(self, name: str, values: Any) -> None:
        """Keep plain values in the store.

        Raises:
            StateBusyError, StateError: see ``Blobs.put``.
        """
        self.blobs.put(self.blob(name), canonical_json(values).encode())

    def model(self, content_hash: str) -> Bundle:
        """A bundle of the registry.

        Raises:
            NotFoundError, BundleCorruptError: it is gone or damaged.
        """
        return self.registry.bundle(self.registry.get(content_hash))

    def keep_candidate(self, path: Path) -> None:
        """Keep the new bundle in the store, too: another machine may go on with this job.

        Raises:
            StateBusyError, StateError: see ``Blobs.put``.
        """
        self.blobs.put(self.blob(CANDIDATE), path.read_bytes())

    def candidate(self, content_hash: str) -> Bundle:
        """The new bundle: from the folder, else from the store.

        Raises:
            BundleCorruptError: both are gone, damaged or another one.
            StateBusyError, StateError: the store does not answer.
        """
        try:
            return _this_one(self.folder.candidate, content_hash)
        except (BundleError, StorageError):
            pass
        try:
            write_bytes(self.folder.candidate, self.blobs.get(self.blob(CANDIDATE)))
            return _this_one(self.folder.candidate, content_hash)
        except (NotFoundError, BundleError) as error:
            raise BundleCorruptError(
                f"the candidate {content_hash[:12]} is damaged, and so is its copy: {error.message}",
                hint="nothing was promoted; begin another retraining",
            ) from error


def _this_one(path: Path, content_hash: str) -> Bundle:
    bundle = open_bundle(path)
    if bundle.content_hash != content_hash:
        raise BundleCorruptError(f"{path.name} is another model than the one that was made")
    return bundle
