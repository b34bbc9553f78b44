"""What no finding shows, and what it still says."""

from __future__ import annotations

import pytest

from leafsight.doctor import Finding
from leafsight.doctor.hiding import without_secrets


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("postgresql://user:geheim@host/name", "postgresql://user:***@host/name"),
        ("https://hooks/?token=abcdef", "https://hooks/?token=(hidden)"),
        ("let a server make one: LEAFSIGHT_FIRST_KEY=yes", "let a server make one: LEAFSIGHT_FIRST_KEY=yes"),
        ("LEAFSIGHT_KEY=yesterday", "LEAFSIGHT_KEY=(hidden)"),
    ],
)
def test_secrets_are_hidden_and_advice_is_not(said: str, shown: str) -> None:
    assert without_secrets(Finding("database.keys", "fail", said, said)).said == shown
