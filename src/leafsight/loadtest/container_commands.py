"""The command line of podman or docker: one command at a time, with a limit, and what it said."""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

from leafsight.errors import RemoteError, UsageError

LABEL = "leafsight.loadtest"
"""What is made carries it, with the process that made it."""
COMMAND_LIMIT_S = 120.0
CONTAINER, NETWORK, VOLUME = "container", "network", "volume"
LISTED: dict[str, tuple[str, ...]] = {
    CONTAINER: ("ps", "-a"),
    NETWORK: ("network", "ls"),
    VOLUME: ("volume", "ls"),
}
REMOVED: dict[str, tuple[str, ...]] = {
    CONTAINER: ("rm", "-f", "-v"),
    NETWORK: ("network", "rm", "-f"),
    VOLUME: ("volume", "rm", "-f"),
}


def found_engine(wanted: str) -> str:
    """The engine's program.

    Args:
        wanted: ``podman``, ``docker``, or ``auto`` for the first that is installed.

    Raises:
        UsageError: none is installed.
    """
    for name in ("podman", "docker") if wanted == "auto" else (wanted,):
        if shutil.which(name):
            return name
    raise UsageError(
        f"no container engine is installed ({wanted})",
        hint="install podman or docker, or run without limits: --engine process",
    )


class Commands:
    """Commands of one engine.

    Args:
        program: ``podman`` or ``docker``.
    """

    def __init__(self, program: str) -> None:
        self.program = program

    def say(self, *words: str, check: bool = True, limit_s: float = COMMAND_LIMIT_S) -> str:
        """Run one command; its stdout.

        Raises:
            RemoteError: it failed, or took too long.
        """
        done = self._done(words, limit_s)
        if check and done.returncode:
            talk = " ".join(line for line in done.stderr.splitlines() if "syslog" not in line).strip()
            raise RemoteError(
                f"{self.program} {words[0]} failed: {talk[-500:]}", hint="try the command by hand"
            )
        return done.stdout.strip()

    def logs(self, container: str) -> str:
        """The end of what a container said, on both of its streams."""
        done = self._done(("logs", "--tail", "2000", container), COMMAND_LIMIT_S)
        return done.stdout + done.stderr

    def _done(self, words: tuple[str, ...], limit_s: float) -> subprocess.CompletedProcess[str]:
        try:
            return subprocess.run(  # noqa: S603 (a program of the operator, words without a shell)
                [self.program, *words],
                capture_output=True,
                text=True,
                timeout=limit_s,
                stdin=subprocess.DEVNULL,
            )
        except subprocess.TimeoutExpired as error:
            raise RemoteError(
                f"{self.program} {words[0]} did not end within {limit_s:.0f} s", hint="is the engine well?"
            ) from error

    def image(self, name: str) -> dict[str, Any] | None:
        """Id and bytes of an image; None where there is none."""
        try:
            found = json.loads(self.say("image", "inspect", name, check=False))[0]
        except (ValueError, IndexError):
            return None
        return {"id": found["Id"].removeprefix("sha256:")[:12], "bytes": found["Size"]}

    def remove(self, kind: str, name: str) -> None:
        """Take one thing away, if it is there."""
        words: tuple[str, ...] = REMOVED[kind]
        if self.program == "docker" and kind == NETWORK:
            words = words[:2]  # docker's has no -f
        self.say(*words, name, check=False)

    def left_over(self) -> list[tuple[str, str]]:
        """Kind and name of what processes made that are gone, containers first."""
        found = []
        for kind, words in LISTED.items():
            name = "{{.Names}}" if kind == CONTAINER else "{{.Name}}"
            told = self.say(*words, "--filter", f"label={LABEL}", "--format", name, check=False)
            found += [
                (kind, one) for one in told.splitlines() if one and not _is_alive(self._owner(kind, one))
            ]
        return found

    def _owner(self, kind: str, name: str) -> str:
        """The process that made it, from its label."""
        where = ".Config.Labels" if kind == CONTAINER else ".Labels"
        labels = f'{{{{index {where} "{LABEL}"}}}}'
        return self.say(kind, "inspect", "--format", labels, name, check=False)


def _is_alive(process_id: str) -> bool:
    return process_id.isdigit() and Path(f"/proc/{process_id}").exists()
