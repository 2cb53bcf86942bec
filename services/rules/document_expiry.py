"""When a document is over: its last valid day is a day in UTC."""

from datetime import date

from core.vocabulary import DocumentStatus


def has_expired(expires_on: str | None, today: date) -> bool:
    """Say whether the last valid day (``2030-12-31``) is over; a document without one never expires."""
    # Dates as text compare as dates do.
    return expires_on is not None and expires_on < today.isoformat()


def state_on(status: DocumentStatus, expires_on: str | None, today: date) -> DocumentStatus:
    """Return the state a document is in on a day, whether or not the sweep that writes EXPIRED has come by since midnight."""
    return DocumentStatus.EXPIRED if status.can_expire and has_expired(expires_on, today) else status
