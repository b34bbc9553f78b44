"""How a person likes the window."""

from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.desktop.session import Preferences, load_preferences, save_preferences
from leafsight.errors import StorageError


def test_they_are_there_the_next_time(tmp_path: Path) -> None:
    wanted = Preferences(look="dark", text_scale=1.5, heatmap_percent=10)
    save_preferences(wanted, tmp_path / "new")
    assert load_preferences(tmp_path / "new") == wanted


@pytest.mark.parametrize(
    "text",
    [
        "", "no json", "[]", "null", '{"look": "pink"}', '{"text_scale": 9}', '{"heatmap_percent": "x"}',
        '{"heatmap_percent": 101}', "\udcff", " " * 70_000,
    ],
)  # fmt: skip
def test_a_file_that_makes_no_sense_gives_the_usual_ones(tmp_path: Path, text: str) -> None:
    (tmp_path / "preferences.json").write_bytes(text.encode("utf-8", "surrogateescape"))
    assert load_preferences(tmp_path) == Preferences()


def test_what_a_newer_window_wrote_is_left_out(tmp_path: Path) -> None:
    (tmp_path / "preferences.json").write_text('{"look": "dark", "wallpaper": "leaves"}')
    assert load_preferences(tmp_path) == Preferences(look="dark")


def test_a_folder_that_is_a_file_is_told(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(StorageError):
        save_preferences(Preferences(), tmp_path / "file")
