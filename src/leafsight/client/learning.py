"""What a server learns from, how it learns, and which model serves: asked and decided from elsewhere.

Enters: ids, labels, wishes. Leaves: plain values as the contract of the server has them. It does not know how
a request is sent.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Protocol, TypeVar

from leafsight.client import learning_calls as calls
from leafsight.client.answers import UploadAccepted
from leafsight.client.attempts import Call
from leafsight.client.photographs import file_body
from leafsight.errors import ConflictError, OverloadError, RemoteError, StorageError, UsageError

Result = TypeVar("Result")
PART_BYTES = 8 * 1024**2
MOST_TROUBLES = 8
"""A part that got no answer so often one after the other is given up; what is there stays."""


class Doing(Protocol):
    """Carries one call out."""

    def __call__(self, call: Call[Result], /) -> Result:
        """The answer, or the error that the server names."""


class Learning:
    """The learning side of a server, from ``Client.learning``.

    Every method raises the error that the server names, and ``RemoteError`` when there is none. Most want a
    key with the scope ``admin``.

    Args:
        do: carries a call out.
        token: makes a name for one write.
    """

    def __init__(self, do: Doing, token: Callable[[], str]) -> None:
        self._do, self._token = do, token

    def contributions(
        self, wanted: Mapping[str, str | None], *, after: str | None = None, limit: int = 50
    ) -> dict[str, Any]:
        """A page of what was sent to be learned: ``contributions`` and ``next``.

        Args:
            wanted: ``state``, ``upload``, ``label``, ``finding``; None for any.
            after: ``next`` of the page before.
            limit: of a page.
        """
        return self._do(calls.page("/v1/contributions", after, limit, **wanted))

    def contributions_summary(self) -> dict[str, Any]:
        """How many there are, by state and class."""
        return self._do(calls.get("/v1/contributions/summary"))

    def contribution(self, name: str) -> dict[str, Any]:
        """One of them, by its id."""
        return self._do(calls.get(calls.one_of("contributions", name, "contribution")))

    def photograph(self, name: str) -> bytes:
        """A small picture of one of them: JPEG of at most 1,024 pixels a side."""
        path = calls.one_of("contributions", name, "contribution", "/photograph")
        return self._do(calls.get_file(path, "side=1024", "image/jpeg"))

    def decide(self, wish: Mapping[str, Any]) -> dict[str, Any]:
        """Accept, relabel or reject: ``changed`` and ``skipped``.

        Args:
            wish: one of ``ids``, ``upload``, ``all``; ``state``; perhaps ``label`` and ``reason``.
        """
        return self._do(calls.post("/v1/contributions/decide", wish, self._token()))

    def declared(self) -> list[dict[str, Any]]:
        """Classes that may be learned although the model does not know them."""
        return _list(self._do(calls.get("/v1/classes/declared")), "classes")

    def declare(self, name: str, note: str) -> dict[str, Any]:
        """Let a class be learned."""
        wish = {"name": name, "note": note}
        return self._do(calls.post("/v1/classes/declared", wish, self._token()))

    def take_back(self, name: str) -> list[dict[str, Any]]:
        """Take that back; those that are left are the answer."""
        return _list(self._do(calls.delete(calls.declared_path(name))), "classes")

    def retrain(self, path: str, reason: str) -> dict[str, Any]:
        """Ask for the next model; ``job`` is followed with ``Client.follow``.

        Args:
            path: ``quick`` or ``full``.
            reason: kept with it.
        """
        return self._do(calls.post("/v1/retraining", {"path": path, "reason": reason}, self._token()))

    def retrainings(self, *, after: str | None = None, limit: int = 50) -> dict[str, Any]:
        """A page of them: ``retrainings``, ``next``, ``trigger``."""
        return self._do(calls.page("/v1/retraining", after, limit))

    def retraining(self, name: str) -> dict[str, Any]:
        """One of them, with its gate and its training set."""
        return self._do(calls.get(calls.one_of("retraining", name, "retraining")))

    def gate_report(self, name: str) -> bytes:
        """The page of its gate, HTML."""
        path = calls.one_of("retraining", name, "retraining", "/report")
        return self._do(calls.get_file(path, "", "text/html"))

    def cancel(self, name: str) -> dict[str, Any]:
        """End a retraining that has not ended."""
        return self._do(calls.delete(calls.one_of("jobs", name, "job")))

    def job(self, name: str) -> dict[str, Any]:
        """A job as it is now."""
        return self._do(calls.get(calls.one_of("jobs", name, "job")))

    def promote(self, name: str, *, alias: str, reason: str, override: bool) -> dict[str, Any]:
        """Let a model serve; the change.

        Args:
            name: hash, the beginning of one, or an alias.
            alias: that shall point to it.
            reason: kept in the history.
            override: also when its gate did not hold.
        """
        wish = {"alias": alias, "reason": reason, "override": override}
        return self._do(calls.post(calls.one_of("models", name, "model", "/promote"), wish, self._token()))

    def roll_back(self, *, alias: str, steps: int, reason: str, over: str | None = None) -> dict[str, Any]:
        """Put a former model back; the change.

        Args:
            alias: that shall point to it.
            steps: promotions to take back.
            reason: kept in the history.
            over: id of the model that it has to point to before; of what is sent twice nothing happens twice.
        """
        wish = {"alias": alias, "steps": steps, "reason": reason, "over": over}
        return self._do(calls.post("/v1/models/rollback", wish, self._token()))

    def model_history(self, alias: str, limit: int) -> list[dict[str, Any]]:
        """Moves of an alias, newest first."""
        return _list(self._do(calls.page("/v1/models/history", None, limit, alias=alias)), "changes")

    def watch(self) -> dict[str, Any]:
        """The watch over what was promoted last."""
        return self._do(calls.get("/v1/watch"))

    def begin_upload(self, path: Path, label: str | None) -> str:
        """Begin an upload in parts; the id to send them under, also tomorrow.

        Raises:
            StorageError: the file cannot be read.
        """
        body, media_type = file_body(path)
        begun = self._do(calls.begin_parts(body.size_bytes, media_type, label, self._token()))
        name = begun.get("id")
        if not isinstance(name, str):
            raise RemoteError("the server began an upload and does not say under which id")
        return name

    def send_rest(
        self, path: Path, name: str, told: Callable[[int, int], None] = lambda done, total: None
    ) -> UploadAccepted:
        """Send what a server does not have yet of an upload in parts.

        Args:
            path: the same file as when it began.
            name: from ``begin_upload``.
            told: bytes that are there and bytes of the whole, after every part.

        Raises:
            UsageError: the file has another length than the upload.
            StorageError: it cannot be read.
        """
        size_bytes = file_body(path)[0].size_bytes
        troubles, told_offset = 0, -1
        while True:
            offset, total = self._do(calls.parts_so_far(name))
            if total != size_bytes:
                raise UsageError(
                    f"{path} has {size_bytes} bytes, the upload {name} {total}", hint="begin a new upload"
                )
            told(offset, total)
            troubles = 0 if offset > told_offset else troubles
            told_offset = offset
            try:
                return self._parts(path, name, offset, total, told)
            except (ConflictError, OverloadError, RemoteError):
                # Nobody knows whether the part came: the server is asked where to go on.
                troubles += 1
                if troubles >= MOST_TROUBLES:
                    raise

    def _parts(
        self, path: Path, name: str, offset: int, total: int, told: Callable[[int, int], None]
    ) -> UploadAccepted:
        try:
            with path.open("rb") as file:
                file.seek(offset)
                while True:
                    data = file.read(PART_BYTES)
                    if not data and offset < total:
                        raise StorageError(f"{path} became shorter while it was sent")
                    done = self._do(calls.send_part(name, offset, data))
                    offset += len(data)
                    told(offset, total)
                    if done is not None:
                        return done
                    if offset >= total and not data:
                        raise RemoteError("the server has all parts and made no upload of them")
        except OSError as error:
            raise StorageError(f"{path}: {error.strerror}", hint="check the path") from error


def _list(plain: dict[str, Any], name: str) -> list[dict[str, Any]]:
    rows = plain.get(name)
    if not isinstance(rows, list):
        raise RemoteError(f"the answer has no list {name!r}")
    return rows
