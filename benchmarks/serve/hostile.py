"""Requests that nobody should send, for the soak: each must end in a clear refusal and hurt nobody else.

Enters: a photograph and an address. Leaves: what came back, counted by case. It does not know who answers.
"""

from __future__ import annotations

import asyncio
import base64
import json
import random
import struct
import sys
import time
import zlib
from collections import Counter
from typing import Any

from benchmarks.serve.wire import BOUNDARY, FIELD, read_answer

PATH = "/v1/predict"
ANSWER_LIMIT_S = 20.0
MULTIPART = f"multipart/form-data; boundary={BOUNDARY}"


def post(kind: str, body: bytes, *, length: int | None = None, path: str = PATH, more: str = "") -> bytes:
    """A whole POST; ``length`` may lie."""
    head = f"POST {path} HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: {kind}\r\n{more}"
    return f"{head}Content-Length: {len(body) if length is None else length}\r\n\r\n".encode() + body


def huge_png(width: int, height: int) -> bytes:
    """A PNG of a few hundred bytes that claims to be very large."""

    def chunk(name: bytes, data: bytes) -> bytes:
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))

    header = struct.pack(">IIBBBBB", width, height, 8, 2, 0, 0, 0)
    pixels = zlib.compress(bytes(100_000))
    return b"\x89PNG\r\n\x1a\n" + chunk(b"IHDR", header) + chunk(b"IDAT", pixels) + chunk(b"IEND", b"")


def parts(count: int, content: bytes, name: str = FIELD) -> bytes:
    """A multipart body of ``count`` files."""
    head = f'--{BOUNDARY}\r\nContent-Disposition: form-data; name="{name}"; filename="a.jpg"\r\n\r\n'.encode()
    return (head + content + b"\r\n") * count + f"--{BOUNDARY}--\r\n".encode()


def cases(photo: bytes, seed: int) -> dict[str, tuple[bytes, str]]:
    """Name -> (what is sent, what then): ``wait`` for an answer, ``leave`` at once, ``stall`` and leave."""
    rng = random.Random(seed)
    flipped = bytearray(photo)
    for _ in range(40):
        flipped[rng.randrange(len(flipped))] ^= 1 << rng.randrange(8)
    whole = post("image/jpeg", photo)
    deep = b'{"photos":' + b"[" * 50_000 + b"]" * 50_000 + b"}"
    encoded = base64.b64encode(photo[: len(photo) // 2]).decode()
    return {
        "cut short": (post("image/jpeg", photo[: len(photo) // 2]), "wait"),
        "bits flipped": (post("image/jpeg", bytes(flipped)), "wait"),
        "noise": (post("application/octet-stream", rng.randbytes(20_000)), "wait"),
        "nothing": (post("image/jpeg", b""), "wait"),
        "huge picture": (post("image/png", huge_png(60_000, 60_000)), "wait"),
        "thin picture": (post("image/png", huge_png(65_000, 1)), "wait"),
        "text as picture": (post("image/png", b"not a picture"), "wait"),
        "another kind of body": (post("text/html", b"<html>"), "wait"),
        "no boundary": (post("multipart/form-data", parts(1, photo)), "wait"),
        "unfinished form": (post(MULTIPART, parts(1, photo)[:-40]), "wait"),
        "a thousand parts": (post(MULTIPART, parts(1000, b"x")), "wait"),
        "long part name": (post(MULTIPART, parts(1, photo, "n" * 20_000)), "wait"),
        "json cut short": (post("application/json", b'{"photos": [{"name": "a.jpg", "base'), "wait"),
        "json too deep": (post("application/json", deep), "wait"),
        "base64 of half a picture": (
            post("application/json", json.dumps({"photos": [{"name": "a.jpg", "base64": encoded}]}).encode()),
            "wait",
        ),
        "no base64": (post("application/json", b'{"photos":[{"name":"a","base64":"***"}]}'), "wait"),
        "unknown crop": (post("image/jpeg", photo, path=f"{PATH}?crop=%00%ff&top=-1"), "wait"),
        "claims a terabyte": (post("image/jpeg", photo, length=2**40), "wait"),
        "wrong length": (post("image/jpeg", photo, length=-5), "wait"),
        "broken chunks": (
            f"POST {PATH} HTTP/1.1\r\nHost: a\r\nContent-Type: image/jpeg\r\n"
            "Transfer-Encoding: chunked\r\n\r\nzz\r\nhello\r\n".encode(),
            "wait",
        ),
        "no http": (b"\x16\x03\x01\x02\x00 hello\r\n\r\n", "wait"),
        "long header": (post("image/jpeg", photo, more=f"X-Long: {'a' * 100_000}\r\n"), "wait"),
        "bad token": (post("image/jpeg", photo, more="Authorization: Bearer ls_no_no\r\n"), "wait"),
        "gone in mid-upload": (whole[: len(whole) // 2], "leave"),
        "gone before the answer": (whole, "leave"),
        "slow body": (whole[: len(whole) // 2], "stall"),
        "slow head": (whole[:40], "stall"),
    }


async def attack(
    port: int,
    photo: bytes,
    seed: int,
    *,
    until_s: float,
    turns: int = sys.maxsize,
    pause_s: float = 0.05,
    stall_s: float = 0.5,
) -> dict[str, Any]:
    """Send all cases again and again, with other noise each time.

    Args:
        port: on 127.0.0.1.
        photo: what they are made from.
        seed: of the noise.
        until_s: the end, by ``time.perf_counter``.
        turns: most times.
        pause_s: between two cases.
        stall_s: how long a slow sender is silent before it leaves.

    Returns:
        Counts by case, and what no client should get: a 5xx that is no refusal, and tracebacks.
    """
    found: dict[str, Counter[str]] = {}
    leaks: set[str] = set()
    for turn in range(turns):
        for name, (data, manner) in cases(photo, seed + turn).items():
            if time.perf_counter() >= until_s:
                return _counted(found, leaks)
            outcome, body = await _sent(port, data, manner, stall_s)
            found.setdefault(name, Counter())[outcome] += 1
            if b"Traceback (most recent" in body or b'File "/' in body:
                leaks.add(name)
            await asyncio.sleep(pause_s)
    return _counted(found, leaks)


def _counted(found: dict[str, Counter[str]], leaks: set[str]) -> dict[str, Any]:
    return {
        "answers": {name: dict(sorted(counts.items())) for name, counts in found.items()},
        "server_errors": {
            name: broken
            for name, counts in found.items()
            if (broken := {kind: n for kind, n in counts.items() if kind[0] == "5" and kind != "503"})
        },
        "tracebacks": sorted(leaks),
    }


async def _sent(port: int, data: bytes, manner: str, stall_s: float) -> tuple[str, bytes]:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
    except OSError:
        return "no connection", b""
    try:
        writer.write(data)
        if manner == "stall":
            await asyncio.sleep(stall_s)
        if manner != "wait":
            return manner, b""
        return await asyncio.wait_for(_answered(reader), ANSWER_LIMIT_S)
    except TimeoutError:
        return "no answer", b""
    except (OSError, ValueError):
        return "closed", b""
    finally:
        writer.transport.abort()


async def _answered(reader: asyncio.StreamReader) -> tuple[str, bytes]:
    received = b""
    while True:
        more = await reader.read(65_536)
        answer = read_answer(received := received + more, ended=not more) if received or more else None
        if answer is not None:
            return str(answer.status), answer.body
        if not more:
            return "closed", b""
