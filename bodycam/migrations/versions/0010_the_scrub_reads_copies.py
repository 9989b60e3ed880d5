"""the scrub reads copies: one table for them, and whose object it is."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    with op.batch_alter_table("fixity_check", schema=None) as batch_op:
        batch_op.drop_index("ix_fixity_check_problems_object_id")

    op.drop_table("fixity_check")
    with op.batch_alter_table("rendition", schema=None) as batch_op:
        batch_op.create_index("ix_rendition_object_id", ["object_id"], unique=False)


def downgrade() -> None:
    with op.batch_alter_table("rendition", schema=None) as batch_op:
        batch_op.drop_index("ix_rendition_object_id")

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
