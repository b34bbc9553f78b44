"""Another process that writes as fast as it can, and says each id after it was acknowledged.

python hammer.py URL COUNT    (0 for no end)
"""

from __future__ import annotations

import sys

from leafsight.state import CorrectionRecord, PredictionRecord, new_id, open_state


def main(url: str, count: int) -> None:
    with open_state(url) as state:
        done = 0
        while count == 0 or done < count:
            one, other = new_id(), new_id()
            state.predictions.add_many(
                [
                    PredictionRecord(
                        id=one, created_ms=done, model_hash="h", model_name="n", verdict="diagnosis",
                        photo_sha256="a" * 64, photo_blob=f"p/{one}.jpg",
                        answer={"x": "y" * 1000}, latency_ms=1.0,
                    )
                ]
            )  # fmt: skip
            state.corrections.add(CorrectionRecord(id=other, prediction_id=one, created_ms=done, right=True))
            state.usage.count("hammer", "day", 1, 0)
            done += 1
            print(one, other, flush=True)


main(sys.argv[1], int(sys.argv[2]))
