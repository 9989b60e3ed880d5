"""how each witness stands."""

import sqlalchemy as sa
from alembic import op

revision = "0009"
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "witness_standing",
        sa.Column("witness", sa.String(length=300), nullable=False),
        sa.Column("trouble", sa.String(length=20), nullable=True),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("witness", name=op.f("pk_witness_standing")),
    )


def downgrade() -> None:
    op.drop_table("witness_standing")
