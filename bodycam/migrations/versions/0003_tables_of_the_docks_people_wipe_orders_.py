"""tables of the docks people, wipe orders and debts."""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "camera_outage",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("slip", sa.String(length=30), nullable=False),
        sa.Column("camera_id", sa.String(length=36), nullable=False),
        sa.Column("officer_id", sa.String(length=36), nullable=True),
        sa.Column("station_id", sa.String(length=36), nullable=True),
        sa.Column("symptom", sa.String(length=30), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reported_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("resolved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("resolution", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_camera_outage_camera_id_camera")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_camera_outage_officer_id_officer")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_camera_outage_station_id_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_outage")),
        sa.UniqueConstraint("slip", name=op.f("uq_camera_outage_slip")),
    )
    with op.batch_alter_table("camera_outage", schema=None) as batch_op:
        batch_op.create_index("ix_camera_outage_camera_id_reported_at", ["camera_id", "reported_at"], unique=False)

    op.create_table(
        "kiosk_session",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("station_id", sa.String(length=36), nullable=False),
        sa.Column("officer_id", sa.String(length=36), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("way", sa.String(length=10), nullable=False),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_kiosk_session_officer_id_officer")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_kiosk_session_station_id_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_kiosk_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_kiosk_session_token_hash")),
    )
    with op.batch_alter_table("kiosk_session", schema=None) as batch_op:
        batch_op.create_index("ix_kiosk_session_station_id_ended_at", ["station_id", "ended_at"], unique=False)

    op.create_table(
        "officer_pass",
        sa.Column("officer_id", sa.String(length=36), nullable=False),
        sa.Column("pin_hash", sa.String(length=200), nullable=True),
        sa.Column("pin_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("pin_is_new", sa.Boolean(), nullable=False),
        sa.Column("card_key", sa.String(length=64), nullable=True),
        sa.Column("card_set_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_officer_pass_officer_id_officer")),
        sa.PrimaryKeyConstraint("officer_id", name=op.f("pk_officer_pass")),
        sa.UniqueConstraint("card_key", name=op.f("uq_officer_pass_card_key")),
    )
    op.create_table(
        "shift_end",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("slip", sa.String(length=30), nullable=False),
        sa.Column("officer_id", sa.String(length=36), nullable=False),
        sa.Column("station_id", sa.String(length=36), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_shift_end_officer_id_officer")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_shift_end_station_id_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shift_end")),
        sa.UniqueConstraint("slip", name=op.f("uq_shift_end_slip")),
    )
    with op.batch_alter_table("shift_end", schema=None) as batch_op:
        batch_op.create_index("ix_shift_end_officer_id_ended_at", ["officer_id", "ended_at"], unique=False)

    op.create_table(
        "camera_file",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("camera_id", sa.String(length=36), nullable=False),
        sa.Column("path", sa.String(length=1000), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("modified_raw", sa.String(length=100), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=True),
        sa.Column("first_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_visit_id", sa.String(length=36), nullable=True),
        sa.Column("clock_offset_s", sa.Double(), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_camera_file_camera_id_camera")),
        sa.ForeignKeyConstraint(
            ["last_visit_id"], ["docking_visit.id"], name=op.f("fk_camera_file_last_visit_id_docking_visit")
        ),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.id"], name=op.f("fk_camera_file_recording_id_recording")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_file")),
        sa.UniqueConstraint(
            "camera_id", "path", "size", "modified_raw", name=op.f("uq_camera_file_camera_id_path_size_modified_raw")
        ),
    )
    with op.batch_alter_table("camera_file", schema=None) as batch_op:
        batch_op.create_index("ix_camera_file_camera_id_state", ["camera_id", "state", "id"], unique=False)
        batch_op.create_index(batch_op.f("ix_camera_file_recording_id"), ["recording_id"], unique=False)

    op.create_table(
        "debt",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("officer_id", sa.String(length=36), nullable=True),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("camera_id", sa.String(length=36), nullable=True),
        sa.Column("visit_id", sa.String(length=36), nullable=True),
        sa.Column("recording_id", sa.String(length=36), nullable=True),
        sa.Column("opened_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("allowed_by", sa.String(length=36), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("closed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("closed_by", sa.String(length=40), nullable=False),
        sa.ForeignKeyConstraint(["allowed_by"], ["officer.id"], name=op.f("fk_debt_allowed_by_officer")),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_debt_camera_id_camera")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_debt_officer_id_officer")),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.id"], name=op.f("fk_debt_recording_id_recording")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_debt_unit_id_unit")),
        sa.ForeignKeyConstraint(["visit_id"], ["docking_visit.id"], name=op.f("fk_debt_visit_id_docking_visit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_debt")),
    )
    with op.batch_alter_table("debt", schema=None) as batch_op:
        batch_op.create_index("ix_debt_camera_id_closed_at", ["camera_id", "closed_at"], unique=False)
        batch_op.create_index("ix_debt_closed_at_due_at", ["closed_at", "due_at"], unique=False)
        batch_op.create_index("ix_debt_officer_id_closed_at", ["officer_id", "closed_at"], unique=False)
        batch_op.create_index("ix_debt_recording_id", ["recording_id"], unique=False)

    op.create_table(
        "recording_minute",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("choice", sa.String(length=10), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=True),
        sa.Column("compact", sa.String(length=100), nullable=True),
        sa.Column("officer_id", sa.String(length=36), nullable=False),
        sa.Column("station_id", sa.String(length=36), nullable=True),
        sa.Column("chosen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_recording_minute_officer_id_officer")),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_recording_minute_recording_id_recording")
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_recording_minute_station_id_station")),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_recording_minute")),
    )
    with op.batch_alter_table("recording_minute", schema=None) as batch_op:
        batch_op.create_index("ix_recording_minute_compact", ["compact"], unique=False)
        batch_op.create_index("ix_recording_minute_officer_id_due_at", ["officer_id", "due_at"], unique=False)

    op.create_table(
        "wipe_order",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("station_id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("day", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("cause", sa.String(length=20), nullable=False),
        sa.Column("raised_by", sa.String(length=36), nullable=True),
        sa.Column("raised_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("approved_by", sa.String(length=36), nullable=True),
        sa.Column("approved_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("list_sha256", sa.String(length=64), nullable=True),
        sa.Column("signed_recording_id", sa.String(length=36), nullable=True),
        sa.Column("signed_by", sa.String(length=36), nullable=True),
        sa.Column("signed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["approved_by"], ["account.id"], name=op.f("fk_wipe_order_approved_by_account")),
        sa.ForeignKeyConstraint(["raised_by"], ["account.id"], name=op.f("fk_wipe_order_raised_by_account")),
        sa.ForeignKeyConstraint(["signed_by"], ["account.id"], name=op.f("fk_wipe_order_signed_by_account")),
        sa.ForeignKeyConstraint(
            ["signed_recording_id"], ["recording.id"], name=op.f("fk_wipe_order_signed_recording_id_recording")
        ),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_wipe_order_station_id_station")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_wipe_order_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wipe_order")),
        sa.UniqueConstraint("number", name=op.f("uq_wipe_order_number")),
    )
    with op.batch_alter_table("wipe_order", schema=None) as batch_op:
        batch_op.create_index("ix_wipe_order_state", ["state", "id"], unique=False)
        batch_op.create_index("ix_wipe_order_station_id_day", ["station_id", "day"], unique=False)

    op.create_table(
        "wipe_item",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("order_id", sa.String(length=36), nullable=False),
        sa.Column("camera_id", sa.String(length=36), nullable=False),
        sa.Column("camera_file_id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("leaf_index", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("done_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(
            ["camera_file_id"], ["camera_file.id"], name=op.f("fk_wipe_item_camera_file_id_camera_file")
        ),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_wipe_item_camera_id_camera")),
        sa.ForeignKeyConstraint(["order_id"], ["wipe_order.id"], name=op.f("fk_wipe_item_order_id_wipe_order")),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.id"], name=op.f("fk_wipe_item_recording_id_recording")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_wipe_item")),
        sa.UniqueConstraint("order_id", "camera_file_id", name=op.f("uq_wipe_item_order_id_camera_file_id")),
    )
    with op.batch_alter_table("wipe_item", schema=None) as batch_op:
        batch_op.create_index("ix_wipe_item_camera_id_state", ["camera_id", "state"], unique=False)

    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.add_column(sa.Column("said", sa.Text(), nullable=True))

    with op.batch_alter_table("docking_visit", schema=None) as batch_op:
        batch_op.add_column(sa.Column("drift_s", sa.Double(), nullable=True))
        batch_op.add_column(sa.Column("clock_set_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("profile", sa.String(length=60), nullable=True))
        batch_op.add_column(sa.Column("full_in_s", sa.Double(), nullable=True))

    with op.batch_alter_table("station", schema=None) as batch_op:
        batch_op.add_column(sa.Column("paired_at", sa.DateTime(timezone=True), nullable=True))
        batch_op.add_column(sa.Column("pairing_hash", sa.String(length=64), nullable=True))
        batch_op.add_column(sa.Column("pairing_until", sa.DateTime(timezone=True), nullable=True))

    with op.batch_alter_table("station_command", schema=None) as batch_op:
        batch_op.add_column(sa.Column("officer_id", sa.String(length=36), nullable=True))
        batch_op.add_column(sa.Column("body", sa.Text(), nullable=False))
        batch_op.create_foreign_key(
            batch_op.f("fk_station_command_officer_id_officer"), "officer", ["officer_id"], ["id"]
        )


def downgrade() -> None:
    with op.batch_alter_table("station_command", schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f("fk_station_command_officer_id_officer"), type_="foreignkey")
        batch_op.drop_column("body")
        batch_op.drop_column("officer_id")

    with op.batch_alter_table("station", schema=None) as batch_op:
        batch_op.drop_column("pairing_until")
        batch_op.drop_column("pairing_hash")
        batch_op.drop_column("paired_at")

    with op.batch_alter_table("docking_visit", schema=None) as batch_op:
        batch_op.drop_column("full_in_s")
        batch_op.drop_column("profile")
        batch_op.drop_column("clock_set_at")
        batch_op.drop_column("drift_s")

    with op.batch_alter_table("wipe_item", schema=None) as batch_op:
        batch_op.drop_index("ix_wipe_item_camera_id_state")

    op.drop_table("wipe_item")
    with op.batch_alter_table("wipe_order", schema=None) as batch_op:
        batch_op.drop_index("ix_wipe_order_station_id_day")
        batch_op.drop_index("ix_wipe_order_state")

    op.drop_table("wipe_order")
    with op.batch_alter_table("recording_minute", schema=None) as batch_op:
        batch_op.drop_index("ix_recording_minute_officer_id_due_at")
        batch_op.drop_index("ix_recording_minute_compact")

    op.drop_table("recording_minute")
    with op.batch_alter_table("debt", schema=None) as batch_op:
        batch_op.drop_index("ix_debt_recording_id")
        batch_op.drop_index("ix_debt_officer_id_closed_at")
        batch_op.drop_index("ix_debt_closed_at_due_at")
        batch_op.drop_index("ix_debt_camera_id_closed_at")

    op.drop_table("debt")
    with op.batch_alter_table("camera_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_camera_file_recording_id"))
        batch_op.drop_index("ix_camera_file_camera_id_state")

    op.drop_table("camera_file")
    with op.batch_alter_table("shift_end", schema=None) as batch_op:
        batch_op.drop_index("ix_shift_end_officer_id_ended_at")

    op.drop_table("shift_end")
    op.drop_table("officer_pass")
    with op.batch_alter_table("kiosk_session", schema=None) as batch_op:
        batch_op.drop_index("ix_kiosk_session_station_id_ended_at")

    op.drop_table("kiosk_session")
    with op.batch_alter_table("camera_outage", schema=None) as batch_op:
        batch_op.drop_index("ix_camera_outage_camera_id_reported_at")

    op.drop_table("camera_outage")
