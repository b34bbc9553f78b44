"""The learning side of a service for the verbs: that of a server when one is named, otherwise the state here.

Enters: options of a verb. Leaves: one object with the same methods and the same plain values either way.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from hashlib import sha256
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

import click

from leafsight.cli.places import blobs_option, database_option, state_dir_option
from leafsight.cli.terminal import settings_for, talk
from leafsight.errors import RequestTooLargeError, require
from leafsight.storage import os_errors_translated

if TYPE_CHECKING:
    from leafsight.cli.packing import Sending
    from leafsight.client import Client, Learning, UploadAccepted
    from leafsight.service import AtHand
    from leafsight.settings import Settings

Told = Callable[[int, int], None]
Plain = dict[str, Any]
IN_PARTS_BYTES = 16 * 1024**2
"""A longer file goes up in parts, so that a broken line costs one part."""
SAME_AMONG = 2000
SERVER_TIMEOUT_S = 60.0
LIBRARIES = ("fastapi", "sqlalchemy")

server_option = click.option("--server", metavar="URL", help="Ask the leafsight server at this address.")
key_option = click.option(
    "--key", help="Key for that server; better in the variable LEAFSIGHT_KEY, which nobody sees."
)


def everywhere(command: Any) -> Any:
    """The options of a verb that say whose state it is."""
    for option in (blobs_option, database_option, state_dir_option, key_option, server_option):
        command = option(command)
    return command


def places_of(places: dict[str, Any]) -> dict[str, Any]:
    """The options of a place under the names of their settings."""
    return {
        "state_dir": places["state_dir"], "database_url": places["database"], "blob_url": places["blobs"],
    }  # fmt: skip


class Side(Protocol):
    """What the verbs ask: of ``leafsight.client.Learning`` or of ``leafsight.service.AtHand``."""

    def contributions(
        self, wanted: Mapping[str, str | None], *, after: str | None = None, limit: int = 50
    ) -> Plain:
        """A page."""

    def contributions_summary(self) -> Plain:
        """Counts."""

    def contribution(self, one: str, /) -> Plain:
        """One."""

    def photograph(self, one: str, /) -> bytes:
        """Its picture."""

    def decide(self, wish: Mapping[str, Any]) -> Plain:
        """Accept, relabel, reject."""

    def declared(self) -> list[Plain]:
        """Classes that may be learned."""

    def declare(self, name: str, note: str) -> Plain:
        """One more."""

    def take_back(self, name: str) -> list[Plain]:
        """One less."""

    def retrain(self, path: str, reason: str) -> Plain:
        """Ask for a retraining."""

    def retrainings(self, *, after: str | None = None, limit: int = 50) -> Plain:
        """A page."""

    def retraining(self, one: str, /) -> Plain:
        """One."""

    def gate_report(self, one: str, /) -> bytes:
        """The page of its gate."""

    def cancel(self, one: str, /) -> Plain:
        """End it."""

    def promote(self, name: str, *, alias: str, reason: str, override: bool) -> Plain:
        """Let a model serve."""

    def roll_back(self, *, alias: str, steps: int, reason: str, over: str | None = None) -> Plain:
        """Put a former one back."""

    def model_history(self, alias: str, limit: int) -> list[Plain]:
        """What served."""


class Desk(Protocol):
    """Somebody to ask, and two things that are done differently here and there."""

    @property
    def learning(self) -> Side:
        """Whom to ask."""

    def send(self, sending: Sending, resume: str | None, told: Told) -> Plain:
        """Send one file: ``id``, ``job``, ``left_out``, and ``again`` when it was there already."""

    def follow(self, job: str, /) -> Iterator[Plain]:
        """Every new state of a job until it has ended; without a server it is worked off here."""


@contextmanager
def desk_for(server: str | None, key: str | None, *, new: bool = False, **flags: Any) -> Iterator[Desk]:
    """The desk that the options and settings name.

    Args:
        server: address; None leaves it to the settings.
        key: for it.
        new: the database may be made.
        flags: further settings of the command line.

    Raises:
        NotFoundError: there is no server and no state here.
        MissingExtraError: the extra ``serve`` is not installed.
    """
    settings = settings_for(server=server, key=key, **flags)
    if settings.server:
        from leafsight.cli.predict import key_for
        from leafsight.client import Client

        with Client(
            settings.server, key=key_for(settings, server is not None), timeout_s=SERVER_TIMEOUT_S
        ) as client:
            yield RemoteDesk(client)
        return
    with at_hand(settings, new=new) as here:
        yield LocalDesk(here)


@contextmanager
def at_hand(settings: Settings, *, new: bool = False) -> Iterator[AtHand]:
    """The state here, with the options that a server would have.

    Raises:
        NotFoundError: there is none, and it may not be made.
    """
    for library in LIBRARIES:
        require(library, "serve")
    from leafsight.cli.places import existing_database_url
    from leafsight.cli.service_settings import service_options
    from leafsight.service import AtHand

    if not new:
        existing_database_url(settings)
    here_settings = replace(settings, jobs="all")  # what is asked for here is done here
    with AtHand(service_options(here_settings), person() or "this computer") as here:
        yield here


class LocalDesk:
    """The state here.

    Args:
        here: open.
    """

    def __init__(self, here: AtHand) -> None:
        self._here = here

    @property
    def learning(self) -> Side:
        """The same functions as behind the routes."""
        return self._here

    def send(self, sending: Sending, resume: str | None, told: Told) -> Plain:
        """Read, stripped and kept, as a server does it."""
        most_bytes = self._here.options.max_upload_bytes
        with os_errors_translated(sending.path):
            size_bytes = sending.path.stat().st_size
            if size_bytes > most_bytes:
                raise RequestTooLargeError(
                    f"{sending.path} has {size_bytes} bytes, {most_bytes} are taken",
                    hint="send several smaller archives, or the folder itself",
                )
            body = sending.path.read_bytes()
        same = self._here.sent_before(sha256(body).hexdigest(), sending.label)
        if same is not None:
            return same | {"again": True}
        made = self._here.upload(body, sending.label)
        told(size_bytes, size_bytes)
        return made | {"again": False}

    def follow(self, job: str, /) -> Iterator[Plain]:
        """Worked off in this process, unless a server does it."""
        return self._here.work(job, idle=time.sleep)


class RemoteDesk:
    """A server.

    Args:
        client: open.
    """

    def __init__(self, client: Client) -> None:
        self._client = client

    @property
    def learning(self) -> Learning:
        """Its learning side."""
        return self._client.learning

    def send(self, sending: Sending, resume: str | None, told: Told) -> Plain:
        """In one piece, or in parts when it is long."""
        from leafsight.storage import file_sha256

        with os_errors_translated(sending.path):
            size_bytes = sending.path.stat().st_size
        same = _sent_before(self._client, file_sha256(sending.path), sending.label)
        if same is not None:
            return same | {"again": True}
        if resume is None and size_bytes <= IN_PARTS_BYTES:
            made = self._client.upload(sending.path, sending.label)
            told(size_bytes, size_bytes)
        else:
            made = self._in_parts(sending, resume, told)
        return {"id": made.id, "job": made.job or made.id, "left_out": made.left_out, "again": False}

    def follow(self, job: str, /) -> Iterator[Plain]:
        """As the server tells it."""
        for one in self._client.follow(job):
            yield one.model_dump()

    def _in_parts(self, sending: Sending, resume: str | None, told: Told) -> UploadAccepted:
        name = resume or self.learning.begin_upload(sending.path, sending.label)
        try:
            return self.learning.send_rest(sending.path, name, told)
        except BaseException:
            talk(f"what was sent is kept: go on with --resume {name}")
            raise


def _sent_before(client: Client, sha: str, label: str | None) -> Plain | None:
    """The newest upload of the same bytes and the same label that the server shows us."""
    seen = 0
    for page in client.uploads(limit=200):
        for one in page:
            if (one.sha256, one.label) == (sha, label):
                job = one.job.id if one.job else one.id
                return {"id": one.id, "job": job, "left_out": 0, "state": one.state}
        seen += len(page)
        if seen >= SAME_AMONG:
            return None
    return None


def write_file(path: Path, data: bytes) -> None:
    """Write what was asked for; an older file of that name is replaced."""
    from leafsight.storage import write_bytes

    write_bytes(path, data)


def person() -> str:
    """Who runs the command, as the system has it; empty when it does not say."""
    import getpass

    try:
        return getpass.getuser()
    except (KeyError, OSError):  # a number without a name, as in many containers
        return ""
