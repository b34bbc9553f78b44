"""What is older than ``keep_days`` goes, with its photographs; what somebody corrected stays."""

from __future__ import annotations

from collections.abc import Callable

from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes

from leafsight.service.forgetting import DAY_MS, forget_old

JPEG = {"content-type": "image/jpeg"}


def test_old_predictions_go_with_their_photographs_and_corrected_ones_stay(
    start: Callable[..., TestClient],
) -> None:
    service = start(keep_photos="always")
    ids = [
        service.post("/v1/predict", content=picture_bytes(), headers=JPEG).json()["predictions"][0]["id"]
        for _ in range(3)
    ]
    service.post(f"/v1/predictions/{ids[1]}/correction", json={"right": True})
    parts = service.app.state.parts  # type: ignore[attr-defined]

    def forget(days_later: int) -> int:
        later = parts.now_ms() + days_later * DAY_MS
        return forget_old(parts.state, parts.blobs, now_ms=later, keep_days=90)

    assert (forget(89), len(list(parts.blobs.list("photographs")))) == (0, 3)
    assert (forget(91), len(list(parts.blobs.list("photographs")))) == (2, 1)
    assert [service.get(f"/v1/predictions/{one}").status_code for one in ids] == [404, 200, 404]
