"""Keys on both databases: the secret is nowhere, and nothing but the whole token opens."""

from __future__ import annotations

import hashlib
import re
import threading
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from sqlalchemy import text
from tests.state.conftest import Clock

from leafsight.errors import NotFoundError, UsageError
from leafsight.state import State, keys, new_id, open_state


def test_a_key_opens_until_it_is_revoked(state: State, clock: Clock) -> None:
    assert not state.keys.any()
    record, token = state.keys.make("greenhouse", ["upload", "predict"], 60, 1000)
    assert record.scopes == ("predict", "upload")
    assert (record.rate_per_minute, record.photographs_per_day, record.revoked_ms) == (60, 1000, None)
    assert state.keys.verify(token) == record
    assert state.keys.any()
    clock.now_ms += 10
    revoked = state.keys.revoke(record.id)
    assert revoked.revoked_ms == clock.now_ms
    assert state.keys.verify(token) is None
    clock.now_ms += 10
    assert state.keys.revoke(record.id) == revoked
    assert state.keys.list() == (revoked,)


def test_revoking_the_last_key_does_not_open_the_service(state: State) -> None:
    record, _ = state.keys.make("only", ["admin"])
    state.keys.revoke(record.id)
    assert state.keys.any()


def test_a_token_has_256_random_bits_and_is_made_anew_each_time(state: State) -> None:
    tokens = {state.keys.make("same", ["predict"])[1] for _ in range(5)}
    assert len(tokens) == 5
    for token in tokens:
        assert re.fullmatch(r"ls_[0-9a-f]{32}_[0-9a-f]{64}", token)
    assert [record.name for record in state.keys.list()] == ["same"] * 5


def test_anything_else_does_not_open(state: State) -> None:
    _, token = state.keys.make("greenhouse", ["predict"])
    spoiled = [
        "",
        "ls_",
        token[:-1],
        token + "0",
        token + "\n",
        token.upper(),
        token[:-64] + "0" * 64,
        f"ls_{new_id()}_{token[-64:]}",
        f"ls_{'0' * 32}_{'0' * 64}",
        "x" * 100_000,
        "ls_é\x00",
    ]
    assert [state.keys.verify(one) for one in spoiled] == [None] * len(spoiled)


@pytest.mark.parametrize("case", ["right", "unknown", "malformed", "wrong", "revoked"])
def test_every_token_costs_one_hash_one_look_up_and_one_comparison(
    state: State, case: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    record, token = state.keys.make("greenhouse", ["predict"])
    if case == "revoked":
        state.keys.revoke(record.id)
    given = {"unknown": f"ls_{new_id()}_{'1' * 64}", "malformed": "hello", "wrong": token[:-4] + "0000"}
    done: list[str] = []
    digest, reading = keys.hmac.compare_digest, state.database.reading
    monkeypatch.setattr(keys, "_sha256", lambda secret: (
        done.append("hash"), hashlib.sha256(secret.encode()).hexdigest())[1])  # fmt: skip
    monkeypatch.setattr(keys.hmac, "compare_digest", lambda a, b: (done.append("compare"), digest(a, b))[1])
    monkeypatch.setattr(state.database, "reading", lambda: (done.append("look"), reading())[1])
    assert (state.keys.verify(given.get(case, token)) is not None) == (case == "right")
    assert done == ["hash", "look", "compare"]


def test_the_secret_is_nowhere_in_the_database_file(tmp_path: Path) -> None:
    with open_state(f"sqlite:///{tmp_path}/keys.db") as state:
        record, token = state.keys.make("greenhouse", ["predict"])
        secret = token.rpartition("_")[2]
        assert secret not in repr(record)
        kept = b"".join(path.read_bytes() for path in tmp_path.iterdir())
        assert hashlib.sha256(secret.encode()).hexdigest().encode() in kept
        assert secret.encode() not in kept
        with state.database.writing() as connection:
            connection.execute(text("UPDATE keys SET secret_sha256 = ''"))
        assert state.keys.verify(token) is None


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("", ["predict"]), "needs a name"),
        (("x" * 201, ["predict"]), "name has 201 characters"),
        (("n", []), "needs a scope"),
        (("n", ["predict", "root"]), "no scope 'root'"),
        (("n", ["predict"], 0), "rate_per_minute is 0"),
        (("n", ["predict"], 2**31), "rate_per_minute is 2147483648"),
        (("n", ["predict"], None, -5), "photographs_per_day is -5"),
    ],
)
def test_keys_that_cannot_be_made(state: State, words: tuple, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        state.keys.make(*words)
    assert not state.keys.any()


def test_revoking_what_is_not_there(state: State) -> None:
    for missing in (new_id(), "nonsense"):
        with pytest.raises(NotFoundError, match="no key"):
            state.keys.revoke(missing)


def test_the_first_key_is_made_once_and_never_again(state: State) -> None:
    made = state.keys.make_first("first", ["predict", "admin"])
    assert made is not None
    record, token = made
    assert state.keys.verify(token) == record
    assert record.scopes == ("predict", "admin")
    assert state.keys.make_first("second", ["admin"]) is None
    state.keys.revoke(record.id)
    assert state.keys.make_first("third", ["admin"]) is None
    assert len(state.keys.list()) == 1


def test_of_many_who_want_the_first_key_at_once_one_gets_it(url: str) -> None:
    begin = threading.Barrier(6)

    def want(number: int) -> str | None:
        with open_state(url) as own:
            begin.wait()
            made = own.keys.make_first(f"first {number}", ["admin"])
        return None if made is None else made[1]

    with ThreadPoolExecutor(6) as pool:
        tokens = [token for token in pool.map(want, range(6)) if token is not None]
    assert len(tokens) == 1
    with open_state(url) as state:
        (record,) = state.keys.list()
        assert state.keys.verify(tokens[0]) == record
