"""Tables of citizens' reports. The public application writes these, custody events and jobs, and nothing else.

No network address and no browser name is stored anywhere. What a citizen says lies encrypted under the submission's own data
key; who he is lies under another one, so that opening the report does not open the name. Times are UTC.
"""

from datetime import datetime
from enum import StrEnum

from sqlalchemy import BigInteger, ForeignKey, Index, LargeBinary, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base


class SubmissionState(StrEnum):
    """Where a report stands; a draft is the citizen's alone and never listed."""

    DRAFT = "draft"
    RECEIVED = "received"
    SORTING = "sorting"
    VERIFYING = "verifying"
    FORWARDED = "forwarded"
    ANSWERED = "answered"
    DECLINED = "declined"


class Track(StrEnum):
    """The legal track that intake chooses; a report may change tracks without losing its receipt."""

    VIOLATION_DATA = "violation_data"  # data that help detect an administrative violation
    DENUNCIATION = "denunciation"
    COMPLAINT = "complaint"
    REFLECTION = "reflection"


class FileState(StrEnum):
    """Where a citizen's file stands."""

    RECEIVING = "receiving"
    COMPLETE = "complete"  # every byte is here and durable; waits for the text, then for sealing
    SEALED = "sealed"
    MISMATCH = "mismatch"  # differs from the hash declared by the sender; kept, not accepted
    EXPIRED = "expired"
    REMOVED = "removed"


class CodeSource(StrEnum):
    """Who made the secret code: the citizen's own browser, or the server (weaker: it knew the code for a moment)."""

    BROWSER = "browser"
    SERVER = "server"


class Submission(Base):
    """One report. `content` and `identity` are opened only by `bodycam.petitions.content`."""

    __tablename__ = "submission"
    __table_args__ = (Index("ix_submission_state_received_at_id", "state", "received_at", "id"),)  # list_submissions

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    state: Mapped[str] = mapped_column(String(12), default=SubmissionState.DRAFT)
    track: Mapped[str | None] = mapped_column(String(20))
    answer: Mapped[str | None] = mapped_column(Text)  # what the citizen reads: the answer, or why it was declined
    lookup_id: Mapped[str | None] = mapped_column(String(32), unique=True)
    sign_in_public: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # Ed25519
    reply_public: Mapped[bytes | None] = mapped_column(LargeBinary(32))  # X25519
    code_source: Mapped[str | None] = mapped_column(String(8))
    code_confirmed: Mapped[bool] = mapped_column(default=False)
    wrapped_key: Mapped[bytes] = mapped_column(LargeBinary)
    content: Mapped[bytes] = mapped_column(LargeBinary)
    identity_wrapped_key: Mapped[bytes | None] = mapped_column(LargeBinary)
    identity: Mapped[bytes | None] = mapped_column(LargeBinary)
    created_at: Mapped[datetime]
    changed_at: Mapped[datetime] = mapped_column(index=True)  # expire_drafts
    received_at: Mapped[datetime | None]
    received_event_id: Mapped[str | None] = mapped_column(String(36))

    @property
    def anonymous(self) -> bool:
        """Tell whether no contact was given."""
        return self.identity is None


class SubmissionFile(Base):
    """One file of a report, from its first byte to its receipt. Its spool attempt bears the same id."""

    __tablename__ = "submission_file"
    __table_args__ = (Index("ix_submission_file_state_expires_at", "state", "expires_at"),)  # live, expire_uploads

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    submission_id: Mapped[str] = mapped_column(ForeignKey("submission.id", ondelete="CASCADE"), index=True)
    state: Mapped[str] = mapped_column(String(10), default=FileState.RECEIVING)
    metadata_sealed: Mapped[bytes] = mapped_column(LargeBinary)  # Upload-Metadata as the client gave it: holds the name
    size: Mapped[int] = mapped_column(BigInteger)
    offset: Mapped[int] = mapped_column(BigInteger, default=0)  # bytes that are durable in the spool
    reserved_bytes: Mapped[int] = mapped_column(BigInteger, default=0)
    declared_sha256: Mapped[str | None] = mapped_column(String(64))
    sha256: Mapped[str | None] = mapped_column(String(64))
    created_at: Mapped[datetime]
    expires_at: Mapped[datetime]
    object_id: Mapped[str | None] = mapped_column(String(64))  # in the vault
    sealed_at: Mapped[datetime | None]
    sealed_event_id: Mapped[str | None] = mapped_column(String(36))
    recording_id: Mapped[str | None] = mapped_column(String(36))  # written by the core, never by the public application


class SubmissionThrottle(Base):
    """Wrong codes counted by the first characters of their look-up id, without any address of who tried."""

    __tablename__ = "submission_throttle"

    key: Mapped[str] = mapped_column(String(16), primary_key=True)
    window_started_at: Mapped[datetime]
    failures: Mapped[int] = mapped_column(default=0)
