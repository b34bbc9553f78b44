"""A lock that one process holds and another does not get."""

from __future__ import annotations

from pathlib import Path

import pytest

from leafsight.errors import DatasetError
from leafsight.storage import holding

BUSY = DatasetError("somebody else is here")


def test_the_second_is_told_and_the_next_gets_in(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("w+b") as one, path.open("r+b") as other:
        with (
            holding(one.fileno(), BUSY),
            pytest.raises(DatasetError, match="somebody else"),
            holding(other.fileno(), BUSY),
        ):
            pass
        with holding(other.fileno(), BUSY):
            other.write(b"mine now")
    assert path.read_bytes() == b"mine now"


def test_an_error_inside_lets_go(tmp_path: Path) -> None:
    path = tmp_path / "file"
    with path.open("w+b") as one, path.open("r+b") as other:
        with pytest.raises(KeyError), holding(one.fileno(), BUSY):
            raise KeyError
        with holding(other.fileno(), BUSY):
            assert not other.read()
