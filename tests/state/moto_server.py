"""A real S3 server of this machine: moto (``serve_moto.py``) in its own process, with made-up credentials."""

from __future__ import annotations

import atexit
import functools
import importlib.util
import subprocess
import sys
import time
import urllib.error
import urllib.request
from pathlib import Path

import pytest
from tests.fakes.ports import free_port

BUCKET = "leaves"
CREDENTIALS = {"AWS_ACCESS_KEY_ID": "nobody", "AWS_SECRET_ACCESS_KEY": "nothing"}
PATIENCE_S = 30.0
SERVER = Path(__file__).with_name("serve_moto.py")
USUAL_SWITCH_S = 0.005
"""Python's own time between two threads."""


def start_moto(
    switch_interval_s: float = USUAL_SWITCH_S, port: int = 0
) -> tuple[subprocess.Popen[bytes], str]:
    """A fresh server with one bucket, on a free port where none is given: the process, and its address."""
    if importlib.util.find_spec("moto") is None or importlib.util.find_spec("flask") is None:
        pytest.skip("S3 is NOT tested: moto is missing (pip install 'moto[server]')")
    port = port or free_port()
    # -P: the modules that lie beside the server hide none of a library.
    words = [sys.executable, "-P", str(SERVER), str(port), str(switch_interval_s)]
    process = subprocess.Popen(words, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    endpoint = f"http://127.0.0.1:{port}"
    try:
        _wait_for(process, endpoint)
        make_bucket(endpoint, BUCKET)
    except BaseException:
        stop(process)
        raise
    return process, endpoint


def _wait_for(process: subprocess.Popen[bytes], endpoint: str) -> None:
    until = time.monotonic() + PATIENCE_S
    while True:
        try:
            urllib.request.urlopen(f"{endpoint}/moto-api/", timeout=5).close()
            return
        except OSError as error:
            if process.poll() is not None or time.monotonic() > until:
                raise RuntimeError("moto did not start") from error
            time.sleep(0.05)


def make_bucket(endpoint: str, name: str) -> None:
    urllib.request.urlopen(urllib.request.Request(f"{endpoint}/{name}", method="PUT"), timeout=5).close()


def stop(process: subprocess.Popen[bytes]) -> None:
    process.kill()
    process.wait()


@functools.cache
def shared_moto() -> str:
    """The address of one server for all tests of this process; it ends with the process."""
    process, endpoint = start_moto()
    atexit.register(stop, process)
    return endpoint


def s3_url(endpoint: str, prefix: str, bucket: str = BUCKET) -> str:
    return f"s3://{bucket}/{prefix}?endpoint={endpoint}&region=us-east-1"
