"""What happened to customers, as clients see it."""

from datetime import datetime
from typing import Self

import strawberry

from core.paging import Position, encode_cursor
from events import customer as events
from schema.enums import CustomerEventType

HISTORY = "history"
"""The order of a customer's history, for its cursors."""


@strawberry.type(description="One change of a customer: also published to Kafka, with the same id.")
class CustomerEvent:
    id: strawberry.ID = strawberry.field(description="The id the event also carries on Kafka.")
    type: CustomerEventType = strawberry.field(description="What happened.")
    actor: str = strawberry.field(description="Who did it: `operator:ada`, `service:oms`, `customer:cus_…`.")
    changed: list[str] = strawberry.field(description="The fields that changed, as spelled in this API.")
    version: int = strawberry.field(description="The version the customer had afterwards.")
    occurred_at: datetime = strawberry.field(description="When it happened.")

    @classmethod
    def from_event(cls, event: events.CustomerEvent) -> Self:
        """Return an event as clients see it."""
        return cls(
            id=strawberry.ID(event.id),
            type=event.type,
            actor=event.actor,
            changed=list(event.changed),
            version=event.version,
            occurred_at=event.occurred_at,
        )


def history_cursor(event: events.CustomerEvent) -> str:
    """Return an event's place in its customer's history."""
    return encode_cursor(HISTORY, Position(event.version, event.id))
