"""Traces: only when the standard variables ask for them, without anything private, and never in the way."""

from __future__ import annotations

import io
import json
import logging
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from opentelemetry.proto.trace.v1.trace_pb2 import Span as SentSpan
from opentelemetry.sdk.trace import ReadableSpan
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode
from starlette.testclient import TestClient
from tests.fakes.pictures import picture_bytes
from tests.service.collector import collector
from tests.service.conftest import options_in
from tests.service.running import running_service

from leafsight.errors import ConfigError, MissingExtraError, OverloadError
from leafsight.service import serve, tracing, tracing_export
from leafsight.service.logs import JsonLines
from leafsight.service.tracing import check_tracing, wanted_exporters

JPEG = {"content-type": "image/jpeg"}
PARENT = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"
VARIABLES = (
    "OTEL_SDK_DISABLED", "OTEL_TRACES_EXPORTER", "OTEL_TRACES_SAMPLER", "OTEL_SERVICE_NAME",
    "OTEL_RESOURCE_ATTRIBUTES", *tracing.ENDPOINTS, *tracing.PROTOCOLS,
)  # fmt: skip
HERE = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://127.0.0.1:4318"}


@pytest.fixture(autouse=True)
def _no_variables(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    for name in VARIABLES:
        monkeypatch.delenv(name, raising=False)
    level = logging.getLogger("opentelemetry").level
    yield
    logging.getLogger("opentelemetry").setLevel(level)


class Traced:
    """A service whose spans stay in memory."""

    def __init__(self, service: TestClient, exporter: InMemorySpanExporter) -> None:
        self.service, self._exporter = service, exporter

    def spans(self) -> list[ReadableSpan]:
        """All so far, in the order of their beginnings."""
        maker = self.service.app.state.tracing._maker  # type: ignore[attr-defined]
        maker._provider.force_flush()
        return sorted(self._exporter.get_finished_spans(), key=lambda span: span.start_time or 0)


@pytest.fixture
def begin(start: Callable[..., TestClient], monkeypatch: pytest.MonkeyPatch) -> Callable[..., Traced]:
    """Starts services that are traced."""

    def traced(**changes: Any) -> Traced:
        exporter = InMemorySpanExporter()
        monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
        monkeypatch.setattr(tracing_export, "exporters_of", lambda names: [exporter])
        return Traced(start(**changes), exporter)

    return traced


@pytest.mark.parametrize(
    ("environ", "names"),
    [
        ({}, ()),
        ({"OTEL_TRACES_EXPORTER": ""}, ()),
        ({"OTEL_TRACES_EXPORTER": "none", **HERE}, ()),
        ({"OTEL_SDK_DISABLED": "True", **HERE}, ()),
        ({"OTEL_SDK_DISABLED": "false", **HERE}, ("otlp",)),
        (HERE, ("otlp",)),
        ({"OTEL_EXPORTER_OTLP_TRACES_ENDPOINT": "http://localhost:1/v1/traces"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "otlp"}, ("otlp",)),
        ({"OTEL_TRACES_EXPORTER": "console, otlp"}, ("console", "otlp")),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc"}, ()),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "http/protobuf", **HERE}, ("otlp",)),
        ({"OTEL_METRICS_EXPORTER": "otlp", "OTEL_LOGS_EXPORTER": "otlp"}, ()),
    ],
)
def test_only_the_standard_variables_switch_traces_on(environ: dict[str, str], names: Any) -> None:
    assert wanted_exporters(environ) == names


@pytest.mark.parametrize(
    ("environ", "word"),
    [
        ({"OTEL_TRACES_EXPORTER": "zipkin"}, "zipkin"),
        ({"OTEL_EXPORTER_OTLP_PROTOCOL": "grpc", **HERE}, "protocol 'grpc'"),
        ({"OTEL_EXPORTER_OTLP_TRACES_PROTOCOL": "http/json", **HERE}, "protocol 'http/json'"),
    ],
)
def test_what_cannot_be_done_is_said_before_the_service_starts(environ: dict[str, str], word: str) -> None:
    with pytest.raises(ConfigError, match=word) as told:
        check_tracing(environ)
    assert told.value.hint


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("OTEL_EXPORTER_OTLP_TIMEOUT", "soon"),
        ("OTEL_EXPORTER_OTLP_HEADERS", "authorization-secret"),
        ("OTEL_EXPORTER_OTLP_COMPRESSION", "lzma"),
        ("OTEL_TRACES_SAMPLER", "sometimes"),
        ("OTEL_BSP_SCHEDULE_DELAY", "x"),
        ("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "99999"),
    ],
)
def test_a_value_that_is_none_is_said_before_the_service_starts_and_not_shown(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], name: str, value: str
) -> None:
    monkeypatch.setenv("OTEL_TRACES_EXPORTER", "otlp")
    check_tracing()
    monkeypatch.setenv(name, value)
    with pytest.raises(ConfigError, match="cannot be used") as told:
        check_tracing()
    assert value not in f"{told.value.message} {told.value.hint} {capfd.readouterr()}"


@pytest.mark.parametrize("module", ["opentelemetry.sdk.trace", "opentelemetry.exporter.otlp.proto.http"])
def test_traces_without_the_extra_are_an_error_that_names_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, module: str
) -> None:
    for name in [name for name in sys.modules if name.startswith(module)]:
        monkeypatch.delitem(sys.modules, name)
    monkeypatch.setitem(sys.modules, module, None)
    monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", "http://127.0.0.1:4318")
    with pytest.raises(MissingExtraError) as told:
        serve(options_in(tmp_path))
    assert told.value.hint == "pip install 'leafsight[telemetry]'"


@pytest.mark.slow
@pytest.mark.parametrize("framework", ["", "true"])
def test_nothing_is_imported_when_nobody_asks(
    tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch, framework: str
) -> None:
    """The framework's own traces, which tell queries and messages, are not switched on either."""
    monkeypatch.setenv("FASTAPI_OTEL_AUTO_CONFIGURE", framework)
    program = (
        "import sys; from pathlib import Path; from starlette.testclient import TestClient;"
        "from leafsight.service import create_app; from tests.service.conftest import options_in;"
        f"app = create_app(options_in(Path({str(tmp_path)!r}), model=Path({str(colour_model)!r})));"
        "client = TestClient(app, base_url='http://localhost:1', client=('127.0.0.1', 1));"
        "client.__enter__(); assert client.get('/readyz').status_code == 200;"
        "client.__exit__(None, None, None);"
        "print([name for name in sys.modules if name.startswith(('opentelemetry.sdk', 'opentelemetry.exp'))])"
    )
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60)
    assert done.stdout.strip() == "[]", done.stderr


def test_a_prediction_is_a_server_span_with_its_steps(begin: Callable[..., Traced]) -> None:
    traced = begin(keep_photos="always")
    files = [("photo", (name, picture_bytes(), "image/jpeg")) for name in ("a.jpg", "b.jpg")]
    headers = {"x-request-id": "mine", "traceparent": PARENT}
    answer = traced.service.post("/v1/predict?plant_id=row-7", files=files, headers=headers)
    assert answer.status_code == 200
    server, *steps = traced.spans()
    assert (server.name, server.kind) == ("POST /v1/predict", SpanKind.SERVER)
    assert dict(server.attributes or {}) == {
        "http.request.method": "POST",
        "http.route": "/v1/predict",
        "http.response.status_code": 200,
        "url.path": "/v1/predict",
        "url.scheme": "http",
        "server.address": "localhost",
        "server.port": 8000,
        "network.protocol.version": "1.1",
        "leafsight.request_id": "mine",
    }
    assert server.status.status_code is StatusCode.UNSET
    assert server.parent is not None
    assert server.parent.span_id == 0xB7AD6B7169203331
    assert {span.context.trace_id for span in (server, *steps)} == {0x0AF7651916CD43DD8448EB211C80319C}
    assert [span.name for span in steps] == ["read body", "queue", "inference", "store", "record"]
    assert {span.parent.span_id for span in steps if span.parent} == {server.context.span_id}
    model = answer.json()["model"]["hash"]
    assert dict(steps[2].attributes or {}) == {
        "leafsight.photographs": 2,
        "leafsight.model": model,
        "leafsight.batch": 2,
    }
    for span in steps:
        assert (
            (server.start_time or 0)
            <= (span.start_time or 0)
            <= (span.end_time or 0)
            <= (server.end_time or 0)
        )


def test_nothing_private_is_in_a_trace(begin: Callable[..., Traced]) -> None:
    traced = begin(keep_photos="always")
    state = traced.service.app.state.parts.state  # type: ignore[attr-defined]
    _, token = state.keys.make("greenhouse", ["predict"])
    headers = {
        "authorization": f"Bearer {token}",
        "user-agent": "secret-agent",
        "x-forwarded-for": "192.0.2.1",
    }
    files = [("photo", ("secret-name.jpg", picture_bytes(), "image/jpeg"))]
    query = "plant_id=secret-plant&crop=secret-crop"
    assert traced.service.post(f"/v1/predict?{query}", files=files, headers=headers).status_code == 422
    one = traced.service.post("/v1/predict?plant_id=secret-plant", files=files, headers=headers).json()
    name = one["predictions"][0]["id"]
    body = {"right": False, "note": "secret-note"}
    traced.service.post(f"/v1/predictions/{name}/correction", json=body, headers=headers)
    traced.service.get("/secret-path/52.5,13.4", headers=headers)
    traced.service.post("/v1/predict?top=secret-top", files=files, headers=headers)
    traced.service.post("/v1/predict", content=b'{"photos": "secret-body"', headers=headers)
    told = "".join(span.to_json() for span in traced.spans())
    assert "POST /v1/predictions/{id}/correction" in told
    assert "/v1/predictions/REDACTED/correction" in told
    for private in ("secret", token, name, "52.5", "192.0.2.1"):
        assert private not in told


def server_span(traced: Traced) -> ReadableSpan:
    (span,) = [span for span in traced.spans() if span.kind is SpanKind.SERVER]
    return span


def test_a_refusal_names_its_problem_and_is_no_error_of_ours(begin: Callable[..., Traced]) -> None:
    traced = begin()
    assert traced.service.post("/v1/predict", content=b"", headers=JPEG).status_code in (200, 400)
    traced = begin()
    assert traced.service.get("/v1/predictions/xyz").status_code == 422
    span = server_span(traced)
    assert (span.attributes or {})["leafsight.problem"] == "validation"
    assert span.status.status_code is StatusCode.UNSET


def test_an_overload_is_an_error_on_the_server_span_and_on_the_queue(
    begin: Callable[..., Traced], monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = begin()

    async def refuse(*words: object) -> None:
        raise OverloadError("secret: 7 wait", hint="later", retry_after_s=1.0)

    queue = traced.service.app.state.parts.queue  # type: ignore[attr-defined]
    monkeypatch.setattr(queue, "do_together", refuse)
    answer = traced.service.post("/v1/predict", content=picture_bytes(), headers=JPEG)
    assert answer.status_code == 503
    server, *steps = traced.spans()
    assert [span.name for span in steps] == ["read body", "queue"]
    for span in (server, steps[1]):
        assert (span.attributes or {})["error.type"] == "overload"
        assert (span.status.status_code, span.status.description) == (StatusCode.ERROR, None)
    assert not any(span.events for span in (server, *steps))


def test_a_bug_is_told_by_its_kind_only(
    begin: Callable[..., Traced], monkeypatch: pytest.MonkeyPatch
) -> None:
    traced = begin()

    async def trip(*words: object) -> None:
        raise RuntimeError("secret")

    monkeypatch.setattr(traced.service.app.state.parts.queue, "do_together", trip)  # type: ignore[attr-defined]
    assert traced.service.post("/v1/predict", content=picture_bytes(), headers=JPEG).status_code == 500
    server, *steps = traced.spans()
    assert ((server.attributes or {})["error.type"], server.status.status_code) == (
        "internal",
        StatusCode.ERROR,
    )
    assert (steps[1].attributes or {})["error.type"] == "RuntimeError"
    assert "secret" not in "".join(span.to_json() for span in (server, *steps))


@pytest.mark.parametrize(
    "parent", ["", "00-0-0-0", "00-" + "0" * 32 + "-b7ad6b7169203331-01", "é", "x" * 9000]
)
def test_a_parent_that_is_none_begins_a_trace_of_its_own(begin: Callable[..., Traced], parent: str) -> None:
    traced = begin()
    headers = [(b"traceparent", parent.encode("utf-8")), (b"tracestate", b"\xff=,,=")]
    assert traced.service.get("/v1/conditions", headers=headers).status_code == 200
    assert server_span(traced).parent is None


def test_two_parents_are_none(begin: Callable[..., Traced]) -> None:
    traced = begin()
    traced.service.get("/v1/conditions", headers=[("traceparent", PARENT), ("traceparent", PARENT)])
    assert server_span(traced).parent is None


def test_a_caller_who_samples_nothing_is_followed(begin: Callable[..., Traced]) -> None:
    traced = begin()
    traced.service.get("/v1/conditions", headers={"traceparent": PARENT[:-1] + "0"})
    assert traced.spans() == []


def test_what_machines_ask_all_the_time_is_not_traced(begin: Callable[..., Traced]) -> None:
    traced = begin()
    for path in ("/healthz", "/readyz", "/metrics"):
        assert traced.service.get(path).status_code == 200
    assert traced.spans() == []


def test_a_method_of_nobodys_and_a_path_of_nobodys_are_not_repeated(begin: Callable[..., Traced]) -> None:
    traced = begin()
    traced.service.request("SECRET", "/nowhere/secret")
    span = server_span(traced)
    assert (span.name, (span.attributes or {})["http.request.method"]) == ("HTTP", "_OTHER")
    assert (span.attributes or {})["url.path"] == "/REDACTED"


def test_log_lines_name_the_trace(begin: Callable[..., Traced]) -> None:
    traced, lines = begin(), io.StringIO()
    handler = logging.StreamHandler(lines)
    handler.setFormatter(JsonLines())
    logger = logging.getLogger("leafsight.service")
    level = logger.level
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    try:
        traced.service.get("/v1/conditions", headers={"traceparent": PARENT})
        traced.service.get("/metrics")
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
    first, second = (json.loads(line) for line in lines.getvalue().splitlines())
    assert first["trace_id"] == "0af7651916cd43dd8448eb211c80319c"
    assert first["span_id"] == f"{server_span(traced).context.span_id:016x}"
    assert "trace_id" not in second


def attributes(span: SentSpan) -> dict[str, Any]:
    return {one.key: getattr(one.value, one.value.WhichOneof("value")) for one in span.attributes}


HEAD = b"POST /v1/predict HTTP/1.1\r\nHost: localhost\r\nContent-Type: image/jpeg\r\n"
POST = HEAD + b"Content-Length: %d\r\n\r\n%b"


@pytest.mark.slow
def test_spans_reach_a_collector_from_every_process_and_the_last_ones_before_the_end(
    tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    data = picture_bytes()
    with collector() as there:
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", there.endpoint)
        monkeypatch.setenv("OTEL_RESOURCE_ATTRIBUTES", "deployment.environment.name=test")
        with running_service(tmp_path, colour_model, "--workers", "2") as service:
            ids = {service.ask(POST % (len(data), data)).headers["x-request-id"] for _ in range(6)}
            assert service.end() == 0
        assert set(there.asked) == {"/v1/traces"}
        servers = [span for span in there.spans if span.kind == SentSpan.SPAN_KIND_SERVER]
        assert {attributes(span)["leafsight.request_id"] for span in servers} == ids
        resource = {one.key: one.value.string_value for one in there.received[0].resource.attributes}
        assert (resource["service.name"], resource["deployment.environment.name"]) == ("leafsight", "test")
        lines = [json.loads(line) for line in service.said if line.startswith("{")]
        assert {line["trace_id"] for line in lines if line["event"] == "request"} == {
            span.trace_id.hex() for span in servers
        }


@pytest.mark.slow
@pytest.mark.parametrize("silent", [True, False])
def test_a_collector_that_is_gone_or_says_nothing_costs_no_request_and_no_end(
    tmp_path: Path, colour_model: Path, monkeypatch: pytest.MonkeyPatch, silent: bool
) -> None:
    data = picture_bytes()
    with collector(silent=True) as there:
        endpoint = there.endpoint if silent else "http://127.0.0.1:1"
        monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", endpoint)
        monkeypatch.setenv("OTEL_BSP_SCHEDULE_DELAY", "50")
        monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "8")
        monkeypatch.setenv("OTEL_BSP_MAX_EXPORT_BATCH_SIZE", "8")
        with running_service(tmp_path, colour_model) as service:
            answers = [service.ask(POST % (len(data), data)) for _ in range(20)]
            assert {answer.status for answer in answers} == {200}
            assert service.end() == 0  # within a few seconds, or the supervisor would have said so
        said = "".join(service.said)
        assert "killed" not in said
        assert "traceback" not in said.lower()
        assert said.count("traces not sent") <= 1
        assert endpoint not in said
