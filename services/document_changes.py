"""What every change of a document has in common: it is a change of its customer too, and is told as one."""

from collections.abc import Mapping, Sequence

from core.clock import Clock
from core.vocabulary import CustomerEventType
from models.customer import Customer
from models.document import Document
from repositories.unit_of_work import Repositories
from services.changes import Changes, of_documents
from services.customer_lookup import not_found, require_customer
from services.records import RecordMaker, moment_after, unique


class DocumentChanges:
    """Writes changes of documents, inside the transaction of its caller."""

    def __init__(self, records: RecordMaker, clock: Clock) -> None:
        self._records = records
        self._clock = clock

    async def touch(
        self,
        work: Repositories,
        actor: str,
        customer: Customer,
        documents: Sequence[Document] | None = None,
        *,
        about: Mapping[str, object],
        changes: Changes | None = None,
    ) -> Customer:
        """Give *customer* its next version, and the numbers of *documents* when those changed; tell of it and of the *changes*.

        *about* is the document that changed, as it is stored.

        Raises:
            Refused: NOT_FOUND, when somebody was faster.
        """
        values: dict[str, object] = {}
        if documents is not None:
            values["document_keys"] = unique(index for document in documents for index in document.number_keys)
        changed = await work.customers.change(customer, moment_after(customer, self._clock.now()), values)
        if changed is None:
            raise not_found("id")
        event = self._records.event(
            changed, CustomerEventType.UPDATED, actor=actor, changed=["documents"], document=about, changes=changes
        )
        await work.events.append([event])
        return changed

    async def write(self, work: Repositories, actor: str, document: Document, values: Mapping[str, object]) -> Document:
        """Write *values* to a document whose numbers stay as they are, and `touch` its customer.

        Raises:
            Refused: NOT_FOUND, when the document or its customer is gone, or somebody was faster.
        """
        customer = await require_customer(work, document.customer_id)
        about = {**document.model_dump(), **values}
        changed = await self.touch(work, actor, customer, about=about, changes=of_documents((document, values)))
        saved = await work.documents.change(document, changed.updated_at, values)
        if saved is None:
            raise not_found("id")
        return saved


async def require_document(work: Repositories, document_id: str) -> Document:
    """Return a document.

    Raises:
        Refused: NOT_FOUND, the same for an unknown, a deleted and another seller's document.
    """
    document = await work.documents.get(document_id)
    if document is None:
        raise not_found("id")
    return document
