"""Floods from another address: a container in the network of the proxy, so that the proxy tells it from others.

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
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from benchmarks.faults.scene import Scene

CONNECTIONS_LARGE, CONNECTIONS_GARBAGE = 24, 24
STALL_S, ANSWER_LIMIT_S = 5.0, 20.0


def large(scene: Scene) -> None:
    """Photographs of 12 megapixels."""
    _flood(scene, "large", CONNECTIONS_LARGE)


def garbage(scene: Scene) -> None:
    """What nobody should send."""
    _flood(scene, "garbage", CONNECTIONS_GARBAGE)


def _flood(scene: Scene, kind: str, connections: int) -> None:
    setup, root = scene.setup, Path(__file__).parents[2]
    order = {
        "kind": kind, "connections": connections, "seconds": scene.timing.hold_s, "host": "proxy", "port": 8443,
        "key": _key_of_flooder(scene), "photographs": [f"/photographs/{one.name}" for one in _photographs(scene, kind)],
    }  # fmt: skip
    path = scene.folder / "flood.json"
    path.write_text(json.dumps(order), encoding="utf-8")
    before = {name: setup.engine.restarts(name) for name in setup.replicas}
    words = ["run", "--rm", "--name", f"{setup.name}-flood", "--label", setup.label, "--network", setup.network("front")]
    words += ["--volume", f"{root}/benchmarks:/code/benchmarks:ro", "--volume", f"{path.absolute()}:/order.json:ro"]
    words += ["--volume", f"{_photographs(scene, kind)[0].parent.absolute()}:/photographs:ro", "--env", "PYTHONPATH=/code"]
    words += ["--cpus", "0.5", "--tmpfs", "/tmp", "--entrypoint", "/opt/leafsight/bin/python", "--workdir", "/tmp"]
    words += [setup.options.image, "-m", "benchmarks.faults.flooding", "/order.json"]
    scene.begins()
    told = setup.engine.say(*words, limit_s=scene.timing.hold_s + 120)
    scene.is_back()
    path.unlink()
    found: dict[str, Any] = json.loads(told.splitlines()[-1])
    scene.figures["flood"] = found
    scene.figures["restarts"] = {
        name.removeprefix(setup.name + "-"): setup.engine.restarts(name) - count for name, count in before.items()
    }
    scene.note(f"the flood ended: {found['sent']} requests, {found['answers']}")


def _photographs(scene: Scene, kind: str) -> list[Path]:
    size = "12MP" if kind == "large" else "0-8MP"
    return sorted((scene.folder.parent / "photographs").glob(f"{size}-*.jpg"))


def _key_of_flooder(scene: Scene) -> str:
    return scene.setup.command(["keys", "make", "flooder", "--quiet", "--scope", "predict"]).splitlines()[-1].strip()


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
    until = time.monotonic() + order["seconds"]
    key = f"\r\nAuthorization: Bearer {order['key']}\r\n".encode()

    def with_key(data: bytes) -> bytes:
        return data if b"Authorization:" in data else data.replace(b"\r\n", key, 1)

    async def send(number: int) -> None:
        turn = 0
        while time.monotonic() < until:
            turn += 1
            if order["kind"] == "large":
                some = {"12 MP": (post("image/jpeg", photographs[(number + turn) % len(photographs)]), "wait")}
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
        "answers": dict(sorted(counts.items())),
        "server_errors": {
            name: wrong for name, found in by_case.items()
            if (wrong := {said: n for said, n in found.items() if said[0] == "5" and said != "503"})
        },
        "by_case": {name: dict(sorted(found.items())) for name, found in sorted(by_case.items())},
    }  # fmt: skip


async def _sent(host: str, port: int, data: bytes, manner: str) -> str:
    context = ssl.create_default_context()
    context.check_hostname, context.verify_mode = False, ssl.CERT_NONE
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            reader, writer = await asyncio.open_connection(host, port, ssl=context)
    except (OSError, TimeoutError):
        return "no connection"
    try:
        async with asyncio.timeout(ANSWER_LIMIT_S):
            writer.write(data)
            if manner == "stall":
                await asyncio.sleep(STALL_S)
            if manner != "wait":
                return manner
            head = await reader.readuntil(b"\r\n")
            status = head.split(b" ")[1].decode() if head.startswith(b"HTTP/") else "no HTTP"
            await reader.read()
            return status
    except TimeoutError:
        return "no answer"
    except (OSError, ValueError, IndexError, asyncio.IncompleteReadError, ssl.SSLError):
        return "closed"
    finally:
        writer.transport.abort()


if __name__ == "__main__":
    sys.exit(main())
