"""Customers over REST: unpack, call one service method, repack. The same handlers serve people and services."""

from http import HTTPStatus
from typing import Annotated

from fastapi import Depends, Header, Path, Response
from starlette.requests import Request

from auth.principal import Principal
from core.errors import NotFound
from core.filters import CustomerSort
from core.paging import Position, encode_cursor
from models.customer import Customer as StoredCustomer
from models.customer import sort_value
from rest.caller import Caller, SellerCaller, charge
from rest.customer_filter import ChosenCustomers, chosen_customers
from rest.customer_shapes import CreatedCustomer, Customer, CustomerInput, CustomerPatch, Customers, CustomerUpsert
from rest.customer_view import shown, values_of
from rest.document_shapes import DocumentUpload
from rest.facade import Facade, UsedFacade
from rest.page import Paging, both_ways, links, page_info
from rest.versions import IfMatch, IfNoneMatch, etag, expected_version, unchanged
from services.customer_creating import CustomerSaved

CustomerPath = Annotated[
    str,
    Path(alias="customer_id", description="The id of the customer, `cus_…`.", examples=["cus_01j9zs3w8xf4bt6s9h2m5n7p8q"]),
]
IdempotencyKey = Annotated[
    str | None,
    Header(
        alias="Idempotency-Key",
        description="Any text of yours, up to 255 characters. Repeating a call with the same key within 24 hours answers with "
        "what the first one made; with the same key and another body it is refused (IDEMPOTENCY_KEY_REUSED).",
        examples=["order-4711"],
    ),
]


async def create_customer(
    request: Request,
    response: Response,
    facade: UsedFacade,
    viewer: SellerCaller,
    body: CustomerInput,
    idempotency_key: IdempotencyKey = None,
) -> CreatedCustomer:
    """Create a customer with its addresses and documents, all or nothing.

    Its e-mail address, phone number, external id and document numbers belong to it alone, among the customers of the seller.
    The event `customer.created` follows on Kafka. Needs `customers:write`, and `documents:write` when there are documents;
    not for customers.
    """
    saved = await facade.services.customers.create(
        viewer, body.to_draft(), seller_id=viewer.seller_id, idempotency_key=idempotency_key
    )
    return await _created(request, response, facade, viewer, saved)


async def upsert_customer(
    request: Request, response: Response, facade: UsedFacade, viewer: SellerCaller, body: CustomerUpsert
) -> CreatedCustomer:
    """Change the customer with an identifier (200), or create it (201).

    Members that are absent or null stay as they are; addresses and documents are stored only with a new customer. Needs
    `customers:write`, and `documents:write` when it stores documents.
    """
    call = facade.services.customers.upsert(viewer, body.key.to_key(), body.input.to_draft(), seller_id=viewer.seller_id)
    saved = await call
    if not saved.created:
        response.status_code = HTTPStatus.OK
    return await _created(request, response, facade, viewer, saved)


async def update_customer(
    response: Response,
    facade: UsedFacade,
    viewer: SellerCaller,
    customer_id: CustomerPath,
    body: CustomerPatch,
    if_match: IfMatch = None,
) -> Customer:
    """Change a customer: a member that is absent stays as it is, null clears it.

    The event `customer.updated` follows on Kafka, unless nothing is different. Needs `customers:write`; a customer can change
    its own profile, but not status, kind, tags, attributes or externalId.
    """
    record = await facade.services.customers.update(
        viewer, customer_id, body.to_values(), expected_version=expected_version(if_match)
    )
    return await _one(response, facade, viewer, record)


async def get_customer(
    request: Request,
    response: Response,
    facade: UsedFacade,
    viewer: SellerCaller,
    customer_id: CustomerPath,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001 - for the description; every header of this name is read
) -> Customer:
    """Return a customer with its addresses and documents. Needs `customers:read`, and `documents:read` for documents."""
    return await _found(request, response, facade, viewer, customer_id)


async def get_customer_anywhere(
    request: Request,
    response: Response,
    facade: UsedFacade,
    viewer: Caller,
    customer_id: CustomerPath,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001 - as above
) -> Customer:
    """Return a customer by its id alone, among all that your token lets you see.

    For an operator these are the customers of one seller, for a customer it is itself, for a service that is bound to no
    seller those of all (which leaves a line in the audit log). Needs `customers:read`, and `documents:read` for documents.
    """
    return await _found(request, response, facade, viewer, customer_id)


async def list_customers(
    request: Request,
    response: Response,
    facade: UsedFacade,
    viewer: SellerCaller,
    chosen: Annotated[ChosenCustomers, Depends(chosen_customers)],
    paging: Annotated[Paging, Depends(both_ways)],
) -> Customers:
    """Return a page of the seller's customers that meet all conditions, with their addresses and documents.

    Page on with the addresses in the `Link` header. Needs `customers:read`, and `documents:read` for documents and for the
    condition `documentNumber`.
    """
    charge(request, paging.size)
    customers = facade.services.customers
    rows = await customers.list(viewer, chosen.conditions, chosen.sort, paging.request(chosen.sort.value), viewer.seller_id)
    page = rows.of(lambda row: row.record)
    total = await customers.count(viewer, chosen.conditions, viewer.seller_id) if chosen.total_count else None
    info = page_info(page, [_cursor(chosen.sort, record) for record in page.items])
    response.headers.update(links(request, info, paging.size))
    return Customers(nodes=await shown(facade, viewer, page.items), page_info=info, total_count=total)


async def delete_customer(
    facade: UsedFacade, viewer: SellerCaller, customer_id: CustomerPath, if_match: IfMatch = None
) -> Response:
    """Delete a customer: gone from every read, its e-mail, phone and other identifiers free again.

    The event `customer.deleted` follows on Kafka. Needs `customers:write`; not for customers.
    """
    await facade.services.customers.delete(viewer, customer_id, expected_version=expected_version(if_match))
    return Response(status_code=HTTPStatus.NO_CONTENT)


async def _found(request: Request, response: Response, facade: Facade, viewer: Principal, customer_id: str) -> Customer:
    record = await facade.services.customers.get(viewer, customer_id)
    if record is None:
        raise NotFound("There is nothing with this id.")
    if (same := unchanged(request, record.version)) is not None:
        return same  # type: ignore[return-value]  # FastAPI sends a response as it is
    return await _one(response, facade, viewer, record)


async def _one(response: Response, facade: Facade, viewer: Principal, record: StoredCustomer) -> Customer:
    response.headers["etag"] = etag(record.version)
    (found,) = await shown(facade, viewer, [record])
    return found


async def _created(
    request: Request, response: Response, facade: Facade, viewer: Principal, saved: CustomerSaved
) -> CreatedCustomer:
    record = saved.customer
    prefix = str(request.scope["path"]).partition("/sellers/")[0]
    response.headers["etag"] = etag(record.version)
    response.headers["location"] = f"{prefix}/sellers/{record.seller_id}/customers/{record.id}"
    (values,) = await values_of(facade, viewer, [record])
    return CreatedCustomer(**values, document_uploads=[DocumentUpload.of(one) for one in saved.uploads])


def _cursor(sort: CustomerSort, record: StoredCustomer) -> str:
    return encode_cursor(sort.value, Position(sort_value(sort, record), record.id))
