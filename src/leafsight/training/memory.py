"""When the device's memory is too small: the same batch in smaller pieces, said aloud."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import torch

from leafsight.errors import DeviceMemoryError

Result = TypeVar("Result")
Teller = Callable[[int, int], None]
CPU_ALLOCATOR = "DefaultCPUAllocator"


class PieceCounter:
    """Remembers into how many pieces a batch must be cut.

    Args:
        pieces: to begin with.
        tell: called with the old and the new number when one more halving was needed.
        again: whether work may be done again after it failed in its middle; where others wait for this
            process it may not, and the error goes on after ``tell``.
    """

    def __init__(self, pieces: int, tell: Teller, *, again: bool = True) -> None:
        self.pieces = pieces
        self._tell = tell
        self._again = again

    def run(self, attempt: Callable[[int], Result], photos: int) -> Result:
        """Call ``attempt`` with a number of pieces, doubling it until it fits.

        Args:
            attempt: does the whole work again when called again; raises ``torch.OutOfMemoryError``.
            photos: in the batch; more pieces than that make no sense.

        Raises:
            DeviceMemoryError: one photograph at a time does not fit either.
            RuntimeError: it did not fit, and may not be done again here.
        """
        while True:
            try:
                return attempt(min(self.pieces, photos))
            except RuntimeError as error:
                if not is_out_of_memory(error):
                    raise
                if not self._again:
                    self._halve(photos)
                    raise
            # Outside of the handler, whose traceback would keep the tensors of the failed attempt alive.
            self._halve(photos)

    def _halve(self, photos: int) -> None:
        if self.pieces >= photos:
            raise DeviceMemoryError(
                "even one photograph at a time does not fit into the memory of the device",
                hint="use a smaller side_px, a smaller model, or --device cpu",
            )
        if torch.cuda.is_available():
            torch.cuda.empty_cache()
        self._tell(self.pieces, self.pieces * 2)
        self.pieces *= 2


def is_out_of_memory(error: RuntimeError) -> bool:
    """Whether a device, or the allocator of the CPU, had no room."""
    return isinstance(error, torch.OutOfMemoryError) or CPU_ALLOCATOR in str(error)
