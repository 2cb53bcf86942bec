"""Root fields about customers: unpack, call one service method, repack."""

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import strawberry

from compiled_graphql.contract import Promised
from core.errors import BadInput
from core.filters import CustomerFilter as Conditions
from core.filters import CustomerKey as Key
from core.filters import CustomerKeyKind
from core.paging import MAX_PAGE_SIZE, page_request
from models.customer import Customer as StoredCustomer
from models.row import Row
from resolvers.outcome import attempt
from schema.arguments import CustomerId, ExpectedVersion, SellerId
from schema.batching import called, needed
from schema.context import Info
from schema.customer import (
    Customer,
    CustomerConnection,
    CustomerInput,
    CustomerMatch,
    CustomerPatch,
    CustomerPayload,
    DeletePayload,
    UpsertCustomerPayload,
)
from schema.customer_filter import CustomerFilter, CustomerKey
from schema.customer_owned import customers_with_theirs
from schema.document import DocumentUpload, UploadTarget
from schema.enums import CustomerSort
from schema.paging import After, Before, First, Last
from schema.rows import shown
from schema.viewer import own_customer
from services.masking import seen
from services.rules.profile import MAX_TAGS


def _customers(calls: Sequence[Mapping[str, Any]], info: Info) -> Promised[list[Customer | None]]:
    viewer = info.context.viewer
    viewer.require_sight()
    ids = [call["id"] for call in calls]
    fields = needed(info, "Customer")

    def found(
        rows: Sequence[Row[StoredCustomer] | None],
    ) -> list[Customer | None] | Promised[list[Customer | None]]:
        some = [shown(row and seen(viewer, row), info) for row in rows]
        absent = [place for place, row in enumerate(rows) if row is None]
        if not absent:
            return some
        # Only now: somebody else may go on in the place of one who is not there.
        survivors = (info.context.services.customers.survivor(viewer, ids[place], fields=fields) for place in absent)

        def filled(found: Sequence[Row[StoredCustomer] | None]) -> list[Customer | None]:
            for place, row in zip(absent, found, strict=True):
                some[place] = shown(row, info)
            return some

        return Promised(asyncio.gather(*survivors), filled)

    return customers_with_theirs(info, ids).then(found)


@strawberry.type
class CustomerQuery:
    @strawberry.field(description="The customer a customer's token belongs to; null for other callers. Needs `customers:read`.")
    async def me(self, info: Info) -> Customer | None:
        """Return the caller's own customer."""
        return await own_customer(info)

    @strawberry.field(
        description="One customer; null when you can see none with this id. By the id of one that was merged into another "
        "one you get the other one. Needs `customers:read`.",
        metadata=called(_customers),
    )
    async def customer(self, info: Info, id: CustomerId) -> Customer | None:
        """Return one customer by id."""
        (found,) = await _customers([{"id": id}], info)
        return found

    @strawberry.field(
        description="One customer by an identifier of its own; null when there is none. By the id or the external id of one "
        "that was merged into another one you get the other one, unless somebody else has that external id by now. Needs "
        "`customers:read`, and `documents:read` for a document's number."
    )
    async def customer_by(
        self,
        info: Info,
        key: Annotated[CustomerKey, strawberry.argument(description="Exactly one identifier.")],
        seller_id: SellerId = None,
    ) -> Customer | None:
        """Return one customer by a natural key."""
        row = await info.context.services.customers.get_by(
            info.context.viewer, key.to_key(), seller_id, fields=needed(info, "Customer")
        )
        found: Customer | None = shown(row, info)
        return found

    @strawberry.field(
        description="Which customers hold any of these identifiers, without telling more about them. "
        "Needs `customers:read`, and "
        "`documents:read` for a document's number."
    )
    async def customer_exists(
        self,
        info: Info,
        email: Annotated[str | None, strawberry.argument(description="An e-mail address, in any spelling.")] = None,
        phone: Annotated[str | None, strawberry.argument(description="A phone number, in any spelling.")] = None,
        external_id: Annotated[str | None, strawberry.argument(description="A reference of the seller.")] = None,
        document_number: Annotated[str | None, strawberry.argument(description="A document's number, in any spelling.")] = None,
        seller_id: SellerId = None,
    ) -> list[CustomerMatch]:
        """Return who holds what."""
        asked = {
            CustomerKeyKind.EMAIL: email,
            CustomerKeyKind.PHONE: phone,
            CustomerKeyKind.EXTERNAL_ID: external_id,
            CustomerKeyKind.DOCUMENT_NUMBER: document_number,
        }
        keys = [Key(kind, value) for kind, value in asked.items() if value is not None]
        hits = await info.context.services.customers.matches(info.context.viewer, keys, seller_id)
        return [CustomerMatch(customer_id=strawberry.ID(hit.customer_id), matched_by=list(hit.matched_by)) for hit in hits]

    @strawberry.field(
        description="A page of customers. Needs `customers:read`, and `documents:read` for the filter `documentNumber`."
    )
    async def customers(
        self,
        info: Info,
        filter: Annotated[CustomerFilter | None, strawberry.argument(description="Which ones; all when absent.")] = None,
        sort: Annotated[CustomerSort | None, strawberry.argument(description="In which order.")] = CustomerSort.CREATED_AT_DESC,
        first: First = None,
        after: After = None,
        last: Last = None,
        before: Before = None,
        seller_id: SellerId = None,
    ) -> CustomerConnection:
        """Return one page of customers."""
        order = sort or CustomerSort.CREATED_AT_DESC
        conditions = Conditions() if filter is None else filter.to_conditions()
        for name, values, most in (
            ("ids", conditions.ids, MAX_PAGE_SIZE),
            ("tags", conditions.tags, MAX_TAGS),
            ("values of status", conditions.status, MAX_PAGE_SIZE),
        ):
            if values is not None and len(values) > most:
                message = f"At most {most} {name} can be asked for at once; there are {len(values)}."
                raise BadInput(message)
        request = page_request(order.value, first=first, after=after, last=last, before=before)
        page = await info.context.services.customers.list(
            info.context.viewer, conditions, order, request, seller_id, fields=needed(info, "Customer")
        )
        return CustomerConnection.of(page, order, conditions, seller_id, info)


@strawberry.type
class CustomerMutation:
    @strawberry.mutation(
        description="Create a customer with its addresses and documents, all or nothing. Needs `customers:write`, and "
        "`documents:write` when there are documents; not for customers."
    )
    async def create_customer(
        self,
        info: Info,
        input: Annotated[CustomerInput, strawberry.argument(description="The customer.")],
        idempotency_key: Annotated[
            str | None,
            strawberry.argument(
                description="Any text of yours, up to 255 characters. Repeating a call with the same key within 24 hours "
                "answers with the customer that the first one made."
            ),
        ] = None,
        seller_id: SellerId = None,
    ) -> CustomerPayload:
        """Create a customer."""
        call = info.context.services.customers.create(
            info.context.viewer, input.to_draft(), seller_id=seller_id, idempotency_key=idempotency_key
        )
        saved, errors = await attempt(call)
        return CustomerPayload(
            customer=None if saved is None else Customer.from_model(saved.customer),
            document_uploads=[]
            if saved is None
            else [
                DocumentUpload(document_id=strawberry.ID(one.document_id), upload=UploadTarget.from_ticket(one.ticket))
                for one in saved.uploads
            ],
            user_errors=errors,
        )

    @strawberry.mutation(
        description="Change a customer. Needs `customers:write`; a customer can change its own profile, but not status, kind, "
        "tags, attributes or externalId."
    )
    async def update_customer(
        self,
        info: Info,
        id: CustomerId,
        patch: Annotated[CustomerPatch, strawberry.argument(description="What to change.")],
        expected_version: ExpectedVersion = None,
    ) -> CustomerPayload:
        """Change a customer."""
        call = info.context.services.customers.update(
            info.context.viewer, id, patch.to_values(), expected_version=expected_version
        )
        record, errors = await attempt(call)
        customer = None if record is None else Customer.from_model(record)
        return CustomerPayload(customer=customer, document_uploads=[], user_errors=errors)

    @strawberry.mutation(
        description="Change the customer with this identifier, or create it. Fields that are absent or null stay as they are; "
        "addresses and documents are stored only with a new customer. Needs `customers:write`, and `documents:write` when it "
        "stores documents; not for customers."
    )
    async def upsert_customer(
        self,
        info: Info,
        key: Annotated[CustomerKey, strawberry.argument(description="Exactly one identifier.")],
        input: Annotated[CustomerInput, strawberry.argument(description="The customer.")],
        seller_id: SellerId = None,
    ) -> UpsertCustomerPayload:
        """Change or create a customer."""
        call = info.context.services.customers.upsert(info.context.viewer, key.to_key(), input.to_draft(), seller_id=seller_id)
        saved, errors = await attempt(call)
        return UpsertCustomerPayload(
            customer=None if saved is None else Customer.from_model(saved.customer),
            created=saved is not None and saved.created,
            user_errors=errors,
        )

    @strawberry.mutation(
        description="Delete a customer: gone from every read, its e-mail, phone and other identifiers free again. "
        "Needs `customers:write`; not for customers."
    )
    async def delete_customer(self, info: Info, id: CustomerId, expected_version: ExpectedVersion = None) -> DeletePayload:
        """Delete a customer softly."""
        call = info.context.services.customers.delete(info.context.viewer, id, expected_version=expected_version)
        deleted, errors = await attempt(call)
        return DeletePayload(deleted_id=None if deleted is None else strawberry.ID(deleted), user_errors=errors)

    @strawberry.mutation(
        description="Destroy a customer's personal data for good, its addresses, documents, files and sessions included, and "
        "that of everybody who was merged into it. It may have been deleted before. What stays is a record without personal "
        "data, so that its id stays taken, and references in its history; an event tells other systems to erase it as well. "
        "Repeating the call changes nothing. A customer that was merged into another one is erased by itself: erase the other "
        "one to erase both. Needs `erasure`; not for customers."
    )
    async def erase_customer(
        self,
        info: Info,
        id: CustomerId,
        grace_days: Annotated[
            int,
            strawberry.argument(
                description="Days until it happens, 0 to 90: until then nothing changes but `Customer.erasureDueAt`, and "
                "`cancelErasure` takes it back. Asked for twice, the first date counts; 0 erases at once, whatever was planned."
            ),
        ] = 0,
    ) -> DeletePayload:
        """Erase a customer."""
        call = info.context.services.erasure.erase(info.context.viewer, id, grace_days=grace_days)
        erased, errors = await attempt(call)
        return DeletePayload(deleted_id=None if erased is None else strawberry.ID(erased), user_errors=errors)
