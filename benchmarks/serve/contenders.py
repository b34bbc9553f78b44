"""Who is compared, and how each is started.

Enters: a folder for the peers' environment and a scratch folder. Leaves: commands. It does not know what is
measured.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from importlib import metadata
from pathlib import Path
from typing import Any

from benchmarks.serve.processes import Server, free_port

PEERS = Path(__file__).parent / "peers"
PEER_PACKAGES = (
    "litserve", "bentoml", "fastapi", "uvicorn[standard]", "python-multipart",
    "pillow", "onnxruntime", "numpy",
)  # fmt: skip
SAME_AS_OURS = ("onnxruntime", "numpy", "pillow", "fastapi", "uvicorn")  # so that not they are compared
SHOWN_VERSIONS = {"litserve", "bentoml", "fastapi", "starlette", "uvicorn", "uvloop", "httptools", "pillow"}
SHOWN_VERSIONS |= {"onnxruntime", "numpy", "torch", "python-multipart", "simplejpeg", "leafsight"}


@dataclass(frozen=True)
class Place:
    """Where things are.

    Attributes:
        venv: environment of the peers.
        scratch: ours to write; holds the network, the classes and one folder for each start.
        serve_options: added to ``leafsight serve``.
    """

    venv: Path
    scratch: Path
    serve_options: tuple[str, ...] = ()

    def peer_program(self, name: str) -> str:
        return str(self.venv / "bin" / name)

    def own_program(self, name: str) -> str:
        return str(Path(sys.executable).parent / name)


@dataclass(frozen=True)
class Contender:
    """One server and its settings.

    Attributes:
        name: in the table.
        command: from the place and a port.
        path: of the prediction.
        environment: beyond what every peer gets.
        body: how photographs are sent.
        ours: whether it is leafsight.
        stop_limit_s: how long to wait after SIGTERM before its processes are killed.
    """

    name: str
    command: Callable[[Place, int, Path], list[str]]
    path: str = "/predict"
    environment: dict[str, str] = field(default_factory=dict)
    body: str = "multipart"
    ours: bool = False
    stop_limit_s: float = 5.0

    def url(self, port: int) -> str:
        return f"http://127.0.0.1:{port}{self.path}"

    def start(self, place: Place) -> Server:
        """Start it in an empty folder of its own, on a free port."""
        port, count = free_port(), sum(1 for _ in place.scratch.glob("run-*"))
        folder = place.scratch / f"run-{count:04d}-{self.name.replace(' ', '-').replace(',', '')}"
        folder.mkdir(parents=True)
        environment = {
            "PEER_NETWORK": str(place.scratch / "network.onnx"),
            "PEER_CLASSES": str(place.scratch / "classes.json"),
            "PEER_BUNDLE": str(place.scratch / "model.leafsight"),
            "PEER_SIDE_PX": (place.scratch / "side_px").read_text(),
            "PEER_PORT": str(port),
            "BENTOML_DO_NOT_TRACK": "True",
            "BENTOML_HOME": str(place.scratch / "bentoml"),
            "PYTHONDONTWRITEBYTECODE": "",  # a start without bytecode is nobody's real one
        }
        return Server(self.command(place, port, folder), port, environment | self.environment, folder)

    def top_class(self, body: bytes) -> str:
        """The most probable class of an answer."""
        answer: Any = json.loads(body)
        if self.ours:
            return str(answer["predictions"][0]["top"][0]["class_name"])
        one = answer[0] if isinstance(answer, list) else answer  # batched, BentoML gives a list
        return str(one["class_name"])


def _leafsight(place: Place, port: int, folder: Path) -> list[str]:
    program = [place.own_program("leafsight"), "serve"]
    # The page is not what is measured; a leafsight without a page has no option to leave it out.
    more = ["--no-web"] if "--no-web" in _help_of(*program) else []
    return [*program, "--port", str(port), "--state-dir", str(folder / "state"), *more, *place.serve_options]


@cache
def _help_of(*program: str) -> str:
    return subprocess.run([*program, "--help"], capture_output=True, text=True, check=True).stdout


def _uvicorn(app: str, *more: str) -> Callable[[Place, int, Path], list[str]]:
    def command(place: Place, port: int, _folder: Path) -> list[str]:
        return [place.peer_program("uvicorn"), app, "--app-dir", str(PEERS), "--port", str(port), *more]

    return command


def _torch(place: Place, port: int, _folder: Path) -> list[str]:
    where = ["--app-dir", str(PEERS), "--port", str(port)]
    return [sys.executable, "-m", "uvicorn", "fastapi_torch:app", *where]


def _litserve(place: Place, _port: int, _folder: Path) -> list[str]:
    return [place.peer_program("python"), str(PEERS / "litserve_api.py")]


def _bentoml(place: Place, port: int, _folder: Path) -> list[str]:
    program = [place.peer_program("bentoml"), "serve", "bentoml_service:Leaf"]
    return [*program, "--working-dir", str(PEERS), "--host", "127.0.0.1", "--port", str(port)]


CONTENDERS = {
    one.name: one
    for one in (
        Contender("leafsight", _leafsight, "/v1/predict", ours=True, stop_limit_s=40),
        Contender("leafsight, raw body", _leafsight, "/v1/predict", body="raw", ours=True, stop_limit_s=40),
        Contender("fastapi", _uvicorn("fastapi_onnx:app")),
        Contender("fastapi, 2 workers", _uvicorn("fastapi_onnx:app", "--workers", "2")),
        Contender("litserve", _litserve),
        Contender("litserve, batched", _litserve, environment={"PEER_BATCH": "4"}),
        Contender("litserve, fast queue", _litserve, environment={"PEER_FAST_QUEUE": "1"}),
        Contender("bentoml", _bentoml),
        Contender("bentoml, batched", _bentoml, environment={"PEER_BATCH": "8"}),
        Contender("fastapi, torch", _torch),
    )
}


def set_up(venv: Path) -> None:
    """Make the peers' environment; they come at their newest, and what they share with us as we have it."""
    subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--quiet", "--disable-pip-version-check"]
    pins = venv / "same-as-ours.txt"
    pins.write_text("".join(f"{name}=={metadata.version(name)}\n" for name in SAME_AS_OURS))
    subprocess.run([*pip, "--constraint", str(pins), *PEER_PACKAGES], check=True)


def lay_out(scratch: Path) -> None:
    """Write the built-in model's network, classes and side for the peers."""
    from leafsight.bundle import builtin_bundle_path, open_bundle

    bundle = open_bundle(builtin_bundle_path(), keep_network=True)
    scratch.mkdir(parents=True, exist_ok=True)
    (scratch / "network.onnx").write_bytes(bundle.network())
    (scratch / "classes.json").write_text(json.dumps(bundle.classes))
    (scratch / "side_px").write_text(str(bundle.preprocessing["side_px"]))
    (scratch / "model.leafsight").write_bytes(Path(builtin_bundle_path()).read_bytes())


def versions(python: str) -> dict[str, str]:
    """Versions of what matters in an environment; empty when it is not there."""
    if not os.access(python, os.X_OK):
        return {}
    listed = subprocess.run(
        [python, "-m", "pip", "list", "--format", "json", "--disable-pip-version-check"],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return {row["name"]: row["version"] for row in json.loads(listed) if row["name"] in SHOWN_VERSIONS}
