"""Floods from another address: a container in the network of the proxy, which so tells it from others.

    python flooding.py ORDER.json

The second part of this file runs in that container, with Python's standard library and ``hostile`` alone.
"""

from __future__ import annotations

import asyncio
import json
import ssl
import sys
import time
from collections import Counter
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.faults.scene import Scene

CONNECTIONS, CPUS = 24, "0.5"
"""Of the flood. In life its own work is done elsewhere, so it gets half a processor of this machine."""
STALL_S, ANSWER_LIMIT_S = 5.0, 20.0


def prepare(scene: Scene) -> None:
    """The flood has a key of its own: one without is turned away before anything is read."""
    told = scene.setup.command(
        ["keys", "make", f"flooder-{scene.folder.name}", "--quiet", "--scope", "predict"]
    )
    scene.key_of_flooder = told.splitlines()[-1].strip()


def large(scene: Scene) -> None:
    """Photographs of 12 megapixels."""
    _flood(scene, "large", "12MP")


def garbage(scene: Scene) -> None:
    """What nobody should send."""
    _flood(scene, "garbage", "0-8MP")


def _flood(scene: Scene, kind: str, size: str) -> None:
    setup, root = scene.setup, Path(__file__).parents[2]
    photographs = sorted((scene.folder.parent / "photographs").glob(f"{size}-*.jpg"))
    order = {
        "kind": kind,
        "connections": CONNECTIONS,
        "seconds": scene.timing.hold_s,
        "host": "proxy",
        "port": 8443,
        "key": scene.key_of_flooder,
        "photographs": [f"/photographs/{one.name}" for one in photographs],
    }
    path = scene.folder / "flood.json"
    path.write_text(json.dumps(order), encoding="utf-8")
    mounts = {
        f"{root}/benchmarks": "/code/benchmarks",
        str(path.absolute()): "/order.json",
        str(photographs[0].parent.absolute()): "/photographs",
    }
    words = ["run", "--rm", "--name", f"{setup.name}-flood", "--label", setup.label]
    words += ["--network", setup.network("front"), "--cpus", CPUS, "--tmpfs", "/tmp", "--workdir", "/tmp"]
    words += [word for here, there in mounts.items() for word in ("--volume", f"{here}:{there}:ro")]
    words += ["--env", "PYTHONPATH=/code", "--entrypoint", "/opt/leafsight/bin/python"]
    words += [setup.options.image, "-m", "benchmarks.faults.flooding", "/order.json"]
    before = {name: setup.engine.restarts(name) for name in setup.replicas}
    scene.begins()
    try:
        told = setup.engine.say(*words, limit_s=scene.timing.hold_s + 120)
    finally:
        scene.is_back()
        path.unlink()  # it holds a key
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    scene.figures["flood"] = found
    scene.figures["restarts"] = {
        name.removeprefix(setup.name + "-"): setup.engine.restarts(name) - count
        for name, count in before.items()
    }
    scene.note(f"the flood has ended, {found['sent']} requests in {found['seconds']:.0f} s")


# ---- What runs in the container.


def main() -> int:
    """Flood for as long as the order says; counts go to stdout."""
    order = json.loads(Path(sys.argv[1]).read_text(encoding="utf-8"))
    print(json.dumps(asyncio.run(_flooded(order))))
    return 0


async def _flooded(order: dict[str, Any]) -> dict[str, Any]:
    from benchmarks.serve.hostile import cases, post

    counts: Counter[str] = Counter()
    by_case: dict[str, Counter[str]] = {}
    photographs = [Path(one).read_bytes() for one in order["photographs"]]
    begun = time.monotonic()
    until = begun + order["seconds"]
    key = f"\r\nAuthorization: Bearer {order['key']}\r\n".encode()

    def with_key(data: bytes) -> bytes:
        return data if b"Authorization:" in data else data.replace(b"\r\n", key, 1)

    async def send(number: int) -> None:
        turn = 0
        while time.monotonic() < until:
            turn += 1
            if order["kind"] == "large":
                some = {
                    "12 MP": (post("image/jpeg", photographs[(number + turn) % len(photographs)]), "wait")
                }
            else:
                some = cases(photographs[number % len(photographs)], number * 1000 + turn)
            for name, (data, manner) in some.items():
                if time.monotonic() >= until:
                    break
                said = await _sent(order["host"], order["port"], with_key(data), manner)
                counts[said] += 1
                by_case.setdefault(name, Counter())[said] += 1

    await asyncio.gather(*(send(number) for number in range(order["connections"])))
    return {
        "sent": sum(counts.values()),
        "seconds": round(time.monotonic() - begun, 1),
        "answers": dict(sorted(counts.items())),
        "server_errors": {
            name: wrong for name, found in by_case.items()
            if (wrong := {said: n for said, n in found.items() if said[0] == "5" and said != "503"})
        },
        "by_case": {name: dict(sorted(found.items())) for name, found in sorted(by_case.items())},
    }  # fmt: skip


@cache
def _unverified() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    return context


async def _sent(host: str, port: int, data: bytes, manner: str) -> str:
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=_unverified())
    except (OSError, TimeoutError):
        return "no connection"
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            writer.write(data)
            if manner == "stall":
                await asyncio.sleep(STALL_S)
            if manner != "wait":
                await writer.drain()
                return manner
            return await _status(reader)
    except TimeoutError:
        return "no answer"
    except (OSError, ValueError):
        return "closed"
    finally:
        writer.transport.abort()


async def _status(reader: asyncio.StreamReader) -> str:
    from benchmarks.serve.wire import read_answer

    received = b""
    while True:
        more = await reader.read(65_536)
        received += more
        answer = read_answer(received, ended=not more) if received else None
        if answer is not None:
            return str(answer.status)
        if not more:
            return "closed"


if __name__ == "__main__":
    sys.exit(main())
