"""tables of extraction orders."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "extraction_order",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("case_id", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("purpose", sa.Text(), nullable=False),
        sa.Column("recipient", sa.Text(), nullable=False),
        sa.Column("renditions", sa.Boolean(), nullable=False),
        sa.Column("list_sha256", sa.String(length=64), nullable=False),
        sa.Column("requested_by", sa.String(length=36), nullable=False),
        sa.Column("requested_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(length=36), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("making", sa.String(length=10), nullable=False),
        sa.Column("making_done", sa.BigInteger(), nullable=False),
        sa.Column("making_total", sa.BigInteger(), nullable=False),
        sa.Column("making_problem", sa.Text(), nullable=False),
        sa.Column("package_id", sa.String(length=36), nullable=True),
        sa.Column("package_path", sa.Text(), nullable=True),
        sa.Column("package_verdict", sa.String(length=20), nullable=True),
        sa.Column("manifest_sha256", sa.String(length=64), nullable=True),
        sa.Column("made_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_by", sa.String(length=36), nullable=True),
        sa.Column("handed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("handed_to", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["account.id"], name=op.f("fk_extraction_order_approved_by_account")),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_extraction_order_case_id_case_file")),
        sa.ForeignKeyConstraint(["handed_by"], ["account.id"], name=op.f("fk_extraction_order_handed_by_account")),
        sa.ForeignKeyConstraint(
            ["requested_by"], ["account.id"], name=op.f("fk_extraction_order_requested_by_account")
        ),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_extraction_order_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extraction_order")),
        sa.UniqueConstraint("number", name=op.f("uq_extraction_order_number")),
    )
    with op.batch_alter_table("extraction_order", schema=None) as batch_op:
        batch_op.create_index("ix_extraction_order_case_id", ["case_id", "id"], unique=False)
        batch_op.create_index("ix_extraction_order_state", ["state", "id"], unique=False)

    op.create_table(
        "extraction_item",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["order_id"], ["extraction_order.id"], name=op.f("fk_extraction_item_order_id_extraction_order")
        ),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_extraction_item_recording_id_recording")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_extraction_item")),
        sa.UniqueConstraint("order_id", "recording_id", name=op.f("uq_extraction_item_order_id_recording_id")),
    )
    with op.batch_alter_table("extraction_item", schema=None) as batch_op:
        batch_op.create_index("ix_extraction_item_recording_id", ["recording_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("extraction_item", schema=None) as batch_op:
        batch_op.drop_index("ix_extraction_item_recording_id")

    op.drop_table("extraction_item")
    with op.batch_alter_table("extraction_order", schema=None) as batch_op:
        batch_op.drop_index("ix_extraction_order_state")
        batch_op.drop_index("ix_extraction_order_case_id")

    op.drop_table("extraction_order")
