"""A program beside the clerk: where it stands behind the workers."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from leafsight.service.child_process import run_child


def printed_by(source: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> str:
    """What a program printed that ran as a child."""
    (folder / "looking.py").write_text(source)
    monkeypatch.setenv("PYTHONPATH", str(folder))
    ended = run_child(
        "looking", [], folder / "printed", told=lambda line: None, wanted=lambda: True, timeout_s=60
    )
    assert ended is not None
    assert ended.status == 0, ended.lines
    return ended.printed.read_text().strip()


@pytest.mark.skipif(sys.platform == "win32", reason="there are no sessions")
def test_it_has_a_group_to_end_it_by_and_no_session_of_its_own(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Linux shares cores out by session first: in one of its own, a low priority counts for nothing."""
    said = printed_by("import os\nprint(os.getsid(0), os.getpgid(0), os.getpid())\n", tmp_path, monkeypatch)
    session, group, own = map(int, said.split())
    assert session == os.getsid(0)
    assert group == own != os.getpgid(0)
