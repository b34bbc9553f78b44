"""Traces of requests, for operators who collect them: where the time of each one went.

Enters: the standard ``OTEL_`` variables, and requests. Leaves: a server span for each request, a child for
each of its steps, and the ids for the log. It does not know how spans travel: see ``tracing_export``, which
is loaded only where the variables ask for traces. Everywhere else a step costs one look at a variable.
"""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager, nullcontext
from contextvars import ContextVar, Token
from typing import TYPE_CHECKING, Any

from leafsight.errors import ConfigError, require

if TYPE_CHECKING:
    from starlette.types import Scope

    from leafsight.service.tracing_export import RequestSpan, SpanMaker

EXPORTERS = ("otlp", "console")
ENDPOINTS = ("OTEL_EXPORTER_OTLP_ENDPOINT", "OTEL_EXPORTER_OTLP_TRACES_ENDPOINT")
PROTOCOLS = ("OTEL_EXPORTER_OTLP_TRACES_PROTOCOL", "OTEL_EXPORTER_OTLP_PROTOCOL")
PROTOCOL = "http/protobuf"
NOT_TRACED = frozenset({"/healthz", "/readyz", "/metrics"})
"""Machines ask these every few seconds; their spans would bury all others."""
_NOW: ContextVar[RequestSpan | None] = ContextVar("leafsight_request_span", default=None)
_NOTHING: AbstractContextManager[None] = nullcontext()


class Tracing:
    """The traces of one process; does nothing until it is opened, and where nobody asked for traces."""

    def __init__(self) -> None:
        self._maker: SpanMaker | None = None

    def open(self) -> None:
        """Begin, if the variables say so. After a fork only: what sends the spans is a thread.

        Raises:
            ConfigError, MissingExtraError: see ``check_tracing``.
        """
        names = wanted_exporters(os.environ)
        if names:
            require("opentelemetry.sdk.trace", "telemetry")
            from leafsight.service.tracing_export import open_spans

            self._maker = open_spans(names)

    def close(self) -> None:
        """Send what is there, for a few seconds at most."""
        if self._maker is not None:
            self._maker.close()
            self._maker = None

    def begin(self, scope: Scope, request_id: str) -> Token[RequestSpan | None] | None:
        """The server span of a request; ``None`` when it is not traced."""
        if self._maker is None or scope["path"] in NOT_TRACED:
            return None
        return _NOW.set(self._maker.begin(scope, request_id))

    def end(self, token: Token[RequestSpan | None] | None, scope: Scope, status: int | None) -> None:
        """The request is answered.

        Args:
            token: what ``begin`` gave.
            scope: of the request; it names its route by now.
            status: of HTTP; ``None`` when nobody was there any more to answer to.
        """
        span = _NOW.get()
        if token is not None and span is not None:
            _NOW.reset(token)
            span.end(scope, status)


def step(name: str, **attributes: Any) -> AbstractContextManager[None]:
    """A child span around a step of the present request; nothing when that is not traced.

    Args:
        name: of the step, such as ``store``.
        attributes: numbers and names of ours; nothing that a person sent.
    """
    span = _NOW.get()
    return _NOTHING if span is None else span.step(name, _named(attributes))


@contextmanager
def work(**attributes: Any) -> Iterator[Callable[[float, float, int], None]]:
    """Child spans for waiting and for inference, of which one learns only afterwards how long they took.

    Gives a function to be told both, in seconds, and how many photographs were done together. When the work
    fails before that, the whole is the span of the queue: it was refused, or its own error is on the server
    span.
    """
    span, entered_ns = _NOW.get(), time.time_ns()
    told: list[int] = []
    try:
        yield lambda *took: told.extend((int(took[0] * 1e9), int(took[1] * 1e9), took[2]))
    except BaseException as error:
        if span is not None:
            span.past("queue", {}, entered_ns, time.time_ns(), error)
        raise
    if span is not None and told:
        began_ns = entered_ns + told[0]
        span.past("queue", {}, entered_ns, began_ns)
        span.past("inference", _named({**attributes, "batch": told[2]}), began_ns, began_ns + told[1])


def note_problem(slug: str) -> None:
    """The present request is answered with this problem."""
    span = _NOW.get()
    if span is not None:
        span.problem = slug


def trace_fields() -> dict[str, str]:
    """The ids of the present request's trace and span, as the log names them; empty when there are none."""
    span = _NOW.get()
    return {} if span is None else span.fields


def check_tracing(environ: Mapping[str, str] = os.environ) -> None:
    """Whether traces that were asked for can be made; before the processes start, so that somebody reads it.

    Raises:
        MissingExtraError: the libraries are not installed.
        ConfigError: the variables ask for something that this program does not do.
    """
    names = wanted_exporters(environ)
    if names:
        require("opentelemetry.sdk.trace", "telemetry")
        require("opentelemetry.exporter.otlp.proto.http.trace_exporter", "telemetry")
        from leafsight.service.tracing_export import open_spans

        open_spans(names).close()


def wanted_exporters(environ: Mapping[str, str]) -> tuple[str, ...]:
    """Where the standard variables want traces to go; nowhere unless they name an exporter or its address.

    Raises:
        ConfigError: an exporter or protocol that this program has not.
    """
    if environ.get("OTEL_SDK_DISABLED", "").strip().lower() == "true":
        return ()
    asked = environ.get("OTEL_TRACES_EXPORTER", "").strip()
    if not asked and any(environ.get(name, "").strip() for name in ENDPOINTS):
        asked = "otlp"
    names = tuple(dict.fromkeys(name.strip() for name in asked.split(",") if name.strip()))
    if names in ((), ("none",)):
        return ()
    for name in names:
        if name not in EXPORTERS:
            raise ConfigError(
                f"OTEL_TRACES_EXPORTER asks for {name[:50]!r}", hint=f"{', '.join(EXPORTERS)} or none"
            )
    protocol = next((environ[name].strip() for name in PROTOCOLS if environ.get(name, "").strip()), PROTOCOL)
    if "otlp" in names and protocol != PROTOCOL:
        raise ConfigError(
            f"traces do not travel by the protocol {protocol[:50]!r}",
            hint=f"set OTEL_EXPORTER_OTLP_PROTOCOL={PROTOCOL}; a collector listens for that on port 4318",
        )
    return names


def _named(attributes: Mapping[str, Any]) -> dict[str, Any]:
    return {f"leafsight.{name}": value for name, value in attributes.items()}
