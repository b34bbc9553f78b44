"""From an upload to a server that knows the new classes, timed step by step, and serving beside a retraining.

    python -m benchmarks.learning_loop FOLDER --classes daisy,rose,tulip --photographs 1000
    python -m benchmarks.learning_loop FOLDER --classes daisy,rose,tulip --beside --rounds 3

FOLDER holds class folders that the built-in model does not know. A server is started on an empty folder, one
archive is sent, the classes are declared, everything is accepted by hand (doubts included: what is timed is
the machine, not the person), and a retraining by the quick path is asked for. Photographs that were not sent
are diagnosed until an answer names a new class: the time from the request for a retraining to that answer is
the figure; there is none where the gate says no. With ``--beside`` the p99 of a service at half of its
capacity is measured before and while a retraining runs, in turn, several times.
"""

from __future__ import annotations

import argparse
import io
import json
import random
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.request
import zipfile
from pathlib import Path
from typing import Any

from benchmarks.serve.photographs import photographs_folder
from benchmarks.serve.processes import Server, free_port

READY = b"GET /readyz HTTP/1.1\r\nHost: localhost\r\nConnection: close\r\n\r\n"
LOOK_S = 0.2
LIMIT_S = 1800.0


class Service:
    """A server on a folder of its own, asked over HTTP."""

    def __init__(self, folder: Path, workers: int) -> None:
        self.port = free_port()
        program = [str(Path(sys.executable).parent / "leafsight"), "serve", "--port", str(self.port)]
        place = ["--state-dir", str(folder / "state"), "--workers", str(workers), "--deadline-ms", "10000"]
        self.server = Server([*program, *place], self.port, {}, folder)
        self.server.wait_until_answers("/readyz", READY)

    def ask(self, path: str, body: Any = None, kind: str = "application/json", method: str = "") -> Any:
        """The JSON answer; ``body`` is sent as JSON unless it is bytes."""
        data = body if body is None or isinstance(body, bytes) else json.dumps(body).encode()
        request = urllib.request.Request(f"http://127.0.0.1:{self.port}{path}", data, method=method or None)
        if data is not None:
            request.add_header("Content-Type", kind)
        with urllib.request.urlopen(request, timeout=120) as answer:
            return json.loads(answer.read())

    def ended(self, job: str) -> dict[str, Any]:
        """The job when it has ended.

        Raises:
            RuntimeError: it did not end well.
        """
        until = time.monotonic() + LIMIT_S
        while time.monotonic() < until:
            found: dict[str, Any] = self.ask(f"/v1/jobs/{job}")
            if found["state"] == "done":
                return found
            if found["state"] in ("failed", "cancelled"):
                raise RuntimeError(f"the job {found['state']}: {found['error']}")
            time.sleep(LOOK_S)
        raise RuntimeError("the job did not end in time")


def main() -> int:
    options = _options()
    sent, kept_back = _chosen(options)
    with tempfile.TemporaryDirectory() as made:
        service = Service(Path(made), options.workers)
        try:
            found: dict[str, Any] = {
                "photographs": len(sent),
                "classes": options.classes,
                "seed": options.seed,
            }
            found |= _taught(service, sent, options.classes)
            if options.beside:
                found |= {"beside": _beside(service, options, Path(made))}
            else:
                found |= _retrained(service, kept_back, options.classes)
        finally:
            service.server.stop()
    print(json.dumps(found, indent=None if options.json else 2))
    return 0


def _chosen(options: argparse.Namespace) -> tuple[dict[str, bytes], list[tuple[str, bytes]]]:
    """What is sent by name in the archive, and some photographs of each class that are not."""
    draw = random.Random(options.seed)
    each = -(-options.photographs // len(options.classes))
    sent: dict[str, bytes] = {}
    back: list[tuple[str, bytes]] = []
    for name in options.classes:
        files = sorted(path for path in (options.folder / name).iterdir() if path.is_file())
        draw.shuffle(files)
        take = min(each, len(files) - 5, options.photographs - len(sent))
        sent |= {f"{name}/{path.name}": path.read_bytes() for path in files[:take]}
        back += [(name, path.read_bytes()) for path in files[take : take + 20]]
    draw.shuffle(back)
    return sent, back


def _taught(service: Service, sent: dict[str, bytes], classes: list[str]) -> dict[str, Any]:
    """Sent, looked into, declared, accepted."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for name, data in sent.items():
            archive.writestr(name, data)
    began = time.perf_counter()
    upload = service.ask("/v1/uploads", packed.getvalue(), "application/zip")
    took = time.perf_counter() - began
    result = service.ended(upload["job"])["result"]
    looked = time.perf_counter() - began - took
    for name in classes:
        service.ask("/v1/classes/declared", {"name": name, "note": "benchmark"})
    summary = service.ask("/v1/contributions/summary")
    accepted = 0
    began = time.perf_counter()
    for start in range(0, len(ids := _ids(service)), 500):
        accepted += service.ask(
            "/v1/contributions/decide", {"ids": ids[start : start + 500], "state": "accepted"}
        )["changed"]
    return {
        "sent_s": round(took, 2),
        "looked_into_s": round(looked, 1),
        "found": {key: result.get(key) for key in ("contributions", "usable", "photographs")},
        "doubtful": summary.get("doubtful"),
        "accepted": accepted,
        "accepted_s": round(time.perf_counter() - began, 2),
    }


def _ids(service: Service) -> list[str]:
    found, after = [], ""
    while True:
        page = service.ask(f"/v1/contributions?state=waiting&limit=200{after}")
        found += [one["id"] for one in page["contributions"]]
        if not page["next"]:
            return found
        after = f"&after={page['next']}"


def _retrained(service: Service, kept_back: list[tuple[str, bytes]], classes: list[str]) -> dict[str, Any]:
    """From the trigger to the first answer that knows a new class."""
    photos = [data for _, data in kept_back]
    began = time.perf_counter()
    job = service.ask("/v1/retraining", {"path": "quick"})["job"]
    steps: dict[str, float] = {}
    answer, state = "", "queued"
    while time.perf_counter() - began < LIMIT_S:
        if state not in ("done", "failed", "cancelled"):
            found = service.ask(f"/v1/jobs/{job}")
            state = found["state"]
            part = str(found["progress"].get("part") or state)
            steps.setdefault(part, round(time.perf_counter() - began, 1))
            if state == "failed":
                raise RuntimeError(f"the retraining failed: {found['error']}")
            if state == "done" and not found["result"]["promoted"]:
                break  # the gate said no: nothing will know the classes
        said = service.ask("/v1/predict", photos[len(steps) % len(photos)], "image/jpeg")
        one = said["predictions"][0] if "predictions" in said else said
        names = [top["class_name"] for top in one["top"]]
        if set(names) & set(classes):
            answer = one["class_name"] or names[0]
            break
        time.sleep(LOOK_S)
    known = time.perf_counter() - began
    result = service.ended(job)["result"]
    right = 0
    verdicts: dict[str, int] = {}
    for name, data in kept_back:
        said = service.ask("/v1/predict", data, "image/jpeg")
        one = said["predictions"][0] if "predictions" in said else said
        right += one["top"][0]["class_name"] == name
        verdicts[one["verdict"]] = verdicts.get(one["verdict"], 0) + 1
    gate = result["gate"]
    return {
        "trigger_to_answer_s": round(known, 1) if answer else None,
        "first_answer": answer,
        "parts_began_s": steps,
        "gate": {"passed": gate["passed"], "said": gate["said"]},
        "promoted": result["promoted"],
        "not_sent": {"photographs": len(kept_back), "first_class_right": right, "verdicts": verdicts},
    }


def _beside(service: Service, options: argparse.Namespace, scratch: Path) -> dict[str, Any]:
    """p99 at half load, in turn without and with a retraining under way."""
    photos = photographs_folder(scratch)
    capacity = _load(service, photos, ["--closed", "8", "--seconds", "10", "--warm-s", "2"])["per_s"]
    rate = round(capacity * options.share, 1)
    rounds = []
    for number in range(options.rounds):
        words = ["--rate", str(rate), "--seed", str(number), "--warm-s", "2"]
        alone = _load(service, photos, [*words, "--seconds", str(options.seconds)])
        running = _begun(service, photos, [*words, "--seconds", str(options.seconds)])
        time.sleep(2)
        began, trainings = time.perf_counter(), 0
        while running.poll() is None:
            job = service.ask("/v1/retraining", {"path": "quick", "reason": f"round {number}.{trainings}"})[
                "job"
            ]
            while running.poll() is None and service.ask(f"/v1/jobs/{job}")["state"] in ("queued", "running"):
                time.sleep(LOOK_S)
            trainings += 1
        took = time.perf_counter() - began
        service.ended(job)
        during = json.loads(running.communicate()[0])
        rounds.append(
            {
                "alone_p99_ms": alone["ok_ms"]["p99"],
                "during_p99_ms": during["ok_ms"]["p99"],
                "ratio": round(during["ok_ms"]["p99"] / alone["ok_ms"]["p99"], 2),
                "alone_p50_ms": alone["ok_ms"]["p50"],
                "during_p50_ms": during["ok_ms"]["p50"],
                "retrainings": trainings,
                "seconds": round(took, 1),
            }
        )
    ratios = [one["ratio"] for one in rounds]
    return {
        "capacity_per_s": capacity,
        "rate_per_s": rate,
        "p99_ratio_median": statistics.median(ratios),
        "p99_ratio_least_most": [min(ratios), max(ratios)],
        "rounds": rounds,
    }


def _begun(service: Service, photos: Path, words: list[str]) -> subprocess.Popen[str]:
    command = [
        sys.executable,
        "-m",
        "benchmarks.serve.load",
        "--url",
        f"http://127.0.0.1:{service.port}/v1/predict",
    ]
    return subprocess.Popen(
        [*command, "--photos", str(photos), "--json", *words], stdout=subprocess.PIPE, text=True
    )


def _load(service: Service, photos: Path, words: list[str]) -> dict[str, Any]:
    found: dict[str, Any] = json.loads(_begun(service, photos, words).communicate()[0])
    return found


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("folder", type=Path)
    parser.add_argument("--classes", required=True, type=lambda words: words.split(","))
    parser.add_argument("--photographs", type=int, default=1000)
    parser.add_argument("--workers", type=int, default=2)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--beside", action="store_true", help="serve at half load beside retrainings")
    parser.add_argument("--share", type=float, default=0.5, help="of the capacity")
    parser.add_argument("--seconds", type=float, default=40.0)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--json", action="store_true", help="on one line")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
