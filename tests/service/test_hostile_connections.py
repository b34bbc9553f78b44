"""What no HTTP library would send, and clients that do not do their part; the service answers on."""

from __future__ import annotations

import json
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest
from tests.fakes.pictures import picture_bytes
from tests.service.conftest import options_in
from tests.service.running import RawAnswer, RunningService, Service, running_service, service_in_thread

from leafsight.state import open_state

pytestmark = pytest.mark.slow
HOST = b"Host: localhost\r\n"
GET = b"GET /healthz HTTP/1.1\r\n" + HOST + b"\r\n"
POST = b"POST /v1/predict HTTP/1.1\r\n" + HOST + b"Content-Type: image/jpeg\r\n"
CHUNKED = POST + b"Transfer-Encoding: chunked\r\n\r\n"


@pytest.fixture(scope="module")
def running(tmp_path_factory: pytest.TempPathFactory, colour_model: Path) -> Iterator[RunningService]:
    """One process for all tests of this file."""
    with running_service(tmp_path_factory.mktemp("state"), colour_model) as one:
        yield one


@pytest.fixture
def service(running: RunningService) -> Iterator[RunningService]:
    """It still answers afterwards, and no bug was written down meanwhile."""
    before = len(running.said)
    yield running
    assert running.get("/healthz").status == 200
    assert running.process.poll() is None
    assert not [line for line in running.said[before:] if "Traceback" in line or '"level": "error"' in line]


@pytest.fixture
def limited(tmp_path: Path, colour_model: Path) -> Callable[..., Service]:
    """Services with short limits."""
    with ExitStack() as stack:

        def start(*, write_timeout_s: float = 60.0, **changes: object) -> Service:
            options = options_in(tmp_path, model=colour_model, **changes)
            return stack.enter_context(service_in_thread(options, write_timeout_s=write_timeout_s))

        yield start  # type: ignore[misc]


def said(answer: RawAnswer, status: int) -> dict[str, object]:
    """The problem document of a refusal, with all that every answer has."""
    assert answer.status == status, answer
    assert answer.headers["content-type"] == "application/problem+json"
    assert answer.headers["x-content-type-options"] == "nosniff"
    document: dict[str, object] = json.loads(answer.body)
    assert (document["status"], document["request_id"]) == (status, answer.headers["x-request-id"])
    assert document["detail"]
    return document


def memory_mib(service: RunningService) -> int:
    """The most memory that the worker ever had."""
    (worker,) = Path(f"/proc/{service.process.pid}/task/{service.process.pid}/children").read_text().split()
    (line,) = [one for one in Path(f"/proc/{worker}/status").read_text().splitlines() if "VmHWM" in one]
    return int(line.split()[1]) // 1024


@pytest.mark.parametrize(
    "request_",
    [
        b"POST /v1/predict HTTP/1.1\r\n" + HOST + b"Content-Length: -1\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\n" + HOST + b"Content-Length: +5\r\n\r\nabcde",
        b"POST /v1/predict HTTP/1.1\r\n" + HOST + b"Content-Length: 4\r\nContent-Length: 5\r\n\r\nabcde",
        b"POST /v1/predict HTTP/1.1\r\n" + HOST + b"Content-Length: 99999999999999999999999\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: identity\r\n\r\nabcde",
        b"POST /v1/predict HTTP/1.1\r\n" + HOST + b"Transfer-Encoding: chunked, x\r\n\r\n0\r\n\r\n",
        b"POST /v1/predict HTTP/1.1\r\n" + HOST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: a\r\n b\r\n\r\n",
        b"GET /healthz HTTP/1.1\nHost: localhost\n\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: a\x00b\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: a\rb\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X A: b\r\n\r\n",
        b"GET /\xff\xfe HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /a b HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /healthz HTTP/9.9\r\n" + HOST + b"\r\n",
        b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
        b"CONNECT elsewhere:80 HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /healthz HTTP/1.1\r\n\r\n",
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"Host: elsewhere\r\n\r\n",
        b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + bytes(40),
        b"\xff" * 100,
    ],
)
def test_what_is_not_http_gets_a_problem_and_the_end(service: RunningService, request_: bytes) -> None:
    with service.connect() as connection:
        connection.send(request_)
        answer = connection.answer()
        said(answer, 400)
        assert answer.headers["connection"] == "close"
        assert connection.is_closed()


@pytest.mark.parametrize("first", [b"Content-Length: 4\r\n", b"Transfer-Encoding: chunked\r\n"])
def test_no_second_request_hides_between_length_and_chunks(service: RunningService, first: bytes) -> None:
    """CL.TE and TE.CL: a proxy and we must not see different ends (ASVS 4.2.1)."""
    second = b"Transfer-Encoding: chunked\r\n" if b"Length" in first else b"Content-Length: 4\r\n"
    with service.connect() as connection:
        connection.send(
            POST + first + second + b"\r\n0\r\n\r\n" + b"GET /v1/models HTTP/1.1\r\n" + HOST + b"\r\n"
        )
        said(connection.answer(), 400)
        assert connection.answer().status == 0


def test_bytes_beyond_a_lying_length_are_no_part_of_the_body(service: RunningService) -> None:
    with service.connect() as connection:
        connection.send(POST + b"Content-Length: 3\r\n\r\nabcSMUGGLED")
        answer = connection.answer()
        assert (answer.status, json.loads(answer.body)["predictions"][0]["verdict"]) == (200, "unreadable")
        assert connection.is_closed()


@pytest.mark.parametrize(
    "head",
    [
        b"".join(b"X-%d: y\r\n" % number for number in range(101)),
        b"X-Long: " + b"a" * 66_000 + b"\r\n",
        b"X" * 66_000 + b": a\r\n",
    ],
)
def test_too_many_or_too_long_headers(service: RunningService, head: bytes) -> None:
    said(service.ask(b"GET /healthz HTTP/1.1\r\n" + HOST + head + b"\r\n"), 431)
    said(service.ask(b"GET /" + b"a" * 66_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n"), 431)


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
@pytest.mark.parametrize(
    "endless",
    [
        b"GET /healthz HTTP/1.1\r\n" + HOST + b"X-A: ",
        b"GET /",
        CHUNKED + b"0\r\nX-Trailer: ",
        CHUNKED + b"1;extension=",
    ],
)
def test_a_head_without_end_does_not_fill_the_memory(service: RunningService, endless: bytes) -> None:
    before = memory_mib(service)
    with service.connect() as connection:
        connection.send(endless)
        for _ in range(200):
            if not connection.send(b"a" * 2**20):
                break
        said(connection.answer(), 431)
    assert memory_mib(service) < before + 50


def test_chunks_of_one_byte_are_given_up(service: RunningService) -> None:
    with service.connect() as connection:
        connection.send(CHUNKED)
        while connection.send(b"1\r\na\r\n" * 10_000):
            pass
        assert connection.is_closed()


def test_pipelined_requests_are_answered_in_their_order(service: RunningService) -> None:
    with service.connect() as connection:
        connection.send(
            GET + POST + b"Content-Length: 3\r\n\r\nabc" + b"GET /no HTTP/1.1\r\n" + HOST + b"\r\n"
        )
        assert [connection.answer().status for _ in range(3)] == [200, 200, 404]


def test_what_came_whole_before_nonsense_is_answered(service: RunningService) -> None:
    with service.connect() as connection:
        connection.send(GET + b"nonsense\r\n\r\n")
        assert connection.answer().status == 200
        assert connection.is_closed()


def test_http_1_0(service: RunningService) -> None:
    with service.connect() as connection:
        connection.send(b"GET /healthz HTTP/1.0\r\n\r\n")
        answer = connection.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert connection.is_closed()


@pytest.mark.parametrize("wanted", [b"websocket", b"h2c"])
def test_another_protocol_is_not_spoken(service: RunningService, wanted: bytes) -> None:
    head = b"GET /healthz HTTP/1.1\r\n" + HOST + b"Connection: Upgrade\r\nUpgrade: " + wanted + b"\r\n\r\n"
    with service.connect() as connection:
        connection.send(head + GET)
        answer = connection.answer()
        assert (answer.status, answer.headers["connection"]) == (200, "close")
        assert connection.is_closed()


@pytest.mark.parametrize("value", [b"\xff\xfe", b"\xe2\x80\xae", "ü".encode(), b"%0d%0aSet-Cookie: a=b"])
def test_odd_header_values_are_harmless(service: RunningService, value: bytes) -> None:
    names = (b"X-Request-Id", b"Origin", b"Referer", b"User-Agent", b"Accept", b"Cookie", b"Idempotency-Key")
    head = b"".join(name + b": " + value + b"\r\n" for name in names)
    answer = service.ask(b"GET /v1/models HTTP/1.1\r\n" + HOST + head + b"\r\n")
    assert answer.status == 200
    assert "set-cookie" not in answer.headers
    assert len(answer.headers["x-request-id"]) == 32


@pytest.mark.parametrize(
    "head",
    [
        b"Host: [::1\r\n",
        b"Host: localhost:99999999\r\n",
        b"Host: \r\n",
        b"Host: a@localhost@evil\r\n",
        HOST + b"Origin: http://[\r\n",
        HOST + b"Origin: null\r\n",
        HOST + b"Origin: http://localhost.evil.example\r\n",
    ],
)
def test_odd_addresses_are_refused_not_tripped_over(service: RunningService, head: bytes) -> None:
    answer = service.ask(b"POST /v1/predict HTTP/1.1\r\n" + head + b"Content-Length: 0\r\n\r\n")
    assert answer.status in (403, 415)
    said(answer, answer.status)


@pytest.mark.parametrize("name", ["Forwarded", "X-Forwarded-For", "X-Forwarded-Host", "X-Real-IP"])
def test_whoever_comes_through_a_proxy_is_not_this_computer(service: RunningService, name: str) -> None:
    head = f"GET /v1/models HTTP/1.1\r\nHost: localhost\r\n{name}: 127.0.0.1\r\n\r\n"
    said(service.ask(head.encode()), 403)


def test_crlf_in_a_path_splits_no_answer_and_no_log_line(service: RunningService) -> None:
    answer = service.ask(b"GET /a%0d%0aSet-Cookie:%20b=c%1b[31m%c2%9b HTTP/1.1\r\n" + HOST + b"\r\n")
    said(answer, 404)
    assert "set-cookie" not in answer.headers
    until = time.monotonic() + 20
    while not (lines := [line for line in service.said if "Set-Cookie" in line]):
        assert time.monotonic() < until
        time.sleep(0.01)
    assert all(json.loads(line)["status"] == 404 and line.isascii() and "\x1b" not in line for line in lines)


def test_a_body_is_asked_for_only_when_it_will_be_read(service: RunningService) -> None:
    with service.connect() as connection:
        connection.send(POST + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n")
        assert connection.answer().status == 100
        connection.send(b"abc")
        assert connection.answer().status == 200
    far_too_large = POST + b"Expect: 100-continue\r\nContent-Length: 999999999999\r\n\r\n"
    said(service.ask(far_too_large), 413)
    not_taken = (
        POST.replace(b"image/jpeg", b"text/html") + b"Expect: 100-continue\r\nContent-Length: 3\r\n\r\n"
    )
    said(service.ask(not_taken), 415)


@pytest.mark.parametrize(
    "path", ["/v1/predict", "/v1/uploads", "/v1/predictions/" + "0" * 32 + "/correction"]
)
def test_nothing_is_read_of_somebody_without_a_key(
    limited: Callable[..., Service], tmp_path: Path, path: str
) -> None:
    state = open_state(f"sqlite:///{tmp_path / 'leafsight.db'}")
    state.keys.make("somebody else", ("predict",), rate_per_minute=None, photographs_per_day=None)
    state.close()
    head = f"POST {path} HTTP/1.1\r\nHost: localhost\r\nContent-Type: application/json\r\n"
    # Whoever is asked to go on would get a 100 first.
    said(limited().ask(head.encode() + b"Expect: 100-continue\r\nContent-Length: 9\r\n\r\n"), 401)


def test_a_sender_who_goes_away_is_no_error(service: RunningService) -> None:
    for path in (b"/v1/predict", b"/v1/uploads", b"/v1/predictions/" + b"0" * 32 + b"/correction"):
        kind = b"application/json" if path.endswith(b"correction") else b"image/jpeg"
        head = b"POST " + path + b" HTTP/1.1\r\n" + HOST + b"Content-Type: " + kind + b"\r\n"
        with service.connect() as connection:
            connection.send(head + b"Content-Length: 100000\r\n\r\n" + b"a" * 1000)
        with service.connect() as connection:
            connection.send(
                head.replace(kind, b"multipart/form-data; boundary=b") + b"Content-Length: 900\r\n\r\n--b"
            )
    until = time.monotonic() + 20
    while sum('"status": 499' in line for line in service.said) < 3 and time.monotonic() < until:
        time.sleep(0.02)
    assert not [line for line in service.said if '"status": 500' in line]


def test_what_is_sent_after_a_refusal_is_not_read_for_ever(service: RunningService) -> None:
    with service.connect() as connection:
        connection.send(CHUNKED.replace(b"image/jpeg", b"text/html"))
        answer = connection.answer()
        said(answer, 415)
        assert answer.headers["connection"] == "close"
        while connection.send(b"1000\r\n" + b"a" * 4096 + b"\r\n"):
            pass
        assert connection.is_closed()


def test_a_small_body_that_nobody_wants_keeps_its_connection(service: RunningService) -> None:
    with service.connect() as connection:
        connection.send(POST.replace(b"image/jpeg", b"text/html") + b"Content-Length: 3\r\n\r\nabc" + GET)
        assert [connection.answer().status for _ in range(2)] == [415, 200]


def test_chunks_over_the_limit_end_in_413(limited: Callable[..., Service]) -> None:
    with limited(max_request_bytes=10_000).connect() as connection:
        connection.send(CHUNKED + (b"400\r\n" + b"a" * 1024 + b"\r\n") * 11)
        said(connection.answer(), 413)
        assert connection.is_closed()


def test_a_correction_is_read_only_as_far_as_a_correction_goes(service: RunningService) -> None:
    head = b"POST /v1/predictions/" + b"0" * 32 + b"/correction HTTP/1.1\r\n" + HOST
    body = b"Content-Type: application/json\r\nContent-Length: 1000000\r\n\r\n" + b" " * 100_000
    said(service.ask(head + body), 413)


def test_large_requests_at_once_do_not_fill_the_memory(limited: Callable[..., Service]) -> None:
    service = limited(max_request_bytes=100_000)
    with ExitStack() as stack:
        answers = []
        for _ in range(3):
            one = stack.enter_context(service.connect())
            one.send(POST + b"Content-Length: 100000\r\n\r\n" + b"a" * 90_000)
            time.sleep(0.2)  # the first two stay as they are
            answers.append(one)
        refused = answers[2].answer()
        said(refused, 503)
        assert refused.headers["retry-after"] == "1"
    assert service.ask(POST + b"Content-Length: 3\r\n\r\nabc").status == 200


@pytest.mark.parametrize(
    "begun",
    [
        b"",
        b"GET",
        b"GET /healthz HTTP/1.1\r\nX-A: a",
        GET + b"\r\n",
        GET + b"GET /heal",
        GET + b"\r\n\r\n\r\n",
    ],
)
def test_headers_that_do_not_come_end_the_connection(limited: Callable[..., Service], begun: bytes) -> None:
    with limited(header_timeout_s=0.3).connect() as connection:
        connection.send(begun)
        assert connection.is_closed(within_s=10)


def test_blank_lines_after_an_answer_do_not_hold_a_connection(limited: Callable[..., Service]) -> None:
    with limited(header_timeout_s=0.3).connect() as connection:
        connection.send(GET)
        assert connection.answer().status == 200
        connection.send(b"\r\n")  # this stops uvicorn's own clock
        assert connection.is_closed(within_s=3)


def test_a_header_a_moment_does_not_hold_a_connection(limited: Callable[..., Service]) -> None:
    with limited(header_timeout_s=0.5).connect() as connection:
        connection.send(b"GET /healthz HTTP/1.1\r\n")
        until = time.monotonic() + 20
        while connection.send(b"X-A: a\r\n") and time.monotonic() < until:
            time.sleep(0.05)
        assert time.monotonic() < until


def test_a_body_that_does_not_come_ends_in_408(limited: Callable[..., Service]) -> None:
    service = limited(body_timeout_s=0.3)
    for head in (b"Content-Length: 100\r\n\r\nabc", b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n"):
        with service.connect() as connection:
            connection.send(POST + head)
            said(connection.answer(), 408)
            assert connection.is_closed()


def test_a_byte_a_moment_does_not_prolong_a_body(limited: Callable[..., Service]) -> None:
    with limited(body_timeout_s=0.5).connect() as connection:
        connection.send(POST + b"Content-Length: 100000\r\n\r\n")
        until = time.monotonic() + 20
        while connection.send(b"a") and time.monotonic() < until:
            time.sleep(0.05)
        assert time.monotonic() < until


def test_answers_that_nobody_reads_are_given_up(limited: Callable[..., Service]) -> None:
    with limited(write_timeout_s=0.3).connect(receive_buffer_bytes=4096) as connection:
        request = b"GET /openapi.json HTTP/1.1\r\n" + HOST + b"\r\n"
        until = time.monotonic() + 20
        while connection.send(request * 50) and time.monotonic() < until:
            time.sleep(0.02)
        assert time.monotonic() < until


def test_many_idle_connections_do_not_keep_others_out(service: RunningService) -> None:
    with ExitStack() as stack:
        for _ in range(300):
            stack.enter_context(service.connect()).send(b"GET /healthz HTTP/1.1\r\nX-")
        photo = picture_bytes()
        answer = service.ask(POST + b"Content-Length: %d\r\n\r\n" % len(photo) + photo)
        assert json.loads(answer.body)["predictions"][0]["verdict"] == "diagnosis"
