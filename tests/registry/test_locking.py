from __future__ import annotations

import errno
import os
from pathlib import Path
from typing import Any

import pytest

from leafsight.errors import PermissionDeniedError, StateBusyError
from leafsight.registry.locking import alone_in


def test_the_second_waits_and_is_told(tmp_path: Path) -> None:
    with alone_in(tmp_path / "new", 0.0):
        busy = pytest.raises(StateBusyError, match="another process is changing the registry")
        with busy as caught, alone_in(tmp_path / "new", 0.03):
            raise AssertionError("two were alone")
        assert "try again" in caught.value.hint
    with alone_in(tmp_path / "new", 0.0):
        assert (tmp_path / "new" / ".lock").exists()


def test_no_handle_is_left_behind(tmp_path: Path) -> None:
    handles = Path("/proc/self/fd")
    if not handles.exists():
        pytest.skip("this system does not list open files")
    before = len(list(handles.iterdir()))
    for _ in range(20):
        with pytest.raises(KeyError), alone_in(tmp_path, 0.0):
            raise KeyError
    assert len(list(handles.iterdir())) == before


def test_a_folder_that_is_not_ours(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: Any, **__: Any) -> int:
        raise OSError(errno.EROFS, "Read-only file system")

    monkeypatch.setattr(os, "open", refuse)
    with pytest.raises(PermissionDeniedError), alone_in(tmp_path, 0.0):
        raise AssertionError("inside")
