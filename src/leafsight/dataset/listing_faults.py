"""The faults of one listing, collected so that a person mends all of them at once.

Enters: complaints, each with the place it is about. Leaves: nothing, or one error with all of them. It does
not know what a listing is written in.
"""

from __future__ import annotations

from leafsight.errors import DatasetError

# More would scroll off the screen; the rest is counted.
MOST_FAULTS_SHOWN = 40
LONGEST_SHOWN_CHARACTERS = 300


class ListingFaults:
    """Complaints about one listing; only the first are kept, so that a million of them take no memory."""

    __slots__ = ("_count", "_shown")

    def __init__(self) -> None:
        self._shown: list[str] = []
        self._count = 0

    def __len__(self) -> int:
        return self._count

    def add(self, where: str, complaint: str) -> None:
        """Note one complaint, such as ``("line 7", "no label")``."""
        self._count += 1
        if len(self._shown) < MOST_FAULTS_SHOWN:
            self._shown.append(f"{where}: {complaint}"[:LONGEST_SHOWN_CHARACTERS])

    def raise_if_any(self, listing: object, hint: str) -> None:
        """End here when there was a complaint.

        Raises:
            DatasetError: with every complaint up to ``MOST_FAULTS_SHOWN``, and how many more there are.
        """
        if not self._count:
            return
        more = self._count - len(self._shown)
        shown = [*self._shown, f"and {more} more"] if more else self._shown
        lines = "\n".join(f"  {fault}" for fault in shown)
        count = "1 fault" if self._count == 1 else f"{self._count} faults"
        raise DatasetError(f"{listing}: {count}\n{lines}", hint=hint)
