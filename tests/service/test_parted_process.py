"""An upload in parts to a real service that is killed in the middle of one."""

from __future__ import annotations

import json
import os
import signal
import sys
from pathlib import Path

import pytest
from tests.fakes.made_archives import leaf_zip
from tests.service.asking import ask_once
from tests.service.running import RunningService, running_service
from tests.service.test_clerk_process import children

from leafsight.service.parted_routes import PART

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(sys.platform != "linux", reason="looks at processes in /proc"),
]


def send(service: RunningService, where: str, offset: int, data: bytes) -> tuple[int, bytes]:
    headers = {"content-type": PART, "upload-offset": str(offset)}
    status, _, answer = ask_once(service.port, "PATCH", where, data, headers)
    return status, answer


def test_a_kill_in_the_middle_costs_the_part_that_was_not_acknowledged(
    tmp_path: Path, colour_model: Path
) -> None:
    body, third = leaf_zip(30), len(leaf_zip(30)) // 3
    with running_service(tmp_path / "state", colour_model) as service:
        begun = {"content-type": "application/zip", "upload-length": str(len(body))}
        status, headers, _ = ask_once(service.port, "POST", "/v1/uploads", None, begun)
        assert status == 201
        where = headers["location"]
        assert send(service, where, 0, body[:third])[0] == 204
        with service.connect() as connection:
            head = f"PATCH {where} HTTP/1.1\r\nHost: localhost\r\nContent-Type: {PART}\r\n"
            head += f"Upload-Offset: {third}\r\nContent-Length: {third}\r\n\r\n"
            connection.send(head.encode() + body[third : third + third // 2])
            for process in (*children(service.process.pid), service.process.pid):
                os.kill(process, signal.SIGKILL)
            assert connection.answer().status == 0
    with running_service(tmp_path / "state", colour_model) as service:
        status, headers, _ = ask_once(service.port, "HEAD", where)
        assert (status, headers["upload-offset"]) == (200, str(third))
        assert send(service, where, third, body[third : 2 * third])[0] == 204
        status, answer = send(service, where, 2 * third, body[2 * third :])
        assert status == 202, answer
        upload = json.loads(answer)["id"]
        _, _, whole = ask_once(service.port, "POST", "/v1/uploads", body, {"content-type": "application/zip"})
        hashes = set()
        for one in (upload, json.loads(whole)["id"]):
            hashes.add(json.loads(ask_once(service.port, "GET", f"/v1/uploads/{one}")[2])["sha256"])
        assert len(hashes) == 1
