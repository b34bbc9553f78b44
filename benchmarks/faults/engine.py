"""Podman by its command line, and what is done to a container from outside: kill, cut, look.

Enters: names of containers. Leaves: what the engine says. Needs root: processes and network namespaces of
containers belong to others.
"""

from __future__ import annotations

import json
import subprocess
import tempfile
import time
from collections.abc import Sequence
from typing import Any

LIMIT_S, POLL_S = 120.0, 0.2
NOISE = ("syslog", "systemd connection")


class EngineError(RuntimeError):
    """A command of the engine failed."""


class Containers:
    """The containers of podman.

    Args:
        program: its name, or where it lies.
    """

    def __init__(self, program: str = "podman") -> None:
        self.program = program

    def say(self, *words: str, check: bool = True, limit_s: float = LIMIT_S) -> str:
        """stdout of one command.

        Raises:
            EngineError: it failed and ``check`` is wanted.
        """
        done = subprocess.run(
            [self.program, *words], capture_output=True, text=True, timeout=limit_s, stdin=subprocess.DEVNULL
        )
        if check and done.returncode:
            lines = [line for line in done.stderr.splitlines() if not any(word in line for word in NOISE)]
            raise EngineError(f"{self.program} {' '.join(words[:3])}: {' '.join(lines)[-600:]}")
        return done.stdout.strip()

    def look(self, name: str) -> dict[str, Any]:
        """All that the engine knows of a container."""
        found: dict[str, Any] = json.loads(self.say("inspect", name))[0]
        return found

    def process(self, name: str) -> int:
        """The id of its first process on this machine; 0 while it does not run."""
        try:
            return int(self.say("inspect", "--format", "{{.State.Pid}}", name))
        except (EngineError, ValueError):
            return 0

    def restarts(self, name: str) -> int:
        """How often the engine has started it again by its policy."""
        found: int = self.look(name).get("RestartCount", 0)
        return found

    def is_healthy(self, name: str) -> bool:
        """Asks its healthcheck now. Podman has no timer for that on a machine without systemd."""
        words = [self.program, "healthcheck", "run", name]
        return not subprocess.run(words, capture_output=True, timeout=LIMIT_S).returncode

    def wait_until_healthy(self, name: str, limit_s: float = LIMIT_S) -> float:
        """Until its healthcheck says yes; how long that took.

        Raises:
            EngineError: not in time.
        """
        begun_s = time.monotonic()
        while (passed_s := time.monotonic() - begun_s) < limit_s:
            if self.is_healthy(name):
                return passed_s
            time.sleep(POLL_S)
        raise EngineError(f"{name} was not healthy within {limit_s:.0f} s:\n{self.talk(name, 15)}")

    def talk(self, name: str, lines: int = 2000) -> str:
        """The end of its log."""
        words = [self.program, "logs", "--tail", str(lines), name]
        done = subprocess.run(words, capture_output=True, text=True, errors="replace", timeout=LIMIT_S)
        return done.stdout + done.stderr

    def address(self, name: str, network: str) -> str:
        """Its address in a network."""
        found: str = self.look(name)["NetworkSettings"]["Networks"][network]["IPAddress"]
        return found

    def in_network_of(self, process: int, words: Sequence[str]) -> str:
        """Run a program of this machine in the network namespace of a process of a container.

        Raises:
            EngineError: it failed.
        """
        full = ["nsenter", "--target", str(process), "--net", *words]
        done = subprocess.run(full, capture_output=True, text=True, timeout=LIMIT_S)
        if done.returncode:
            raise EngineError(f"{' '.join(words)}: {done.stderr.strip()}")
        return done.stdout

    def tag_another(self, image: str, tag: str) -> None:
        """The same image with another label, so that it has another id."""
        text = f"FROM {image}\nLABEL io.leafsight.faults=second\n"
        words = [self.program, "build", "--quiet", "--tag", tag, "--file", "-", "."]
        with tempfile.TemporaryDirectory() as nothing:
            done = subprocess.run(
                words, input=text, capture_output=True, text=True, timeout=LIMIT_S, cwd=nothing
            )
        if done.returncode:
            raise EngineError(f"{tag} cannot be made: {done.stderr[-400:]}")

    def image(self, name: str) -> dict[str, Any]:
        """Id and labels of an image."""
        found = json.loads(self.say("image", "inspect", name))[0]
        return {"id": found["Id"].removeprefix("sha256:")[:12], "labels": found.get("Labels") or {}}


def version_of(program: str) -> str:
    """Name and version of a program."""
    done = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=LIMIT_S)
    return done.stdout.strip()
