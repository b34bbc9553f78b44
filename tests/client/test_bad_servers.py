"""Servers that fail, stall, lie, cut, redirect and never end; and what stands between them and us."""

from __future__ import annotations

import gzip
import json
import socket
import ssl
from pathlib import Path

import pytest
from tests.client.contract_server import (
    ContractServer,
    answer,
    contract_server,
    cut,
    drip,
    endless,
    garbage,
    hang_up,
    problem,
    stall,
)
from tests.fakes.tiny_bundle import RED, coloured

from leafsight.errors import (
    ConflictError,
    LeafsightError,
    NotFoundError,
    OverloadError,
    RateLimitError,
    RemoteError,
    StateBusyError,
    UsageError,
)

SECRET = "ls_1_secret"
HTML = b"<html><body><h1>502 Bad Gateway</h1></body></html>"


@pytest.mark.parametrize("status", [429, 502, 503, 504])
def test_refused_twice_and_then_answered(ask, told, server: ContractServer, status: int) -> None:
    server.script = [answer(status, HTML, "text/html", Retry_After="2"), answer(status)]
    assert ask(server.url).health()["status"] == "alive"
    assert told.waited == [2.125, 0.25]


def test_a_write_is_repeated_with_the_same_key_and_bytes(ask, server: ContractServer) -> None:
    server.script = [hang_up, answer(503), problem(ConflictError("still being answered"))]
    found = ask(server.url).predict([coloured(RED)])
    assert found.predictions[0].prediction.key == "apple/scab"
    first, *others = [(one.headers["idempotency-key"], one.body) for one in server.asked]
    assert others == [first] * 3
    assert server.predictor.calls == [1]


def test_an_answer_that_was_lost_is_not_worked_out_twice(ask, server: ContractServer) -> None:
    """The work was done, the line broke: the server knows the key again."""

    def lose(handler) -> None:
        server.answers[handler.question.headers["idempotency-key"]] = (201, {"id": "first"})
        handler.hang_up()

    server.script = [lose]
    assert ask(server.url).correct("0" * 32, right=True) == "first"
    assert server.corrections == []


def test_a_server_that_is_not_there(ask, told) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{taken.getsockname()[1]}"
        with pytest.raises(RemoteError, match=r"cannot reach .* 4 attempts") as caught:
            ask(url).health()
    assert "leafsight serve" in caught.value.hint
    assert len(told.waited) == 3


def test_a_host_that_is_not_there(ask, monkeypatch: pytest.MonkeyPatch) -> None:
    def resolve(*_: object, **__: object) -> None:
        raise socket.gaierror(-2, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", resolve)
    with pytest.raises(RemoteError, match=r"no host 'leaf\.invalid'"):
        ask("http://leaf.invalid", retries=0).health()


HEAD = b"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 900\r\n\r\n"


@pytest.mark.parametrize(
    "behaviour",
    [stall, drip(HEAD), drip(b"", HEAD)],
    ids=["silent", "headers", "body"],
)
def test_a_server_that_is_slow_without_end_is_left_when_the_time_is_over(
    ask, server: ContractServer, behaviour
) -> None:
    server.script = [behaviour]
    with pytest.raises(RemoteError) as caught:
        ask(server.url, timeout_s=0.15, retries=0).health()
    # A caller that waits for the end of the drip sees a line that breaks.
    assert "did not answer in time" in caught.value.message


def test_a_hanging_attempt_is_given_up_and_another_one_made(ask, server: ContractServer) -> None:
    server.script = [stall]
    assert ask(server.url, attempt_s=0.1).health()["status"] == "alive"


@pytest.mark.parametrize("behaviour", [cut(b'{"status": "alive"}', 7), hang_up], ids=["cut", "hung up"])
def test_a_line_that_breaks_every_time(ask, server: ContractServer, behaviour) -> None:
    server.script = [behaviour] * 4
    with pytest.raises(RemoteError, match=r"broke.*4 attempts") as caught:
        ask(server.url).health()
    assert "stopped" in caught.value.hint
    server.script = [behaviour]
    assert ask(server.url).health()["status"] == "alive"


def test_what_is_no_http(ask, server: ContractServer) -> None:
    server.script = [garbage]
    with pytest.raises(RemoteError):
        ask(server.url, retries=0).health()


def test_an_answer_without_end_is_left(ask, server: ContractServer) -> None:
    server.script = [endless]
    with pytest.raises(RemoteError, match="more than 300000 bytes"):
        ask(server.url, max_answer_bytes=300_000).health()
    server.script = [answer(200, b"{}", Content_Length="99999999999999999999")]
    with pytest.raises(RemoteError, match="more than 300000 bytes"):
        ask(server.url, max_answer_bytes=300_000).health()


def test_a_packed_answer_is_not_unpacked(ask, server: ContractServer) -> None:
    bomb = gzip.compress(b"[" * 2_000_000)
    server.script = [answer(200, bomb, Content_Encoding="gzip")]
    with pytest.raises(RemoteError, match="gzip"):
        ask(server.url).health()
    assert server.asked[0].headers["accept-encoding"] == "identity"


@pytest.mark.parametrize("status", [301, 302, 303, 307, 308])
def test_a_redirect_is_told_and_not_followed(ask, server: ContractServer, status: int) -> None:
    with contract_server() as other:
        server.script = [answer(status, b"", Location=f"{other.url}/healthz")]
        with pytest.raises(RemoteError) as caught:
            ask(server.url, key=SECRET).health()
        assert other.asked == []
    assert other.url in caught.value.message
    assert "key" in caught.value.hint
    assert len(server.asked) == 1


@pytest.mark.parametrize(
    ("behaviour", "words"),
    [
        (answer(200, HTML, "text/html"), "text/html instead of JSON"),
        (answer(200, b'{"a": 1}', "text/plain"), "text/plain instead of JSON"),
        (answer(200, b""), "not JSON"),
        (answer(200, b'{"status": '), "not JSON"),
        (answer(200, b"\xff\xfe"), "not JSON"),
        (answer(200, b"[]"), "not an object"),
        (answer(200, b"null"), "not an object"),
        (answer(200, b'{"a": NaN}'), "NaN"),
        (answer(200, b'{"a": 1e999}'), "too large"),
        (answer(200, b'{"a": ' + b"9" * 5000 + b"}"), "not JSON"),
        (answer(200, b"[" * 100_000), "not JSON"),
        (answer(200, b"[" * 80 + b"]" * 80), "nested"),
        (answer(204, b"", ""), "instead of JSON"),
        (answer(404, HTML, "text/html"), "404 with text/html"),
        (answer(500, HTML, "text/html"), "500 with text/html"),
        (answer(401, b"", "text/plain"), "401 with text/plain"),
        (answer(400, b"[1]", "application/problem+json"), "no object"),
        (answer(400, b"{", "application/problem+json"), "not JSON"),
    ],
)
def test_what_no_leafsight_server_would_answer(ask, server: ContractServer, behaviour, words: str) -> None:
    server.script = [behaviour]
    with pytest.raises(RemoteError, match=words) as caught:
        ask(server.url, retries=0).health()
    assert "leafsight server" in caught.value.hint or "newer" in caught.value.hint


@pytest.mark.parametrize(
    ("raised", "kind"),
    [
        (NotFoundError("no such thing", hint="look"), NotFoundError),
        (ConflictError("not like this", hint="look"), ConflictError),
        (UsageError("not so", hint="look"), UsageError),
        (OverloadError("full", hint="look"), OverloadError),
        (RateLimitError("enough", hint="look"), RateLimitError),
        (StateBusyError("locked", hint="look"), StateBusyError),
    ],
)
def test_an_error_of_the_server_is_the_same_error_here(
    ask, server: ContractServer, raised: LeafsightError, kind: type[LeafsightError]
) -> None:
    server.script = [problem(raised, Retry_After="4")]
    with pytest.raises(kind) as caught:
        ask(server.url, retries=0).health()
    assert type(caught.value) is kind
    assert (caught.value.message, caught.value.hint) == (f"{raised.message} (request req-1)", "look")
    assert getattr(caught.value, "retry_after_s", 4.0) == 4.0


def test_a_busy_proxy_is_told_as_such(ask, server: ContractServer) -> None:
    server.script = [answer(503, HTML, "text/html", Retry_After="9")]
    with pytest.raises(OverloadError, match="503 with text/html") as caught:
        ask(server.url, retries=0).health()
    assert caught.value.retry_after_s == 9
    assert "something before the server" in caught.value.hint


def test_what_a_server_says_cannot_command_the_terminal(ask, server: ContractServer) -> None:
    evil = "\x1b[2J\x1b]0;owned\x07 gone\u202e\r\nhint: pay"
    server.script = [problem(NotFoundError(evil, hint=evil)), answer(200, json.dumps({"a": evil}).encode())]
    client = ask(server.url)
    with pytest.raises(NotFoundError) as caught:
        client.health()
    for text in (caught.value.message, caught.value.hint, client.health()["a"]):
        assert not set(text) & set("\x1b\x07\r\u202e")
    assert "\n" not in caught.value.message


def test_half_a_character_can_still_be_printed(ask, server: ContractServer) -> None:
    server.script = [answer(200, b'{"\\ud800": "\\udfff"}')]
    assert str(ask(server.url).health()).encode()


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A certificate for 127.0.0.1 that only itself has signed, with its key, as PEM."""
    import datetime as dt
    import ipaddress

    x509 = pytest.importorskip("cryptography.x509")
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec

    here = ipaddress.ip_address("127.0.0.1")
    key, day = ec.generate_private_key(ec.SECP256R1()), dt.timedelta(days=1)
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "leafsight test")])
    now = dt.datetime.now(dt.UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), 1)
        .not_valid_before(now - day).not_valid_after(now + day)
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(here)]), False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), True)
        .sign(key, hashes.SHA256())
    )  # fmt: skip
    path = tmp_path_factory.mktemp("tls") / "server.pem"
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


def test_a_certificate_that_nobody_vouches_for_is_refused_and_the_key_not_shown(
    ask, certificate: Path
) -> None:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate)
    with contract_server(context) as server:
        url = server.url.replace("http:", "https:")
        with pytest.raises(RemoteError, match="cannot prove") as caught:
            ask(url, key=SECRET).health()
        assert server.asked == []
        assert "ca_file" in caught.value.hint
        assert ask(url, key=SECRET, ca_file=certificate).health()["status"] == "alive"
        with pytest.raises(RemoteError, match="cannot prove"):
            ask(url.replace("127.0.0.1", "localhost"), key=SECRET, ca_file=certificate).health()


def test_https_to_a_server_that_does_not_speak_it(ask, server: ContractServer) -> None:
    with pytest.raises(RemoteError) as caught:
        ask(server.url.replace("http:", "https:"), retries=0).health()
    assert "http://" in caught.value.hint


def test_a_file_that_holds_no_certificates(ask, tmp_path: Path) -> None:
    (tmp_path / "ca.pem").write_text("nothing")
    with pytest.raises(UsageError, match="no certificates"):
        ask("https://leaf.example", ca_file=tmp_path / "ca.pem")


def test_a_file_that_shrinks_while_it_is_sent(ask, server: ContractServer, tmp_path: Path) -> None:
    from leafsight.client import calls

    path = tmp_path / "a.zip"
    path.write_bytes(b"PK\x03\x04" + bytes(1000))
    call = calls.upload(path, "t")
    path.write_bytes(b"PK\x03\x04")
    client = ask(server.url, timeout_s=0.15, retries=0)
    with pytest.raises(RemoteError, match="changed while it was sent"):
        client._do(call)


def test_a_proxy_of_the_environment_never_sees_what_is_for_this_machine(
    ask, server: ContractServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    with contract_server() as proxy:
        monkeypatch.setenv("http_proxy", proxy.url)
        monkeypatch.setenv("HTTP_PROXY", proxy.url)
        assert ask(server.url, key=SECRET).health()["status"] == "alive"
        assert proxy.asked == []


@pytest.mark.parametrize("next_", ["page-2", "page-1"])
def test_pages_that_lead_in_circles(ask, server: ContractServer, next_: str) -> None:
    pages = [b'{"predictions": [], "next": "page-1"}', b'{"predictions": [], "next": "page-2"}',
             json.dumps({"predictions": [], "next": next_}).encode()]  # fmt: skip
    server.script = [answer(200, page) for page in pages]
    with pytest.raises(RemoteError, match="do not end"):
        list(ask(server.url).predictions())
    assert len(server.asked) == 3
