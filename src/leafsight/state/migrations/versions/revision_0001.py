"""The first tables.

Enters: an empty database. Leaves: predictions, corrections, jobs, uploads, keys, usage and answers. It does
not know ``tables``: what was released stays as it was, while that goes on.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def upgrade() -> None:
    """Make the tables, those that are referred to first."""
    _predictions()
    _corrections()
    _jobs()
    _uploads()
    _keys()
    _usage()
    _answers()


def _predictions() -> None:
    op.create_table(
        "predictions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("class_key", sa.String(200)),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.Column("probability", sa.Float),
        sa.Column("model_hash", sa.String(100), nullable=False),
        sa.Column("model_name", sa.String(200), nullable=False),
        sa.Column("key_id", sa.String(32)),
        sa.Column("plant_id", sa.String(100)),
        sa.Column("crop_given", sa.String(100)),
        sa.Column("photo_sha256", sa.String(64), nullable=False),
        sa.Column("photo_blob", sa.String(300)),
        sa.Column("quality", sa.JSON, nullable=False),
        sa.Column("answer", sa.JSON, nullable=False),
        sa.Column("embedding", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_predictions"),
    )
    columns = ["created_ms", "verdict", "class_key", "latency_ms"]
    op.create_index(f"ix_predictions_{'_'.join(columns)}", "predictions", columns)
    stored = sa.text("photo_blob IS NOT NULL")
    op.create_index(
        "ix_predictions_photo_blob",
        "predictions",
        ["photo_blob"],
        sqlite_where=stored,
        postgresql_where=stored,
    )


def _corrections() -> None:
    op.create_table(
        "corrections",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("prediction_id", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("is_right", sa.Boolean, nullable=False),
        sa.Column("class_key", sa.String(200)),
        sa.Column("key_id", sa.String(32)),
        sa.Column("note", sa.String(2000)),
        sa.PrimaryKeyConstraint("id", name="pk_corrections"),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["predictions.id"], name="fk_corrections_prediction_id_predictions"
        ),
    )
    op.create_index("ix_corrections_prediction_id", "corrections", ["prediction_id"])
    op.create_index("ix_corrections_created_ms", "corrections", ["created_ms"])


def _jobs() -> None:
    op.create_table(
        "jobs",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("kind", sa.String(100), nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("request", sa.JSON, nullable=False),
        sa.Column("progress", sa.JSON, nullable=False),
        sa.Column("result", sa.JSON),
        sa.Column("error", sa.JSON),
        sa.PrimaryKeyConstraint("id", name="pk_jobs"),
    )
    op.create_index("ix_jobs_state", "jobs", ["state"])


def _uploads() -> None:
    op.create_table(
        "uploads",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("bytes", sa.BigInteger, nullable=False),
        sa.Column("sha256", sa.String(64), nullable=False),
        sa.Column("media_type", sa.String(100), nullable=False),
        sa.Column("key_id", sa.String(32)),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("label", sa.String(200)),
        sa.Column("blob", sa.String(300), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_uploads"),
    )
    op.create_index("ix_uploads_state", "uploads", ["state"])


def _keys() -> None:
    op.create_table(
        "keys",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("secret_sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("scopes", sa.JSON, nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("revoked_ms", sa.BigInteger),
        sa.Column("rate_per_minute", sa.Integer),
        sa.Column("photographs_per_day", sa.Integer),
        sa.PrimaryKeyConstraint("id", name="pk_keys"),
    )


def _usage() -> None:
    op.create_table(
        "usage",
        sa.Column("key_id", sa.String(100), nullable=False),
        sa.Column("span", sa.String(20), nullable=False),
        sa.Column("start_ms", sa.BigInteger, nullable=False, autoincrement=False),
        sa.Column("amount", sa.BigInteger, nullable=False),
        sa.PrimaryKeyConstraint("key_id", "span", "start_ms", name="pk_usage"),
    )


def _answers() -> None:
    op.create_table(
        "answers",
        sa.Column("key_id", sa.String(32), nullable=False),
        sa.Column("route", sa.String(200), nullable=False),
        sa.Column("key", sa.String(200), nullable=False),
        sa.Column("request_sha256", sa.String(64), nullable=False),
        sa.Column("started_ms", sa.BigInteger, nullable=False),
        sa.Column("status", sa.Integer),
        sa.Column("headers", sa.JSON),
        sa.Column("body", sa.LargeBinary),
        sa.PrimaryKeyConstraint("key_id", "route", "key", name="pk_answers"),
    )
    op.create_index("ix_answers_started_ms", "answers", ["started_ms"])
