"""Customers, as clients see them."""

from collections.abc import Sequence
from datetime import date, datetime
from typing import Annotated, Self

import strawberry

from core.drafts import AttributeDraft, CustomerDraft
from core.filters import CustomerFilter as Conditions
from core.paging import Page, Position, encode_cursor, page_request
from models import customer as models
from models.row import Row
from schema.address import Address, AddressFields
from schema.batching import alone, batched, reading
from schema.consent import Consent, OfPurpose, OverChannel, consent_history_of, consents_of
from schema.context import Info
from schema.customer_event import CustomerEvent, history_cursor, history_of
from schema.customer_owned import addresses_of, default_address_of, documents_of, merged_from
from schema.data_export import DataExport, data_exports_of
from schema.document import Document, DocumentFields, DocumentUpload
from schema.enums import AddressKind, CustomerKind, CustomerSort, CustomerStatus, DocumentStatus, DocumentType
from schema.node import Node, Shown, presents
from schema.onboarding import Onboarding
from schema.paging import After, Connection, Edge, First, page_info
from schema.possible_duplicate import PossibleDuplicate
from schema.retention import CustomerRetention, LegalHold
from schema.rows import all_shown
from schema.user_error import UserError


@strawberry.type(description="One of the seller's own key/value pairs.")
class Attribute:
    key: str = strawberry.field(description="The key, unique within the customer.")
    value: str = strawberry.field(description="What the seller keeps under the key.")


async def _onboarding(customers: "Sequence[Owned]", info: Info) -> list[Onboarding]:
    return await Onboarding.of([one.record for one in customers], info)


def _born(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None


def _of_the_seller(stored: Sequence[models.StoredAttribute] | None) -> list[Attribute]:
    return [Attribute(key=one.key, value=one.value) for one in stored or ()]


@presents(
    models.Customer,
    date_of_birth=Shown("date_of_birth", _born, certain=False),
    attributes=Shown("attributes", _of_the_seller),
)
@strawberry.federation.type(keys=["id"], description="A customer of one seller. Needs `customers:read`.")
class Customer(Node):
    record: strawberry.Private[models.Customer]
    seller_id: strawberry.ID = strawberry.field(description="The seller whose customer it is.")
    external_id: str | None = strawberry.field(description="The seller's own reference; unique per seller.")
    kind: CustomerKind = strawberry.field(description="A person or an organisation.")
    status: CustomerStatus = strawberry.field(description="Where it stands with the seller.")
    email: str | None = strawberry.field(description="Normalised (lower case); unique per seller.")
    email_verified: bool = strawberry.field(description="Whether the customer has shown that the e-mail address is its own.")
    phone: str | None = strawberry.field(description="E.164; unique per seller.")
    phone_verified: bool = strawberry.field(description="Whether the customer has shown that the phone number is its own.")
    first_name: str | None = strawberry.field(description="Given name or names.")
    last_name: str | None = strawberry.field(description="Family name or names.")
    full_name: str = strawberry.field(description="First and last name, else the company, else e-mail, phone or external id.")
    company: str | None = strawberry.field(description="The company's name.")
    date_of_birth: date | None = strawberry.field(description="When the person was born.")
    locale: str | None = strawberry.field(description="Preferred language and region, BCP 47.")
    tags: list[str] = strawberry.field(description="The seller's own labels.")
    attributes: list[Attribute] = strawberry.field(description="The seller's own key/value pairs.")
    version: int = strawberry.field(
        description="Grows by one with every change, also of its addresses and documents; see `expectedVersion`."
    )
    created_at: datetime = strawberry.field(description="When it came into existence.")
    updated_at: datetime = strawberry.field(description="When it, an address or a document of it last changed.")
    erasure_due_at: datetime | None = strawberry.field(
        description="When it is going to be erased, if that was asked for; see `eraseCustomer` and `cancelErasure`."
    )

    @strawberry.field(
        description="Since when it counts as inactive, and when it is going to be anonymised for that; null while it does not.",
        metadata=reading("retention_flagged_at", "retention_due_at"),
    )
    def retention(self) -> CustomerRetention | None:
        """Return what is planned for it."""
        return CustomerRetention.of(self.record)

    @strawberry.field(
        description="Why nothing of it may be destroyed; null when it may. Needs `legal_hold`; not for customers.",
        metadata=reading("legal_hold_at", "legal_hold_by", "legal_hold_reason"),
    )
    def legal_hold(self, info: Info) -> LegalHold | None:
        """Return its hold, to those who may set one."""
        info.context.may_see_legal_holds()
        return LegalHold.of(self.record)

    @strawberry.field(
        description="Its addresses, oldest first. Needs `customers:read`.", metadata=batched(addresses_of, "id", rows=True)
    )
    async def addresses(
        self,
        info: Info,
        kind: Annotated[AddressKind | None, strawberry.argument(description="Only those of this kind.")] = None,
    ) -> list[Address]:
        """Return the addresses, loaded together with those of all other customers of the answer."""
        return await alone(addresses_of, self, info, kind=kind)

    @strawberry.field(
        description="The address to use; null when it has none of this kind. Needs `customers:read`.",
        metadata=batched(default_address_of, "id", rows=True),
    )
    async def default_address(
        self, info: Info, kind: Annotated[AddressKind, strawberry.argument(description="What the address is for.")]
    ) -> Address | None:
        """Return the default address of one kind."""
        return await alone(default_address_of, self, info, kind=kind)

    @strawberry.field(
        description="Its documents, oldest first. Needs `documents:read`.", metadata=batched(documents_of, "id", rows=True)
    )
    async def documents(
        self,
        info: Info,
        type: Annotated[DocumentType | None, strawberry.argument(description="Only those of this type.")] = None,
        status: Annotated[DocumentStatus | None, strawberry.argument(description="Only those in this state.")] = None,
    ) -> list[Document]:
        """Return the documents, loaded together with those of all other customers of the answer."""
        return await alone(documents_of, self, info, type=type, status=status)

    @strawberry.field(
        description="How far it has come with what its seller's settings require. Needs `customers:read`: of its documents no "
        "more is told than the step.",
        metadata=batched(_onboarding, rows=True),
    )
    async def onboarding(self, info: Info) -> Onboarding:
        """Return the progress, what it takes loaded together with that of all other customers of the answer."""
        return await alone(_onboarding, self, info)

    @strawberry.field(
        description="The ids of the customers that were merged into it, directly or by way of others, the nearest first; "
        "`customer` answers to each of them with this one. Needs `customers:read`.",
        metadata=batched(merged_from, "id", rows=True),
    )
    async def merged_from(self, info: Info) -> list[strawberry.ID]:
        """Return whose ids lead here."""
        return await alone(merged_from, self, info)

    @strawberry.field(
        description="Customers of the seller that may be the same person, the likeliest first; see `mergePreview`. What is "
        "looked at is bounded, so that not everybody is found; the same customers give the same answer. Needs `customers:read`."
    )
    async def possible_duplicates(
        self,
        info: Info,
        first: Annotated[int, strawberry.argument(description="How many at most, 1 to 100.")] = 10,
    ) -> list[PossibleDuplicate]:
        """Return who may be the same person."""
        most = page_request("", first=first).size
        found = await info.context.services.duplicates.of(info.context.viewer, self.record, most)
        return [PossibleDuplicate.of(one, info) for one in found]

    @strawberry.field(
        description="What happened to it, newest first. Needs `customers:read`, or `customers:read_masked` for masked values.",
        metadata=reading("id", "accesses"),
    )
    async def history(self, info: Info, first: First = 20, after: After = None) -> Connection[CustomerEvent]:
        """Return one page of the history."""
        info.context.viewer.require_sight()
        request = page_request(history_of(self.record.id), first=first, after=after)
        page = await info.context.loaders.history_pages.load((*self.owner, request, bool(self.record.accesses)))
        return Connection.from_page(
            page or Page([], has_next=False, has_previous=False), CustomerEvent.of_entry, history_cursor
        )

    @strawberry.field(
        description="What it agrees to now, and what it does not: the latest entry of its ledger for each purpose and channel. "
        "Of what is not among them it never said anything. Needs `customers:read`.",
        metadata=batched(consents_of, "id", rows=True),
    )
    async def consents(self, info: Info, purpose: OfPurpose = None, channel: OverChannel = None) -> list[Consent]:
        """Return what holds, loaded together with that of all other customers of the answer."""
        return await alone(consents_of, self, info, purpose=purpose, channel=channel)

    @strawberry.field(
        description="Its ledger of consents: everything it ever agreed to and took back, the latest first. Needs "
        "`customers:read`.",
        metadata=batched(consent_history_of, "id", rows=True),
    )
    async def consent_history(self, info: Info, purpose: OfPurpose = None, channel: OverChannel = None) -> list[Consent]:
        """Return the ledger, loaded together with those of all other customers of the answer."""
        return await alone(consent_history_of, self, info, purpose=purpose, channel=channel)

    @strawberry.field(
        description="The exports of everything about it, newest first, each for a month after its archive is gone. "
        "Needs `privacy:export`.",
        metadata=batched(data_exports_of, "id", rows=True),
    )
    async def data_exports(self, info: Info) -> list[DataExport]:
        """Return the exports, loaded together with those of all other customers of the answer."""
        return await alone(data_exports_of, self, info)

    @property
    def owner(self) -> tuple[str, str]:
        """The key of what belongs to it."""
        return self.record.seller_id, self.record.id


AtMost = Annotated[
    int | None,
    strawberry.argument(
        description="Count no further than this: the answer is this number where so many customers meet the filter, or more. "
        "Takes the same time however many a seller has; counting all of a million takes hundreds of milliseconds."
    ),
]

Owned = Customer | Row[models.Customer]
"""A customer, as an object of the API or as it is stored."""


@strawberry.type(description="One page of customers.")
class CustomerConnection(Connection[Customer]):
    conditions: strawberry.Private[Conditions]
    counted_seller: strawberry.Private[str | None]

    @strawberry.field(description="How many customers meet the filter on all pages. Counted only when selected.")
    async def total_count(self, info: Info, at_most: AtMost = None) -> int:
        """Count the customers that meet the filter."""
        return await info.context.services.customers.count(
            info.context.viewer, self.conditions, self.counted_seller, at_most=at_most
        )

    @classmethod
    def of(
        cls,
        page: Page[Row[models.Customer]],
        sort: CustomerSort,
        conditions: Conditions,
        seller_id: str | None,
        info: Info,
    ) -> Self:
        """Return the connection for a page of customers."""
        field = models.SORTED_BY[sort][0]
        edges = [
            Edge(cursor=encode_cursor(sort.value, Position(row[field], row.id)), node=node)
            for row, node in zip(page.items, all_shown(page.items, info), strict=True)
        ]
        return cls(edges=edges, page_info=page_info(page, edges), conditions=conditions, counted_seller=seller_id)


@strawberry.type(description="A customer that exists, and what it was found by.")
class CustomerMatch:
    customer_id: strawberry.ID = strawberry.field(description="The customer that holds one of them.")
    matched_by: list[str] = strawberry.field(
        description="Which of the identifiers it holds: `email`, `phone`, `externalId`, `documentNumber`."
    )


@strawberry.input(description="One of the seller's own key/value pairs.")
class AttributeInput:
    key: str = strawberry.field(description="The key, unique within the customer.")
    value: str = strawberry.field(description="The value, at most 4,000 characters.")


@strawberry.input(description="A new customer. At least one of externalId, email and phone is needed.")
class CustomerInput:
    external_id: str | None = strawberry.field(default=None, description="The seller's own reference.")
    kind: CustomerKind | None = strawberry.field(
        default=None, description="BUSINESS when absent and there is a company without a name, else INDIVIDUAL."
    )
    email: str | None = strawberry.field(default=None, description="E-mail address.")
    phone: str | None = strawberry.field(
        default=None,
        description="Any spelling; without calling code, a number of the first address's country, else the seller's.",
    )
    first_name: str | None = strawberry.field(default=None, description="Given name or names.")
    last_name: str | None = strawberry.field(default=None, description="Family name or names.")
    company: str | None = strawberry.field(default=None, description="The company's name.")
    date_of_birth: date | None = strawberry.field(default=None, description="When the person was born.")
    locale: str | None = strawberry.field(default=None, description="Preferred language and region, BCP 47.")
    tags: list[str] | None = strawberry.field(default=None, description="Labels, at most 250.")
    attributes: list[AttributeInput] | None = strawberry.field(default=None, description="Own key/value pairs, at most 100.")
    status: CustomerStatus | None = strawberry.field(default=None, description="ACTIVE when absent.")
    addresses: list[AddressFields] | None = strawberry.field(default=None, description="Addresses, at most 20.")
    documents: list[DocumentFields] | None = strawberry.field(default=None, description="Documents, at most 20.")

    def to_draft(self) -> CustomerDraft:
        """Return what the caller wants stored."""
        return CustomerDraft(
            external_id=self.external_id,
            kind=self.kind,
            email=self.email,
            phone=self.phone,
            first_name=self.first_name,
            last_name=self.last_name,
            company=self.company,
            date_of_birth=self.date_of_birth,
            locale=self.locale,
            tags=tuple(self.tags or ()),
            attributes=_attributes(self.attributes),
            status=self.status,
            addresses=tuple(address.to_draft() for address in self.addresses or ()),
            documents=tuple(document.to_draft() for document in self.documents or ()),
        )


@strawberry.input(description="A change of a customer: an absent field stays as it is, null clears it.")
class CustomerPatch:
    external_id: strawberry.Maybe[str | None] = strawberry.field(description="The seller's own reference.")
    kind: strawberry.Maybe[CustomerKind | None] = strawberry.field(
        description="A person or an organisation; cannot be cleared."
    )
    email: strawberry.Maybe[str | None] = strawberry.field(description="E-mail address; a new one is not verified.")
    phone: strawberry.Maybe[str | None] = strawberry.field(description="Phone number; a new one is not verified.")
    first_name: strawberry.Maybe[str | None] = strawberry.field(description="Given name or names.")
    last_name: strawberry.Maybe[str | None] = strawberry.field(description="Family name or names.")
    company: strawberry.Maybe[str | None] = strawberry.field(description="The company's name.")
    date_of_birth: strawberry.Maybe[date | None] = strawberry.field(description="When the person was born.")
    locale: strawberry.Maybe[str | None] = strawberry.field(description="Preferred language and region, BCP 47.")
    tags: strawberry.Maybe[list[str] | None] = strawberry.field(description="All labels; the list replaces the old one.")
    attributes: strawberry.Maybe[list[AttributeInput] | None] = strawberry.field(
        description="All key/value pairs; the list replaces the old one."
    )
    status: strawberry.Maybe[CustomerStatus | None] = strawberry.field(description="Where it stands; cannot be cleared.")

    def to_values(self) -> dict[str, object]:
        """Return the given fields by stored name; None clears one."""
        values = given(self)
        if self.tags is not None:
            values["tags"] = tuple(self.tags.value or ())
        if self.attributes is not None:
            values["attributes"] = _attributes(self.attributes.value)
        return values


@strawberry.type(description="What became of a change of a customer.")
class CustomerPayload:
    customer: Customer | None = strawberry.field(description="The customer as it is now; null when nothing was changed.")
    document_uploads: list[DocumentUpload] = strawberry.field(
        description="Where to send the files of its documents, when some were announced."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was changed; empty on success.")


@strawberry.type(description="What became of a customer that was to be changed or created.")
class UpsertCustomerPayload:
    customer: Customer | None = strawberry.field(description="The customer as it is now; null when nothing was changed.")
    created: bool = strawberry.field(description="Whether it is new.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was changed; empty on success.")


@strawberry.type(description="What became of a deletion.")
class DeletePayload:
    deleted_id: strawberry.ID | None = strawberry.field(description="What is gone now; null when nothing was deleted.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was deleted; empty on success.")


def given(patch: object) -> dict[str, object]:
    """Return the fields of a patch that the caller gave, by stored name; None for those to clear."""
    return {field: some.value for field, some in vars(patch).items() if some is not None}


def _attributes(pairs: list[AttributeInput] | None) -> tuple[AttributeDraft, ...]:
    return tuple(AttributeDraft(key=pair.key, value=pair.value) for pair in pairs or ())
