"""Round numbers along an axis."""

from __future__ import annotations

import numpy as np

TICKS = 5


def ticks(low: float, high: float, *, log: bool) -> list[float]:
    """Round numbers between two ends, at most about ``TICKS`` of them."""
    if high <= low:
        return [low]
    if log:
        decades = range(int(np.floor(np.log10(low))), int(np.ceil(np.log10(high))) + 1)
        for steps in ((1.0,), (1.0, 3.0), (1.0, 2.0, 5.0)):
            found = [step * 10.0**decade for decade in decades for step in steps]
            found = [value for value in found if low <= value <= high]
            if len(found) >= 3:
                return found
        return found
    rough = (high - low) / TICKS
    unit = 10.0 ** np.floor(np.log10(rough))
    step = float(next(unit * nice for nice in (1, 2, 2.5, 5, 10) if unit * nice >= rough * 0.999))
    first = float(np.ceil(low / step - 1e-9)) * step
    return [round(first + step * index, 10) for index in range(int((high - first) / step + 1e-9) + 1)]
