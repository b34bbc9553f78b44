"""Uploads on both databases."""

from __future__ import annotations

import pytest
from tests.state.made_records import an_upload

from leafsight.errors import ConflictError, NotFoundError, UsageError
from leafsight.state import State, new_id


def test_an_upload_comes_back_as_it_went(state: State) -> None:
    one = an_upload(bytes=2**40, label=None, name="葉.zip", key_id="e" * 32)
    state.uploads.add(one)
    assert state.uploads.get(one.id) == one
    assert state.uploads.get(new_id()) is None
    assert state.uploads.page().records == (one,)
    with pytest.raises(ConflictError):
        state.uploads.add(one)


def test_its_state_moves_on(state: State) -> None:
    one = an_upload()
    state.uploads.add(one)
    assert state.uploads.set_state(one.id, "checked").state == "checked"
    found = state.uploads.get(one.id)
    assert found is not None
    assert found.state == "checked"
    with pytest.raises(NotFoundError):
        state.uploads.set_state(new_id(), "checked")


@pytest.mark.parametrize("word", ["", "Checked", "x" * 21, "two words", "ok\n"])
def test_a_state_is_one_small_word(state: State, word: str) -> None:
    one = an_upload()
    state.uploads.add(one)
    with pytest.raises(UsageError):
        state.uploads.set_state(one.id, word)
    with pytest.raises(UsageError):
        state.uploads.add(an_upload(state=word))


def test_a_name_of_200_characters_fits_and_one_more_does_not(state: State) -> None:
    state.uploads.add(an_upload(name="n" * 200))
    with pytest.raises(UsageError, match="name has 201 characters, the most is 200"):
        state.uploads.add(an_upload(name="n" * 201))
    with pytest.raises(UsageError, match="bytes is"):
        state.uploads.add(an_upload(bytes=2**63))
