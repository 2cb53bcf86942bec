"""Documents that are about to expire are told of, once for each of some days before: a chore of the workers, over all sellers.

The event, and the mark that it was told, are one transaction. Of two workers one meets the other's mark, and a worker that is
killed leaves neither.
"""

from collections.abc import Sequence

import structlog

from core.clock import Clock
from core.errors import Unavailable
from core.tenancy import EverySeller, Tenant
from core.vocabulary import CustomerEventType, CustomerStatus
from models.document import Document
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_lookup import not_found
from services.records import RecordMaker, moment_after
from services.rules.reminders import is_news, marks_on, reminder_on

_log = structlog.get_logger(__name__)

ACTOR = "system:reminder"
"""How the history names this chore."""

_EVERY_SELLER = EverySeller(ACTOR, audited=False)


class DocumentReminders:
    """Looks for documents that end in some *days*, *batch* of them at a time."""

    def __init__(self, units: UnitOfWork, records: RecordMaker, clock: Clock, days: Sequence[int], *, batch: int = 100) -> None:
        self._units = units
        self._records = records
        self._clock = clock
        self._days = tuple(days)
        self._batch = batch

    async def sweep(self) -> bool:
        """Tell of one batch of documents, each in a transaction of its own. Say whether there was any.

        Raises:
            Unavailable: the database did not answer; what is left is still due.
        """
        marks = marks_on(self._clock.now().date(), self._days)
        due = await Repositories(_EVERY_SELLER).documents.unreminded(marks, self._batch) if marks else []
        told = 0
        for document in due:
            try:
                told += await self._remind(document)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one document must not keep all others from being told of
                # Without its text: what is wrong with a stored record may quote it.
                _log.error("document.not_reminded", document_id=document.id, error=type(error).__name__)
        if told:
            _log.info("documents.reminded", count=told)
        return told > 0

    async def _remind(self, found: Document) -> bool:
        """Tell of one document, if its customer is there and in good standing; keep in mind that it was its turn."""

        async def body(work: Repositories) -> bool:
            document = await work.documents.get(found.id)
            if document is None or document.expires_on is None or not document.status.can_expire:
                return False
            reminder = reminder_on(document.expires_on, self._clock.now().date(), self._days)
            if reminder is None or document.reminded == reminder.mark(document.expires_on):
                return False
            # Marked also when nobody is told: it had its turn, and would keep others from theirs.
            if not await work.documents.note_reminder(document, reminder.mark(document.expires_on)):
                return False  # somebody was faster
            customer = await work.customers.get(document.customer_id)
            if customer is None or customer.status is CustomerStatus.SUSPENDED:
                return False
            if not is_news(reminder, document.expires_on, document.reminded):
                return False
            changed = await work.customers.change(customer, moment_after(customer, self._clock.now()), {})
            if changed is None:
                raise not_found("id")
            about = {**document.model_dump(), "days": reminder.days, "days_left": reminder.days_left}
            kind = CustomerEventType.DOCUMENT_EXPIRING
            await work.events.append([self._records.event(changed, kind, actor=ACTOR, changed=(), document=about)])
            return True

        return await self._units.run(Tenant(found.seller_id), body, turn=found.customer_id)
