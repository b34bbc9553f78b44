"""Contributions of a test, written down as the job of an upload would.

Enters: a service of a test and what a contribution shall be. Leaves: its id. No photograph is looked at.
"""

from __future__ import annotations

from typing import Any

from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes

from leafsight.service.parts import Parts
from leafsight.state import ContributionRecord, new_id


def parts_of(client: TestClient) -> Parts:
    """What the application of a client works with."""
    parts: Parts = client.app.state.parts  # type: ignore[attr-defined]
    return parts


def add_contribution(client: TestClient, upload: str | None = None, **changes: Any) -> str:
    """One contribution that waits, with a photograph; its id.

    Args:
        client: of a service in this process.
        upload: that it came with.
        changes: fields of the record.
    """
    parts, one = parts_of(client), new_id()
    blob = f"contributions/{one}.jpg"
    parts.blobs.put(blob, picture_bytes())
    values: dict[str, Any] = {
        "id": one, "created_ms": parts.now_ms(), "upload_id": upload, "name": f"{one}.jpg",
        "class_name": "Apple scab", "label": "Apple___Apple_scab", "photo_sha256": "0" * 64,
        "pixel_hash": "0" * 64, "blob": blob, "group_id": one,
        "findings": [{"kind": "near_duplicate", "said": "it looks like another", "blocks": False}],
        "quality": {"sharpness": 0.5, "said": {"verdict": "diagnosis", "class_key": "apple/scab",
                                               "display": "Apple: scab", "probability": 0.9}},
    }  # fmt: skip
    parts.state.contributions.add_many([ContributionRecord(**{**values, **changes})])
    return one
