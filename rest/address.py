"""Addresses over REST: unpack, call one service method, repack."""

from http import HTTPStatus
from typing import Annotated

from fastapi import APIRouter, Depends, Path, Query, Response
from starlette.requests import Request

from core.errors import NotFound
from core.filters import AddressFilter
from core.paging import Position, encode_cursor
from core.vocabulary import AddressKind
from models.address import Address as StoredAddress
from rest.address_shapes import Address, AddressPatch, NewAddress
from rest.caller import Caller, charge
from rest.documented import answers
from rest.facade import UsedFacade
from rest.page import Listed, Paging, forward, links, page_info
from rest.route import RestRoute
from rest.shape import given
from rest.versions import IfMatch, IfNoneMatch, etag, expected_version, unchanged

_ORDER = "addresses"
_PATH = "/api/v1/addresses"

AddressPath = Annotated[
    str, Path(alias="address_id", description="The id of the address, `adr_…`.", examples=["adr_01j9zs3w8ye2tvd6m8x1p7r5q4"])
]
SellerId = Annotated[
    str | None,
    Query(
        alias="sellerId",
        description="The seller meant; your token's own when absent. A caller of one seller gets FORBIDDEN for another, a "
        "service has to name one.",
    ),
]


def chosen_addresses(
    *,
    customer_id: Annotated[str | None, Query(alias="customerId", description="Addresses of this customer only.")] = None,
    kind: Annotated[AddressKind | None, Query(description="Addresses for this purpose only.")] = None,
    country_code: Annotated[str | None, Query(alias="countryCode", description="In this country, ISO 3166-1 alpha-2.")] = None,
    postal_code: Annotated[str | None, Query(alias="postalCode", description="With exactly this postal code.")] = None,
    is_default: Annotated[bool | None, Query(alias="isDefault", description="Defaults only, or all others.")] = None,
) -> AddressFilter:
    """Return which addresses the address of a list asks for."""
    return AddressFilter(
        customer_id=customer_id,
        kind=kind,
        country_code=None if country_code is None else country_code.upper(),
        postal_code=postal_code,
        is_default=is_default,
    )


router = APIRouter(route_class=RestRoute, tags=["addresses"])


@router.post(
    _PATH,
    summary="Create an address",
    operation_id="createAddress",
    status_code=HTTPStatus.CREATED,
    responses=answers(201, 404, 422, body=True, etag=True, location=True),
)
async def create_address(response: Response, facade: UsedFacade, viewer: Caller, body: NewAddress) -> Address:
    """Add an address to a customer; the first of its kind is the default.

    404 when you can see no customer with this id. Needs `customers:write`.
    """
    record = await facade.services.addresses.create(viewer, body.customer_id, body.to_draft())
    response.headers["location"] = f"{_PATH}/{record.id}"
    return _one(response, record)


@router.put(
    f"{_PATH}/{{address_id}}",
    summary="Update an address",
    operation_id="updateAddress",
    responses=answers(200, 404, 412, 422, body=True, etag=True),
)
async def update_address(
    response: Response,
    facade: UsedFacade,
    viewer: Caller,
    address_id: AddressPath,
    body: AddressPatch,
    if_match: IfMatch = None,
) -> Address:
    """Change an address: a member that is absent stays as it is, null clears it. Needs `customers:write`."""
    record = await facade.services.addresses.update(
        viewer, address_id, given(body), expected_version=expected_version(if_match)
    )
    return _one(response, record)


@router.get(
    f"{_PATH}/{{address_id}}",
    summary="Get an address",
    operation_id="getAddress",
    responses=answers(200, 304, 404, etag=True),
)
async def get_address(
    request: Request,
    response: Response,
    facade: UsedFacade,
    viewer: Caller,
    address_id: AddressPath,
    if_none_match: IfNoneMatch = None,  # noqa: ARG001 - for the description; every header of this name is read
) -> Address:
    """Return one address. Needs `customers:read`."""
    record = await facade.services.addresses.get(viewer, address_id)
    if record is None:
        raise NotFound("There is nothing with this id.")
    if (same := unchanged(request, record.version)) is not None:
        return same  # type: ignore[return-value]  # FastAPI sends a response as it is
    return _one(response, record)


@router.get(
    _PATH,
    summary="List addresses",
    operation_id="listAddresses",
    responses=answers(200, link=True),
)
async def list_addresses(
    request: Request,
    response: Response,
    facade: UsedFacade,
    viewer: Caller,
    conditions: Annotated[AddressFilter, Depends(chosen_addresses)],
    paging: Annotated[Paging, Depends(forward)],
    seller_id: SellerId = None,
) -> Listed[Address]:
    """Return a page of addresses, newest first. Page on with the addresses in the `Link` header. Needs `customers:read`."""
    charge(request, paging.size)
    rows = await facade.services.addresses.list(viewer, conditions, paging.request(_ORDER), seller_id)
    page = rows.of(lambda row: row.record)
    info = page_info(page, [_cursor(record) for record in page.items])
    response.headers.update(links(request, info, paging.size, backward=False))
    return Listed[Address](nodes=[Address.from_model(record) for record in page.items], page_info=info)


def _one(response: Response, record: StoredAddress) -> Address:
    response.headers["etag"] = etag(record.version)
    return Address.from_model(record)


def _cursor(record: StoredAddress) -> str:
    return encode_cursor(_ORDER, Position(record.created_at, record.id))
