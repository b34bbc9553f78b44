"""Changes that are no faults: another image, another model, a retraining. Nobody should notice them."""

from __future__ import annotations

import io
import json
import time
import zipfile
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.faults.engine import EngineError
from benchmarks.faults.scene import Scene

from leafsight.bundle import builtin_bundle_path, open_bundle, write_bundle
from leafsight.loadtest.asking import Address, ask

WARMER = 1.6
"""The second model is the first with another temperature: as quick, and every probability is another one."""
KNOWN_S = 5.0
"""The proxy looks replicas up every two seconds."""
JOB_LIMIT_S, LOOK_S = 300.0, 0.3
NEW_CLASSES = {"Roundleaf___Rust": ("Roundleaf", "Rust"), "Lanceleaf___Blight": ("Lanceleaf", "Blight")}
LEAVES = 30


def write_second_model(path: Path) -> str:
    """A model whose answers differ from the built-in one's in every probability; its hash."""
    contents = open_bundle(builtin_bundle_path()).contents()
    calibration = dict(contents.calibration)
    calibration["temperature"] = float(calibration["temperature"]) * WARMER
    return write_bundle(path, replace(contents, name="second", calibration=calibration)).content_hash


def roll(scene: Scene) -> None:
    """The new image, replica by replica, in the order of ``deploy/compose/roll.py``."""
    setup, engine = scene.setup, scene.setup.engine

    def add() -> str:
        new = setup.add_replica(scene.second_image)
        engine.wait_until_healthy(new)
        time.sleep(KNOWN_S)
        scene.note("a new replica is ready")
        return new

    scene.begins()
    old = list(setup.replicas)
    more = add()
    for one in old:
        setup.remove_replica(one)
        scene.note("an old one has ended")
        add()
    setup.remove_replica(more)
    scene.is_back()
    scene.note("the additional one has ended")
    scene.figures["images"] = sorted({engine.look(name)["Image"][:12] for name in setup.replicas})


def add_second_model(scene: Scene) -> None:
    """Put the second model into the registry; it does not serve yet."""
    told = scene.setup.command(
        ["models", "add", "/model/second.leafsight", "--json"],
        ["--volume", f"{scene.folder.parent.absolute()}/second:/model:ro"],
    )
    added = json.loads(told[told.index("{") :])
    scene.figures["added"] = added.get("hash") or added.get("id")


def promote(scene: Scene) -> None:
    """Promote the second model, and see when every replica has it."""
    before = {row["model"] for row in _models_of(scene)}
    scene.begins()
    scene.post(f"/v1/models/{scene.models[1]}/promote", {"reason": "a fault study"})
    scene.note("promoted")
    until = time.monotonic() + JOB_LIMIT_S
    while {row["model"] for row in _models_of(scene)} != {scene.models[1]}:
        if time.monotonic() > until:
            raise EngineError("not every replica took the promoted model up")
        time.sleep(LOOK_S)
    scene.is_back()
    scene.note("every replica answers with it")
    scene.figures |= {
        "models_before": sorted(before),
        "all_replicas_after_s": round(scene.back_s - scene.fault_s, 1),
    }


def _models_of(scene: Scene) -> list[dict[str, Any]]:
    """The model of each replica, asked past the proxy."""
    found = []
    for name in scene.setup.replicas:
        address = Address(scene.setup.engine.address(name, scene.setup.network("front")), 8000)
        status, body = ask(address, "GET", "/v1/about", key=scene.setup.key)
        if status != 200:
            raise EngineError(f"{name} answers GET /v1/about with {status}")
        found.append({"replica": name, "model": json.loads(body)["model"]["id"]})
    return found


def teach(scene: Scene) -> None:
    """Send drawn leaves of two classes that the model does not know, declare them, accept all."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in drawn_leaves().items():
            archive.writestr(name, data)
    status, body = ask(
        scene.setup.admin, "POST", "/v1/uploads", key=scene.setup.key, body=packed.getvalue(),
        kind="application/zip", timeout_s=60,
    )  # fmt: skip
    if status >= 400:
        raise EngineError(f"the archive was answered with {status}: {body[:300]!r}")
    upload = json.loads(body)["job"]
    _ended(scene, upload)
    for name in NEW_CLASSES:
        scene.post("/v1/classes/declared", {"name": name, "note": "a fault study"})
    decided = scene.post("/v1/contributions/decide", {"upload": upload, "state": "accepted"})
    scene.figures["accepted"] = decided.get("changed")


def drawn_leaves() -> dict[str, bytes]:
    """Name in the archive -> JPEG."""
    from PIL import Image

    from leafsight.dataset import draw_leaf

    found = {}
    for folder, (crop, condition) in NEW_CLASSES.items():
        for number in range(LEAVES):
            file = io.BytesIO()
            leaf = draw_leaf(crop, condition, seed=9000 + number, field=True, side_px=256)
            Image.fromarray(leaf).save(file, "JPEG", quality=92)
            found[f"{folder}/{number:03d}.jpg"] = file.getvalue()
    return found


def retrain(scene: Scene) -> None:
    """Ask for a retraining by the quick path and wait for its end."""
    scene.begins()
    job = scene.post("/v1/retraining", {"path": "quick", "reason": "a fault study"})["job"]
    scene.note("asked for")
    ended = _ended(scene, job, scene)
    scene.is_back()
    result = ended.get("result") or {}
    scene.note(f"the retraining is {ended['state']}")
    scene.figures |= {
        "seconds": round(scene.back_s - scene.fault_s, 1),
        "state": ended["state"],
        "error": ended.get("error"),
        "gate_passed": (result.get("gate") or {}).get("passed"),
        "promoted": result.get("promoted"),
    }
    if ended["state"] != "done":
        raise EngineError(f"the retraining {ended['state']}: {ended.get('error')}")


def _ended(scene: Scene, job: str, told: Scene | None = None) -> dict[str, Any]:
    until, state = time.monotonic() + JOB_LIMIT_S, ""
    while time.monotonic() < until:
        found = scene.get(f"/v1/jobs/{job}")
        if told is not None and found["state"] != state:
            state = found["state"]
            told.note(f"the job is {state}")
        if found["state"] in ("done", "failed", "cancelled"):
            return found
        time.sleep(LOOK_S)
    raise EngineError(f"the job {job} did not end within {JOB_LIMIT_S:.0f} s")
