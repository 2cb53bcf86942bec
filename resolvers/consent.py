"""Root fields about consents: unpack, call one service method, repack."""

from typing import Annotated

import strawberry

from core.vocabulary import ConsentState
from resolvers.outcome import attempt
from schema.arguments import CustomerId
from schema.consent import Consent, ConsentInput, ConsentPayload
from schema.context import Info
from services.consent import Proof

Said = Annotated[ConsentInput, strawberry.argument(description="What the customer said.")]


@strawberry.type
class ConsentMutation:
    @strawberry.mutation(
        description="Record that a customer agrees to something. The same once more adds nothing, and answers the entry that "
        "says so. Customers record their own. Needs `customers:write`."
    )
    async def record_consent(self, info: Info, customer_id: CustomerId, input: Said) -> ConsentPayload:
        """Record that something was granted."""
        return await _record(info, customer_id, input, ConsentState.GRANTED)

    @strawberry.mutation(
        description="Record that a customer does not agree to something, whether or not it ever did. The same once more adds "
        "nothing, and answers the entry that says so. Customers record their own. Needs `customers:write`."
    )
    async def withdraw_consent(self, info: Info, customer_id: CustomerId, input: Said) -> ConsentPayload:
        """Record that something was withdrawn."""
        return await _record(info, customer_id, input, ConsentState.WITHDRAWN)


async def _record(info: Info, customer_id: str, said: ConsentInput, state: ConsentState) -> ConsentPayload:
    context = info.context
    proof = Proof(request_id=context.request_id, ip_address=context.device.ip_address)
    recorded, errors = await attempt(context.services.consents.record(context.viewer, customer_id, said.to_draft(state), proof))
    if recorded is None:
        return ConsentPayload(consent=None, added=False, user_errors=errors)
    return ConsentPayload(consent=Consent.from_model(recorded.consent), added=recorded.added, user_errors=errors)
