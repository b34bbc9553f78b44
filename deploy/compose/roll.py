"""Gives the replicas of compose.yaml their new image, one after the other, so that no request fails.

    python3 deploy/compose/roll.py
    python3 deploy/compose/roll.py --compose podman-compose --engine podman

Needs Python 3.9 and nothing else. Before it the new image has been built or named (``LEAFSIGHT_IMAGE``). One
replica more than there are is started from the new image and waited for. Then each old one is stopped, which
answers what it has begun, and a new one takes its place; the additional one ends last. There are never fewer
replicas than before. If a new one does not get ready, it is taken away again, the old ones stay, and this
ends with 1.
"""

from __future__ import annotations

import argparse
import shlex
import subprocess
import sys
import time

PROJECT, SERVICE = "leafsight", "replica"


class RollError(Exception):
    """A command failed, or a new replica does not get ready."""


class Roll:
    """One update.

    Args:
        compose: words of the program that read compose.yaml, with its options.
        engine: ``docker`` or ``podman``.
        ready_limit_s: how long a new replica may take.
        known_s: so long after it is ready the proxy knows of it.
    """

    def __init__(self, compose: list[str], engine: str, ready_limit_s: float, known_s: float) -> None:
        self._compose, self._engine, self._limit_s, self._known_s = compose, engine, ready_limit_s, known_s

    def run(self) -> None:
        """Replace all replicas that run.

        Raises:
            RollError: not all could be replaced.
        """
        old = self.running()
        if not old:
            raise RollError("no replica runs")
        more = self._add(len(old) + 1)
        for number, one in enumerate(old, 1):
            self._take_away(one)
            self._add(len(old) + 1)
            print(f"{number} of {len(old)} replicas are replaced", flush=True)
        self._take_away(more)

    def running(self) -> list[str]:
        """Ids of the replicas that run, oldest first."""
        # The engine is asked: podman-compose lists all services, whichever is named.
        labels = {"service": SERVICE, "project": self._project()}
        words = [self._engine, "ps", "--quiet", "--no-trunc"]
        for name, value in labels.items():
            words += ["--filter", f"label=com.docker.compose.{name}={value}"]
        ids = self._said(words).split()
        return sorted(ids, key=lambda one: self._inspected(one, "{{.Created}}"))

    def _project(self) -> str:
        """As the options of compose say, otherwise as compose.yaml does."""
        for option, value in zip(self._compose, self._compose[1:]):  # noqa: B905 (Python 3.9 knows no strict)
            if option in ("-p", "--project-name"):
                return value
        return PROJECT

    def _add(self, wanted: int) -> str:
        """Start one more, so that ``wanted`` run, and wait until it is ready; its id."""
        before = set(self.running())
        up = ["up", "--detach", "--no-deps", "--no-recreate", "--scale", f"{SERVICE}={wanted}", SERVICE]
        self._said([*self._compose, *up])
        new = [one for one in self.running() if one not in before]
        if len(new) != 1:
            raise RollError(f"one new replica was wanted, and there are {len(new)}")
        until = time.monotonic() + self._limit_s
        while not self._is_ready(new[0]):
            if time.monotonic() > until:
                self._take_away(new[0])
                raise RollError(
                    f"a new replica was not ready within {self._limit_s:.0f} s; it is taken away again"
                )
            time.sleep(0.5)
        time.sleep(self._known_s)
        return new[0]

    def _is_ready(self, one: str) -> bool:
        """By its health check. Podman is asked for it now: without systemd it has no clock for that."""
        if self._engine == "podman":
            return not subprocess.run(["podman", "healthcheck", "run", one], capture_output=True).returncode
        return self._inspected(one, "{{.State.Health.Status}}") == "healthy"

    def _take_away(self, one: str) -> None:
        self._said([self._engine, "stop", one])
        self._said([self._engine, "rm", "--force", one])

    def _inspected(self, one: str, form: str) -> str:
        return self._said([self._engine, "inspect", "--format", form, one]).strip()

    def _said(self, words: list[str]) -> str:
        done = subprocess.run(words, capture_output=True, text=True)
        if done.returncode:
            raise RollError(f"{shlex.join(words[:6])} ... failed: {done.stderr.strip()[-300:]}")
        return done.stdout


def main() -> int:
    """Read the words of the command and roll."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--compose", default="docker compose --profile full", help="%(default)s")
    parser.add_argument("--engine", default="docker", choices=["docker", "podman"], help="%(default)s")
    parser.add_argument("--ready-s", type=float, default=120.0, help="for a new replica (%(default)s)")
    parser.add_argument(
        "--known-s", type=float, default=5.0, help="until the proxy knows of it (%(default)s)"
    )
    options = parser.parse_args()
    try:
        Roll(shlex.split(options.compose), options.engine, options.ready_s, options.known_s).run()
    except RollError as error:
        print(f"error: {error}", file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
