"""Root fields about addresses: unpack, call one service method, repack."""

from functools import partial
from typing import Annotated

import strawberry

from core.filters import AddressFilter as Conditions
from core.paging import Position, encode_cursor, page_request
from models import address as models
from models.row import Row
from resolvers.outcome import attempt
from schema.address import Address, AddressFields, AddressFilter, AddressPatch, AddressPayload
from schema.arguments import AddressId, CustomerId, ExpectedVersion, SellerId
from schema.batching import needed
from schema.context import Info
from schema.customer import DeletePayload, given
from schema.paging import After, Connection, First
from schema.rows import shown
from schema.user_error import UserError

_ORDER = "addresses"


@strawberry.type
class AddressQuery:
    @strawberry.field(description="One address; null when you can see none with this id. Needs `customers:read`.")
    async def address(self, info: Info, id: AddressId) -> Address | None:
        """Return one address by id."""
        info.context.may_read_customers()
        row = await info.context.loaders.addresses(needed(info, "Address")).load(id)
        found: Address | None = shown(row, info)
        return found

    @strawberry.field(description="A page of addresses, newest first. Needs `customers:read`.")
    async def addresses(
        self,
        info: Info,
        filter: Annotated[AddressFilter | None, strawberry.argument(description="Which ones; all when absent.")] = None,
        first: First = 20,
        after: After = None,
        seller_id: SellerId = None,
    ) -> Connection[Address]:
        """Return one page of addresses."""
        conditions = Conditions() if filter is None else filter.to_conditions()
        request = page_request(_ORDER, first=first, after=after)
        page = await info.context.services.addresses.list(
            info.context.viewer, conditions, request, seller_id, fields=needed(info, "Address")
        )
        return Connection.from_page(page, partial(shown, info=info), _cursor)


@strawberry.type
class AddressMutation:
    @strawberry.mutation(
        description="Add an address to a customer; the first of its kind is the default. Needs `customers:write`."
    )
    async def create_address(
        self,
        info: Info,
        customer_id: CustomerId,
        input: Annotated[AddressFields, strawberry.argument(description="The address.")],
    ) -> AddressPayload:
        """Add an address."""
        call = info.context.services.addresses.create(info.context.viewer, customer_id, input.to_draft())
        return _payload(*await attempt(call))

    @strawberry.mutation(description="Change an address. Needs `customers:write`.")
    async def update_address(
        self,
        info: Info,
        id: AddressId,
        patch: Annotated[AddressPatch, strawberry.argument(description="What to change.")],
        expected_version: ExpectedVersion = None,
    ) -> AddressPayload:
        """Change an address."""
        call = info.context.services.addresses.update(info.context.viewer, id, given(patch), expected_version=expected_version)
        return _payload(*await attempt(call))

    @strawberry.mutation(
        description="Delete an address; if it was the default, the oldest one left of its kind becomes it. "
        "Needs `customers:write`."
    )
    async def delete_address(self, info: Info, id: AddressId, expected_version: ExpectedVersion = None) -> DeletePayload:
        """Delete an address."""
        call = info.context.services.addresses.delete(info.context.viewer, id, expected_version=expected_version)
        deleted, errors = await attempt(call)
        return DeletePayload(deleted_id=None if deleted is None else strawberry.ID(deleted), user_errors=errors)

    @strawberry.mutation(description="Make an address the default of its kind. Needs `customers:write`.")
    async def set_default_address(self, info: Info, id: AddressId) -> AddressPayload:
        """Make an address the default."""
        return _payload(*await attempt(info.context.services.addresses.set_default(info.context.viewer, id)))


def _payload(record: models.Address | None, errors: list[UserError]) -> AddressPayload:
    return AddressPayload(address=None if record is None else Address.from_model(record), user_errors=errors)


def _cursor(row: Row[models.Address]) -> str:
    return encode_cursor(_ORDER, Position(row["created_at"], row.id))
