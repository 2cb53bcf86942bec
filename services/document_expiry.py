"""Documents whose last valid day is over become EXPIRED: a chore of the workers, over all sellers."""

import structlog

from core.clock import Clock
from core.errors import Unavailable
from core.tenancy import EverySeller, Tenant
from core.vocabulary import DocumentStatus
from models.document import Document
from repositories.unit_of_work import Repositories, UnitOfWork
from services.document_changes import DocumentChanges
from services.rules.document_expiry import state_on

_log = structlog.get_logger(__name__)

ACTOR = "system:expiry"
"""How the history names this chore."""

_EVERY_SELLER = EverySeller(ACTOR, audited=False)


class DocumentExpiry:
    """Looks for due documents, *batch* of them at a time.

    Safe to do twice and in several processes at once: what is written is conditional on the document's and the customer's
    version, and whoever comes second finds the document expired.
    """

    def __init__(self, units: UnitOfWork, changes: DocumentChanges, clock: Clock, *, batch: int = 100) -> None:
        self._units = units
        self._changes = changes
        self._clock = clock
        self._batch = batch

    async def sweep(self) -> bool:
        """Let one batch of due documents expire, each in a transaction of its own. Say whether there was any.

        Raises:
            Unavailable: the database did not answer; what is left is still due.
        """
        due = await Repositories(_EVERY_SELLER).documents.due(self._clock.now().date(), self._batch)
        expired = 0
        for document in due:
            try:
                expired += await self._expire(document)
            except Unavailable:
                raise
            except Exception as error:  # noqa: BLE001 - one document must not keep all others from expiring
                # Without its text: what is wrong with a stored record may quote it.
                _log.error("document.not_expired", document_id=document.id, error=type(error).__name__)
        if expired:
            _log.info("documents.expired", count=expired)
        return expired > 0

    async def _expire(self, found: Document) -> bool:
        async def body(work: Repositories) -> bool:
            document = await work.documents.get(found.id)
            if document is None or document.status is DocumentStatus.EXPIRED:
                return False
            if state_on(document.status, document.expires_on, self._clock.now().date()) is not DocumentStatus.EXPIRED:
                return False
            # An upload that is still announced is of no use any more.
            await self._changes.write(work, ACTOR, document, {"status": DocumentStatus.EXPIRED, "upload": None})
            return True

        return await self._units.run(Tenant(found.seller_id), body, turn=found.customer_id)
