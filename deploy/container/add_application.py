"""Installs leafsight for an image and writes down what the image holds.

    python3 add_application.py --name leafsight-serve --wheels /wheels --out /application

Enters: the wheel, the environment in ``/opt/leafsight``, the root in ``/rootfs``. Leaves below ``--out`` what
the image gets on top: the package, its command, and a bill of materials in CycloneDX, which names
Python's packages (by cyclonedx-bom), Debian's, and Python itself where it is from none.
"""

from __future__ import annotations

import argparse
import json
import platform
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

ENVIRONMENT = Path("/opt/leafsight")
TOOLS = Path("/build/tools/bin")
PACKAGES = Path("/rootfs/var/lib/dpkg/status.d")
BILL = "usr/share/leafsight/sbom.cdx.json"


def main() -> int:
    """Install, compile, write down."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--name", required=True)
    parser.add_argument("--wheels", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    [wheel] = given.wheels.glob("leafsight-*.whl")
    python = str(ENVIRONMENT / "bin/python")
    prefix = str(given.out / str(ENVIRONMENT).lstrip("/"))
    pip = [str(TOOLS / "pip"), "--python", python]
    subprocess.run(
        [*pip, "install", "-q", "--no-deps", "--no-index", "--prefix", prefix, str(wheel)], check=True
    )
    compiling = [sys.executable, "-m", "compileall", "-q", "--invalidation-mode", "unchecked-hash"]
    subprocess.run([*compiling, "-s", str(given.out), "-p", "/", prefix], check=True)
    for written_by_pip in given.out.rglob("direct_url.json"):  # names a folder of the machine that built
        written_by_pip.unlink()
    asked = [str(TOOLS / "cyclonedx-py"), "environment", "--output-reproducible", "--of", "JSON", python]
    bill = json.loads(subprocess.run(asked, capture_output=True, text=True, check=True).stdout)
    target = given.out / BILL
    target.parent.mkdir(parents=True)
    target.write_text(
        json.dumps(completed(bill, given.name, wheel.name.split("-")[1]), indent=1, sort_keys=True)
    )
    return 0


def completed(bill: dict[str, Any], name: str, version: str) -> dict[str, Any]:
    """The bill of Python's packages with the image itself, leafsight, Debian's packages and Python."""
    debian = [debian_component(one.read_text()) for one in sorted(PACKAGES.iterdir())]
    ours = component("library", "leafsight", version, f"pkg:pypi/leafsight@{version}")
    parts = [*bill.get("components", []), ours, *debian, *own_python(debian)]
    bill["metadata"]["component"] = {"type": "container", "name": name, "version": version, "bom-ref": name}
    bill["components"] = sorted(parts, key=lambda one: str(one["bom-ref"]))
    return bill


def debian_component(stanza: str) -> dict[str, str]:
    """One package, as package URLs name it."""
    said = dict(re.findall(r"^(Package|Version|Architecture): (.+)$", stanza, flags=re.MULTILINE))
    name, version = said["Package"], said["Version"]
    escaped = version.replace(":", "%3A").replace("+", "%2B")
    return component("library", name, version, f"pkg:deb/debian/{name}@{escaped}?arch={said['Architecture']}")


def own_python(debian: list[dict[str, str]]) -> list[dict[str, str]]:
    """Python, if it is not one of Debian's packages."""
    if any(one["name"].startswith("libpython3") for one in debian):
        return []
    version = platform.python_version()
    return [component("platform", "python", version, f"pkg:generic/python@{version}")]


def component(kind: str, name: str, version: str, address: str) -> dict[str, str]:
    """One entry of the bill."""
    return {"type": kind, "name": name, "version": version, "purl": address, "bom-ref": address}


if __name__ == "__main__":
    raise SystemExit(main())
