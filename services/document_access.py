"""Who is given a document's number in full, or a link to its file, is recorded before it is given."""

from collections.abc import Sequence

from auth.principal import Principal
from core.audit_chain import AuditChain
from core.clock import Clock
from core.errors import NotFound
from core.history import Read
from core.ids import IdKind, new_id
from core.origin import origin_of_request
from core.vocabulary import DocumentPart
from models.document import Document
from repositories.customer_access import contents_of_access, facts_of_access, stored_reads
from repositories.customer_event import sealed
from repositories.unit_of_work import Repositories, UnitOfWork


class DocumentAccesses:
    """Records accesses: one for each customer and request, in a chain of each customer."""

    def __init__(self, units: UnitOfWork, chain: AuditChain, clock: Clock) -> None:
        self._units = units
        self._chain = chain
        self._clock = clock

    async def record(self, viewer: Principal, documents: Sequence[Document], part: DocumentPart) -> None:
        """Record that *viewer* is about to be given a part of *documents*, of all of them in one transaction.

        Whatever goes wrong, nothing may be given then.

        Raises:
            NotFound: a customer of one of them was deleted a moment ago.
            Unavailable: the database did not answer in time.
        """
        of_customers: dict[str, list[Read]] = {}
        for one in documents:
            of_customers.setdefault(one.customer_id, []).append(Read(one.id, part))
        if not of_customers:
            return

        async def body(work: Repositories) -> None:
            heads = await work.access_heads.of(of_customers)
            if len(heads) < len(of_customers):
                raise NotFound("The customer this belongs to has just been deleted.")
            at, origin = self._clock.now(), origin_of_request()
            accesses, moved = [], {}
            for customer_id, reads in of_customers.items():
                head = heads[customer_id]
                access = {
                    "_id": new_id(IdKind.ACCESS),
                    "seller_id": head.seller_id,
                    "customer_id": customer_id,
                    "number": head.number + 1,
                    "version": head.version,
                    "actor": viewer.actor,
                    "occurred_at": at,
                    "reads": stored_reads(reads),
                    **({} if origin is None else {"origin": origin}),
                }
                seal = self._chain.seal(head.chain, facts_of_access(access), contents_of_access(access))
                accesses.append({**access, **sealed(seal)})
                moved[customer_id] = seal.head
            await work.access_heads.move(moved)
            await work.accesses.insert_stored(accesses)

        await self._units.run(viewer.reach(), body, turn=list(of_customers))
