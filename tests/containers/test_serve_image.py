"""The image that answers: what is in it, how it starts, answers and ends."""

from __future__ import annotations

import http.client
import io
import json
import subprocess
import tarfile
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import cache

import numpy as np
import pytest
from PIL import Image
from tests.containers.asking import Web
from tests.containers.composing import KEY
from tests.containers.engine import (
    ENGINE,
    LABEL,
    SERVE,
    call,
    inspected,
    logs,
    port_of,
    python_in,
    running,
    until,
)

from leafsight.bundle import builtin_bundle_path
from leafsight.dataset import SynthOptions, write_synthetic_collection
from leafsight.inference import BundlePredictor

MOST_BYTES = 450 * 1000**2
FIRST_KEY = (
    "--env",
    "LEAFSIGHT_FIRST_KEY=yes",
    "--publish",
    "127.0.0.1::8000",
    "--volume",
    "/var/lib/leafsight",
)
TOOLS = {
    "sh",
    "bash",
    "dash",
    "busybox",
    "apt",
    "apt-get",
    "dpkg",
    "pip",
    "pip3",
    "curl",
    "wget",
    "perl",
    "su",
    "gcc",
}


@cache
def files_of(image: str) -> frozenset[str]:
    """Every path in an image."""
    name = call("create", "--label", LABEL, image).stdout.strip()
    try:
        with subprocess.Popen([ENGINE, "export", name], stdout=subprocess.PIPE) as exporting:
            assert exporting.stdout is not None
            with tarfile.open(fileobj=exporting.stdout, mode="r|") as packed:
                return frozenset(info.name for info in packed)
    finally:
        call("rm", "--force", "--volumes", name)


@pytest.fixture(scope="module")
def photographs(tmp_path_factory: pytest.TempPathFactory) -> list[bytes]:
    """Drawn leaves."""
    folder = tmp_path_factory.mktemp("drawn")
    options = SynthOptions(leaves_per_class=2, views_per_leaf=1, side_px=256)
    write_synthetic_collection(folder / "all", options)
    return [path.read_bytes() for path in sorted((folder / "all").rglob("*.jpg"))[:12]]


@pytest.fixture(scope="module")
def started() -> Iterator[str]:
    """The service with 0.4 of a processor and 512 MB."""
    limits = ("--cpus", "0.4", "--memory", "512m", "--pids-limit", "128")
    with running(SERVE, options=(*FIRST_KEY, *limits)) as name:
        yield name


@pytest.fixture(scope="module")
def service(started: str) -> Web:
    """The same, ready, with its key."""
    until(lambda: Web(port_of(started)).ask("/readyz").status == 200)
    found = KEY.search(logs(started))
    assert found
    return Web(port_of(started), found[1])


def test_it_is_small_and_says_what_it_is() -> None:
    about = inspected(SERVE)
    assert about["Size"] < MOST_BYTES
    labels = about["Config"]["Labels"] if "Config" in about else about["Labels"]
    assert labels["org.opencontainers.image.licenses"] == "Apache-2.0"
    assert about["Config"]["User"] == "10001:10001"
    assert "/var/lib/leafsight" in about["Config"]["Volumes"]


def test_there_is_no_torch_no_shell_and_no_package_manager() -> None:
    names = files_of(SERVE)
    programs = {name.rpartition("/")[2] for name in names if "/bin/" in f"/{name}" or "/sbin/" in f"/{name}"}
    assert programs & TOOLS == set()
    assert not [
        name for name in names if "/site-packages/torch/" in f"/{name}" or "/site-packages/pip/" in name
    ]


def test_the_bill_of_materials_lists_what_is_installed() -> None:
    program = (
        "import json; from importlib.metadata import distributions;"
        "bill = json.load(open('/usr/share/leafsight/sbom.cdx.json'));"
        "print(json.dumps([sorted({d.name.lower().replace('_', '-') for d in distributions()}),"
        "sorted({c['name'].lower().replace('_', '-') for c in bill['components']})]))"
    )
    installed, listed = json.loads(python_in(SERVE, program))
    assert {"onnxruntime", "fastapi", "psycopg", "obstore"} <= set(installed)
    assert set(installed) - set(listed) - {"leafsight"} == set()


def test_with_less_than_a_processor_it_is_one_process_and_becomes_healthy(started: str, service: Web) -> None:
    assert "with 1 processes" in logs(started)
    assert call("healthcheck", "run", started).returncode == 0
    about = inspected(started)
    assert about["HostConfig"]["ReadonlyRootfs"]
    uid = call("exec", started, "/opt/leafsight/bin/python", "-c", "import os; print(os.getuid())").stdout
    assert uid.strip() == "10001"
    assert service.ask("/healthz").status == 200


def test_answers_are_those_of_the_library_on_this_machine(service: Web, photographs: list[bytes]) -> None:
    predictor = BundlePredictor(builtin_bundle_path())
    for photograph in photographs:
        answer = service.predict(photograph)
        assert answer.status == 200, answer.body
        theirs, [ours] = answer.json["predictions"][0], predictor.predict([photograph])
        assert (theirs["verdict"], theirs["class_name"]) == (ours.verdict, ours.class_name)
        assert theirs["probability"] == pytest.approx(ours.probability, abs=2e-3)


def test_large_photographs_stay_within_the_memory(started: str, service: Web) -> None:
    pixels = np.random.default_rng(0).integers(0, 256, (3000, 4000, 3), dtype=np.uint8)
    out = io.BytesIO()
    Image.fromarray(pixels).resize((4000, 3000)).save(out, "JPEG", quality=80)
    with ThreadPoolExecutor(4) as pool:
        statuses = Counter(answer.status for answer in pool.map(service.predict, [out.getvalue()] * 12))
    assert set(statuses) <= {200, 503}, statuses
    assert statuses[200]
    assert not inspected(started)["State"]["OOMKilled"]
    assert service.ask("/readyz").status == 200


def test_doctor_finds_the_installation_in_order(started: str, service: Web) -> None:
    found = call("exec", started, "/opt/leafsight/bin/leafsight", "doctor", "--json", check=False)
    assert found.returncode == 0, found.stdout + found.stderr


def test_told_to_end_it_answers_what_was_begun(photographs: list[bytes]) -> None:
    """Requests come all the time, each on a new connection: each is answered, or never taken."""
    seen: Counter[str] = Counter()
    over = threading.Event()

    def ask_on(web: Web) -> None:
        while not over.is_set():
            try:
                seen[str(web.predict(photographs[0]).status)] += 1
            except ConnectionRefusedError:
                seen["refused"] += 1
                return
            except (OSError, http.client.HTTPException) as error:
                seen[repr(error)] += 1

    with running(SERVE, options=FIRST_KEY) as name:
        until(lambda: Web(port_of(name)).ask("/readyz").status == 200)
        found = KEY.search(logs(name))
        assert found
        web = Web(port_of(name), found[1])
        threads = [threading.Thread(target=ask_on, args=(web,)) for _ in range(4)]
        for thread in threads:
            thread.start()
        until(lambda: seen["200"] >= 20)
        began = time.monotonic()
        call("stop", "--time", "30", name)
        took_s = time.monotonic() - began
        over.set()
        for thread in threads:
            thread.join()
        assert inspected(name)["State"]["ExitCode"] == 0
        assert took_s < 10
        assert set(seen) <= {"200", "503", "refused"}, seen
