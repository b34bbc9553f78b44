"""Set-ups of containers with stated limits, by the command line of podman or docker.

Everything that is made carries a label with the process that made it, and is removed when the block ends;
what a process left behind that was killed, the next study removes (``clean``).
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from leafsight.errors import UsageError
from leafsight.loadtest.container_commands import Commands
from leafsight.loadtest.container_options import ContainerOptions
from leafsight.loadtest.container_set import ContainerSet
from leafsight.loadtest.engines import Running
from leafsight.loadtest.setups import SetUp


class ContainerEngine:
    """Podman or docker.

    Args:
        program: ``podman`` or ``docker``.
        options: how containers are started.
    """

    def __init__(self, program: str, options: ContainerOptions) -> None:
        self._commands, self._options = Commands(program), options

    def facts(self) -> dict[str, Any]:
        """Engine, its version, and the images with id and size."""
        options = self._options
        names = [options.image, options.database_image, options.proxy_image, options.worker_image]
        return {
            "engine": self._commands.program,
            "version": self._commands.say("--version", check=False),
            "images": {name: self._commands.image(name) for name in names if name},
            "database": "PostgreSQL in a container of its own, for every number of replicas",
            "limits": {
                "replica": f"{_limit(options.cpus)}, {options.memory_bytes / 2**20:.0f} MiB without swap",
                "processes of a replica": str(options.workers),
                "proxy": _limit(options.proxy_cpus) + (", TLS" if options.proxy_tls else ", no TLS"),
                "database": _limit(options.database_cpus),
            },
            "environment": dict(options.environment),
        }

    def clean(self) -> int:
        """Remove what studies left whose process is gone."""
        left = self._commands.left_over()
        for kind, name in left:
            self._commands.remove(kind, name)
        return len(left)

    @contextlib.contextmanager
    def running(self, setup: SetUp, folder: Path) -> Iterator[Running]:
        """See ``Engine``.

        Raises:
            UsageError: an image is missing.
        """
        for image in self._wanted_images(setup):
            if self._commands.image(image) is None:
                raise UsageError(f"there is no image {image}", hint="build it first; see docs/loadtest.md")
        folder.mkdir(parents=True, exist_ok=True)
        started = ContainerSet(self._commands, self._options, setup, folder)
        try:
            yield started.begin()
        finally:
            started.end()

    def _wanted_images(self, setup: SetUp) -> list[str]:
        options = self._options
        found = [options.image, options.database_image, options.worker_image]
        return [one for one in [*found, options.proxy_image if setup.proxy else ""] if one]


def _limit(cpus: float) -> str:
    return f"{cpus:g} processors (quota)" if cpus else "no limit"
