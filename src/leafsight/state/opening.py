"""One open state: everything that the service asks for, behind one name.

Enters: the address of a database. Leaves: stores of records. It does not know HTTP, photographs or models.
"""

from __future__ import annotations

from collections.abc import Callable
from types import TracebackType

from leafsight.state.addresses import Address
from leafsight.state.answers import Answers
from leafsight.state.claims import Claims
from leafsight.state.contributions import Contributions
from leafsight.state.corrections import Corrections
from leafsight.state.database import Database
from leafsight.state.declared_classes import DeclaredClasses
from leafsight.state.ids import clock_ms
from leafsight.state.jobs import Jobs
from leafsight.state.keys import Keys
from leafsight.state.marks import Marks
from leafsight.state.migrating import migrate
from leafsight.state.predictions import Predictions
from leafsight.state.shadows import Shadows
from leafsight.state.shared_secrets import Secrets
from leafsight.state.uploads import Uploads
from leafsight.state.usage import Usage

BUSY_TIMEOUT_S = 5.0


class State:
    """What the service remembers. May be used by many threads.

    Args:
        database: open, and at the newest revision.
        now: the clock, milliseconds since 1970 in UTC.

    Attributes:
        predictions: answers of the model.
        corrections: what people said about them.
        jobs: long work.
        claims: who works it off.
        uploads: files that people sent.
        contributions: photographs with a class, for learning from.
        declared: classes that may be taught though the model does not know them.
        shadows: what another model would have answered.
        marks: small facts that all processes share.
        keys: who may do what.
        usage: how much each key asked for.
        answers: of requests with an idempotency key.
        secrets: that all processes on this database share.
        database: the connections.
        now: the clock.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self.database = database
        self.now = now
        self.predictions = Predictions(database)
        self.corrections = Corrections(database)
        self.jobs = Jobs(database, now)
        self.claims = Claims(database, now)
        self.uploads = Uploads(database)
        self.contributions = Contributions(database, now)
        self.declared = DeclaredClasses(database, now)
        self.shadows = Shadows(database)
        self.marks = Marks(database, now)
        self.keys = Keys(database, now)
        self.usage = Usage(database)
        self.answers = Answers(database, now)
        self.secrets = Secrets(database, now)

    def check(self) -> None:
        """Ask the database for something small.

        Raises:
            StateBusyError, StateError: it does not answer, or is not the one that was opened.
        """
        self.database.check()

    def close(self) -> None:
        """Close every connection."""
        self.database.close()

    def __enter__(self) -> State:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_state(
    database_url: str, *, now: Callable[[], int] = clock_ms, busy_timeout_s: float = BUSY_TIMEOUT_S
) -> State:
    """Open a database, made or brought up to date before.

    Args:
        database_url: ``sqlite:///path`` or ``postgresql://user:password@host/database``.
        now: the clock, milliseconds since 1970 in UTC.
        busy_timeout_s: longest wait for a lock or a free connection, in seconds.

    Raises:
        UsageError: the address cannot be read.
        StateError: a newer leafsight made this database, or it is damaged, or cannot be reached so.
        StateBusyError: it is locked or does not answer.
        PermissionDeniedError, DiskFullError, StorageError: the file or its folder cannot be made.
    """
    migrate(database_url)
    return State(Database(Address(database_url), busy_timeout_s=busy_timeout_s), now)
