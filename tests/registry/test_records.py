"""Records of the disk may hold anything; only whole ones become records here."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from leafsight.registry.records import Change, Entry, change_from_dict, entry_from_dict

A, B = "a" * 64, "b" * 64
ENTRY = Entry(A, "apples", 5, 100, 4, "näte")
CHANGE = Change("serving", 3, "promote", A, 7, "why", "who", B, 2, False)


def test_what_is_written_is_read() -> None:
    assert entry_from_dict(json.loads(json.dumps(ENTRY.to_dict())), A) == ENTRY
    assert change_from_dict(json.loads(json.dumps(CHANGE.to_dict())), "serving") == CHANGE


def test_keys_of_a_later_version_are_no_obstacle() -> None:
    assert change_from_dict(CHANGE.to_dict() | {"weight": 0.5}, "serving") == CHANGE


@pytest.mark.parametrize(
    "wrong",
    [
        {"hash": B}, {"name": 3}, {"name": "\ud800"}, {"created_ms": "5"}, {"created_ms": -1},
        {"bytes": True}, {"classes": 1.5}, {"note": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_faulty_entry_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        entry_from_dict(ENTRY.to_dict() | wrong, A)


@pytest.mark.parametrize(
    "wrong",
    [
        {"alias": "other"}, {"kind": "deploy"}, {"hash": "../../x"}, {"hash": A.upper()},
        {"number": 0, "base": 0}, {"number": True}, {"base": 3}, {"base": -1}, {"base": "2"},
        {"former": "x"}, {"former": 5}, {"since_ms": None},
        {"reason": 1}, {"by": None}, {"by": "\udc00"}, {"builtin": 0}, {"builtin": None},
    ],
    ids=str,
)  # fmt: skip
def test_a_faulty_change_is_refused(wrong: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r".+"):
        change_from_dict(CHANGE.to_dict() | wrong, "serving")


PLAIN = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)


@given(st.dictionaries(st.sampled_from(sorted(CHANGE.to_dict())), PLAIN) | PLAIN)
def test_no_value_is_a_crash(values: Any) -> None:
    for read, name in ((change_from_dict, "serving"), (entry_from_dict, A)):
        table = (
            (CHANGE.to_dict() if name == "serving" else ENTRY.to_dict()) | values
            if isinstance(values, dict)
            else values
        )
        try:
            found = read(table, name)
        except ValueError:
            continue
        assert found.hash in (A, B) or len(found.hash) == 64
