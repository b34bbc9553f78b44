"""How many cores a process may use, from made trees of control groups."""

from __future__ import annotations

import os
from collections.abc import Mapping
from fractions import Fraction
from pathlib import Path

import pytest

from leafsight.storage import available_cores
from leafsight.storage.cores import cpu_quota

V2 = "0::/\n"
NESTED = "0::/kubepods.slice/pod1.slice/app.scope\n"
V1 = "9:name=systemd:/\n4:memory:/x\n1:cpu,cpuacct:/docker/abc\n0::/\n"
GROUP = "sys/fs/cgroup"


def tree(root: Path, own: str | None, files: Mapping[str, str | bytes]) -> Path:
    """A root with ``proc/self/cgroup`` and files of control groups below ``sys/fs/cgroup``."""
    given: dict[str, str | bytes] = {f"{GROUP}/{name}": text for name, text in files.items()}
    if own is not None:
        given["proc/self/cgroup"] = own
    for name, text in given.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(text.encode() if isinstance(text, str) else text)
    return root


def v1(quota: str, period: str = "100000", at: str = "cpu") -> dict[str, str]:
    return {f"{at}/cpu.cfs_quota_us": f"{quota}\n", f"{at}/cpu.cfs_period_us": f"{period}\n"}


@pytest.mark.parametrize(
    ("own", "files", "cores"),
    [
        (V2, {"cpu.max": "40000 100000\n"}, 1),
        (V2, {"cpu.max": "100000 100000\n"}, 1),
        (V2, {"cpu.max": "100001 100000\n"}, 2),
        (V2, {"cpu.max": "250000 100000\n"}, 3),
        (V2, {"cpu.max": "9900000 100000\n"}, 8),
        (V2, {"cpu.max": "max 100000\n"}, 8),
        (V2, {}, 8),
        (None, {"cpu.max": "40000 100000\n"}, 1),
        (None, v1("150000"), 2),
        (V1, v1("40000"), 1),
        (V1, v1("250000"), 3),
        (V1, v1("-1"), 8),
        (V1, v1("15000", "10000", at="cpu,cpuacct"), 2),
        (V1, v1("150000", at="cpu/docker/abc") | v1("-1"), 2),
        (V1, {"unified/cpu.max": "150000 100000"}, 2),
        ("1:cpuset:/\n", v1("40000", at="cpuset"), 8),
    ],
)
def test_a_quota_is_rounded_up_and_never_gives_more_than_there_are(
    tmp_path: Path, own: str | None, files: dict[str, str], cores: int
) -> None:
    assert available_cores(root=tree(tmp_path, own, files), bound_to=8) == cores


def test_a_group_is_bound_by_those_above_it(tmp_path: Path) -> None:
    files = {
        "kubepods.slice/cpu.max": "400000 100000",
        "kubepods.slice/pod1.slice/cpu.max": "150000 100000",
        "kubepods.slice/pod1.slice/app.scope/cpu.max": "max 100000",
        "other.slice/cpu.max": "10000 100000",
    }
    root = tree(tmp_path, NESTED, files)
    assert cpu_quota(root=root) == Fraction(3, 2)
    assert available_cores(root=root, bound_to=8) == 2
    assert available_cores(root=root, bound_to=1) == 1


def test_a_group_outside_of_what_may_be_seen_is_not_looked_for(tmp_path: Path) -> None:
    files = {"cpu.max": "200000 100000", "../secret/cpu.max": "100000 100000"}
    assert available_cores(root=tree(tmp_path, "0::/../secret\n", files), bound_to=8) == 2


@pytest.mark.parametrize(
    ("own", "files"),
    [
        (V2, {"cpu.max": ""}),
        (V2, {"cpu.max": "a few\n"}),
        (V2, {"cpu.max": "40000\n"}),
        (V2, {"cpu.max": "40000 0\n"}),
        (V2, {"cpu.max": "-40000 100000\n"}),
        (V2, {"cpu.max": "0 100000\n"}),
        (V2, {"cpu.max": b"\xff\xfe\x00"}),
        (V2, {"cpu.max/folder": ""}),
        (V1, v1("40000", "0")),
        (V1, v1("", "100000")),
        (V1, {"cpu/cpu.cfs_quota_us": "40000\n"}),
        ("no colons\n::\n:\n", {}),
        ("\x00\n", {}),
    ],
)
def test_what_cannot_be_read_is_no_quota(tmp_path: Path, own: str, files: dict[str, str | bytes]) -> None:
    root = tree(tmp_path, own, files)
    assert cpu_quota(root=root) is None
    assert available_cores(root=root, bound_to=8) == 8


def test_there_is_at_least_one(tmp_path: Path) -> None:
    assert available_cores(root=tree(tmp_path, V2, {"cpu.max": "1000 100000"}), bound_to=8) == 1
    assert available_cores(root=tmp_path / "nothing", bound_to=0) == 1


def test_of_this_machine() -> None:
    assert 1 <= available_cores() <= (os.cpu_count() or 1)
