"""Who calls, as the caller sees it."""

import strawberry

from schema.context import Info
from schema.customer import Customer
from schema.enums import PrincipalKind


@strawberry.type(description="Who you are, by your token. For anybody with a token.")
class Viewer:
    kind: PrincipalKind = strawberry.field(description="What kind of caller you are.")
    subject: str = strawberry.field(description="Your name in the history.")
    seller_id: strawberry.ID | None = strawberry.field(description="The seller you are bound to; null for services.")
    scopes: list[str] = strawberry.field(description="What you may do.")

    @strawberry.field(description="The customer you are, when you are one. Needs `customers:read`.")
    async def customer(self, info: Info) -> Customer | None:
        """Return the customer a customer's token belongs to."""
        return await own_customer(info)


async def own_customer(info: Info) -> Customer | None:
    """Return the customer that calls, or None for everybody else."""
    viewer = info.context.viewer
    if viewer.customer_id is None:
        return None
    record = await info.context.services.customers.get(viewer, viewer.customer_id)
    return None if record is None else Customer.from_model(record)
