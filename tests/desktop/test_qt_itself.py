"""What we need of Qt's bindings, whatever version is installed."""

from __future__ import annotations

import subprocess
import sys

import pytest

pytest.importorskip("PySide6.QtCore", reason="Qt cannot be loaded", exc_type=ImportError)
pytestmark = pytest.mark.gui
EMITTING = """
import sys
from PySide6.QtCore import QObject, Signal
class One(QObject):
    came = Signal()
one, heard = One(), []
one.came.connect(lambda: heard.append(1))
before = sys.getrefcount(True)
for _ in range(500):
    one.came.emit()
print(len(heard), before - sys.getrefcount(True))
"""


def test_signals_give_back_no_more_than_they_took() -> None:
    """PySide6 6.12.0 on Python 3.11 does: after some thousand signals the interpreter is gone."""
    done = subprocess.run([sys.executable, "-c", EMITTING], capture_output=True, text=True, timeout=60)
    assert done.returncode == 0, done.stderr
    heard, lost = map(int, done.stdout.split())
    assert heard == 500
    assert lost < 100
