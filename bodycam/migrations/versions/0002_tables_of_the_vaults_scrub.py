"""tables of the vault's scrub."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "fixity_check",
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("cipher_size", sa.BigInteger(), nullable=False),
        sa.Column("problems", sa.String(length=200), nullable=False),
        sa.PrimaryKeyConstraint("object_id", name=op.f("pk_fixity_check")),
    )
    with op.batch_alter_table("fixity_check", schema=None) as batch_op:
        batch_op.create_index("ix_fixity_check_problems_object_id", ["problems", "object_id"], unique=False)

    op.create_table(
        "fixity_round",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_fixity_round")),
    )


def downgrade() -> None:
    op.drop_table("fixity_round")
    with op.batch_alter_table("fixity_check", schema=None) as batch_op:
        batch_op.drop_index("ix_fixity_check_problems_object_id")

    op.drop_table("fixity_check")
