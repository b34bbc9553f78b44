"""The load study: ``leafsight serve`` and its peers, on one machine, in one run, in turn.

    python -m benchmarks.serve.run --setup --venv FOLDER                       # once: installs the peers
    python -m benchmarks.serve.run --venv FOLDER --json results.json           # throughput, latency, start
    python -m benchmarks.serve.run --venv FOLDER --scenarios overload,soak,restarts --overload-s 120 \\
        --soak-s 1800 --restarts 100 --contenders leafsight

Prints one report; ``--json`` keeps everything, each round included. Scenarios: throughput, latency, overload,
start, soak, restarts (benchmarks/serve/README.md says what each measures). Ends with 1 when a target that was
measured is missed.
"""

from __future__ import annotations

import argparse
import json
import os
import platform
import resource
import sys
import tempfile
import time
from pathlib import Path
from typing import Any

from benchmarks.serve import report, scenarios, stress
from benchmarks.serve.contenders import CONTENDERS, Contender, Place, lay_out, set_up, versions
from benchmarks.serve.photographs import photographs_folder
from benchmarks.serve.study import Study

SCENARIOS = {
    "throughput": scenarios.throughput,
    "latency": scenarios.latency,
    "overload": stress.overload,
    "start": scenarios.start,
    "soak": stress.soak,
    "restarts": stress.restarts,
}


def main() -> int:
    options = _options()
    if options.setup:
        set_up(options.venv.resolve())
        return 0
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    with tempfile.TemporaryDirectory(prefix="leafsight-serve-study-") as folder:
        study = _study(options, Path(folder))
        results = {"machine": machine(), "settings": _settings(options), "versions": _versions(study)}
        results["generator"] = scenarios.generator_cost(study)
        for name in options.scenarios:
            results[name] = SCENARIOS[name](study)
            _keep(results, options.json)
    _keep(results, options.json)
    print(report.text(results))
    return 0 if report.all_met(results) else 1


def machine() -> dict[str, Any]:
    """What it ran on, and how busy that was at the start."""
    told = Path("/proc/cpuinfo").read_text() if Path("/proc/cpuinfo").exists() else ""
    model = next((line.partition(":")[2].strip() for line in told.splitlines() if "model name" in line), "")
    pages = os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")
    return {
        "processor": model or platform.processor(),
        "architecture": platform.machine(),
        "cores": len(os.sched_getaffinity(0)),
        "memory_gib": round(pages / 2**30, 1),
        "system": platform.release(),
        "python": platform.python_version(),
        "load_before": round(os.getloadavg()[0], 2),
        "when": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
    }


def _study(options: argparse.Namespace, scratch: Path) -> Study:
    lay_out(scratch)
    photos = options.photos or photographs_folder(scratch)
    values = {name: getattr(options, name) for name in Study.__dataclass_fields__ if hasattr(options, name)}
    more = ("--deadline-ms", str(options.deadline_ms)) if options.deadline_ms else ()
    values |= {"place": Place(options.venv.resolve(), scratch, more), "photos": photos}
    return Study(**values)


def _settings(options: argparse.Namespace) -> dict[str, Any]:
    kept = {name: value for name, value in vars(options).items() if name not in ("venv", "json", "setup")}
    kept["contenders"] = [one.name for one in options.contenders]
    kept["photos"] = options.photos.name if options.photos else "data/plantvillage-native-sample, or drawn"
    return kept


def _versions(study: Study) -> dict[str, dict[str, str]]:
    return {"ours": versions(sys.executable), "peers": versions(study.place.peer_program("python"))}


def _keep(results: dict[str, Any], path: Path | None) -> None:
    """After every scenario: an hour of measuring should not be lost to the last one."""
    if path is not None:
        beside = path.with_name(path.name + ".part")
        beside.write_text(json.dumps(results, indent=1))
        beside.replace(path)


def _names(words: str) -> list[str]:
    found = words.split(",")
    if unknown := sorted(set(found) - set(SCENARIOS)):
        raise argparse.ArgumentTypeError(f"no such scenario: {', '.join(unknown)}")
    return found


def _contenders(words: str) -> list[Contender]:
    """By name; names that hold a comma are given with a dash or a space: ``fastapi-torch``."""
    plain = {name.replace(", ", "-").replace(" ", "-"): one for name, one in CONTENDERS.items()}
    if unknown := sorted(set(words.split(",")) - set(plain)):
        raise argparse.ArgumentTypeError(
            f"no such contender: {', '.join(unknown)}; there are {', '.join(plain)}"
        )
    return [plain[word] for word in words.split(",")]


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--venv", type=Path, required=True, help="environment of the peers")
    parser.add_argument("--setup", action="store_true", help="make that environment and end")
    parser.add_argument("--scenarios", type=_names, default=["throughput", "latency", "start"])
    parser.add_argument("--contenders", type=_contenders, default=list(CONTENDERS.values()))
    parser.add_argument("--photos", type=Path, help="folder of JPEG photographs")
    parser.add_argument("--sample", type=int, default=64)
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--seconds", type=float, default=15.0, help="of one measurement")
    parser.add_argument("--warm-s", type=float, default=3.0, help="of load before it")
    parser.add_argument("--connections", type=int, default=8, help="of the closed loop")
    parser.add_argument("--timeout-s", type=float, default=10.0)
    parser.add_argument("--processes", type=int, default=1, help="of the generator")
    parser.add_argument("--overload-s", type=float, default=120.0)
    parser.add_argument("--overload-times", type=float, default=3.0)
    parser.add_argument("--deadline-ms", type=int, help="of leafsight; judged under overload")
    parser.add_argument("--soak-s", type=float, default=1800.0)
    parser.add_argument("--restarts", type=int, default=100)
    parser.add_argument("--json", type=Path, help="keep everything here")
    return parser.parse_args()


if __name__ == "__main__":
    sys.exit(main())
