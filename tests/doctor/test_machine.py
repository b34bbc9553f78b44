"""Memory, processors, clock, open files, owners and modes; the limits of containers of both kinds."""

from __future__ import annotations

import os
from pathlib import Path

import pytest
from tests.doctor.conftest import states, the

from leafsight.doctor.clocks import BUILT_MS, check_clock, wall_clock_ms
from leafsight.doctor.containers import in_container, memory_limit_bytes
from leafsight.doctor.machine import check_memory, check_open_files
from leafsight.doctor.permissions import check_permissions, this_user

MIB = 1024**2
VERSION_2 = {"proc/self/cgroup": "0::/pod/one\n"}


def root_with(folder: Path, files: dict[str, str]) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


def test_limits_of_version_2_the_tightest_on_the_way_up(tmp_path: Path) -> None:
    root = root_with(
        tmp_path,
        {
            **VERSION_2,
            "sys/fs/cgroup/pod/one/memory.max": "max\n",
            "sys/fs/cgroup/pod/memory.max": "536870912\n",
        },
    )
    assert memory_limit_bytes(root) == 512 * MIB


def test_limits_of_version_1_also_where_the_own_group_is_not_shown(tmp_path: Path) -> None:
    root = root_with(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/libpod/abc\n2:cpu,cpuacct:/libpod/abc\n0::/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "268435456\n",
        },
    )
    assert memory_limit_bytes(root) == 256 * MIB


def test_no_limits(tmp_path: Path) -> None:
    root = root_with(
        tmp_path,
        {
            "proc/self/cgroup": "4:memory:/\n1:cpu:/\n",
            "sys/fs/cgroup/memory/memory.limit_in_bytes": "9223372036854771712\n",
        },
    )
    assert memory_limit_bytes(root) is None
    assert memory_limit_bytes(tmp_path / "nothing") is None


@pytest.mark.parametrize(
    ("limit_mib", "workers", "state"), [(128, 1, "fail"), (256, 2, "warn"), (256, 1, "ok"), (512, 2, "ok")]
)
def test_memory_against_workers(tmp_path: Path, limit_mib: int, workers: int, state: str) -> None:
    memory = str(limit_mib * MIB)
    root = root_with(tmp_path, {**VERSION_2, "sys/fs/cgroup/memory.max": memory})
    one = the(check_memory(workers, root), "memory.room")
    assert one.state == state
    assert bool(one.todo) == (state != "ok")
    assert "the limit of the container" in one.said


def test_more_workers_than_processors(tmp_path: Path) -> None:
    root = root_with(tmp_path, {**VERSION_2, "sys/fs/cgroup/cpu.max": "40000 100000"})
    assert the(check_memory(1, root), "memory.processors").state == "ok"
    one = the(check_memory(2, root), "memory.processors")
    assert (one.state, "0.4 processors" in one.said, "--workers 1" in one.todo) == ("warn", True, True)


def test_without_a_limit_what_is_free_counts(tmp_path: Path) -> None:
    root = root_with(tmp_path, {"proc/meminfo": "MemTotal: 99 kB\nMemAvailable:   102400 kB\n"})
    one = the(check_memory(1, root), "memory.room")
    assert (one.state, "what is free" in one.said) == ("fail", True)
    assert the(check_memory(1, tmp_path / "nothing"), "memory.room").state == "skipped"
    assert "memory.room" in states(check_memory(1))  # of this machine


def test_signs_of_a_container(tmp_path: Path) -> None:
    assert not in_container(tmp_path, {})
    assert in_container(tmp_path, {"KUBERNETES_SERVICE_HOST": "10.0.0.1"})
    assert in_container(tmp_path, {"container": "podman"})
    assert in_container(root_with(tmp_path, {".dockerenv": ""}), {})


def test_a_clock_before_leafsight_was_made_fails() -> None:
    [wrong] = check_clock(BUILT_MS - 1)
    assert (wrong.state, "NTP" in wrong.todo) == ("fail", True)
    [zero] = check_clock(0)
    assert "1970-01-01" in zero.said
    assert [one.state for one in check_clock(BUILT_MS)] == ["ok"]
    assert wall_clock_ms() > 0


def test_open_files() -> None:
    assert [one.state for one in check_open_files(256)] == ["warn"]
    assert [one.state for one in check_open_files(4096)] == ["ok"]
    assert len(list(check_open_files())) == 1


def modes(
    folder: Path, secret: Path | None = None, *, user: int | None = None, contained: bool = False
) -> dict[str, str]:
    who = this_user() if user is None else user
    return states(check_permissions(folder, secret, user=who, contained=contained))


@pytest.mark.skipif(os.name != "posix", reason="owners and modes are those of POSIX")
def test_owner_and_mode_of_the_state(tmp_path: Path) -> None:
    state = tmp_path / "state"
    assert modes(state)["permissions.state"] == "skipped"
    state.mkdir(mode=0o755)
    assert modes(state)["permissions.state"] == "ok"
    (state / "leafsight.db").touch(mode=0o600)
    assert modes(state)["permissions.state"] == "ok"
    (state / "leafsight.db").chmod(0o644)
    assert modes(state)["permissions.state"] == "warn"
    (state / "leafsight.db").chmod(0o600)
    state.chmod(0o777)
    one = the(check_permissions(state, None, user=this_user(), contained=False), "permissions.state")
    assert (one.state, one.todo) == ("warn", f"chmod o-w {state}")


@pytest.mark.skipif(os.name != "posix" or os.geteuid() != 0, reason="only root gives files away")
def test_root_is_told_that_the_state_belongs_to_somebody_else(tmp_path: Path) -> None:
    os.chown(tmp_path, 10001, 10001)
    one = the(check_permissions(tmp_path, None, user=0, contained=False), "permissions.state")
    assert one.state == "warn"
    assert "run leafsight as user 10001" in one.todo


@pytest.mark.skipif(os.name != "posix", reason="owners and modes are those of POSIX")
def test_secrets_that_everybody_may_read(tmp_path: Path) -> None:
    file = tmp_path / "leafsight.toml"
    file.write_text('key = "ls_1_2"')
    file.chmod(0o644)
    one = the(check_permissions(tmp_path, file, user=1, contained=False), "permissions.secrets")
    assert (one.state, one.todo) == ("warn", f"chmod 600 {file}")
    file.chmod(0o640)
    assert modes(tmp_path, file)["permissions.secrets"] == "ok"
    assert modes(tmp_path, tmp_path / "gone")["permissions.secrets"] == "skipped"


def test_root_in_a_container_is_warned_of(tmp_path: Path) -> None:
    assert modes(tmp_path, user=0, contained=True)["permissions.user"] == "warn"
    assert modes(tmp_path, user=0)["permissions.user"] == "ok"
    assert modes(tmp_path, user=10001, contained=True)["permissions.user"] == "ok"


def test_a_system_without_owners(tmp_path: Path) -> None:
    assert states(check_permissions(tmp_path, None, user=None, contained=False)) == {
        "permissions.user": "skipped"
    }
