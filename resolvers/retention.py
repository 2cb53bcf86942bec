"""Root fields about what is kept for how long: unpack, call one service method, repack."""

from typing import Annotated

import strawberry

from resolvers.outcome import attempt
from schema.arguments import CustomerId
from schema.context import Info
from schema.customer import Customer, CustomerPayload

Why = Annotated[str, strawberry.argument(description="Why, at most 500 characters; the customer's history has it.")]


@strawberry.type
class RetentionMutation:
    @strawberry.mutation(
        description="Put a customer on legal hold: from now on it is neither flagged for inactivity nor anonymised, its files "
        "stay, and `eraseCustomer` is refused (LEGAL_HOLD). An erasure that was asked for before waits. Repeating the call "
        "with another reason changes the reason. It may have been deleted. Needs `legal_hold`; not for customers."
    )
    async def set_legal_hold(self, info: Info, id: CustomerId, reason: Why) -> CustomerPayload:
        """Set a hold."""
        record, errors = await attempt(info.context.services.legal_holds.hold(info.context.viewer, id, reason))
        customer = None if record is None else Customer.from_model(record)
        return CustomerPayload(customer=customer, document_uploads=[], user_errors=errors)

    @strawberry.mutation(
        description="Lift the legal hold of a customer, deleted or not; where there is none nothing changes. An erasure that "
        "waited for it happens now. Needs `legal_hold`; not for customers."
    )
    async def lift_legal_hold(self, info: Info, id: CustomerId, reason: Why) -> CustomerPayload:
        """Lift a hold."""
        record, errors = await attempt(info.context.services.legal_holds.lift(info.context.viewer, id, reason))
        customer = None if record is None else Customer.from_model(record)
        return CustomerPayload(customer=customer, document_uploads=[], user_errors=errors)
