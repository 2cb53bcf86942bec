"""Which customers are meant, as clients say it."""

from datetime import datetime

import strawberry

from core.filters import CustomerFilter as Conditions
from core.filters import CustomerKey as Key
from core.filters import CustomerKeyKind, TimeRange
from schema.enums import CustomerKind, CustomerStatus


@strawberry.input(description="From a moment, up to but not including another.")
class DateTimeRange:
    from_: datetime | None = strawberry.field(name="from", default=None, description="The first moment that counts.")
    to: datetime | None = strawberry.field(default=None, description="The first moment that no longer counts.")

    def to_range(self) -> TimeRange:
        """Return the range as the service takes it."""
        return TimeRange(start=self.from_, end=self.to)


@strawberry.input(description="Conditions on customers, all of which have to hold.")
class CustomerFilter:
    ids: list[strawberry.ID] | None = strawberry.field(default=None, description="One of these ids, at most 100.")
    email: str | None = strawberry.field(default=None, description="This e-mail address, in any spelling.")
    phone: str | None = strawberry.field(default=None, description="This phone number, in any spelling.")
    external_id: str | None = strawberry.field(default=None, description="This reference of the seller.")
    document_number: str | None = strawberry.field(default=None, description="A document with this number, in any spelling.")
    status: list[CustomerStatus] | None = strawberry.field(default=None, description="One of these.")
    kind: CustomerKind | None = strawberry.field(default=None, description="Persons only, or organisations only.")
    tags: list[str] | None = strawberry.field(default=None, description="All of these tags, at most 250.")
    created_at: DateTimeRange | None = strawberry.field(default=None, description="Created in this range.")
    updated_at: DateTimeRange | None = strawberry.field(default=None, description="Last changed in this range.")
    search: str | None = strawberry.field(
        default=None, description="Every word here begins a word of the names, the company, the e-mail address or the phone."
    )

    def to_conditions(self) -> Conditions:
        """Return the conditions as the service takes them."""
        return Conditions(
            ids=self.ids,
            email=self.email,
            phone=self.phone,
            external_id=self.external_id,
            document_number=self.document_number,
            status=self.status,
            kind=self.kind,
            tags=self.tags,
            created_at=None if self.created_at is None else self.created_at.to_range(),
            updated_at=None if self.updated_at is None else self.updated_at.to_range(),
            search=self.search,
        )


@strawberry.input(one_of=True, description="Exactly one identifier of a customer.")
class CustomerKey:
    id: strawberry.Maybe[strawberry.ID] = strawberry.field(description="Our id.")
    email: strawberry.Maybe[str] = strawberry.field(description="The e-mail address, in any spelling.")
    phone: strawberry.Maybe[str] = strawberry.field(description="The phone number, in any spelling.")
    external_id: strawberry.Maybe[str] = strawberry.field(description="The seller's own reference.")
    document_number: strawberry.Maybe[str] = strawberry.field(description="The number of a document, in any spelling.")

    def to_key(self) -> Key:
        """Return the identifier that was given."""
        given = {
            CustomerKeyKind.ID: self.id,
            CustomerKeyKind.EMAIL: self.email,
            CustomerKeyKind.PHONE: self.phone,
            CustomerKeyKind.EXTERNAL_ID: self.external_id,
            CustomerKeyKind.DOCUMENT_NUMBER: self.document_number,
        }
        return next(Key(kind, some.value) for kind, some in given.items() if some is not None)
