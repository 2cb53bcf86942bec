"""How long what is stored of customers is kept: the rules of one seller, and the steps in which they are carried out."""

from calendar import monthrange
from dataclasses import dataclass
from datetime import datetime, timedelta

from core.vocabulary import DocumentStatus, RetentionMode, RetentionStage

LONGEST_MONTHS = 600
LONGEST_DAYS = 18_250
"""Fifty years, as months and as days: longer than any law asks for, and within what a date can be moved by."""


@dataclass(frozen=True, slots=True, kw_only=True)
class RetentionPolicy:
    """What holds for one seller. A period of 0 means that nothing is removed for its age.

    Who was not active for `inactive_months` is flagged, and anonymised `grace_days` later. Files of documents go after so many
    days in a state: `ended_file_days` for expired and rejected ones, `verified_file_days` for approved ones. What is stored of
    an import besides its figures goes `import_days` after its end.
    """

    mode: RetentionMode = RetentionMode.DRY_RUN
    inactive_months: int = 0
    grace_days: int = 30
    ended_file_days: int = 0
    verified_file_days: int = 0
    import_days: int = 0

    @property
    def active(self) -> bool:
        """Whether anything is changed, rather than only reported."""
        return self.mode is RetentionMode.ACTIVE

    def inactive_before(self, now: datetime) -> datetime:
        """Return the moment since which somebody has to have been active not to be flagged."""
        return months_before(now, self.inactive_months)

    def days_of(self, stage: RetentionStage) -> int:
        """Return the period of a stage that goes by days, 0 for one that is switched off."""
        if stage is RetentionStage.IMPORTS:
            return self.import_days
        return self.verified_file_days if FILE_STAGES[stage] is DocumentStatus.VERIFIED else self.ended_file_days

    def over_before(self, stage: RetentionStage, now: datetime) -> datetime:
        """Return the moment before which a period of a stage has to have begun to be over."""
        return now - timedelta(days=self.days_of(stage))


FILE_STAGES = {
    RetentionStage.EXPIRED_FILES: DocumentStatus.EXPIRED,
    RetentionStage.REJECTED_FILES: DocumentStatus.REJECTED,
    RetentionStage.VERIFIED_FILES: DocumentStatus.VERIFIED,
}
"""The stages about files, and the state of the documents that each looks at."""


def months_before(moment: datetime, months: int) -> datetime:
    """Return the same day so many months earlier, or the last day of that month where it has no such day."""
    count = moment.year * 12 + moment.month - 1 - months
    year, month = divmod(count, 12)
    return moment.replace(year=year, month=month + 1, day=min(moment.day, monthrange(year, month + 1)[1]))
