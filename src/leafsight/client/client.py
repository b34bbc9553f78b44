"""A leafsight server as an object, for programs that wait for its answers.

Enters: photographs, ids, corrections. Leaves: records of ``answers``. It does not know how a request looks,
nor when it is tried again: see ``calls`` and ``attempts``.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, TypeVar

from leafsight.client import calls
from leafsight.client.addresses import server_address
from leafsight.client.answers import (
    Answer,
    ConditionCard,
    Job,
    ModelDescription,
    ModelEntry,
    Page,
    Readiness,
    Remembered,
    ReportAccepted,
    ReportEntry,
    Upload,
    UploadAccepted,
)
from leafsight.client.attempts import Call, Patience, Surroundings, attempts
from leafsight.client.calls import Heatmap
from leafsight.client.following import Follower
from leafsight.client.learning import Learning
from leafsight.client.paging import MOST_PAGES, Cursor
from leafsight.errors import require
from leafsight.inference import Photo

Result = TypeVar("Result")
MAX_ANSWER_BYTES = 64 * 1024**2
UPLOAD_TIMEOUT_S = 3600.0


def new_token() -> str:
    """128 random bits: names one write, however often it is sent."""
    return secrets.token_hex(16)


class Client:
    """A leafsight server. Safe to use from several threads at once; close it, or use it in ``with``.

    Every method raises the error that the server names (``NotFoundError``, ``RateLimitError`` and so on), and
    ``RemoteError`` when there is no server, or one that answers what no leafsight server would.

    Args:
        url: address of the server, such as ``https://leaf.example`` or ``http://127.0.0.1:8000``.
        key: what ``leafsight keys`` made; sent to this server only, and over an encrypted line only.
        timeout_s: for one call altogether, every retry and wait included.
        retries: further attempts after the first.
        attempt_s: for one attempt; None lets it have all that is left of ``timeout_s``.
        allow_plain: let the key travel over ``http://`` to another machine.
        ca_file: PEM file with the authority that signed the server's certificate, when it is your own.
        max_answer_bytes: a longer answer is refused.
        sleep, surroundings, token: waiting, clock and chance, for tests.

    Raises:
        UsageError: the address or the times are not possible, or the key would travel readable.
        MissingExtraError: the extra ``serve`` is not installed.
    """

    def __init__(
        self,
        url: str,
        *,
        key: str | None = None,
        timeout_s: float = 30.0,
        retries: int = 3,
        attempt_s: float | None = None,
        allow_plain: bool = False,
        ca_file: Path | None = None,
        max_answer_bytes: int = MAX_ANSWER_BYTES,
        sleep: Callable[[float], None] = time.sleep,
        surroundings: Surroundings | None = None,
        token: Callable[[], str] = new_token,
    ) -> None:
        require("httpx2", "serve")
        from leafsight.client.sending import Sender

        self._address = server_address(url, key, allow_plain=allow_plain)
        self._patience = Patience(timeout_s, retries, attempt_s)
        self._around = surroundings or Surroundings()
        self._token = token
        self._sender = Sender(self._address, max_answer_bytes=max_answer_bytes, ca_file=ca_file, sleep=sleep)

    @property
    def url(self) -> str:
        """The server's address."""
        return self._address.base

    @property
    def learning(self) -> Learning:
        """What the server learns from, how it learns, and which model serves."""
        return Learning(self._do, self._token)

    def predict(
        self,
        photos: Sequence[Photo | Path],
        *,
        crop: str | None = None,
        heatmap: Heatmap | None = None,
        combine: bool = False,
        plant_id: str | None = None,
        top: int | None = None,
        store: bool | None = None,
    ) -> Answer:
        """Diagnose photographs in one request.

        Args:
            photos: bytes of files, ``uint8[height, width, 3]`` (sent as PNG), or paths.
            crop: any spelling of the crop, when it is known.
            heatmap: ``layer`` gives each prediction its heatmap as an array; with ``png`` the server draws
                it over the photograph, which a program seldom wants and this client leaves out.
            combine: the photographs show one plant: give one answer for all of them, too.
            plant_id: the same, and a name for the plant.
            top: how many classes to list; None leaves it to the server.
            store: let the server keep the photographs, without what their camera wrote into them.
        """
        call = calls.predict(
            photos, self._token(), crop=crop, heatmap=heatmap, combine=combine, plant_id=plant_id, top=top,
            store=store,
        )  # fmt: skip
        return self._do(call)

    def models(self) -> tuple[ModelEntry, ...]:
        """Every model that the server has."""
        cursor, found = Cursor(None, MOST_PAGES), list[ModelEntry]()
        while True:
            page = self._do(calls.models(cursor.after, calls.MOST_PER_PAGE))
            found.extend(page.items)
            if not cursor.move(page):
                return tuple(found)

    def model(self, name: str) -> ModelDescription:
        """One model by id or alias: card, metrics, provenance, classes."""
        return self._do(calls.model(name))

    def conditions(self) -> tuple[ConditionCard, ...]:
        """The cards of all that the model knows."""
        return self._do(calls.conditions())

    def prediction(self, name: str) -> Remembered:
        """One prediction that the server remembers, by its id."""
        return self._do(calls.prediction(name))

    def predictions(
        self, after: str | None = None, limit: int = 50, plant_id: str | None = None
    ) -> Iterator[Page[Remembered]]:
        """Pages of what the server remembers, newest first; each is asked for when it is wanted.

        Args:
            after: ``next`` of the page before; None begins at the newest.
            limit: most predictions a page, 1 to 200.
            plant_id: photographs of this plant only.
        """
        return self._pages(lambda at: calls.predictions(at, limit, plant_id), after)

    def correct(
        self, name: str, *, right: bool, class_key: str | None = None, note: str | None = None
    ) -> str:
        """Say whether a prediction was right; the answer is the id of the correction.

        Args:
            name: id of the prediction.
            right: whether it was.
            class_key: what it really is, such as ``tomato/early_blight``.
            note: at most 2000 characters.
        """
        return self._do(calls.correct(name, self._token(), right, class_key, note))

    def upload(
        self, path: Path, label: str | None = None, *, timeout_s: float = UPLOAD_TIMEOUT_S
    ) -> UploadAccepted:
        """Send an archive (ZIP, tar) or a photograph to learn from; it is read while it is sent.

        Args:
            path: the file.
            label: the class of all photographs in it, when it is one.
            timeout_s: for the whole, instead of the client's.
        """
        call = calls.upload(path, self._token(), label)
        return self._do(call, Patience(timeout_s, self._patience.retries))

    def upload_state(self, name: str) -> dict[str, Any]:
        """What became of an upload."""
        return self._do(calls.upload_state(name))

    def check_upload(self, name: str) -> Job:
        """Have an upload looked into again, when it could not be for a reason that is not its own.

        Raises:
            NotFoundError: there is no such upload.
            ConflictError: somebody looks into it now.
        """
        return self._do(calls.check_upload(name, self._token()))

    def uploads(self, after: str | None = None, limit: int = 50) -> Iterator[Page[Upload]]:
        """Pages of what was uploaded, newest first."""
        return self._pages(lambda at: calls.uploads(at, limit), after)

    def reports(self, after: str | None = None, limit: int = 50) -> Iterator[Page[ReportEntry]]:
        """Pages of reports on the server's collection, newest first."""
        return self._pages(lambda at: calls.reports(at, limit), after)

    def report(self, name: str) -> dict[str, Any]:
        """One report: findings, figures, names of files."""
        return self._do(calls.report(name))

    def make_report(self) -> ReportAccepted:
        """Let the server look at its collection; follow the job."""
        return self._do(calls.make_report(self._token()))

    def jobs(self, after: str | None = None, limit: int = 50) -> Iterator[Page[Job]]:
        """Pages of the server's jobs, newest first."""
        return self._pages(lambda at: calls.jobs(at, limit), after)

    def job(self, name: str) -> Job:
        """One job as it is now."""
        return self._do(calls.job(name))

    def cancel(self, name: str) -> Job:
        """End a job that is not finished."""
        return self._do(calls.cancel(name))

    def follow(self, name: str, *, poll_s: float = 1.0, timeout_s: float | None = None) -> Iterator[Job]:
        """Every new state of a job, from the present to the last.

        Args:
            name: id of the job.
            poll_s: between two questions, where the server does not tell by itself.
            timeout_s: for the whole; None follows for as long as it takes.
        """
        follower = Follower(name, self._patience, self._around, poll_s, timeout_s)
        return self._sender.follow(follower.steps())

    def insight(self, days: int = 30) -> dict[str, Any]:
        """Counts of verdicts and conditions of the last days."""
        return self._do(calls.insight(days))

    def load(self) -> dict[str, Any]:
        """How much the server has to do."""
        return self._do(calls.load())

    def health(self) -> dict[str, Any]:
        """What the server says about itself; an error when it is not there."""
        return self._do(calls.health())

    def ready(self) -> Readiness:
        """Whether the server takes requests now; asked once."""
        return self._do(calls.ready())

    def close(self) -> None:
        """Close every connection."""
        self._sender.close()

    def __enter__(self) -> Client:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def _do(self, call: Call[Result], patience: Patience | None = None) -> Result:
        return self._sender.carry_out(attempts(call, patience or self._patience, self._around))

    def _pages(
        self, question: Callable[[str | None], Call[Page[Result]]], after: str | None
    ) -> Iterator[Page[Result]]:
        cursor = Cursor(after)
        page = self._do(question(after))
        yield page
        while cursor.move(page):
            page = self._do(question(cursor.after))
            yield page
