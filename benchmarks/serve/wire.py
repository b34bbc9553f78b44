"""Ready-made requests; the client that sends them is that of ``leafsight.loadtest``.

Enters: the bytes of photographs. Leaves: the bytes of whole requests. It knows nothing of rates. No client
library: on a machine with two cores, whatever the generator takes is taken from the server that it measures.
``run.py`` measures and prints what is left of that.
"""

from __future__ import annotations

from collections.abc import Sequence
from urllib.parse import urlsplit

from leafsight.loadtest import Answer, Connection, CutError, MalformedError, read_answer

__all__ = ["Answer", "Connection", "CutError", "MalformedError", "build_requests", "read_answer"]
BOUNDARY = "----leafsight-load-7d1f0c"
FIELD = "image"


def build_requests(url: str, photographs: Sequence[bytes], body: str) -> list[bytes]:
    """One whole POST for each photograph.

    Args:
        url: ``http://host:port/path?query``.
        photographs: JPEG files.
        body: ``multipart`` (one file part named ``image``) or ``raw`` (``image/jpeg``).
    """
    parts = urlsplit(url)
    target = parts.path + (f"?{parts.query}" if parts.query else "")
    found = []
    for photograph in photographs:
        if body == "multipart":
            kind = f"multipart/form-data; boundary={BOUNDARY}"
            before = (
                f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{FIELD}"; filename="leaf.jpg"\r\n'
                "Content-Type: image/jpeg\r\n\r\n"
            )
            content = before.encode() + photograph + f"\r\n--{BOUNDARY}--\r\n".encode()
        else:
            kind, content = "image/jpeg", photograph
        head = (
            f"POST {target} HTTP/1.1\r\nHost: {parts.netloc}\r\nAccept: application/json\r\n"
            f"Content-Type: {kind}\r\nContent-Length: {len(content)}\r\n\r\n"
        )
        found.append(head.encode() + content)
    return found
