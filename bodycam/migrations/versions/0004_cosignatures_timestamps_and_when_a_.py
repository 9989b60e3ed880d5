"""cosignatures, timestamps, and when a receipt was witnessed."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "cosignature",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("witness", sa.String(length=300), nullable=False),
        sa.Column("line", sa.Text(), nullable=False),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("size", "witness", name=op.f("pk_cosignature")),
    )
    with op.batch_alter_table("cosignature", schema=None) as batch_op:
        batch_op.create_index("ix_cosignature_witness_size", ["witness", "size"], unique=False)

    op.create_table(
        "timestamp_token",
        sa.Column("size", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("authority", sa.String(length=100), nullable=False),
        sa.Column("checkpoint", sa.Text(), nullable=False),
        sa.Column("queued_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("token_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("size", "authority", name=op.f("pk_timestamp_token")),
    )
    with op.batch_alter_table("custody_receipt", schema=None) as batch_op:
        batch_op.add_column(sa.Column("witnessed_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.create_index(batch_op.f("ix_custody_receipt_witnessed_at"), ["witnessed_at"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("custody_receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_custody_receipt_witnessed_at"))
        batch_op.drop_column("witnessed_at")

    op.drop_table("timestamp_token")
    with op.batch_alter_table("cosignature", schema=None) as batch_op:
        batch_op.drop_index("ix_cosignature_witness_size")

    op.drop_table("cosignature")
