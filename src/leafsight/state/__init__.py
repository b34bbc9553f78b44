"""What the service remembers: what it answered, what people gave and said, jobs, keys; and photographs.

Enters: the address of a database (SQLite or PostgreSQL) or of a store for photographs (a folder or S3), and
records. Leaves: the same records again, whatever process wrote them, and errors of ours when the database or
the store cannot answer. It does not know HTTP, models or settings. SQLAlchemy, Alembic, psycopg and obstore
are loaded when something is first asked for that needs them.
"""

from importlib import import_module
from typing import TYPE_CHECKING, Any

from leafsight.errors import require

if TYPE_CHECKING:
    from leafsight.state.backing_up import Backup, backup
    from leafsight.state.blob_inventory import missing_blobs, stray_photographs
    from leafsight.state.blobs import Blobs, open_blobs
    from leafsight.state.bucket_files import BucketFiles, open_bucket_files
    from leafsight.state.clean_photographs import clean_photograph
    from leafsight.state.ids import is_id, new_id
    from leafsight.state.learning_records import (
        CONTRIBUTION_STATES,
        ContributionRecord,
        ContributionState,
        DeclaredClass,
        LookAlike,
        ShadowRecord,
        ShadowSummary,
    )
    from leafsight.state.limits import MAX_JSON_BYTES
    from leafsight.state.looking import DatabaseLook, JobsLook, look_at_database
    from leafsight.state.migrating import Migrated, migrate
    from leafsight.state.objects import Objects, open_objects
    from leafsight.state.opening import State, open_state
    from leafsight.state.records import (
        JOB_STATES,
        SCOPES,
        CorrectionRecord,
        Day,
        JobRecord,
        KeyRecord,
        Page,
        PredictionRecord,
        Pruned,
        StoredAnswer,
        Summary,
        UploadRecord,
    )
    from leafsight.state.restoring import Restored, restore
    from leafsight.state.samples import SampledPrediction
    from leafsight.state.store_look import StoreLook, look_at_store
    from leafsight.state.upkeep import (
        Description,
        database_clock_ms,
        describe,
        has_predictions_between,
        prune,
    )

# name -> where it is, and the library of the extra "serve" that it cannot do without
_HOME: dict[str, tuple[str, str | None]] = {
    "Backup": ("backing_up", "sqlalchemy"),
    "Blobs": ("blobs", None),
    "BucketFiles": ("bucket_files", None),
    "CONTRIBUTION_STATES": ("learning_records", None),
    "ContributionRecord": ("learning_records", None),
    "ContributionState": ("learning_records", None),
    "CorrectionRecord": ("records", None),
    "DatabaseLook": ("looking", "sqlalchemy"),
    "Day": ("records", None),
    "DeclaredClass": ("learning_records", None),
    "Description": ("upkeep", "sqlalchemy"),
    "JOB_STATES": ("records", None),
    "JobRecord": ("records", None),
    "JobsLook": ("looking", "sqlalchemy"),
    "KeyRecord": ("records", None),
    "LookAlike": ("learning_records", None),
    "MAX_JSON_BYTES": ("limits", None),
    "Migrated": ("migrating", "sqlalchemy"),
    "Objects": ("objects", None),
    "Page": ("records", None),
    "PredictionRecord": ("records", None),
    "Pruned": ("records", None),
    "Restored": ("restoring", "sqlalchemy"),
    "SCOPES": ("records", None),
    "SampledPrediction": ("samples", "sqlalchemy"),
    "ShadowRecord": ("learning_records", None),
    "ShadowSummary": ("learning_records", None),
    "State": ("opening", "sqlalchemy"),
    "StoreLook": ("store_look", None),
    "StoredAnswer": ("records", None),
    "Summary": ("records", None),
    "UploadRecord": ("records", None),
    "backup": ("backing_up", "sqlalchemy"),
    "clean_photograph": ("clean_photographs", None),
    "database_clock_ms": ("upkeep", "sqlalchemy"),
    "describe": ("upkeep", "sqlalchemy"),
    "has_predictions_between": ("upkeep", "sqlalchemy"),
    "is_id": ("ids", None),
    "look_at_database": ("looking", "sqlalchemy"),
    "look_at_store": ("store_look", None),
    "migrate": ("migrating", "sqlalchemy"),
    "missing_blobs": ("blob_inventory", "sqlalchemy"),
    "new_id": ("ids", None),
    "open_blobs": ("blobs", None),
    "open_bucket_files": ("bucket_files", None),
    "open_objects": ("objects", None),
    "open_state": ("opening", "sqlalchemy"),
    "prune": ("upkeep", "sqlalchemy"),
    "restore": ("restoring", "sqlalchemy"),
    "stray_photographs": ("blob_inventory", "sqlalchemy"),
}

__all__ = [
    "Backup",
    "Blobs",
    "BucketFiles",
    "CONTRIBUTION_STATES",
    "ContributionRecord",
    "ContributionState",
    "CorrectionRecord",
    "DatabaseLook",
    "Day",
    "DeclaredClass",
    "Description",
    "JOB_STATES",
    "JobRecord",
    "JobsLook",
    "KeyRecord",
    "LookAlike",
    "MAX_JSON_BYTES",
    "Migrated",
    "Objects",
    "Page",
    "PredictionRecord",
    "Pruned",
    "Restored",
    "SCOPES",
    "SampledPrediction",
    "ShadowRecord",
    "ShadowSummary",
    "State",
    "StoreLook",
    "StoredAnswer",
    "Summary",
    "UploadRecord",
    "backup",
    "clean_photograph",
    "database_clock_ms",
    "describe",
    "has_predictions_between",
    "is_id",
    "look_at_database",
    "look_at_store",
    "migrate",
    "missing_blobs",
    "new_id",
    "open_blobs",
    "open_bucket_files",
    "open_objects",
    "open_state",
    "prune",
    "restore",
    "stray_photographs",
]


def __getattr__(name: str) -> Any:
    if name not in _HOME:
        raise AttributeError(f"module {__name__!r} has no attribute {name!r}")
    module, library = _HOME[name]
    if library is not None:
        require(library, "serve")
    value = getattr(import_module(f"{__name__}.{module}"), name)
    globals()[name] = value
    return value
