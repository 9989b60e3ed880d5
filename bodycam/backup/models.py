"""The register of backups. What is destroyed lasts in a backup until that expires, so each is written down before its first byte."""

from datetime import datetime

from sqlalchemy import Index, String, Text
from sqlalchemy.orm import Mapped, mapped_column

from bodycam.db import Base


class Backup(Base):
    """One backup, also one that was broken off: it may hold what was copied until then."""

    __tablename__ = "backup"
    __table_args__ = (Index("ix_backup_expires_at", "expires_at"),)  # queries.gone_by

    id: Mapped[str] = mapped_column(String(36), primary_key=True)
    place: Mapped[str] = mapped_column(Text)  # the folder, as it was named
    began_at: Mapped[datetime]
    finished_at: Mapped[datetime | None]  # written, read back and compared
    expires_at: Mapped[datetime]  # by when whoever keeps it has promised to destroy it
    has_keys: Mapped[bool]
    log_size: Mapped[int | None]
    size: Mapped[int | None]  # bytes
