"""Spans by OpenTelemetry, and their way to a collector.

Enters: requests and steps. Leaves: spans by the semantic conventions of HTTP servers, sent from a thread of
their own. Nothing of a person is in them: no name of a photograph, no query, no header, no error's message.
https://opentelemetry.io/docs/specs/semconv/http/http-spans/
"""

from __future__ import annotations

import logging
import re
import threading
import time
import uuid
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

from opentelemetry.context import Context
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import ReadableSpan, TracerProvider
from opentelemetry.sdk.trace.export import (
    BatchSpanProcessor,
    ConsoleSpanExporter,
    SpanExporter,
    SpanExportResult,
)
from opentelemetry.trace import SpanKind, StatusCode, set_span_in_context
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from leafsight import __version__
from leafsight.errors import ConfigError, LeafsightError

if TYPE_CHECKING:
    from opentelemetry.trace import Span, Tracer
    from starlette.types import Scope

METHODS = frozenset({"GET", "HEAD", "POST", "PUT", "DELETE", "CONNECT", "OPTIONS", "TRACE", "PATCH", "QUERY"})
OTHER = "_OTHER"
REDACTED = "REDACTED"
CARRIED = {b"traceparent": "traceparent", b"tracestate": "tracestate"}
CLOSE_S = 3.0
"""What a collector has not taken by then is lost: a process that shall end does not wait any longer."""
QUIET_S = 60.0
"""Seconds between two lines in the log about a collector that is gone."""
UNUSABLE = "an OTEL_ variable has a value that cannot be used"
WHERE = "compare them with https://opentelemetry.io/docs/specs/otel/configuration/sdk-environment-variables/"
LOG = logging.getLogger("leafsight.service")


class RequestSpan:
    """The server span of one request.

    Args:
        tracer: of this process.
        span: begun.

    Attributes:
        fields: its ids, as the log names them.
        problem: slug of the problem that it was answered with.
    """

    def __init__(self, tracer: Tracer, span: Span) -> None:
        self._tracer, self._span, self._context = tracer, span, set_span_in_context(span, Context())
        context = span.get_span_context()
        self.fields = {"trace_id": f"{context.trace_id:032x}", "span_id": f"{context.span_id:016x}"}
        self.problem = ""

    @contextmanager
    def step(self, name: str, attributes: dict[str, Any]) -> Iterator[None]:
        """A child around a block."""
        began_ns = time.time_ns()
        try:
            yield
        except BaseException as error:
            self.past(name, attributes, began_ns, time.time_ns(), error)
            raise
        self.past(name, attributes, began_ns, time.time_ns())

    def past(
        self,
        name: str,
        attributes: dict[str, Any],
        began_ns: int,
        ended_ns: int,
        error: BaseException | None = None,
    ) -> None:
        """A child that is over; of an error only its kind is told."""
        child = self._tracer.start_span(name, self._context, attributes=attributes, start_time=began_ns)
        if error is not None:
            child.set_attribute("error.type", _kind_of(error))
            child.set_status(StatusCode.ERROR)
        child.end(ended_ns)

    def end(self, scope: Scope, status: int | None) -> None:
        """What is known at the end only: the route and how it was answered."""
        span = self._span
        if span.is_recording():
            route = getattr(scope.get("route"), "path", None)
            if route is not None:
                span.update_name(f"{_method(scope, 'HTTP')} {route}")
                span.set_attribute("http.route", route)
                span.set_attribute("url.path", re.sub(r"\{[^}]*\}", REDACTED, route))
            if status is not None:
                span.set_attribute("http.response.status_code", status)
            if self.problem:
                span.set_attribute("leafsight.problem", self.problem)
            if status is None or status >= 500:
                gone = "client-gone" if status is None else str(status)
                span.set_attribute("error.type", self.problem or gone)
                span.set_status(StatusCode.ERROR)
        span.end()


class SpanMaker:
    """Makes the spans of one process and sends them from a thread. After a fork only.

    Args:
        exporters: where they go.
    """

    def __init__(self, exporters: Sequence[SpanExporter]) -> None:
        resource = Resource.create({"service.version": __version__, "service.instance.id": str(uuid.uuid4())})
        if str(resource.attributes["service.name"]).startswith("unknown_service"):  # no variable names it
            resource = resource.merge(Resource({"service.name": "leafsight"}))
        self._provider = TracerProvider(resource=resource, shutdown_on_exit=False)
        for exporter in exporters:
            self._provider.add_span_processor(BatchSpanProcessor(_Reporting(exporter)))
        self._tracer = self._provider.get_tracer("leafsight.service", __version__)
        self._propagator = TraceContextTextMapPropagator()

    def begin(self, scope: Scope, request_id: str) -> RequestSpan:
        """The server span of a request, a child of the caller's span when the caller has one."""
        carried: dict[str, str] = {}
        for name, value in scope["headers"]:
            if name in CARRIED:
                known = CARRIED[name]
                # Two parents are none (W3C Trace Context, 3.2); two states are one list.
                carried[known] = f"{carried[known]},{value.decode('latin-1')}" if known in carried else (
                    value.decode("latin-1")
                )  # fmt: skip
        parent = self._propagator.extract(carried, Context()) if carried else Context()
        attributes: dict[str, Any] = {
            "http.request.method": _method(scope, OTHER),
            "url.scheme": scope.get("scheme", "http"),
            # Of a path that is none of ours nothing is known; a person may have typed anything.
            "url.path": f"/{REDACTED}",
            "network.protocol.version": scope.get("http_version", "1.1"),
            "leafsight.request_id": request_id,
        }
        server = scope.get("server")
        if server:
            attributes["server.address"] = str(server[0])
            if server[1] is not None:
                attributes["server.port"] = int(server[1])
        span = self._tracer.start_span(
            _method(scope, "HTTP"), parent, kind=SpanKind.SERVER, attributes=attributes
        )
        return RequestSpan(self._tracer, span)

    def close(self) -> None:
        """Send what is there, for so long and no longer."""
        last = threading.Thread(target=self._provider.shutdown, name="last-traces", daemon=True)
        last.start()
        last.join(CLOSE_S)


class _Reporting(SpanExporter):
    """An exporter whose failures are told in one line a minute, without addresses."""

    def __init__(self, inner: SpanExporter) -> None:
        self._inner, self._lost, self._next = inner, 0, 0.0

    def export(self, spans: Sequence[ReadableSpan]) -> SpanExportResult:
        try:
            result = self._inner.export(spans)
            reason = "the collector did not take them"
        except Exception as error:
            result, reason = SpanExportResult.FAILURE, type(error).__name__
        if result is not SpanExportResult.SUCCESS:
            self._lost += len(spans)
            if time.monotonic() >= self._next:
                LOG.warning("traces not sent", extra={"fields": {"spans": self._lost, "reason": reason}})
                self._lost, self._next = 0, time.monotonic() + QUIET_S
        return result

    def shutdown(self) -> None:
        self._inner.shutdown()


def open_spans(names: Sequence[str]) -> SpanMaker:
    """What the standard variables describe; nothing is sent yet.

    Raises:
        ConfigError: a variable has a value that cannot be used. The library would only warn, show the value
            (which may be a secret) and take another.
    """
    library, told = logging.getLogger("opentelemetry"), _Told()
    library.addHandler(told)
    library.propagate = False
    library.setLevel(logging.WARNING)
    try:
        maker = SpanMaker(exporters_of(names))
    except (ValueError, OSError, RuntimeError) as error:
        raise ConfigError(UNUSABLE, hint=WHERE) from error
    finally:
        library.removeHandler(told)
        library.propagate = True
        # From here on it says the same of every span that a collector does not take; we do so once a minute.
        library.setLevel(logging.CRITICAL)
    if told.number:
        maker.close()
        raise ConfigError(UNUSABLE, hint=WHERE)
    return maker


class _Told(logging.Handler):
    """Counts what the library complains about."""

    number = 0

    def emit(self, record: logging.LogRecord) -> None:
        self.number += 1


def exporters_of(names: Sequence[str]) -> list[SpanExporter]:
    """One of each kind."""
    return [_exporter(name) for name in names]


def _exporter(name: str) -> SpanExporter:
    if name == "console":
        return ConsoleSpanExporter()
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter

    return OTLPSpanExporter()


def _method(scope: Scope, other: str) -> str:
    return scope["method"] if scope["method"] in METHODS else other


def _kind_of(error: BaseException) -> str:
    return error.slug if isinstance(error, LeafsightError) else type(error).__qualname__
