"""Root fields about erasures: unpack, call one service method, repack."""

import strawberry

from resolvers.outcome import attempt
from schema.arguments import CustomerId
from schema.context import Info
from schema.customer import Customer, CustomerPayload
from schema.erasure import ErasureReceipt


@strawberry.type
class ErasureQuery:
    @strawberry.field(
        description="What the erasure of a customer did, in proof; null when it was not erased, or when you can see none with "
        "this id. Needs `erasure`; not for customers."
    )
    async def erasure_receipt(self, info: Info, customer_id: CustomerId) -> ErasureReceipt | None:
        """Return the receipt of an erasure."""
        receipt = await info.context.services.erasure.receipt(info.context.viewer, customer_id)
        return None if receipt is None else ErasureReceipt.from_model(receipt)


@strawberry.type
class ErasureMutation:
    @strawberry.mutation(
        description="Take back an erasure that was asked for with `graceDays` and has not happened yet. Where none was asked "
        "for nothing changes; once it has happened, the customer is NOT_FOUND. Needs `erasure`; not for customers."
    )
    async def cancel_erasure(self, info: Info, id: CustomerId) -> CustomerPayload:
        """Take an erasure back."""
        record, errors = await attempt(info.context.services.erasure.cancel(info.context.viewer, id))
        customer = None if record is None else Customer.from_model(record)
        return CustomerPayload(customer=customer, document_uploads=[], user_errors=errors)
