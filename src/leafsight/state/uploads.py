"""Uploads: files that people sent, and how far each has come.

Enters and leaves: records. It does not know the files, only under which name they are stored.
"""

from __future__ import annotations

import re
from typing import Any

from sqlalchemy import Row, insert, update

from leafsight.errors import NotFoundError, UsageError
from leafsight.state.database import Database
from leafsight.state.jobs import add_job, begin_again
from leafsight.state.paging import PAGE, read_one, read_page
from leafsight.state.records import JobRecord, Page, UploadRecord, values_of
from leafsight.state.tables import UPLOADS, checked

WAITING = "waiting"
"""The state of an upload that its job has not looked into yet."""


class Uploads:
    """Files that people sent. Nothing here is ever pruned."""

    def __init__(self, database: Database) -> None:
        self._database = database

    def add(self, record: UploadRecord, job: JobRecord | None = None) -> None:
        """Keep an upload, and the job that looks into it: both, or neither.

        Raises:
            UsageError: a value does not fit.
            ConflictError: the id is there already.
            StateBusyError, StateError: see ``Database``.
        """
        row = checked(UPLOADS, values_of(record))
        _check_state(record.state)
        with self._database.writing() as connection:
            connection.execute(insert(UPLOADS), row)
            if job is not None:
                add_job(connection, job)

    def get(self, upload_id: str) -> UploadRecord | None:
        """The record with this id; None when there is none.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        row = read_one(self._database, UPLOADS, upload_id)
        return None if row is None else _record(row)

    def page(
        self, after: str | None = None, limit: int = PAGE, *, key_id: str | None = None
    ) -> Page[UploadRecord]:
        """Records, newest first; see ``read_page``. With ``key_id``, those that came with this key."""
        only = None if key_id is None else UPLOADS.c.key_id == key_id
        return read_page(self._database, UPLOADS, _record, after, limit, only=only)

    def set_state(self, upload_id: str, state: str) -> UploadRecord:
        """Say how far an upload has come.

        Args:
            upload_id: which.
            state: one word of small letters, such as ``quarantined``; its meaning is the caller's.

        Raises:
            NotFoundError: there is no such upload.
            UsageError: ``state`` is no such word.
            StateBusyError, StateError: see ``Database``.
        """
        _check_state(state)
        wanted = update(UPLOADS).where(UPLOADS.c.id == upload_id).values(state=state).returning(*UPLOADS.c)
        with self._database.writing() as connection:
            row = connection.execute(wanted).one_or_none()
        if row is None:
            raise NotFoundError("there is no upload with this id", hint="check the id")
        return _record(row)

    def look_again(self, upload_id: str, job: JobRecord) -> JobRecord:
        """Let an upload wait once more, and the job that looks into it begin anew: both, or neither.

        Args:
            upload_id: which.
            job: the one that looks into it; kept as it is when there is none of its id.

        Returns:
            The job, queued.

        Raises:
            NotFoundError: there is no such upload.
            ConflictError: the job has not ended.
            UsageError: a value does not fit.
            StateBusyError, StateError: see ``Database``.
        """
        wanted = update(UPLOADS).where(UPLOADS.c.id == upload_id).values(state=WAITING)
        with self._database.writing() as connection:
            if connection.execute(wanted).rowcount == 0:
                raise NotFoundError("there is no upload with this id", hint="check the id")
            return begin_again(connection, job)


def _check_state(state: str) -> None:
    if not re.fullmatch(r"[a-z_]{1,20}", state):
        raise UsageError(f"the state '{state[:40]}' is not one word of at most 20 small letters")


def _record(row: Row[Any]) -> UploadRecord:
    return UploadRecord(**row._mapping)
