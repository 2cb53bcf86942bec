"""Live fields about customers."""

from collections.abc import AsyncGenerator
from contextlib import aclosing
from typing import Annotated

import strawberry

from schema.arguments import SellerId
from schema.context import Info
from schema.customer_event import CustomerEvent

_DESCRIPTION = (
    "What happens to the seller's customers, or to one of them. Needs `customers:read`; a customer follows itself. "
    "The events of one customer come in the order of `version`, each at most once. "
    "To a slow reader one event may stand for several of a customer: it is the latest, and its `changed` names what all of "
    "them changed. Whoever is more than 1,000 customers behind, and whoever may have missed something for another reason, "
    "gets the error UNAVAILABLE and the end: never a silent gap. "
    "With `customerId` the last event so far comes first, and its `version` tells whether you missed one; then every later "
    "one, and the end after DELETED or ERASED. "
    "Without, nothing is repeated: subscribe, and then read `customers` (sort UPDATED_AT_DESC) for what came before."
)


@strawberry.type
class CustomerSubscription:
    @strawberry.subscription(description=_DESCRIPTION)
    async def customer_events(
        self,
        info: Info,
        seller_id: SellerId = None,
        customer_id: Annotated[
            strawberry.ID | None,
            strawberry.argument(description="Only this customer, `cus_…`; a customer's token can name no other than its own."),
        ] = None,
    ) -> AsyncGenerator[CustomerEvent, None]:
        """Follow the customers of a seller, or one of them."""
        watching = info.context.services.customer_watching
        async with aclosing(watching.watch(info.context.viewer, seller_id, customer_id)) as events:
            async for event in events:
                info.context.forget_loaded()
                yield CustomerEvent.of_entry(event)
