"""the copies of sealed objects."""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "vault_copy",
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("place", sa.String(length=20), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("cipher_size", sa.BigInteger(), nullable=False),
        sa.Column("written_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("verified_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("problems", sa.String(length=200), nullable=False),
        sa.Column("is_listed", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("object_id", "place", name=op.f("pk_vault_copy")),
    )
    with op.batch_alter_table("vault_copy", schema=None) as batch_op:
        batch_op.create_index("ix_vault_copy_state_object_id", ["state", "object_id"], unique=False)
        batch_op.create_index("ix_vault_copy_verified_at_object_id", ["verified_at", "object_id"], unique=False)

    # what was read back so far lay in the one place there was
    op.execute(
        "INSERT INTO vault_copy"
        " (object_id, place, state, cipher_size, written_at, verified_at, problems, is_listed)"
        " SELECT object_id, 'main', CASE WHEN problems = '' THEN 'present'"
        " WHEN problems = 'object_missing' THEN 'missing' ELSE 'damaged' END,"
        " cipher_size, NULL, checked_at, problems, true FROM fixity_check"
    )


def downgrade() -> None:
    with op.batch_alter_table("vault_copy", schema=None) as batch_op:
        batch_op.drop_index("ix_vault_copy_verified_at_object_id")
        batch_op.drop_index("ix_vault_copy_state_object_id")

    op.drop_table("vault_copy")
