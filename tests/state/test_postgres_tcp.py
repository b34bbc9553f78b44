"""PostgreSQL over TCP with a password, as a server on another machine is reached."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.state.made_records import a_prediction
from tests.state.own_postgres import NoPostgresError, OwnPostgres, own_postgres

from leafsight.errors import StateBusyError, StateError
from leafsight.state import describe, open_state

pytestmark = pytest.mark.slow


@pytest.fixture(scope="module")
def server() -> Iterator[OwnPostgres]:
    try:
        with own_postgres(tcp=True) as running:
            yield running
    except NoPostgresError as error:
        pytest.skip(f"NOT TESTED ON POSTGRESQL: {error}")


def test_what_is_put_is_there_and_the_password_is_not_shown(server: OwnPostgres) -> None:
    one = a_prediction()
    with open_state(server.new_database()) as state:
        state.predictions.add_many([one])
        assert state.predictions.get(one.id) == one
        assert server.password not in f"{state.database.address} {describe(state)}"


@pytest.mark.parametrize("wrong", ["another", ""])
def test_a_wrong_password_is_an_error_that_says_so_and_shows_none(server: OwnPostgres, wrong: str) -> None:
    address = server.new_database()
    with pytest.raises(StateError) as told:
        open_state(address.replace(server.password, wrong), busy_timeout_s=1.0)
    assert not isinstance(told.value, StateBusyError)  # no use in trying again
    assert "password" in f"{told.value.message} {told.value.hint}"
    assert server.password not in str(told.value)
    assert "another" not in str(told.value)


def test_a_server_that_is_gone_is_busy_and_comes_back(server: OwnPostgres) -> None:
    with open_state(server.new_database(), busy_timeout_s=1.0) as state:
        server.stop()
        with pytest.raises(StateBusyError):
            state.keys.make("n", ["predict"])
        server.start()
        state.keys.make("n", ["predict"])
