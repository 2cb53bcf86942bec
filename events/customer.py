"""What happened to a customer, and how it looks on Kafka.

An event is recorded in the transaction that changed the customer, and published later, perhaps more than once. It therefore
carries its own `data`: publishing never looks at the customer again, and a repetition has the same id and the same bytes.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

import orjson

from core.audit_chain import Seal
from core.clock import rfc3339
from core.data_map import CUSTOMERS
from core.personal_data import MASKED, Mask, initials
from core.plain import plain
from core.vocabulary import CustomerEventType, EventPrivacy
from events.fields import CUSTOMER_FIELDS, EXTERNAL_ID, MASKED_FIELDS, MERGED_INTO, PARTS, Field

SCHEMA_VERSION = 1
"""Goes up when a field changes its meaning or disappears; new fields do not change it."""

SOURCE = "customer-service"

RETENTION = "RETENTION"
"""The reason of an erasure that nobody asked for: the customer was inactive for as long as its seller keeps such."""

TRACEPARENT_HEADER = "traceparent"
"""Of the request that made the change, when that was traced: W3C Trace Context."""

EVENT_NAMES: Mapping[CustomerEventType, str] = {
    CustomerEventType.CREATED: "customer.created",
    CustomerEventType.UPDATED: "customer.updated",
    CustomerEventType.DELETED: "customer.deleted",
    CustomerEventType.ERASED: "customer.erased",
    CustomerEventType.DOCUMENT_EXPIRING: "customer.document_expiring",
}

Names = Mapping[str, str]
"""Stored names to public ones."""


def _names(fields: Iterable[Field]) -> Names:
    return {field.stored: field.public for field in fields}


_CUSTOMER_NAMES = _names(CUSTOMER_FIELDS)
_MASKED_NAMES = {stored: public for stored, public in _CUSTOMER_NAMES.items() if public in MASKED_FIELDS}
_PART_NAMES = {part: _names(fields) for part, fields in PARTS.items()}


@dataclass(frozen=True, slots=True, kw_only=True)
class CustomerEvent:
    """One change of one customer; `version` is the customer's version after it, `data` is ready for JSON.

    `trace` is the trace that the change belongs to, if any: see `core.trace`. `reason` is why, where somebody had to say so: of
    an erasure a word that is told to everybody, else a text for those who read the history. What follows is kept with the
    record and told nobody on Kafka: `changes` is what was changed into what, `origin` where it came from, `seal` its link in
    the chain of the customer's history.
    """

    id: str
    seller_id: str
    customer_id: str
    type: CustomerEventType
    version: int
    actor: str
    changed: tuple[str, ...]
    occurred_at: datetime
    data: Mapping[str, object]
    trace: str | None = None
    reason: str | None = None
    changes: Mapping[str, Any] | None = field(default=None, compare=False)
    origin: Mapping[str, Any] | None = field(default=None, compare=False)
    seal: Seal | None = field(default=None, compare=False, repr=False)

    def __post_init__(self) -> None:
        """Refuse a time without a zone, which would be read as the machine's local time."""
        if self.occurred_at.tzinfo is None:
            raise ValueError(f"Event {self.id!r} needs an aware occurred_at. Read it with a client that is time zone aware.")


@dataclass(frozen=True, slots=True, kw_only=True)
class EventTopics:
    """Names of the topics; what is erased goes where deletions go, and news without a change where changes go."""

    created: str
    updated: str
    deleted: str


@dataclass(frozen=True, slots=True)
class WireEvent:
    """An event as Kafka carries it."""

    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...]


def topic_of(event_type: CustomerEventType, topics: EventTopics) -> str:
    """Return the topic that events of this type are published to."""
    if event_type is CustomerEventType.CREATED:
        return topics.created
    if event_type in {CustomerEventType.UPDATED, CustomerEventType.DOCUMENT_EXPIRING}:
        return topics.updated
    return topics.deleted


def wire(event: CustomerEvent) -> WireEvent:
    """Write *event* for Kafka: the same bytes every time. The key is the customer's id, so that a partition keeps its order.

    The headers follow the CloudEvents binding for Kafka (binary mode), so that a consumer can route without reading the body.
    """
    name = EVENT_NAMES[event.type]
    occurred_at = rfc3339(event.occurred_at)
    value = orjson.dumps(
        {
            "id": event.id,
            "type": name,
            "schemaVersion": SCHEMA_VERSION,
            "sellerId": event.seller_id,
            "customerId": event.customer_id,
            "version": event.version,
            "occurredAt": occurred_at,
            "actor": event.actor,
            "changed": event.changed,
            # What somebody wrote for the history stays here.
            **({"reason": event.reason} if event.reason and event.type is CustomerEventType.ERASED else {}),
            "data": event.data,
        }
    )
    headers: tuple[tuple[str, bytes], ...] = (
        ("event", name.encode()),
        ("ce_specversion", b"1.0"),
        ("ce_id", event.id.encode()),
        ("ce_type", name.encode()),
        ("ce_source", SOURCE.encode()),
        ("ce_time", occurred_at.encode()),
        ("seller_id", event.seller_id.encode()),
        ("content-type", b"application/json"),
    )
    if event.trace is not None:
        headers = (*headers, (TRACEPARENT_HEADER, event.trace.encode()))
    return WireEvent(key=event.customer_id.encode(), value=value, headers=headers)


def customer_data(customer: Mapping[str, object], privacy: EventPrivacy) -> dict[str, object]:
    """Return what an event may say about *customer*, a stored customer with snake_case keys (``_id`` or ``id``).

    REFERENCE names the customer and nothing else. MASKED adds contact data and names that a person who knows them will
    recognise and nobody else can use. FULL is everything but document numbers; ``addresses`` and ``documents`` are
    included where *customer* holds them.

    The seller's own reference is part of every grade, because consumers join by it. One that is itself contact data (an
    e-mail address, the customer's phone) is left out below FULL.

    Of a customer that was merged into another one every grade has ``mergedInto``, the other one's id. Of an erased one no
    grade has more than `events.fields.LEFT_OF_ERASED`.
    """
    data: dict[str, object] = {
        "id": customer["_id"] if "_id" in customer else customer["id"],
        "sellerId": customer["seller_id"],
        "kind": plain(customer["kind"]),
        "status": plain(customer["status"]),
    }
    if customer.get(MERGED_INTO.stored) is not None:
        data[MERGED_INTO.public] = customer[MERGED_INTO.stored]
    if customer.get("erased_at") is not None:
        return data
    external_id = customer.get(EXTERNAL_ID.stored)
    if external_id is not None and (privacy is EventPrivacy.FULL or not _is_contact(external_id, customer)):
        data[EXTERNAL_ID.public] = external_id
    if privacy is EventPrivacy.MASKED:
        for stored, public in _MASKED_NAMES.items():
            data[public] = _masked(customer.get(stored), _MASKS[stored])
    elif privacy is EventPrivacy.FULL:
        data |= _picked(customer, _CUSTOMER_NAMES)
        for part, names in _PART_NAMES.items():
            held = customer.get(part)
            if isinstance(held, Sequence):
                data[part] = [_picked(one, names) for one in held]
    return data


def _mask_of(stored: str) -> Callable[[str], str | None]:
    """Return how a masked event shortens a field; what others may see as it is, a name, is told by its initials."""
    mask = CUSTOMERS[stored].mask
    return initials if mask is Mask.PLAIN else MASKED[mask]


_MASKS = {stored: _mask_of(stored) for stored in _MASKED_NAMES}


def _masked(value: object, mask: Callable[[str], str | None]) -> str | None:
    return mask(value) if isinstance(value, str) and value else None


def _is_contact(external_id: object, customer: Mapping[str, object]) -> bool:
    return "@" in str(external_id) or external_id == customer.get("phone")


def _picked(stored: Mapping[str, object], fields: Names) -> dict[str, object]:
    picked = {public: plain(stored[name]) for name, public in fields.items() if name in stored}
    if "id" in fields and "_id" in stored:
        picked = {"id": stored["_id"], **picked}
    return picked
