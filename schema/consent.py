"""Consents, as clients see them."""

from collections.abc import Callable, Sequence
from datetime import datetime
from typing import Annotated, Protocol, Self

import strawberry

from compiled_graphql.contract import Promised
from models import consent as models
from models.row import Row
from schema.context import Info
from schema.enums import ConsentChannel, ConsentSource, ConsentState
from schema.user_error import UserError
from services.rules.consent import ConsentDraft, holding, in_order

OfPurpose = Annotated[str | None, strawberry.argument(description="Only those about this purpose.")]
OverChannel = Annotated[ConsentChannel | None, strawberry.argument(description="Only those about this channel.")]


class Owner(Protocol):
    """A customer, as an object of the API or as a row."""

    @property
    def owner(self) -> tuple[str, str]:
        """The key of what belongs to it."""


@strawberry.type(
    description="One entry of a customer's ledger of consents: what it agreed to, or took back, and how that can be shown. "
    "Entries are added and never changed."
)
class Consent:
    id: strawberry.ID = strawberry.field(description="The entry's id.")
    customer_id: strawberry.ID = strawberry.field(description="Who said it.")
    channel: ConsentChannel = strawberry.field(description="Over what the seller may, or may not, reach the customer for it.")
    purpose: str = strawberry.field(description="What it is about: `MARKETING`, `PROFILING`, or a key of the seller's own.")
    state: ConsentState = strawberry.field(description="Whether it was granted or withdrawn.")
    source: ConsentSource = strawberry.field(description="Where it was said.")
    reference: str | None = strawberry.field(description="Where exactly: a form, a file, a call; the seller's own words.")
    text_version: str | None = strawberry.field(description="Which text the customer was shown.")
    given_at: datetime = strawberry.field(description="When it was said.")
    created_at: datetime = strawberry.field(description="When it was recorded.")
    recorded_by: str = strawberry.field(description="Who recorded it: `customer:cus_…`, `operator:ada`.")
    ip_address: str | None = strawberry.field(
        description="The network address that it came from, of what a customer recorded for itself."
    )
    request_id: str | None = strawberry.field(description="The id of the request that recorded it, as it is in the log.")

    @classmethod
    def from_model(cls, entry: models.Consent) -> Self:
        """Return an entry as clients see it."""
        return cls(
            id=strawberry.ID(entry.id),
            customer_id=strawberry.ID(entry.customer_id),
            channel=entry.channel,
            purpose=entry.purpose,
            state=entry.state,
            source=entry.source,
            reference=entry.reference,
            text_version=entry.text_version,
            given_at=entry.given_at,
            created_at=entry.created_at,
            recorded_by=entry.recorded_by,
            ip_address=entry.ip_address,
            request_id=entry.request_id,
        )


@strawberry.input(description="What a customer said about one purpose over one channel.")
class ConsentInput:
    channel: ConsentChannel = strawberry.field(description="Over what the seller may, or may not, reach the customer for it.")
    purpose: str = strawberry.field(
        description="What it is about: `MARKETING`, `PROFILING`, or a key of the seller's own of 40 letters, digits and "
        "underscores at most."
    )
    source: ConsentSource | None = strawberry.field(
        default=None, description="Where it was said. When absent: CUSTOMER, OPERATOR or API, by who calls."
    )
    reference: str | None = strawberry.field(
        default=None, description="Where exactly: a form, a file, a call; at most 200 characters."
    )
    text_version: str | None = strawberry.field(
        default=None, description="Which text the customer was shown, at most 64 characters. Needed for what is granted."
    )
    given_at: datetime | None = strawberry.field(
        default=None, description="When it was said, not in the future; now when absent. Not for customers."
    )

    def to_draft(self, state: ConsentState) -> ConsentDraft:
        """Return what the caller wants recorded."""
        return ConsentDraft(
            channel=self.channel,
            purpose=self.purpose,
            state=state,
            source=self.source,
            reference=self.reference,
            text_version=self.text_version,
            given_at=self.given_at,
        )


@strawberry.type(description="What became of a consent that was to be recorded.")
class ConsentPayload:
    consent: Consent | None = strawberry.field(description="The entry that says so; null when nothing was recorded.")
    added: bool = strawberry.field(description="Whether this call added it; false when the ledger says the same already.")
    user_errors: list[UserError] = strawberry.field(description="Why nothing was recorded; empty on success.")


def consents_of(
    customers: Sequence[Owner], info: Info, purpose: str | None = None, channel: ConsentChannel | None = None
) -> Promised[list[list[Consent]]]:
    """Return what holds for customers: the latest entry of each purpose and channel."""
    return _of(customers, info, purpose, channel, holding)


def consent_history_of(
    customers: Sequence[Owner], info: Info, purpose: str | None = None, channel: ConsentChannel | None = None
) -> Promised[list[list[Consent]]]:
    """Return the ledgers of customers, the latest entry first."""
    return _of(customers, info, purpose, channel, lambda ledger: in_order(ledger)[::-1])


def _of(
    customers: Sequence[Owner],
    info: Info,
    purpose: str | None,
    channel: ConsentChannel | None,
    chosen: Callable[[Sequence[models.Consent]], list[models.Consent]],
) -> Promised[list[list[Consent]]]:
    info.context.may_read_customers()
    loader = info.context.loaders.consents_of(None)
    key = None if purpose is None else purpose.strip().upper()

    def shown(found: Sequence[list[Row[models.Consent]] | None]) -> list[list[Consent]]:
        ledgers = [[row.record for row in rows or ()] for rows in found]
        return [
            [
                Consent.from_model(one)
                for one in chosen(ledger)
                if (key is None or one.purpose == key) and (channel is None or one.channel is channel)
            ]
            for ledger in ledgers
        ]

    return Promised(loader.load_many([one.owner for one in customers]), shown)
