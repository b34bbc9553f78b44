"""A service that ends: who comes meanwhile on a new connection is answered, or refused at once."""

from __future__ import annotations

import http.client
import threading
import time
from collections import Counter
from contextlib import closing
from pathlib import Path

import pytest
from tests.fakes.pictures import picture_bytes
from tests.fakes.tiny_bundle import RED
from tests.service.running import PATIENCE_S, running_service

pytestmark = pytest.mark.slow
CALLERS = 6


@pytest.mark.parametrize("workers", ["1", "2"])
def test_nobody_is_left_waiting_at_the_door(tmp_path: Path, colour_model: Path, workers: str) -> None:
    """A proxy asks another replica when a connection is refused, and gives up when it is reset."""
    seen: Counter[str] = Counter()
    photograph = picture_bytes(RED)

    def ask_on(port: int) -> None:
        while True:
            try:
                with closing(http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE_S)) as connection:
                    connection.request("POST", "/v1/predict", photograph, {"Content-Type": "image/jpeg"})
                    seen[str(connection.getresponse().status)] += 1
            except ConnectionRefusedError:
                seen["refused"] += 1
                return
            except (OSError, http.client.HTTPException) as error:
                seen[type(error).__name__] += 1
                return

    with running_service(tmp_path, colour_model, "--workers", workers) as service:
        threads = [threading.Thread(target=ask_on, args=(service.port,)) for _ in range(CALLERS)]
        for thread in threads:
            thread.start()
        while seen["200"] < 30:
            time.sleep(0.02)
        assert service.end() == 0
        for thread in threads:
            thread.join(PATIENCE_S)
    assert set(seen) <= {"200", "503", "refused"}, seen
    assert seen["refused"] == CALLERS
