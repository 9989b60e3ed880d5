"""tables of retention."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "clock_watch",
        sa.Column("id", sa.String(length=10), nullable=False),
        sa.Column("scanned", sa.BigInteger(), nullable=False),
        sa.Column("high", sa.DateTime(timezone=True), nullable=True),
        sa.Column("boots", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clock_watch")),
    )
    op.create_table(
        "tombstone",
        sa.Column("leaf_index", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("destroyed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("complete_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.PrimaryKeyConstraint("leaf_index", name=op.f("pk_tombstone")),
        sa.UniqueConstraint("leaf_hash", name=op.f("uq_tombstone_leaf_hash")),
        sa.UniqueConstraint("recording_id", name=op.f("uq_tombstone_recording_id")),
    )
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.create_index("ix_tombstone_destroyed_at", ["destroyed_at", "leaf_index"], unique=False)

    op.create_table(
        "disposition_batch",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("list_sha256", sa.String(length=64), nullable=False),
        sa.Column("schedule_sha256", sa.String(length=64), nullable=False),
        sa.Column("items", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("first_by", sa.String(length=36), nullable=True),
        sa.Column("first_unit_id", sa.String(length=36), nullable=True),
        sa.Column("first_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("second_by", sa.String(length=36), nullable=True),
        sa.Column("second_unit_id", sa.String(length=36), nullable=True),
        sa.Column("second_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("cooling_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_by", sa.String(length=36), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["ended_by"], ["account.id"], name=op.f("fk_disposition_batch_ended_by_account")),
        sa.ForeignKeyConstraint(["first_by"], ["account.id"], name=op.f("fk_disposition_batch_first_by_account")),
        sa.ForeignKeyConstraint(["first_unit_id"], ["unit.id"], name=op.f("fk_disposition_batch_first_unit_id_unit")),
        sa.ForeignKeyConstraint(["second_by"], ["account.id"], name=op.f("fk_disposition_batch_second_by_account")),
        sa.ForeignKeyConstraint(["second_unit_id"], ["unit.id"], name=op.f("fk_disposition_batch_second_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposition_batch")),
        sa.UniqueConstraint("number", name=op.f("uq_disposition_batch_number")),
    )
    with op.batch_alter_table("disposition_batch", schema=None) as batch_op:
        batch_op.create_index("ix_disposition_batch_state", ["state", "id"], unique=False)

    op.create_table(
        "legal_hold",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=True),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("cause", sa.String(length=12), nullable=False),
        sa.Column("target", sa.Text(), nullable=False),
        sa.Column("reason_code", sa.String(length=40), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("submission_id", sa.String(length=36), nullable=True),
        sa.Column("placed_by", sa.String(length=36), nullable=True),
        sa.Column("placed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("released_by", sa.String(length=36), nullable=True),
        sa.Column("released_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("release_reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["placed_by"], ["account.id"], name=op.f("fk_legal_hold_placed_by_account")),
        sa.ForeignKeyConstraint(["released_by"], ["account.id"], name=op.f("fk_legal_hold_released_by_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_legal_hold")),
        sa.UniqueConstraint("number", name=op.f("uq_legal_hold_number")),
    )
    with op.batch_alter_table("legal_hold", schema=None) as batch_op:
        batch_op.create_index("ix_legal_hold_released_at", ["released_at", "id"], unique=False)
        batch_op.create_index("ix_legal_hold_submission_id", ["submission_id"], unique=False)

    op.create_table(
        "retention_schedule",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("proposed_by", sa.String(length=36), nullable=True),
        sa.Column("proposed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("decided_by", sa.String(length=36), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("event_id", sa.String(length=36), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_retention_schedule_decided_by_account")),
        sa.ForeignKeyConstraint(
            ["proposed_by"], ["account.id"], name=op.f("fk_retention_schedule_proposed_by_account")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_retention_schedule")),
        sa.UniqueConstraint("number", name=op.f("uq_retention_schedule_number")),
    )
    with op.batch_alter_table("retention_schedule", schema=None) as batch_op:
        batch_op.create_index("ix_retention_schedule_state", ["state", "number"], unique=False)

    op.create_table(
        "disposition_item",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("batch_id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.Column("leaf_hash", sa.String(length=64), nullable=False),
        sa.Column("rule", sa.String(length=40), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("reason", sa.String(length=200), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["batch_id"], ["disposition_batch.id"], name=op.f("fk_disposition_item_batch_id_disposition_batch")
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_disposition_item_recording_id_recording")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_disposition_item")),
        sa.UniqueConstraint("batch_id", "recording_id", name=op.f("uq_disposition_item_batch_id_recording_id")),
    )
    with op.batch_alter_table("disposition_item", schema=None) as batch_op:
        batch_op.create_index("ix_disposition_item_recording_id", ["recording_id"], unique=False)
        batch_op.create_index("ix_disposition_item_state", ["state"], unique=False)

    op.create_table(
        "signed_negative",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("asked", sa.Text(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.Column("made_by", sa.String(length=36), nullable=False),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("reopened_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reopened_by", sa.String(length=36), nullable=True),
        sa.Column("seen_by", sa.String(length=36), nullable=True),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["made_by"], ["account.id"], name=op.f("fk_signed_negative_made_by_account")),
        sa.ForeignKeyConstraint(
            ["reopened_by"], ["recording.id"], name=op.f("fk_signed_negative_reopened_by_recording")
        ),
        sa.ForeignKeyConstraint(["seen_by"], ["account.id"], name=op.f("fk_signed_negative_seen_by_account")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_signed_negative_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_signed_negative")),
        sa.UniqueConstraint("number", name=op.f("uq_signed_negative_number")),
    )
    with op.batch_alter_table("signed_negative", schema=None) as batch_op:
        batch_op.create_index("ix_signed_negative_reopened_at", ["reopened_at", "id"], unique=False)
        batch_op.create_index("ix_signed_negative_unit_id", ["unit_id", "id"], unique=False)

    op.create_table(
        "destroyed_copy",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("item_id", sa.String(length=36), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("what", sa.String(length=12), nullable=False),
        sa.Column("place", sa.String(length=40), nullable=False),
        sa.Column("ok", sa.Boolean(), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.Column("tried_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["item_id"], ["disposition_item.id"], name=op.f("fk_destroyed_copy_item_id_disposition_item")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_destroyed_copy")),
        sa.UniqueConstraint("item_id", "object_id", "place", name=op.f("uq_destroyed_copy_item_id_object_id_place")),
    )


def downgrade() -> None:
    op.drop_table("destroyed_copy")
    with op.batch_alter_table("signed_negative", schema=None) as batch_op:
        batch_op.drop_index("ix_signed_negative_unit_id")
        batch_op.drop_index("ix_signed_negative_reopened_at")

    op.drop_table("signed_negative")
    with op.batch_alter_table("disposition_item", schema=None) as batch_op:
        batch_op.drop_index("ix_disposition_item_state")
        batch_op.drop_index("ix_disposition_item_recording_id")

    op.drop_table("disposition_item")
    with op.batch_alter_table("retention_schedule", schema=None) as batch_op:
        batch_op.drop_index("ix_retention_schedule_state")

    op.drop_table("retention_schedule")
    with op.batch_alter_table("legal_hold", schema=None) as batch_op:
        batch_op.drop_index("ix_legal_hold_submission_id")
        batch_op.drop_index("ix_legal_hold_released_at")

    op.drop_table("legal_hold")
    with op.batch_alter_table("disposition_batch", schema=None) as batch_op:
        batch_op.drop_index("ix_disposition_batch_state")

    op.drop_table("disposition_batch")
    with op.batch_alter_table("tombstone", schema=None) as batch_op:
        batch_op.drop_index("ix_tombstone_destroyed_at")

    op.drop_table("tombstone")
    op.drop_table("clock_watch")
