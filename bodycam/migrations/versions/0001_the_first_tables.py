"""The first tables."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "custody_event",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("log_index", sa.BigInteger(), nullable=True),
        sa.Column("kind", sa.String(length=64), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("actor", sa.String(length=64), nullable=True),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("openings", sa.Text(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_custody_event")),
        sa.UniqueConstraint("log_index", name=op.f("uq_custody_event_log_index")),
    )
    with op.batch_alter_table("custody_event", schema=None) as batch_op:
        batch_op.create_index("ix_custody_event_object_id_id", ["object_id", "id"], unique=False)

    op.create_table(
        "job",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=60), nullable=False),
        sa.Column("args", sa.Text(), nullable=False),
        sa.Column("key", sa.String(length=200), nullable=True),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("attempts", sa.BigInteger(), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("due_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sent_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("owner", sa.String(length=200), nullable=True),
        sa.Column("lease_until", sa.DateTime(timezone=True), nullable=True),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_job")),
        sa.UniqueConstraint("key", name=op.f("uq_job_key")),
    )
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.create_index("ix_job_state_due_at", ["state", "due_at"], unique=False)

    op.create_table(
        "sign_in_throttle",
        sa.Column("key", sa.String(length=64), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.Column("failed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("locked_until", sa.DateTime(timezone=True), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_sign_in_throttle")),
    )
    with op.batch_alter_table("sign_in_throttle", schema=None) as batch_op:
        batch_op.create_index("ix_sign_in_throttle_failed_at", ["failed_at"], unique=False)

    op.create_table(
        "submission",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("track", sa.String(length=20), nullable=True),
        sa.Column("answer", sa.Text(), nullable=True),
        sa.Column("lookup_id", sa.String(length=32), nullable=True),
        sa.Column("sign_in_public", sa.LargeBinary(length=32), nullable=True),
        sa.Column("reply_public", sa.LargeBinary(length=32), nullable=True),
        sa.Column("code_source", sa.String(length=8), nullable=True),
        sa.Column("code_confirmed", sa.Boolean(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("content", sa.LargeBinary(), nullable=False),
        sa.Column("identity_wrapped_key", sa.LargeBinary(), nullable=True),
        sa.Column("identity", sa.LargeBinary(), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("changed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("received_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("received_event_id", sa.String(length=36), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission")),
        sa.UniqueConstraint("lookup_id", name=op.f("uq_submission_lookup_id")),
    )
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_submission_changed_at"), ["changed_at"], unique=False)
        batch_op.create_index("ix_submission_state_received_at_id", ["state", "received_at", "id"], unique=False)

    op.create_table(
        "submission_throttle",
        sa.Column("key", sa.String(length=16), nullable=False),
        sa.Column("window_started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("failures", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_submission_throttle")),
    )
    op.create_table(
        "unit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("code", sa.String(length=40), nullable=True),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("folded", sa.String(length=200), nullable=False),
        sa.Column("force", sa.String(length=20), nullable=False),
        sa.Column("path", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["parent_id"], ["unit.id"], name=op.f("fk_unit_parent_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_unit")),
        sa.UniqueConstraint("code", name=op.f("uq_unit_code")),
    )
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.create_index("ix_unit_parent_folded", ["parent_id", "folded"], unique=False)
        batch_op.create_index("ix_unit_path", ["path"], unique=False)

    op.create_table(
        "camera",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("serial", sa.String(length=100), nullable=False),
        sa.Column("label", sa.String(length=40), nullable=True),
        sa.Column("profile", sa.String(length=60), nullable=True),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_docked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("last_offset_s", sa.Double(), nullable=True),
        sa.Column("battery_percent", sa.BigInteger(), nullable=True),
        sa.Column("storage_bytes", sa.BigInteger(), nullable=True),
        sa.Column("storage_free_bytes", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_camera_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera")),
        sa.UniqueConstraint("label", name=op.f("uq_camera_label")),
        sa.UniqueConstraint("serial", name=op.f("uq_camera_serial")),
    )
    with op.batch_alter_table("camera", schema=None) as batch_op:
        batch_op.create_index("ix_camera_last_docked_at", ["last_docked_at"], unique=False)
        batch_op.create_index("ix_camera_unit_id", ["unit_id", "id"], unique=False)

    op.create_table(
        "custody_receipt",
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("issued_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["custody_event.id"], name=op.f("fk_custody_receipt_event_id_custody_event")
        ),
        sa.PrimaryKeyConstraint("event_id", name=op.f("pk_custody_receipt")),
    )
    with op.batch_alter_table("custody_receipt", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_custody_receipt_object_id"), ["object_id"], unique=False)

    op.create_table(
        "officer",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("number", sa.String(length=40), nullable=False),
        sa.Column("name", sa.String(length=200), nullable=False),
        sa.Column("folded", sa.String(length=260), nullable=False),
        sa.Column("force", sa.String(length=20), nullable=False),
        sa.Column("team", sa.String(length=100), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_officer_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_officer")),
        sa.UniqueConstraint("force", "number", name=op.f("uq_officer_force_number")),
    )
    with op.batch_alter_table("officer", schema=None) as batch_op:
        batch_op.create_index("ix_officer_folded", ["folded"], unique=False)
        batch_op.create_index("ix_officer_unit_id", ["unit_id", "id"], unique=False)

    op.create_table(
        "station",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("name", sa.String(length=100), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("slots", sa.BigInteger(), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=True),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_station_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station")),
        sa.UniqueConstraint("name", name=op.f("uq_station_name")),
    )
    op.create_table(
        "submission_file",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("submission_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("metadata_sealed", sa.LargeBinary(), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("offset", sa.BigInteger(), nullable=False),
        sa.Column("reserved_bytes", sa.BigInteger(), nullable=False),
        sa.Column("declared_sha256", sa.String(length=64), nullable=True),
        sa.Column("sha256", sa.String(length=64), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("sealed_event_id", sa.String(length=36), nullable=True),
        sa.Column("recording_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["submission_id"],
            ["submission.id"],
            name=op.f("fk_submission_file_submission_id_submission"),
            ondelete="CASCADE",
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_submission_file")),
    )
    with op.batch_alter_table("submission_file", schema=None) as batch_op:
        batch_op.create_index("ix_submission_file_state_expires_at", ["state", "expires_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_submission_file_submission_id"), ["submission_id"], unique=False)

    op.create_table(
        "account",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("username", sa.String(length=64), nullable=False),
        sa.Column("display_name", sa.String(length=200), nullable=False),
        sa.Column("password_hash", sa.String(length=200), nullable=False),
        sa.Column("officer_id", sa.String(length=36), nullable=True),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("language", sa.String(length=2), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_account_officer_id_officer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account")),
        sa.UniqueConstraint("username", name=op.f("uq_account_username")),
    )
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.create_index("ix_account_officer_id", ["officer_id"], unique=False)

    op.create_table(
        "camera_issue",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("camera_id", sa.String(length=36), nullable=False),
        sa.Column("officer_id", sa.String(length=36), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_camera_issue_camera_id_camera")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_camera_issue_officer_id_officer")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_camera_issue")),
    )
    with op.batch_alter_table("camera_issue", schema=None) as batch_op:
        batch_op.create_index("ix_camera_issue_camera_id_starts_at", ["camera_id", "starts_at"], unique=False)
        batch_op.create_index("ix_camera_issue_officer_id_starts_at", ["officer_id", "starts_at"], unique=False)

    op.create_table(
        "docking_visit",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("station_id", sa.String(length=36), nullable=True),
        sa.Column("slot", sa.BigInteger(), nullable=True),
        sa.Column("camera_id", sa.String(length=36), nullable=True),
        sa.Column("serial", sa.String(length=100), nullable=False),
        sa.Column("port", sa.String(length=60), nullable=True),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("camera_time_raw", sa.String(length=60), nullable=True),
        sa.Column("camera_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("dock_time", sa.DateTime(timezone=True), nullable=True),
        sa.Column("offset_s", sa.Double(), nullable=True),
        sa.Column("reference", sa.String(length=20), nullable=True),
        sa.Column("files", sa.BigInteger(), nullable=False),
        sa.Column("bytes", sa.BigInteger(), nullable=False),
        sa.Column("problems", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_docking_visit_camera_id_camera")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_docking_visit_station_id_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_docking_visit")),
    )
    with op.batch_alter_table("docking_visit", schema=None) as batch_op:
        batch_op.create_index("ix_docking_visit_camera_id_started_at", ["camera_id", "started_at"], unique=False)
        batch_op.create_index("ix_docking_visit_state", ["state"], unique=False)
        batch_op.create_index("ix_docking_visit_station_id_started_at", ["station_id", "started_at"], unique=False)

    op.create_table(
        "station_board",
        sa.Column("station_id", sa.String(length=36), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("beat_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_station_board_station_id_station")),
        sa.PrimaryKeyConstraint("station_id", name=op.f("pk_station_board")),
    )
    op.create_table(
        "account_grant",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("role", sa.String(length=20), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_account_grant_account_id_account")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_account_grant_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_account_grant")),
        sa.UniqueConstraint("account_id", "role", "unit_id", name=op.f("uq_account_grant_account_id_role_unit_id")),
    )
    op.create_table(
        "case_file",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("number", sa.String(length=100), nullable=True),
        sa.Column("year", sa.BigInteger(), nullable=False),
        sa.Column("title", sa.String(length=300), nullable=False),
        sa.Column("unit_id", sa.String(length=36), nullable=False),
        sa.Column("starts_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("ends_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("radius_m", sa.Double(), nullable=True),
        sa.Column("place", sa.String(length=300), nullable=True),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("opened_by", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("fields", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["opened_by"], ["account.id"], name=op.f("fk_case_file_opened_by_account")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_case_file_unit_id_unit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_file")),
        sa.UniqueConstraint("unit_id", "kind", "year", "number", name=op.f("uq_case_file_unit_id_kind_year_number")),
    )
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.create_index("ix_case_file_ends_at", ["ends_at"], unique=False)
        batch_op.create_index("ix_case_file_starts_at", ["starts_at", "id"], unique=False)
        batch_op.create_index("ix_case_file_unit_id_starts_at", ["unit_id", "starts_at", "id"], unique=False)

    op.create_table(
        "recording",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("name", sa.String(length=1000), nullable=False),
        sa.Column("kind", sa.String(length=10), nullable=False),
        sa.Column("origin", sa.String(length=10), nullable=False),
        sa.Column("state", sa.String(length=12), nullable=False),
        sa.Column("quarantine", sa.Boolean(), nullable=False),
        sa.Column("event_flag", sa.Boolean(), nullable=False),
        sa.Column("camera_id", sa.String(length=36), nullable=True),
        sa.Column("officer_id", sa.String(length=36), nullable=True),
        sa.Column("unit_id", sa.String(length=36), nullable=True),
        sa.Column("visit_id", sa.String(length=36), nullable=True),
        sa.Column("parent_id", sa.String(length=36), nullable=True),
        sa.Column("sealed_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("sealed_event_id", sa.String(length=36), nullable=False),
        sa.Column("shown_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("ended_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("duration_s", sa.Double(), nullable=True),
        sa.Column("device_started_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("time_raw", sa.String(length=100), nullable=True),
        sa.Column("time_source", sa.String(length=20), nullable=True),
        sa.Column("clock_offset_s", sa.Double(), nullable=True),
        sa.Column("mime", sa.String(length=100), nullable=True),
        sa.Column("container", sa.String(length=40), nullable=True),
        sa.Column("codec", sa.String(length=40), nullable=True),
        sa.Column("width", sa.BigInteger(), nullable=True),
        sa.Column("height", sa.BigInteger(), nullable=True),
        sa.Column("device_make", sa.String(length=100), nullable=True),
        sa.Column("device_model", sa.String(length=100), nullable=True),
        sa.Column("lat", sa.Double(), nullable=True),
        sa.Column("lon", sa.Double(), nullable=True),
        sa.Column("place", sa.String(length=200), nullable=True),
        sa.Column("verdict", sa.String(length=16), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("media", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(["camera_id"], ["camera.id"], name=op.f("fk_recording_camera_id_camera")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_recording_officer_id_officer")),
        sa.ForeignKeyConstraint(["parent_id"], ["recording.id"], name=op.f("fk_recording_parent_id_recording")),
        sa.ForeignKeyConstraint(["unit_id"], ["unit.id"], name=op.f("fk_recording_unit_id_unit")),
        sa.ForeignKeyConstraint(["visit_id"], ["docking_visit.id"], name=op.f("fk_recording_visit_id_docking_visit")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_recording")),
        sa.UniqueConstraint("object_id", name=op.f("uq_recording_object_id")),
    )
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.create_index("ix_recording_camera_id_sha256", ["camera_id", "sha256"], unique=False)
        batch_op.create_index("ix_recording_officer_id_shown_at", ["officer_id", "shown_at"], unique=False)
        batch_op.create_index(batch_op.f("ix_recording_parent_id"), ["parent_id"], unique=False)
        batch_op.create_index(batch_op.f("ix_recording_sha256"), ["sha256"], unique=False)
        batch_op.create_index("ix_recording_shown_at_id", ["shown_at", "id"], unique=False)
        batch_op.create_index("ix_recording_unit_id_shown_at", ["unit_id", "shown_at"], unique=False)
        batch_op.create_index("ix_recording_visit_id_name", ["visit_id", "name"], unique=False)

    op.create_table(
        "staff_session",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("token_hash", sa.String(length=64), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("last_seen_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("expires_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("revoked_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("user_agent", sa.String(length=200), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_staff_session_account_id_account")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_staff_session")),
        sa.UniqueConstraint("token_hash", name=op.f("uq_staff_session_token_hash")),
    )
    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.create_index("ix_staff_session_account_id", ["account_id", "id"], unique=False)

    op.create_table(
        "station_command",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("station_id", sa.String(length=36), nullable=False),
        sa.Column("slot", sa.BigInteger(), nullable=True),
        sa.Column("command", sa.String(length=40), nullable=False),
        sa.Column("account_id", sa.String(length=36), nullable=True),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("taken_at", sa.DateTime(timezone=True), nullable=True),
        sa.ForeignKeyConstraint(["account_id"], ["account.id"], name=op.f("fk_station_command_account_id_account")),
        sa.ForeignKeyConstraint(["station_id"], ["station.id"], name=op.f("fk_station_command_station_id_station")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_station_command")),
    )
    with op.batch_alter_table("station_command", schema=None) as batch_op:
        batch_op.create_index("ix_station_command_station_id_taken_at", ["station_id", "taken_at"], unique=False)

    op.create_table(
        "case_identifier",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=40), nullable=False),
        sa.Column("raw", sa.String(length=100), nullable=False),
        sa.Column("compact", sa.String(length=100), nullable=False),
        sa.Column("variant", sa.String(length=40), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_identifier_case_id_case_file")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_identifier")),
        sa.UniqueConstraint("case_id", "kind", "compact", name=op.f("uq_case_identifier_case_id_kind_compact")),
    )
    with op.batch_alter_table("case_identifier", schema=None) as batch_op:
        batch_op.create_index("ix_case_identifier_compact", ["compact", "kind"], unique=False)

    op.create_table(
        "case_officer",
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("officer_id", sa.String(length=36), nullable=False),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_officer_case_id_case_file")),
        sa.ForeignKeyConstraint(["officer_id"], ["officer.id"], name=op.f("fk_case_officer_officer_id_officer")),
        sa.PrimaryKeyConstraint("case_id", "officer_id", name=op.f("pk_case_officer")),
    )
    with op.batch_alter_table("case_officer", schema=None) as batch_op:
        batch_op.create_index("ix_case_officer_officer_id", ["officer_id"], unique=False)

    op.create_table(
        "case_recording",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("case_id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=20), nullable=False),
        sa.Column("score", sa.Double(), nullable=False),
        sa.Column("reasons", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.String(length=36), nullable=True),
        sa.Column("decided_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("reason", sa.Text(), nullable=True),
        sa.ForeignKeyConstraint(["case_id"], ["case_file.id"], name=op.f("fk_case_recording_case_id_case_file")),
        sa.ForeignKeyConstraint(["decided_by"], ["account.id"], name=op.f("fk_case_recording_decided_by_account")),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_case_recording_recording_id_recording")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_recording")),
        sa.UniqueConstraint("case_id", "recording_id", name=op.f("uq_case_recording_case_id_recording_id")),
    )
    with op.batch_alter_table("case_recording", schema=None) as batch_op:
        batch_op.create_index("ix_case_recording_recording_id", ["recording_id"], unique=False)

    op.create_table(
        "intake_attempt",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("source_key", sa.String(length=64), nullable=False),
        sa.Column("event_id", sa.String(length=36), nullable=False),
        sa.Column("state", sa.String(length=10), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("finished_at", sa.DateTime(timezone=True), nullable=True),
        sa.Column("recording_id", sa.String(length=36), nullable=True),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_intake_attempt_recording_id_recording")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_intake_attempt")),
    )
    with op.batch_alter_table("intake_attempt", schema=None) as batch_op:
        batch_op.create_index("uq_intake_attempt_source_key", ["source_key"], unique=True)

    op.create_table(
        "recording_plate",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("compact", sa.String(length=20), nullable=False),
        sa.Column("raw", sa.String(length=40), nullable=False),
        sa.Column("vehicle", sa.String(length=20), nullable=True),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_recording_plate_recording_id_recording")
        ),
        sa.PrimaryKeyConstraint("recording_id", "compact", name=op.f("pk_recording_plate")),
    )
    with op.batch_alter_table("recording_plate", schema=None) as batch_op:
        batch_op.create_index(batch_op.f("ix_recording_plate_compact"), ["compact"], unique=False)

    op.create_table(
        "rendition",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("kind", sa.String(length=12), nullable=False),
        sa.Column("object_id", sa.String(length=64), nullable=False),
        sa.Column("sha256", sa.String(length=64), nullable=False),
        sa.Column("size", sa.BigInteger(), nullable=False),
        sa.Column("mime", sa.String(length=100), nullable=False),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.id"], name=op.f("fk_rendition_recording_id_recording")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_rendition")),
    )
    with op.batch_alter_table("rendition", schema=None) as batch_op:
        batch_op.create_index("uq_rendition_recording_id_kind", ["recording_id", "kind"], unique=True)

    op.create_table(
        "track",
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("reader", sa.String(length=20), nullable=False),
        sa.Column("points", sa.Text(), nullable=False),
        sa.Column("count", sa.BigInteger(), nullable=False),
        sa.Column("distance_m", sa.Double(), nullable=False),
        sa.Column("south", sa.Double(), nullable=False),
        sa.Column("west", sa.Double(), nullable=False),
        sa.Column("north", sa.Double(), nullable=False),
        sa.Column("east", sa.Double(), nullable=False),
        sa.ForeignKeyConstraint(["recording_id"], ["recording.id"], name=op.f("fk_track_recording_id_recording")),
        sa.PrimaryKeyConstraint("recording_id", name=op.f("pk_track")),
    )
    op.create_table(
        "verification_finding",
        sa.Column("id", sa.String(length=36), nullable=False),
        sa.Column("recording_id", sa.String(length=36), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("row", sa.String(length=20), nullable=False),
        sa.Column("code", sa.String(length=40), nullable=False),
        sa.Column("result", sa.String(length=16), nullable=False),
        sa.Column("vi", sa.Text(), nullable=False),
        sa.Column("en", sa.Text(), nullable=False),
        sa.Column("numbers", sa.Text(), nullable=False),
        sa.Column("span_start_s", sa.Double(), nullable=True),
        sa.Column("span_end_s", sa.Double(), nullable=True),
        sa.Column("checked_at", sa.DateTime(timezone=True), nullable=False),
        sa.ForeignKeyConstraint(
            ["recording_id"], ["recording.id"], name=op.f("fk_verification_finding_recording_id_recording")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_verification_finding")),
    )
    with op.batch_alter_table("verification_finding", schema=None) as batch_op:
        batch_op.create_index(
            "uq_verification_finding_recording_id_position", ["recording_id", "position"], unique=True
        )


def downgrade() -> None:
    with op.batch_alter_table("verification_finding", schema=None) as batch_op:
        batch_op.drop_index("uq_verification_finding_recording_id_position")

    op.drop_table("verification_finding")
    op.drop_table("track")
    with op.batch_alter_table("rendition", schema=None) as batch_op:
        batch_op.drop_index("uq_rendition_recording_id_kind")

    op.drop_table("rendition")
    with op.batch_alter_table("recording_plate", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_recording_plate_compact"))

    op.drop_table("recording_plate")
    with op.batch_alter_table("intake_attempt", schema=None) as batch_op:
        batch_op.drop_index("uq_intake_attempt_source_key")

    op.drop_table("intake_attempt")
    with op.batch_alter_table("case_recording", schema=None) as batch_op:
        batch_op.drop_index("ix_case_recording_recording_id")

    op.drop_table("case_recording")
    with op.batch_alter_table("case_officer", schema=None) as batch_op:
        batch_op.drop_index("ix_case_officer_officer_id")

    op.drop_table("case_officer")
    with op.batch_alter_table("case_identifier", schema=None) as batch_op:
        batch_op.drop_index("ix_case_identifier_compact")

    op.drop_table("case_identifier")
    with op.batch_alter_table("station_command", schema=None) as batch_op:
        batch_op.drop_index("ix_station_command_station_id_taken_at")

    op.drop_table("station_command")
    with op.batch_alter_table("staff_session", schema=None) as batch_op:
        batch_op.drop_index("ix_staff_session_account_id")

    op.drop_table("staff_session")
    with op.batch_alter_table("recording", schema=None) as batch_op:
        batch_op.drop_index("ix_recording_visit_id_name")
        batch_op.drop_index("ix_recording_unit_id_shown_at")
        batch_op.drop_index("ix_recording_shown_at_id")
        batch_op.drop_index(batch_op.f("ix_recording_sha256"))
        batch_op.drop_index(batch_op.f("ix_recording_parent_id"))
        batch_op.drop_index("ix_recording_officer_id_shown_at")
        batch_op.drop_index("ix_recording_camera_id_sha256")

    op.drop_table("recording")
    with op.batch_alter_table("case_file", schema=None) as batch_op:
        batch_op.drop_index("ix_case_file_unit_id_starts_at")
        batch_op.drop_index("ix_case_file_starts_at")
        batch_op.drop_index("ix_case_file_ends_at")

    op.drop_table("case_file")
    op.drop_table("account_grant")
    op.drop_table("station_board")
    with op.batch_alter_table("docking_visit", schema=None) as batch_op:
        batch_op.drop_index("ix_docking_visit_station_id_started_at")
        batch_op.drop_index("ix_docking_visit_state")
        batch_op.drop_index("ix_docking_visit_camera_id_started_at")

    op.drop_table("docking_visit")
    with op.batch_alter_table("camera_issue", schema=None) as batch_op:
        batch_op.drop_index("ix_camera_issue_officer_id_starts_at")
        batch_op.drop_index("ix_camera_issue_camera_id_starts_at")

    op.drop_table("camera_issue")
    with op.batch_alter_table("account", schema=None) as batch_op:
        batch_op.drop_index("ix_account_officer_id")

    op.drop_table("account")
    with op.batch_alter_table("submission_file", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_submission_file_submission_id"))
        batch_op.drop_index("ix_submission_file_state_expires_at")

    op.drop_table("submission_file")
    op.drop_table("station")
    with op.batch_alter_table("officer", schema=None) as batch_op:
        batch_op.drop_index("ix_officer_unit_id")
        batch_op.drop_index("ix_officer_folded")

    op.drop_table("officer")
    with op.batch_alter_table("custody_receipt", schema=None) as batch_op:
        batch_op.drop_index(batch_op.f("ix_custody_receipt_object_id"))

    op.drop_table("custody_receipt")
    with op.batch_alter_table("camera", schema=None) as batch_op:
        batch_op.drop_index("ix_camera_unit_id")
        batch_op.drop_index("ix_camera_last_docked_at")

    op.drop_table("camera")
    with op.batch_alter_table("unit", schema=None) as batch_op:
        batch_op.drop_index("ix_unit_path")
        batch_op.drop_index("ix_unit_parent_folded")

    op.drop_table("unit")
    op.drop_table("submission_throttle")
    with op.batch_alter_table("submission", schema=None) as batch_op:
        batch_op.drop_index("ix_submission_state_received_at_id")
        batch_op.drop_index(batch_op.f("ix_submission_changed_at"))

    op.drop_table("submission")
    with op.batch_alter_table("sign_in_throttle", schema=None) as batch_op:
        batch_op.drop_index("ix_sign_in_throttle_failed_at")

    op.drop_table("sign_in_throttle")
    with op.batch_alter_table("job", schema=None) as batch_op:
        batch_op.drop_index("ix_job_state_due_at")

    op.drop_table("job")
    with op.batch_alter_table("custody_event", schema=None) as batch_op:
        batch_op.drop_index("ix_custody_event_object_id_id")

    op.drop_table("custody_event")
