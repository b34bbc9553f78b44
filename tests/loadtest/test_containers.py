"""Containers on a fake command line: what is started, and that everything goes whatever happens."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from leafsight.errors import RemoteError, UsageError
from leafsight.loadtest import ContainerEngine, ContainerOptions, container_set, found_engine
from leafsight.loadtest.container_commands import Commands
from leafsight.loadtest.proxy_config import proxy_config
from leafsight.loadtest.setups import SetUp


class FakeCommands(Commands):
    """Remembers what was said; fails at the word it is told to."""

    def __init__(self, fails_at: str = "", labels: dict[str, str] | None = None) -> None:
        super().__init__("podman")
        self.said: list[tuple[str, ...]] = []
        self._fails_at, self._labels = fails_at, labels or {}

    def say(self, *words: str, check: bool = True, limit_s: float = 0.0) -> str:
        self.said.append(words)
        if self._fails_at and any(word.endswith(self._fails_at) for word in words) and check:
            raise RemoteError(f"{self._fails_at} failed", hint="")
        if words[0] == "inspect" and "{{.State.Pid}}" in words:
            return "0"
        if words[:2] == ("run", "--rm"):
            return "ls_key"
        if words[1:2] == ("inspect",):
            return self._labels.get(words[-1], "")
        if words[0] == "ps":
            return "\n".join(self._labels)
        return "true false 0" if words[0] == "inspect" else ""

    def logs(self, container: str) -> str:
        return f"log of {container}\n"

    def image(self, name: str) -> dict[str, Any] | None:
        return {"id": "0" * 12, "bytes": 1} if name != "missing" else None


@pytest.fixture(autouse=True)
def _at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(container_set, "wait_until_ready", lambda *_: 0.0)
    monkeypatch.setattr(container_set, "DATABASE_LIMIT_S", 0.0)


def engine(commands: FakeCommands, **more: Any) -> ContainerEngine:
    one = ContainerEngine("podman", ContainerOptions(**more))
    one._commands = commands
    return one


def made_and_removed(commands: FakeCommands) -> tuple[list[str], list[str]]:
    made = [words[words.index("--name") + 1] for words in commands.said if "--name" in words]
    made += [words[-1] for words in commands.said if words[1:2] == ("create",)]
    removed = [words[-1] for words in commands.said if "rm" in words[:2]]
    return made, removed


def test_limits_ports_and_network_are_as_stated(tmp_path: Path) -> None:
    commands = FakeCommands()
    with engine(commands, cpus=0.4).running(SetUp(2, proxy=True), tmp_path) as running:
        assert len(running.replicas) == 2
        assert len(running.fronts) == 1
        assert running.key == "ls_key"
    replicas = [
        words for words in commands.said if any("replica-" in word and "alias" not in word for word in words)
    ]
    started = [words for words in replicas if words[0] == "run"]
    assert len(started) == 2
    for words in started:
        text = " ".join(words)
        assert "--cpus 0.4" in text
        assert f"--memory {512 * 2**20} --memory-swap {512 * 2**20}" in text
        assert "-p 127.0.0.1:" in text
        assert "--read-only" in text
        assert "--cap-drop all" in text
    ports = [word for words in commands.said for word in words if word.count(":") == 2 and word[0].isdigit()]
    assert ports
    assert all(word.startswith("127.0.0.1:") for word in ports)
    assert sorted(made_and_removed(commands)[0]) == sorted(made_and_removed(commands)[1])
    assert not (tmp_path / "password").exists()
    assert (tmp_path / "replica-1.log").read_text().startswith("log of")


@pytest.mark.parametrize("fails_at", ["-replica-2", "-database", "-proxy", "--quiet"])
def test_what_was_made_goes_whatever_fails(tmp_path: Path, fails_at: str) -> None:
    commands = FakeCommands(fails_at)
    with pytest.raises(RemoteError), engine(commands).running(SetUp(2, proxy=True), tmp_path):
        raise AssertionError("it cannot have started")
    made, removed = made_and_removed(commands)
    assert sorted(made) == sorted(removed)
    assert len(made) >= 3
    assert removed[-2:] == [made[-1], made[-2]]  # volume and network last
    assert not (tmp_path / "password").exists()


def test_ctrl_c_in_the_middle_leaves_nothing(tmp_path: Path) -> None:
    commands = FakeCommands()
    with pytest.raises(KeyboardInterrupt), engine(commands).running(SetUp(1), tmp_path):
        raise KeyboardInterrupt
    made, removed = made_and_removed(commands)
    assert sorted(made) == sorted(removed)


def test_leftovers_of_processes_that_are_gone_are_removed_and_no_others() -> None:
    import os

    commands = FakeCommands(labels={"old": "999999999", "ours": str(os.getpid())})
    assert engine(commands).clean() == 1
    assert [words[-1] for words in commands.said if words[0] == "rm"] == ["old"]


def test_a_missing_image_is_a_slip(tmp_path: Path) -> None:
    with (
        pytest.raises(UsageError, match="no image missing"),
        engine(FakeCommands(), image="missing").running(SetUp(1), tmp_path),
    ):
        pass
    with pytest.raises(UsageError, match="no container engine"):
        found_engine("no-such-engine")


def test_a_model_file_is_mounted_and_named(tmp_path: Path) -> None:
    commands = FakeCommands()
    with engine(commands).running(SetUp(1, "/x/other.leafsight"), tmp_path):
        pass
    text = " ".join(" ".join(words) for words in commands.said)
    assert "-v /x/other.leafsight:/models/other.leafsight:ro" in text
    assert "LEAFSIGHT_MODEL=/models/other.leafsight" in text


def test_the_proxy_knows_every_replica_and_takes_large_requests() -> None:
    text = proxy_config(["10.0.0.2:8000", "10.0.0.3:8000"], 8080)
    assert "server 10.0.0.2:8000 max_fails=0;" in text
    assert "server 10.0.0.3:8000 max_fails=0;" in text
    assert "client_max_body_size 128m;" in text
    assert text.count("{") == text.count("}")
    assert "listen 8080;" in text
    assert "listen 8080 ssl;" in proxy_config(["10.0.0.2:8000"], 8080, tls=True)
