"""One JSON object a line on stderr, for programs that read logs."""

from __future__ import annotations

import json
import logging
import sys
import time
import traceback
from collections.abc import Callable
from contextlib import suppress

from leafsight.service.tracing import trace_fields


class JsonLines(logging.Formatter):
    """Time (UTC), level, event and its fields; a traceback as one text."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        said: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(record.created))
            + f".{int(record.msecs):03d}Z",
            "level": record.levelname.lower(),
            "event": record.getMessage(),
            "process": record.process,
        }
        said.update(getattr(record, "fields", {}), **trace_fields())
        if record.exc_info and record.exc_info[0] is not None:
            said["traceback"] = "".join(traceback.format_exception(*record.exc_info))
        return json.dumps(said, default=str)  # in ASCII: a terminal obeys some of the rest


def write_json_lines(level: str = "INFO") -> None:
    """Let everything that is logged in this process go to stderr as JSON lines."""
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(JsonLines())
    logging.basicConfig(handlers=[handler], level=level, force=True)
    for name in ("uvicorn", "uvicorn.error", "uvicorn.access"):
        logger = logging.getLogger(name)
        logger.handlers, logger.propagate = [], True
    logging.getLogger("uvicorn.access").disabled = True  # ours says more
    logging.getLogger("uvicorn.error").setLevel("WARNING")
    # What the formatter does not tell nobody has to find out (Python's "Logging HOWTO", Optimization).
    logging.logThreads = logging.logMultiprocessing = False


def careful(say: Callable[[str], None]) -> Callable[[str], None]:
    """Says the same, and goes on where nobody listens any more: a service does not end half for that."""

    def said(words: str) -> None:
        with suppress(OSError, ValueError):
            say(words)

    return said
