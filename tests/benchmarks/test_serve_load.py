"""The load generator counts honestly: percentiles, arrivals, and every way in which a request can end."""

from __future__ import annotations

import asyncio
import itertools
import math
from collections import Counter
from collections.abc import Awaitable, Callable

import pytest
from benchmarks.serve import hostile, report
from benchmarks.serve.load import Generator
from benchmarks.serve.processes import Server, free_port
from benchmarks.serve.tally import (
    Outcome,
    kind_of,
    poisson_schedule,
    quantile,
    slope,
    spread_ms,
    summed_up,
)
from benchmarks.serve.wire import MalformedError, build_requests, read_answer

OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"
Handler = Callable[[asyncio.StreamReader, asyncio.StreamWriter, int], Awaitable[bool]]


# --- arithmetic -------------------------------------------------------------------------------------


def test_quantiles_are_observed_values() -> None:
    ordered = [float(n) for n in range(1, 101)]
    assert [quantile(ordered, share) for share in (0.5, 0.9, 0.99, 1.0)] == [50, 90, 99, 100]
    assert quantile([7.0], 0.99) == 7.0
    assert quantile([1.0, 2.0], 0.5) == 1.0


def test_quantiles_need_values() -> None:
    with pytest.raises(ValueError, match="no values"):
        quantile([], 0.5)
    assert spread_ms([]) is None


def test_spread_is_in_milliseconds_and_sorts() -> None:
    assert spread_ms([0.003, 0.001, 0.002]) == {"p50": 2.0, "p90": 3.0, "p99": 3.0, "max": 3.0}


def test_arrivals_are_poisson_and_repeatable() -> None:
    found = poisson_schedule(50.0, 400.0, seed=3)
    assert found == poisson_schedule(50.0, 400.0, seed=3)
    assert found != poisson_schedule(50.0, 400.0, seed=4)
    assert found == sorted(found)
    assert found[0] >= 0
    assert found[-1] < 400.0
    assert abs(len(found) - 20_000) < 4 * 20_000**0.5  # four standard deviations of the count
    gaps = [after - before for before, after in itertools.pairwise(found)]
    mean = sum(gaps) / len(gaps)
    spread = (sum((gap - mean) ** 2 for gap in gaps) / len(gaps)) ** 0.5
    assert spread / mean == pytest.approx(1.0, abs=0.05)  # exponential: as wide as its mean; even gaps give 0


@pytest.mark.parametrize("rate", [0.0, -1.0])
def test_arrivals_need_a_rate(rate: float) -> None:
    with pytest.raises(ValueError, match="not above 0"):
        poisson_schedule(rate, 1.0, seed=0)


def test_every_status_is_counted_in_one_place() -> None:
    statuses = (200, 201, 429, 503, 500, 404, 302)
    wanted = ["ok", "ok", "refused", "refused", "status 500", "status 404", "status 302"]
    assert [kind_of(status) for status in statuses] == wanted


def test_a_sum_keeps_refusals_and_failures_apart() -> None:
    outcomes = [
        Outcome("ok", 0.5, 0.1),  # while warming up
        Outcome("ok", 1.0, 0.010),
        Outcome("ok", 2.0, 0.030),
        Outcome("refused", 2.1, 0.001, True),
        Outcome("refused", 2.2, 0.002, False),
        Outcome("timeout", 2.3, 9.0),
        Outcome("status 500", 2.4, 0.5),
        Outcome("status 500", 2.5, 0.5),
    ]
    found = summed_up(outcomes, from_s=1.0, until_s=3.0)
    assert (found["requests"], found["ok"], found["refused"], found["failed"]) == (7, 2, 2, 3)
    assert found["failures"] == {"status 500": 2, "timeout": 1}
    assert found["refused_without_retry_after"] == 1
    assert found["ok_ms"]["max"] == 30.0
    assert found["refused_ms"]["max"] == 2.0
    assert found["per_s"] == 1.0


def test_answers_after_the_end_make_the_window_longer() -> None:
    late = [Outcome("ok", 0.0, 0.5), Outcome("ok", 0.9, 3.1)]
    assert summed_up(late, from_s=0.0, until_s=1.0)["window_s"] == 4.0
    assert summed_up(late, from_s=0.0, until_s=1.0)["per_s"] == 0.5
    stuck = [Outcome("ok", 0.0, 0.5), Outcome("timeout", 0.9, 10.0)]
    assert summed_up(stuck, from_s=0.0, until_s=1.0)["window_s"] == 1.0


def test_nothing_sent_is_nothing_served() -> None:
    found = summed_up([], from_s=0.0, until_s=0.0)
    assert (found["requests"], found["per_s"], found["ok_ms"]) == (0, 0.0, None)


def test_slope_of_a_line_and_of_noise() -> None:
    steepness, error = slope([(float(x), 5 + 0.25 * x) for x in range(20)])
    assert (steepness, error) == (pytest.approx(0.25), pytest.approx(0.0, abs=1e-9))
    flat, error = slope([(float(x), 100.0 + (-1) ** x) for x in range(200)])
    assert abs(flat) < 2 * error
    assert slope([(0.0, 1.0), (1.0, 2.0)]) == (0.0, 0.0)
    assert slope([(1.0, 1.0), (1.0, 2.0), (1.0, 3.0)]) == (0.0, 0.0)


# --- the wire ---------------------------------------------------------------------------------------


def test_an_answer_is_complete_only_at_its_length() -> None:
    for size in range(len(OK)):
        assert read_answer(OK[:size], ended=False) is None
    answer = read_answer(OK, ended=False)
    assert answer is not None
    assert (answer.status, answer.body, answer.keeps_alive, answer.tells_wait) == (200, b"ok", True, False)


def test_answers_in_chunks_to_the_end_and_after_a_100() -> None:
    head = b"HTTP/1.1 503 No\r\nRetry-After: 1\r\nTransfer-Encoding: chunked\r\n\r\n"
    chunked = head + b"3\r\nabc\r\n2;x=y\r\nde\r\n0\r\n\r\n"
    assert all(read_answer(chunked[:size], ended=False) is None for size in range(len(chunked)))
    answer = read_answer(chunked, ended=False)
    assert answer is not None
    assert (answer.status, answer.body, answer.tells_wait) == (503, b"abcde", True)
    to_the_end = b"HTTP/1.1 200 OK\r\n\r\nall of it"
    assert read_answer(to_the_end, ended=False) is None
    ended = read_answer(to_the_end, ended=True)
    assert ended is not None
    assert (ended.body, ended.keeps_alive) == (b"all of it", False)
    after = read_answer(b"HTTP/1.1 100 Continue\r\n\r\n" + OK, ended=False)
    assert after is not None
    assert after.status == 200
    last = read_answer(b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n", ended=False)
    assert last is not None
    assert not last.keeps_alive


@pytest.mark.parametrize("data", [b"SSH-2.0-hello\r\n", b"\x15\x03", b"HTTP/1.1 abc\r\n\r\n"])
def test_what_is_no_http_is_said_so(data: bytes) -> None:
    with pytest.raises((MalformedError, ValueError)):
        read_answer(data, ended=False)


def test_requests_carry_the_photograph_whole() -> None:
    photograph = bytes(range(256)) * 3
    for body in ("multipart", "raw"):
        (request,) = build_requests("http://127.0.0.1:80/v1/predict?top=3", [photograph], body)
        head, _, content = request.partition(b"\r\n\r\n")
        assert head.startswith(b"POST /v1/predict?top=3 HTTP/1.1\r\n")
        assert int(head.partition(b"Content-Length: ")[2].split(b"\r\n")[0]) == len(content)
        assert photograph in content


# --- a server that refuses, stalls and cuts ---------------------------------------------------------


def kinds(handler: Handler | None, *, sends: int = 1, **options: float) -> Counter[str]:
    """What ``sends`` requests one after the other are counted as; without a handler nobody listens."""

    async def run() -> Counter[str]:
        port = free_port()
        turn = 0

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            nonlocal turn
            assert handler is not None
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    turn += 1
                    if not await handler(reader, writer, turn):
                        break
            except asyncio.IncompleteReadError:
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", port) if handler else None
        request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        generator = Generator("127.0.0.1", port, [request], **{"timeout_s": 5.0, **options})
        for _ in range(sends):
            await generator.open_loop([0.0])
        if server:
            server.close()
            await server.wait_closed()
        return Counter(outcome.kind for outcome in generator.outcomes)

    return asyncio.run(run())


def says(data: bytes, stays: bool = True) -> Handler:
    async def handler(_reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _turn: int) -> bool:
        writer.write(data)
        return stays

    return handler


async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, _turn: int) -> bool:
    writer.write(OK[:20])
    await reader.read()  # until the client gives up
    return False


@pytest.mark.parametrize(
    ("handler", "wanted"),
    [
        (says(OK), "ok"),
        (says(b"HTTP/1.1 503 Busy\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"), "refused"),
        (says(b"HTTP/1.1 429 Slow\r\nContent-Length: 0\r\n\r\n"), "refused"),
        (says(b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"), "status 500"),
        (says(OK[:-1], stays=False), "cut"),
        (says(b"", stays=False), "cut"),
        (says(b"220 mail.example ready\r\n"), "malformed"),
        (None, "connect"),
    ],
    ids=["ok", "503", "429", "500", "half an answer", "no answer", "another protocol", "nobody"],
)
def test_every_end_is_counted_by_its_kind(handler: Handler | None, wanted: str) -> None:
    assert kinds(handler) == {wanted: 1}


def test_a_stalled_answer_is_a_timeout() -> None:
    assert kinds(stalls, timeout_s=0.05) == {"timeout": 1}


def outcomes_of(handler: Handler, use: Callable[[Generator], Awaitable[None]], **options: float) -> Generator:
    async def run() -> Generator:
        port = free_port()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            turn = 0
            try:
                while await reader.readuntil(b"\r\n\r\n"):
                    turn += 1
                    if not await handler(reader, writer, turn):
                        break
            except (asyncio.IncompleteReadError, ConnectionError):
                pass
            finally:
                writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", port)
        request = b"POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n"
        generator = Generator("127.0.0.1", port, [request], **{"timeout_s": 5.0, **options})
        await use(generator)
        server.close()
        return generator

    return asyncio.run(run())


def test_a_connection_that_ends_as_it_is_used_again_is_stale() -> None:
    async def once_only(_r: asyncio.StreamReader, writer: asyncio.StreamWriter, turn: int) -> bool:
        if turn == 1:
            writer.write(OK)
        return turn == 1  # the second request on the same connection gets no byte

    found = outcomes_of(once_only, lambda generator: generator.open_loop([0.0, 0.05]))
    assert [one.kind for one in found.outcomes] == ["ok", "stale"]


def test_a_closed_connection_is_not_used_again() -> None:
    bye = b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    found = outcomes_of(says(bye, stays=False), lambda generator: generator.open_loop([0.0, 0.03, 0.06]))
    assert [one.kind for one in found.outcomes] == ["ok"] * 3


def test_latency_counts_from_the_intended_time() -> None:
    """Three requests are due at once, at a server that takes them one by one: the last has waited for all."""
    gate = asyncio.Lock()

    async def one_by_one(_r: asyncio.StreamReader, writer: asyncio.StreamWriter, _turn: int) -> bool:
        async with gate:
            await asyncio.sleep(0.03)
        writer.write(OK)
        return True

    found = outcomes_of(one_by_one, lambda generator: generator.open_loop([0.0, 0.0, 0.0]))
    took = sorted(one.took_s for one in found.outcomes)
    assert [one.begun_s for one in found.outcomes] == [0.0] * 3
    assert took[2] >= 3 * 0.03 - 0.002
    assert took[1] >= 2 * 0.03 - 0.002


def test_a_late_generator_charges_itself() -> None:
    """Arrivals that are already past when the loop begins are sent at once and counted from their time."""
    found = outcomes_of(says(OK), lambda generator: generator.open_loop([-0.2]))
    assert found.outcomes[0].took_s >= 0.2
    assert found.late_s[0] >= 0.2


def test_more_than_the_allowed_connections_are_unsent_not_forgotten() -> None:
    found = outcomes_of(stalls, lambda generator: generator.open_loop([0.0] * 5), most_open=2, timeout_s=0.05)
    assert Counter(one.kind for one in found.outcomes) == {"timeout": 2, "unsent": 3}


def test_the_closed_loop_keeps_its_connections_and_stops_when_told() -> None:
    opened: set[int] = set()

    async def counting(_r: asyncio.StreamReader, writer: asyncio.StreamWriter, _turn: int) -> bool:
        opened.add(id(writer))
        writer.write(OK)
        return True

    async def use(generator: Generator) -> None:
        asyncio.get_running_loop().call_later(0.05, generator.stopped.set)
        await generator.closed_loop(3, 30.0)

    found = outcomes_of(counting, use)
    assert len(opened) == 3
    assert len(found.outcomes) > 3
    assert {one.kind for one in found.outcomes} == {"ok"}
    assert found.ended_s < 30.0


# --- what is built upon it --------------------------------------------------------------------------


def test_the_talk_of_a_server_that_dies_is_passed_on(tmp_path: pytest.TempPathFactory) -> None:
    server = Server(["sh", "-c", "echo no model here; exit 3"], free_port(), {}, tmp_path)
    with pytest.raises(RuntimeError, match="ended with 3: no model here"):
        server.wait_until_answers("/", b"", limit_s=10.0)
    server.stop()


def test_all_processes_of_a_server_are_found_and_stopped(tmp_path: pytest.TempPathFactory) -> None:
    server = Server(["sh", "-c", "sleep 60 & sleep 60"], free_port(), {}, tmp_path)
    while len(server.pids()) < 3:
        assert server.is_running()
    assert all(one.rss_mib >= 0 for one in server.memory())
    server.stop(limit_s=0.1)
    assert not server.is_running()
    assert server.pids() == []  # also the one that nobody had asked to end


def test_hostile_requests_are_what_they_say() -> None:
    found = hostile.cases(b"\xff\xd8" + bytes(5000), seed=1)
    assert found == hostile.cases(b"\xff\xd8" + bytes(5000), seed=1)
    assert {manner for _, manner in found.values()} == {"wait", "leave", "stall"}
    assert b"Content-Length: 1099511627776" in found["claims a terabyte"][0]
    assert found["huge picture"][0].count(b"IHDR\x00\x00\xea\x60\x00\x00\xea\x60") == 1


def test_hostile_answers_are_counted_and_server_errors_told() -> None:
    async def run() -> dict[str, object]:
        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            head = await reader.readuntil(b"\r\n")
            head += await reader.read(300)
            status = b"500 Oh" if b"image/png" in head else b"422 No"
            body = b"Traceback (most recent call last)" if b"image/png" in head else b""
            writer.write(b"HTTP/1.1 %s\r\nContent-Length: %d\r\n\r\n%s" % (status, len(body), body))
            writer.close()

        server = await asyncio.start_server(serve, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        photo = b"\xff\xd8" + bytes(300)
        found = await hostile.attack(port, photo, 0, until_s=math.inf, turns=1, pause_s=0.0, stall_s=0.0)
        server.close()
        return found

    found = asyncio.run(run())
    assert found["tracebacks"] == ["huge picture", "text as picture", "thin picture"]
    assert set(found["server_errors"]) == set(found["tracebacks"])  # type: ignore[call-overload]
    assert found["answers"].keys() == hostile.cases(bytes(99), 0).keys()  # type: ignore[attr-defined]


def test_targets_that_were_not_measured_are_not_met_silently() -> None:
    assert report.targets({"settings": {}}) == []
    bare_only = {"base": "leafsight", "of_bare": {"leafsight": None}, "base_over": {"litserve": 1.2}}
    found = dict(report.targets({"throughput": bare_only, "settings": {}}))
    assert list(found.values()) == [None, False]
    assert not report.all_met({"throughput": bare_only, "settings": {}})
