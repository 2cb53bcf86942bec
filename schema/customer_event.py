"""What happened to customers, as clients see it."""

from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Self

import strawberry

from core.history import Kept
from core.paging import Position, encode_cursor
from events import customer as events
from schema.batching import alone, batched
from schema.context import Info
from schema.enums import CustomerEventType
from schema.history import EventOrigin, FieldChange
from schema.node import present
from services.history_view import changes_seen, origin_seen

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
    found = await info.context.loaders.kept_of_events.load_many([event.id for event in events])
    return [one or Kept() for one in found]


@strawberry.type(description="One change of a customer: also published to Kafka, with the same id.")
class CustomerEvent:
    id: strawberry.ID = strawberry.field(description="The id the event also carries on Kafka.")
    type: CustomerEventType = strawberry.field(description="What happened.")
    customer_id: strawberry.ID = strawberry.field(description="Whom it happened to.")
    actor: str = strawberry.field(description="Who did it: `operator:ada`, `service:oms`, `customer:cus_…`, `system:expiry`.")
    changed: list[str] = strawberry.field(description="The fields that changed, as spelled in this API.")
    version: int = strawberry.field(description="The version the customer had afterwards.")
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
        info.context.may_read_customers()
        found = await info.context.loaders.customer_by_id.load(self.customer_id)
        customer: Customer | None = None if found is None else present(found)
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

    @classmethod
    def from_event(cls, event: events.CustomerEvent) -> Self:
        """Return an event as clients see it."""
        return cls(
            id=strawberry.ID(event.id),
            type=event.type,
            customer_id=strawberry.ID(event.customer_id),
            actor=event.actor,
            changed=list(event.changed),
            version=event.version,
            occurred_at=event.occurred_at,
            why=event.reason,
        )


def history_of(customer_id: str) -> str:
    """Return the name of the order of a customer's history, for its cursors: another customer's are none of it."""
    return f"history of {customer_id}"


def history_cursor(event: events.CustomerEvent) -> str:
    """Return an event's place in its customer's history."""
    return encode_cursor(history_of(event.customer_id), Position(event.version, event.id))
