"""A leafsight server as an object, for programs with an event loop.

Enters, leaves and knows the same as ``client``; every method is the same with ``await``.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
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
from leafsight.client.client import MAX_ANSWER_BYTES, UPLOAD_TIMEOUT_S, new_token
from leafsight.client.following import Follower
from leafsight.client.paging import MOST_PAGES, Cursor
from leafsight.errors import require
from leafsight.inference import Photo

Result = TypeVar("Result")


class AsyncClient:
    """A leafsight server, for one event loop (asyncio); close it, or use it in ``async with``.

    Arguments and errors are those of ``Client``; ``sleep`` is awaited.
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
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
        surroundings: Surroundings | None = None,
        token: Callable[[], str] = new_token,
    ) -> None:
        require("httpx2", "serve")
        from leafsight.client.sending_async import AsyncSender

        self._address = server_address(url, key, allow_plain=allow_plain)
        self._patience = Patience(timeout_s, retries, attempt_s)
        self._around = surroundings or Surroundings()
        self._token = token
        self._sender = AsyncSender(
            self._address, max_answer_bytes=max_answer_bytes, ca_file=ca_file, sleep=sleep
        )

    @property
    def url(self) -> str:
        """The server's address."""
        return self._address.base

    async def predict(
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
        """See ``Client.predict``; files are read and arrays packed on another thread."""
        call = await asyncio.to_thread(
            calls.predict, photos, self._token(), crop=crop, heatmap=heatmap, combine=combine,
            plant_id=plant_id, top=top, store=store,
        )  # fmt: skip
        return await self._do(call)

    async def models(self) -> tuple[ModelEntry, ...]:
        """See ``Client.models``."""
        cursor, found = Cursor(None, MOST_PAGES), list[ModelEntry]()
        while True:
            page = await self._do(calls.models(cursor.after, calls.MOST_PER_PAGE))
            found.extend(page.items)
            if not cursor.move(page):
                return tuple(found)

    async def model(self, name: str) -> ModelDescription:
        """See ``Client.model``."""
        return await self._do(calls.model(name))

    async def conditions(self) -> tuple[ConditionCard, ...]:
        """See ``Client.conditions``."""
        return await self._do(calls.conditions())

    async def prediction(self, name: str) -> Remembered:
        """See ``Client.prediction``."""
        return await self._do(calls.prediction(name))

    def predictions(
        self, after: str | None = None, limit: int = 50, plant_id: str | None = None
    ) -> AsyncIterator[Page[Remembered]]:
        """See ``Client.predictions``."""
        return self._pages(lambda at: calls.predictions(at, limit, plant_id), after)

    async def correct(
        self, name: str, *, right: bool, class_key: str | None = None, note: str | None = None
    ) -> str:
        """See ``Client.correct``."""
        return await self._do(calls.correct(name, self._token(), right, class_key, note))

    async def upload(
        self, path: Path, label: str | None = None, *, timeout_s: float = UPLOAD_TIMEOUT_S
    ) -> UploadAccepted:
        """See ``Client.upload``."""
        call = await asyncio.to_thread(calls.upload, path, self._token(), label)
        return await self._do(call, Patience(timeout_s, self._patience.retries))

    async def upload_state(self, name: str) -> dict[str, Any]:
        """See ``Client.upload_state``."""
        return await self._do(calls.upload_state(name))

    async def check_upload(self, name: str) -> Job:
        """See ``Client.check_upload``."""
        return await self._do(calls.check_upload(name, self._token()))

    def uploads(self, after: str | None = None, limit: int = 50) -> AsyncIterator[Page[Upload]]:
        """See ``Client.uploads``."""
        return self._pages(lambda at: calls.uploads(at, limit), after)

    def reports(self, after: str | None = None, limit: int = 50) -> AsyncIterator[Page[ReportEntry]]:
        """See ``Client.reports``."""
        return self._pages(lambda at: calls.reports(at, limit), after)

    async def report(self, name: str) -> dict[str, Any]:
        """See ``Client.report``."""
        return await self._do(calls.report(name))

    async def make_report(self) -> ReportAccepted:
        """See ``Client.make_report``."""
        return await self._do(calls.make_report(self._token()))

    def jobs(self, after: str | None = None, limit: int = 50) -> AsyncIterator[Page[Job]]:
        """See ``Client.jobs``."""
        return self._pages(lambda at: calls.jobs(at, limit), after)

    async def job(self, name: str) -> Job:
        """See ``Client.job``."""
        return await self._do(calls.job(name))

    async def cancel(self, name: str) -> Job:
        """See ``Client.cancel``."""
        return await self._do(calls.cancel(name))

    def follow(self, name: str, *, poll_s: float = 1.0, timeout_s: float | None = None) -> AsyncIterator[Job]:
        """See ``Client.follow``."""
        follower = Follower(name, self._patience, self._around, poll_s, timeout_s)
        return self._sender.follow(follower.steps())

    async def insight(self, days: int = 30) -> dict[str, Any]:
        """See ``Client.insight``."""
        return await self._do(calls.insight(days))

    async def load(self) -> dict[str, Any]:
        """See ``Client.load``."""
        return await self._do(calls.load())

    async def health(self) -> dict[str, Any]:
        """See ``Client.health``."""
        return await self._do(calls.health())

    async def ready(self) -> Readiness:
        """See ``Client.ready``."""
        return await self._do(calls.ready())

    async def close(self) -> None:
        """Close every connection."""
        await self._sender.close()

    async def __aenter__(self) -> AsyncClient:
        return self

    async def __aexit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        await self.close()

    async def _do(self, call: Call[Result], patience: Patience | None = None) -> Result:
        return await self._sender.carry_out(attempts(call, patience or self._patience, self._around))

    async def _pages(
        self, question: Callable[[str | None], Call[Page[Result]]], after: str | None
    ) -> AsyncIterator[Page[Result]]:
        cursor = Cursor(after)
        page = await self._do(question(after))
        yield page
        while cursor.move(page):
            page = await self._do(question(cursor.after))
            yield page
