"""Another process that adds and decides as fast as it can, and says each round after it was acknowledged.

python decide_forever.py URL UPLOAD_ID
"""

from __future__ import annotations

import sys

from leafsight.state import ContributionRecord, new_id, open_state

MANY = 120


def main(url: str, upload_id: str) -> None:
    with open_state(url) as state:
        made = []
        for number in range(MANY):
            one = new_id()
            words = {
                "photo_sha256": "a" * 64,
                "pixel_hash": "b" * 64,
                "blob": f"c/{one}.jpg",
                "group_id": one,
            }
            made.append(
                ContributionRecord(
                    id=one, created_ms=0, name=f"{number}.jpg", class_name="a", label="class 0",
                    upload_id=upload_id, **words,
                )
            )  # fmt: skip
        state.contributions.add_many(made)  # nothing, when it was done before
        given = list(state.contributions.of_upload(upload_id))
        ids, turn = [one.id for one in given], int(given[0].label.removeprefix("class "))
        while True:
            print(turn, len(ids), flush=True)
            turn += 1
            state.contributions.decide(ids, "accepted" if turn % 2 else "rejected", label=f"class {turn}")


main(sys.argv[1], sys.argv[2])
