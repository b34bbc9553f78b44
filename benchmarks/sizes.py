"""What one diagnosis takes: bytes of the answer, and bytes in the database.

    python benchmarks/sizes.py

The built-in model answers 400 drawn pictures of 256 px, one by one, into a SQLite file of its own.
"""

from __future__ import annotations

import io
import sqlite3
import tempfile
from pathlib import Path

import numpy as np
from PIL import Image
from starlette.testclient import TestClient

from leafsight.service import ServiceOptions, create_app

PICTURES = 400


def picture(seed: int) -> bytes:
    """Soft coloured spots as a JPEG."""
    spots = (np.random.default_rng(seed).random((8, 8, 3)) * 255).astype("uint8")
    kept = io.BytesIO()
    Image.fromarray(spots).resize((256, 256), Image.Resampling.BICUBIC).save(kept, "JPEG", quality=90)
    return kept.getvalue()


def main() -> None:
    """Ask, then look at the file."""
    with tempfile.TemporaryDirectory() as made:
        folder, answered = Path(made), 0
        file = folder / "leafsight.db"
        options = ServiceOptions(
            registry_dir=folder / "registry", database_url=f"sqlite:///{file}", blob_url=str(folder / "blobs")
        )
        here = {"base_url": "http://localhost:8000", "client": ("127.0.0.1", 5)}
        with TestClient(create_app(options), **here) as service:  # type: ignore[arg-type]
            for seed in range(PICTURES):
                answer = service.post(
                    "/v1/predict", content=picture(seed), headers={"content-type": "image/jpeg"}
                )
                head = sum(len(name) + len(value) + 4 for name, value in answer.headers.items())
                answered += len(answer.content) + head
        with sqlite3.connect(file) as database:
            database.execute("PRAGMA wal_checkpoint(TRUNCATE)")
            database.execute("VACUUM")
            (rows,) = database.execute("SELECT count(*) FROM predictions").fetchone()
        print(f"answer: {answered / PICTURES:,.0f} bytes with headers")
        print(f"database: {file.stat().st_size / rows:,.0f} bytes a row, of {rows}")


if __name__ == "__main__":
    main()
