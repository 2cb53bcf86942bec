"""When the end of a document's validity is told ahead: so many days before its last valid day."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import date, timedelta

REMINDER_DAYS = (30, 7, 0)
"""Days before the last valid day; 0 is that day itself."""


@dataclass(frozen=True, slots=True)
class Reminder:
    """One that is due: that of *days* before, at a moment when *days_left* are left."""

    days: int
    days_left: int

    def mark(self, expires_on: str) -> str:
        """Return what is kept of it with the document, so that it is not told again; another date has other reminders."""
        return f"{expires_on}/{self.days}"


def reminder_on(expires_on: str, today: date, days: Iterable[int]) -> Reminder | None:
    """Return the reminder of a document that is due: the last of those whose day has come, None before the first.

    Whoever files a document five days before its end gets that of seven days, and not that of thirty as well.
    """
    left = (date.fromisoformat(expires_on) - today).days
    reached = [one for one in days if 0 <= left <= one]
    return Reminder(min(reached), left) if reached else None


def marks_on(today: date, days: Iterable[int]) -> Mapping[str, str]:
    """Return for each last valid day for which a reminder is due what a document that was reminded has."""
    every = tuple(days)
    ends = ((today + timedelta(days=left)).isoformat() for left in range(max(every, default=-1) + 1))
    due = ((end, reminder_on(end, today, every)) for end in ends)
    return {end: reminder.mark(end) for end, reminder in due if reminder is not None}


def is_news(reminder: Reminder, expires_on: str, told: str | None) -> bool:
    """Say whether a document has not been reminded so late before; *told* is the mark of its last reminder."""
    before, _, days = (told or "").partition("/")
    return before != expires_on or int(days) > reminder.days
