"""Classes that may be taught though the model does not know them yet.

Enters: names. Leaves: who declared each, and when. It does not know which classes the model has.
"""

from __future__ import annotations

from collections.abc import Callable

from sqlalchemy import delete, func, insert, select

from leafsight.errors import UsageError
from leafsight.state.database import Database
from leafsight.state.learning_records import DeclaredClass
from leafsight.state.records import values_of
from leafsight.state.tables import DECLARED_CLASSES, checked

MOST_DECLARED = 1000


class DeclaredClasses:
    """Names of new classes. Nothing here is ever pruned.

    Args:
        database: open.
        now: milliseconds since 1970 in UTC.
    """

    def __init__(self, database: Database, now: Callable[[], int]) -> None:
        self._database = database
        self._now = now

    def add(self, name: str, by: str, note: str = "") -> DeclaredClass:
        """Declare a class; one that is declared already stays as it was declared first.

        Raises:
            UsageError: the name is empty or too long, or there are 1000 already.
            StateBusyError, StateError: see ``Database``.
        """
        if not name.strip() or name != name.strip():
            raise UsageError("the name of a class is empty, or begins or ends with a space")
        new = DeclaredClass(name=name, created_ms=self._now(), by=by, note=note)
        row = checked(DECLARED_CLASSES, values_of(new))
        this = select(DECLARED_CLASSES).where(DECLARED_CLASSES.c.name == name)
        with self._database.writing() as connection:
            if not self._database.is_sqlite:  # SQLite lets one write at a time anyway
                connection.exec_driver_sql("LOCK TABLE declared_classes IN SHARE ROW EXCLUSIVE MODE")
            if (found := connection.execute(this).one_or_none()) is not None:
                return DeclaredClass(**found._mapping)
            many = connection.execute(select(func.count()).select_from(DECLARED_CLASSES)).scalar_one()
            if many >= MOST_DECLARED:
                raise UsageError(f"{many} classes are declared already", hint="remove one that nobody needs")
            connection.execute(insert(DECLARED_CLASSES), row)
        return new

    def list(self) -> tuple[DeclaredClass, ...]:
        """All of them, by name.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.reading() as connection:
            rows = connection.execute(select(DECLARED_CLASSES)).all()
        # sorted here: the databases do not agree about the order of letters
        return tuple(sorted((DeclaredClass(**row._mapping) for row in rows), key=lambda one: one.name))

    def remove(self, name: str) -> bool:
        """Declare a class no more; whether it was declared. Contributions with its name stay.

        Raises:
            StateBusyError, StateError: see ``Database``.
        """
        with self._database.writing() as connection:
            gone = connection.execute(delete(DECLARED_CLASSES).where(DECLARED_CLASSES.c.name == name))
            return gone.rowcount > 0
