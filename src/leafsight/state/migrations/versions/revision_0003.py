"""What is learned from.

Enters: the tables of 0002. Leaves: beside them contributions, declared classes, answers in the shadow and
marks; and jobs that are found by their kind.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def upgrade() -> None:
    """Make the tables; the others keep their rows."""
    _contributions()
    _declared_classes()
    _shadows()
    _marks()
    op.create_index("ix_jobs_kind_id", "jobs", ["kind", "id"])


def _contributions() -> None:
    op.create_table(
        "contributions",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("state", sa.String(20), nullable=False),
        sa.Column("label", sa.String(200), nullable=False),
        sa.Column("class_name", sa.String(200), nullable=False),
        sa.Column("group_id", sa.String(32), nullable=False),
        sa.Column("pixel_hash", sa.String(64), nullable=False),
        sa.Column("look_hash", sa.String(16)),
        sa.Column("embedded_by", sa.String(64)),
        sa.Column("finding_kinds", sa.String(1000), nullable=False),
        sa.Column("upload_id", sa.String(32)),
        sa.Column("prediction_id", sa.String(32)),
        sa.Column("key_id", sa.String(32)),
        sa.Column("decided_ms", sa.BigInteger),
        sa.Column("decided_by", sa.String(200)),
        sa.Column("reason", sa.String(2000)),
        sa.Column("photo_sha256", sa.String(64), nullable=False),
        sa.Column("name", sa.String(500), nullable=False),
        sa.Column("blob", sa.String(300), nullable=False),
        sa.Column("findings", sa.JSON, nullable=False),
        sa.Column("quality", sa.JSON, nullable=False),
        sa.Column("embedding", sa.LargeBinary),
        sa.PrimaryKeyConstraint("id", name="pk_contributions"),
        sa.ForeignKeyConstraint(["upload_id"], ["uploads.id"], name="fk_contributions_upload_id_uploads"),
        sa.ForeignKeyConstraint(
            ["prediction_id"], ["predictions.id"], name="fk_contributions_prediction_id_predictions"
        ),
    )
    for columns in (
        ["state", "id"],
        ["state", "decided_ms"],
        ["state", "finding_kinds", "id"],
        ["label", "id", "state"],
        ["upload_id", "id"],
        ["key_id", "id"],
        ["blob"],
    ):
        op.create_index(f"ix_contributions_{'_'.join(columns)}", "contributions", columns)
    for columns in (["upload_id", "name"], ["prediction_id"]):
        known = sa.text(f"{columns[0]} IS NOT NULL")
        op.create_index(
            f"ix_contributions_{'_'.join(columns)}",
            "contributions",
            columns,
            unique=True,
            sqlite_where=known,
            postgresql_where=known,
        )


def _declared_classes() -> None:
    op.create_table(
        "declared_classes",
        sa.Column("name", sa.String(200), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("by", sa.String(200), nullable=False),
        sa.Column("note", sa.String(2000), nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_declared_classes"),
    )


def _shadows() -> None:
    op.create_table(
        "shadows",
        sa.Column("id", sa.String(32), nullable=False),
        sa.Column("created_ms", sa.BigInteger, nullable=False),
        sa.Column("prediction_id", sa.String(32), nullable=False),
        sa.Column("model_hash", sa.String(100), nullable=False),
        sa.Column("verdict", sa.String(20), nullable=False),
        sa.Column("class_key", sa.String(200)),
        sa.Column("probability", sa.Float),
        sa.Column("latency_ms", sa.Float, nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_shadows"),
    )
    op.create_index("ix_shadows_created_ms", "shadows", ["created_ms"])
    op.create_index("ix_shadows_model_hash_created_ms", "shadows", ["model_hash", "created_ms"])
    columns = ["prediction_id", "model_hash"]
    op.create_index("ix_shadows_prediction_id_model_hash", "shadows", columns, unique=True)


def _marks() -> None:
    op.create_table(
        "marks",
        sa.Column("name", sa.String(100), nullable=False),
        sa.Column("updated_ms", sa.BigInteger, nullable=False),
        sa.Column("value", sa.JSON, nullable=False),
        sa.PrimaryKeyConstraint("name", name="pk_marks"),
    )
