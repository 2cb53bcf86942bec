"""Which customers a list is asked for: the conditions of GraphQL's `CustomerFilter` as parameters of an address."""

from dataclasses import dataclass
from typing import Annotated

from fastapi import Query

from core.filters import CustomerFilter, CustomerSort, TimeRange
from core.paging import MAX_PAGE_SIZE
from core.vocabulary import CustomerKind, CustomerStatus
from rest.shape import GivenMoment
from services.rules.profile import MAX_TAGS


@dataclass(frozen=True, slots=True)
class ChosenCustomers:
    """Which customers are wanted, in which order, and whether they are to be counted."""

    conditions: CustomerFilter
    sort: CustomerSort
    total_count: bool


def chosen_customers(  # noqa: PLR0913 - a condition is a parameter
    *,
    ids: Annotated[
        list[str] | None, Query(description=f"One of these ids, at most {MAX_PAGE_SIZE}; repeat it.", max_length=MAX_PAGE_SIZE)
    ] = None,
    email: Annotated[str | None, Query(description="This e-mail address, in any spelling.")] = None,
    phone: Annotated[str | None, Query(description="This phone number, in any spelling.")] = None,
    external_id: Annotated[str | None, Query(alias="externalId", description="This reference of the seller.")] = None,
    document_number: Annotated[
        str | None, Query(alias="documentNumber", description="A document with this number, in any spelling.")
    ] = None,
    status: Annotated[
        list[CustomerStatus] | None, Query(description="One of these; repeat it.", max_length=MAX_PAGE_SIZE)
    ] = None,
    kind: Annotated[CustomerKind | None, Query(description="Persons only, or organisations only.")] = None,
    tags: Annotated[
        list[str] | None, Query(description=f"All of these tags, at most {MAX_TAGS}; repeat it.", max_length=MAX_TAGS)
    ] = None,
    created_at_from: Annotated[
        GivenMoment | None, Query(alias="createdAtFrom", description="Created at this moment or later.")
    ] = None,
    created_at_to: Annotated[GivenMoment | None, Query(alias="createdAtTo", description="Created before this moment.")] = None,
    updated_at_from: Annotated[
        GivenMoment | None, Query(alias="updatedAtFrom", description="Last changed at this moment or later.")
    ] = None,
    updated_at_to: Annotated[
        GivenMoment | None, Query(alias="updatedAtTo", description="Last changed before this moment.")
    ] = None,
    search: Annotated[
        str | None,
        Query(description="Every word here begins a word of the names, the company, the e-mail address or the phone."),
    ] = None,
    sort: Annotated[CustomerSort, Query(description="In which order.")] = CustomerSort.CREATED_AT_DESC,
    total_count: Annotated[bool, Query(alias="totalCount", description="Whether to count what is on all pages.")] = False,
) -> ChosenCustomers:
    """Return what the address of a list asks for."""
    conditions = CustomerFilter(
        ids=ids,
        email=email,
        phone=phone,
        external_id=external_id,
        document_number=document_number,
        status=status,
        kind=kind,
        tags=tags,
        created_at=TimeRange(start=created_at_from, end=created_at_to),
        updated_at=TimeRange(start=updated_at_from, end=updated_at_to),
        search=search,
    )
    return ChosenCustomers(conditions, sort, total_count)
