from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image

from leafsight.training import draw_curves


def history(loss: float | None = 0.5) -> list[dict[str, Any]]:
    return [
        {
            "stage": epoch // 2,
            "train_loss": 1.0 / (epoch + 1),
            "learning_rate": 0.1,
            "is_best": epoch == 1,
            "valid": {"loss": loss, "accuracy": 0.5, "macro_f1": 0.4},
        }
        for epoch in range(4)
    ]


def test_png_and_svg(tmp_path: Path) -> None:
    draw_curves(history(), tmp_path / "curves.png", title="leaves")
    with Image.open(tmp_path / "curves.png") as picture:
        assert picture.width > 800
        assert len(picture.convert("RGB").getcolors(10**6) or []) > 10
    draw_curves(history(), tmp_path / "curves.svg")
    assert (tmp_path / "curves.svg").read_text().startswith("<?xml")


def test_a_missing_loss_is_a_gap(tmp_path: Path) -> None:
    draw_curves(history(None), tmp_path / "curves.png")
    assert (tmp_path / "curves.png").stat().st_size > 1000
