"""What the register of backups tells."""

from datetime import datetime

from sqlalchemy import func, select
from sqlalchemy.orm import Session

from bodycam.backup.models import Backup


def last_finished(session: Session) -> Backup | None:
    """Return the newest backup that was written to its end and read back, or None."""
    query = select(Backup).where(Backup.finished_at.is_not(None)).order_by(Backup.began_at.desc()).limit(1)
    return session.scalar(query)


def gone_by(session: Session, moment: datetime) -> datetime | None:
    """Return when the last backup expires that may still hold what was destroyed at `moment` (UTC); None when there is none.

    Until then a destruction isn't complete: that backup's database has the openings, and its keys, if it has them, open
    whatever copy somebody kept.
    """
    query = select(func.max(Backup.expires_at)).where(Backup.began_at <= moment, Backup.expires_at > moment)
    return session.scalar(query)
