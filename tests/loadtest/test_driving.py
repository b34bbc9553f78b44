"""The open loop is honest: a stall is paid for by everyone who came meanwhile; every end has its kind."""

from __future__ import annotations

import asyncio
import json
import socket
import threading
import time
from pathlib import Path

import pytest
from tests.loadtest.fake_server import FakeServer, Faults, said_about
from tests.loadtest.making import write_photographs

from leafsight.loadtest.driving import Generator
from leafsight.loadtest.generators import bound_by_generator, drive_order
from leafsight.loadtest.judging import answer_marks
from leafsight.loadtest.orders import Order, read_order
from leafsight.loadtest.outcomes import Outcome, read_outcomes, write_outcomes
from leafsight.loadtest.photographs import take_photographs


def order(tmp_path: Path, *ports: int, **more: object) -> Order:
    photographs = tuple(take_photographs(write_photographs(tmp_path / "photos")))
    expected = tmp_path / "expected.json"
    expected.write_text(json.dumps({one.name: answer_marks(said_about(one.name)) for one in photographs}))
    values = {"seconds": 2.0, "timeout_s": 5.0, "out": str(tmp_path / "out.jsonl.gz")} | more
    addresses = tuple(f"127.0.0.1:{port}" for port in ports)
    return Order(addresses, "key", photographs, str(expected), **values)  # type: ignore[arg-type]


def open_loop(what: Order, rate: float, seconds: float) -> list[Outcome]:
    generator = Generator(what)
    schedule = [number / rate for number in range(int(rate * seconds))]
    asyncio.run(generator.open_loop(schedule))
    return generator.outcomes


def test_a_stall_is_paid_for_by_everyone_who_comes_meanwhile(tmp_path: Path) -> None:
    """A closed loop would show one slow request; in truth every second arrival waits."""
    with FakeServer() as server:
        server.faults = Faults(stalls=(1.0, 2.0))
        server.started_s = time.monotonic()
        found = open_loop(order(tmp_path, server.port), 40, 2.5)
    assert {one.kind for one in found} == {"ok"}
    waited = [one for one in found if one.took_s > 0.1]
    assert 30 <= len(waited) <= 45  # those that came within the stalled second, but for its end
    assert max(one.took_s for one in found) > 0.9
    assert sum(one.took_s > 0.5 for one in found) >= 15


def test_latency_counts_from_when_it_should_have_been_sent(tmp_path: Path) -> None:
    """The generator itself is held up for half a second: that is part of the latency, and is told."""
    with FakeServer() as server:
        generator = Generator(order(tmp_path, server.port))

        async def held_up() -> None:
            asyncio.get_running_loop().call_later(0.3, time.sleep, 0.5)
            await generator.open_loop([number / 20 for number in range(30)])

        asyncio.run(held_up())
    late = [one for one in generator.outcomes if one.late_s > 0.1]
    assert 6 <= len(late) <= 10
    assert all(one.took_s >= one.late_s for one in late)
    assert max(one.late_s for one in late) > 0.4


def test_wrong_and_mixed_up_answers_are_seen(tmp_path: Path) -> None:
    with FakeServer() as server:
        what = order(tmp_path, server.port)
        server.names = [one.name for one in what.photographs]
        server.faults = Faults(wrong_every=5, mix_every=7, refuse_every=11, fail_every=13)
        found = open_loop(what, 100, 1.0)
    kinds = [one.kind for one in found]
    assert kinds.count("refused") == 9
    assert kinds.count("status 500") == 7
    assert kinds.count("mixed up") >= 9
    assert kinds.count("wrong") >= 12
    assert next(one for one in found if one.kind == "refused").told == "overload"
    assert next(one for one in found if one.kind == "status 500").told == "internal"


def test_addresses_are_asked_in_turn(tmp_path: Path) -> None:
    with FakeServer() as one, FakeServer() as other:
        found = open_loop(order(tmp_path, one.port, other.port), 50, 0.4)
        assert one.asked == other.asked == 10
    assert [outcome.server for outcome in sorted(found, key=lambda row: row.begun_s)] == [0, 1] * 10


def test_nobody_there_a_cut_and_silence_are_failures_of_three_kinds(tmp_path: Path) -> None:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        gone = free.getsockname()[1]
    assert {one.kind for one in open_loop(order(tmp_path, gone), 20, 0.2)} == {"connect"}
    with socket.create_server(("127.0.0.1", 0)) as cutting:

        def cut() -> None:
            for _ in range(4):
                connection, _ = cutting.accept()
                connection.recv(100_000)
                connection.sendall(b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf")
                connection.close()

        threading.Thread(target=cut, daemon=True).start()
        found = open_loop(order(tmp_path, cutting.getsockname()[1]), 20, 0.2)
    assert {one.kind for one in found} == {"cut"}
    with socket.create_server(("127.0.0.1", 0)) as silent:
        found = open_loop(order(tmp_path, silent.getsockname()[1], timeout_s=0.3), 20, 0.2)
    assert {one.kind for one in found} == {"timeout"}
    assert all(0.25 < one.took_s < 1.0 for one in found)


def test_a_process_of_its_own_carries_out_an_order_and_the_key_does_not_stay(tmp_path: Path) -> None:
    with FakeServer() as server:
        what = order(tmp_path, server.port, rate_per_s=30.0, seconds=1.0, warm_s=0.5, seed=3)
        driven = drive_order(what, tmp_path / "logs")
    assert 25 < len(driven.outcomes) < 70
    assert driven.wall_s >= 1.4
    assert 0 < driven.cpu_share < 1
    assert all("key" not in path.read_text(errors="ignore") for path in (tmp_path / "logs").iterdir())


def test_an_order_is_the_same_after_writing_and_only_its_owner_may_read_it(tmp_path: Path) -> None:
    what = order(tmp_path, 1, 2, users=3)
    what.write(tmp_path / "order.json")
    assert read_order(tmp_path / "order.json") == what
    assert (tmp_path / "order.json").stat().st_mode & 0o077 == 0


def test_outcomes_are_the_same_after_writing_and_a_cut_file_gives_what_it_has(tmp_path: Path) -> None:
    rows = [
        Outcome("ok", 1.5, 0.25, 0.001, "burst", "12 MP", 1, ("a", "b")),
        Outcome("refused", 2, 0.1, told="x"),
    ]
    write_outcomes(tmp_path / "rows.jsonl.gz", rows)
    assert read_outcomes(tmp_path / "rows.jsonl.gz") == rows
    (tmp_path / "rows.jsonl").write_text('["ok",1,0.1,0,"burst","",0,[],"",""]\n["ok",1,0.')
    assert len(read_outcomes(tmp_path / "rows.jsonl")) == 1


@pytest.mark.parametrize(
    ("share", "late", "said"),
    [(0.5, 5.0, ""), (0.9, 5.0, "90 %"), (0.2, 55.0, "55 ms late"), (0.2, None, "")],
)
def test_a_generator_at_its_end_says_so(share: float, late: float | None, said: str) -> None:
    found = bound_by_generator(share, late)
    assert (said in found) if said else found == ""
