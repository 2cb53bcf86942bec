"""What happened to customers, as clients see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from auth.principal import Scope
from core.history import Access, Kept, Read
from core.paging import encode_cursor
from events.history import Entry, position_of
from schema.batching import alone, batched
from schema.context import Info
from schema.enums import HistoryEntryType
from schema.history import DocumentRead, EventOrigin, FieldChange
from schema.node import present
from services.history_view import changes_seen, origin_seen
from services.masking import seen

if TYPE_CHECKING:
    from schema.customer import Customer


async def _changes(events: "Sequence[CustomerEvent]", info: Info) -> list[list[FieldChange]]:
    kept = await _kept(events, info)
    return [[FieldChange.of_seen(one) for one in changes_seen(info.context.viewer, of_one)] for of_one in kept]


async def _origin(events: "Sequence[CustomerEvent]", info: Info) -> list[EventOrigin | None]:
    seen = [
        origin_seen(info.context.viewer, event.actor, of_one)
        for event, of_one in zip(events, await _kept(events, info), strict=True)
    ]
    return [None if one is None else EventOrigin.of_seen(one) for one in seen]


async def _kept(events: "Sequence[CustomerEvent]", info: Info) -> list[Kept]:
    asked = [event.id for event in events if event.kept is None]
    found = dict(zip(asked, await info.context.loaders.kept_of_events.load_many(asked), strict=True)) if asked else {}
    return [event.kept or found.get(event.id) or Kept() for event in events]


@strawberry.type(description="One change of a customer, also published to Kafka with the same id; or that a document was read.")
class CustomerEvent:
    kept: strawberry.Private[Kept | None]
    read: strawberry.Private[Sequence[Read]]
    id: strawberry.ID = strawberry.field(description="The id the event also carries on Kafka.")
    type: HistoryEntryType = strawberry.field(description="What happened.")
    customer_id: strawberry.ID = strawberry.field(description="Whom it happened to.")
    actor: str = strawberry.field(description="Who did it: `operator:ada`, `service:oms`, `customer:cus_…`, `system:expiry`.")
    changed: list[str] = strawberry.field(description="The fields that changed, as spelled in this API.")
    version: int = strawberry.field(description="The version the customer had afterwards; with DOCUMENT_READ, at that time.")
    occurred_at: datetime = strawberry.field(description="When it happened.")

    why: strawberry.Private[str | None] = None

    @strawberry.field(
        description="Why, where somebody had to say so: of legal holds, for callers with `legal_hold` who are no customers; "
        "null otherwise."
    )
    def reason(self, info: Info) -> str | None:
        """Return the reason as far as the caller may know it."""
        return self.why if info.context.sees_reasons else None

    @strawberry.field(description="The customer as it is now; null once it is deleted. Needs `customers:read`.")
    async def customer(self, info: Info) -> Annotated["Customer", strawberry.lazy("schema.customer")] | None:
        """Return the customer, loaded together with those of the answer's other events."""
        viewer = info.context.viewer
        viewer.require_sight()
        found = await info.context.loaders.customers(None).load(self.customer_id)
        customer: Customer | None = None if found is None else present(seen(viewer, found).record)
        return customer

    @strawberry.field(
        description="What was changed into what: nothing of documents without `documents:read`, and masked for callers with "
        "`customers:read_masked`. Empty for what happened before this was kept, and once the customer is erased. Where an "
        "event of a subscription stands for several, it is the last one's.",
        metadata=batched(_changes),
    )
    async def changes(self, info: Info) -> list[FieldChange]:
        """Return the changes, loaded together with those of the answer's other events."""
        return await alone(_changes, self, info)

    @strawberry.field(
        description="Where it came from; null where no request made it (`system:expiry`), and where it is not known any more.",
        metadata=batched(_origin),
    )
    async def origin(self, info: Info) -> EventOrigin | None:
        """Return the origin, loaded together with those of the answer's other events."""
        return await alone(_origin, self, info)

    @strawberry.field(description="With DOCUMENT_READ: what was given of which document. Empty without `documents:read`.")
    def reads(self, info: Info) -> list[DocumentRead]:
        """Return what was read, to whoever may know of documents."""
        if Scope.DOCUMENTS_READ not in info.context.viewer.scopes:
            return []
        return [DocumentRead(document_id=strawberry.ID(one.document_id), part=one.part) for one in self.read]

    @classmethod
    def of_entry(cls, entry: Entry) -> Self:
        """Return an entry of a history as clients see it."""
        kept: Kept | None = None
        read: Sequence[Read] = ()
        changed: Sequence[str] = ()
        why: str | None = None
        if isinstance(entry, Access):
            type_, kept, read = HistoryEntryType.DOCUMENT_READ, Kept(origin=entry.origin), entry.reads
        else:
            type_, changed, why = HistoryEntryType(entry.type.value), entry.changed, entry.reason
        return cls(
            kept=kept,
            read=read,
            id=strawberry.ID(entry.id),
            type=type_,
            customer_id=strawberry.ID(entry.customer_id),
            actor=entry.actor,
            changed=list(changed),
            version=entry.version,
            occurred_at=entry.occurred_at,
            why=why,
        )


def history_of(customer_id: str) -> str:
    """Return the name of the order of a customer's history, for its cursors: another customer's are none of it."""
    return f"history of {customer_id}"


def history_cursor(entry: Entry) -> str:
    """Return an entry's place in its customer's history."""
    return encode_cursor(history_of(entry.customer_id), position_of(entry))
