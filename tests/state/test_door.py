"""The door: everything by name, nothing heavy before it is needed."""

from __future__ import annotations

import subprocess
import sys

import pytest

import leafsight.state
from leafsight.errors import MissingExtraError

HEAVY = ("sqlalchemy", "alembic", "psycopg", "obstore", "PIL")


@pytest.mark.parametrize("name", leafsight.state.__all__)
def test_every_name_of_the_door_is_there(name: str) -> None:
    assert getattr(leafsight.state, name) is not None


def test_an_unknown_name() -> None:
    with pytest.raises(AttributeError, match="no attribute 'nonsense'"):
        _ = leafsight.state.nonsense


def test_records_and_ids_need_no_library_of_the_extra() -> None:
    code = (
        "import sys; from leafsight.state import PredictionRecord, SCOPES, new_id; new_id(); "
        f"print([name for name in {HEAVY} if name in sys.modules])"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


def test_without_sqlalchemy_the_pip_line_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "sqlalchemy", None)
    monkeypatch.delitem(vars(leafsight.state), "open_state", raising=False)
    with pytest.raises(MissingExtraError) as caught:
        _ = leafsight.state.open_state
    assert "leafsight[serve]" in caught.value.hint
