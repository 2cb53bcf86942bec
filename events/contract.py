"""The promise to consumers, as JSON Schemas (2020-12): one for each event, made from the fields that events are written with.

Objects are open: a consumer that refuses what it does not know breaks with the first field that is added. What is listed in
``required`` is always there; everything else depends on the grade of ``kafka.personalData`` and on the customer.
"""

from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime

import orjson

from core.vocabulary import CustomerEventType, EventPrivacy
from events.customer import EVENT_NAMES, RETENTION, SCHEMA_VERSION, CustomerEvent, WireEvent, customer_data, wire
from events.document import REMINDER_FIELDS, about_document, about_schema
from events.fields import (
    CUSTOMER_FIELDS,
    EXTERNAL_ID,
    MASKED_FIELDS,
    MERGED_INTO,
    PARTS,
    REFERENCE_FIELDS,
    Field,
    Json,
    moment,
    text,
)

DIALECT = "https://json-schema.org/draft/2020-12/schema"

TOLD: Mapping[CustomerEventType, str] = {
    CustomerEventType.CREATED: "A customer exists from now on.",
    CustomerEventType.UPDATED: "Something about a customer changed: itself, an address, a document or its onboarding.",
    CustomerEventType.DELETED: "A customer is gone from every read. With `mergedInto`, another one goes on in its place.",
    CustomerEventType.ERASED: "A person was forgotten: whoever keeps a copy of this customer has to destroy it.",
    CustomerEventType.DOCUMENT_EXPIRING: "A document of a customer is about to expire: told some days before, once for each.",
}
"""What each event means, in a sentence."""

REPLAY_HEADER = "replay"
"""The header that only repeated events have, which an operator published again."""

HEADERS: Mapping[str, Json] = {
    "event": text("The name of the event.", "customer.created"),
    "ce_specversion": text("The version of CloudEvents.", "1.0"),
    "ce_id": text("The id of the event. The same in every repetition: deduplicate by it.", "evt_01kat5x2p3f8m9rj4t6vwy7z09"),
    "ce_type": text("The same as `event`.", "customer.created"),
    "ce_source": text("Who says so.", "customer-service"),
    "ce_time": moment("When it happened."),
    "seller_id": text("Whose customer it is about.", "demo"),
    "content-type": text("How the body is written.", "application/json"),
}
"""The headers of every event, as CloudEvents' binding for Kafka (binary mode) has them."""

REPLAY: Json = moment("Only on events that were published again by `customer-service events replay`: when that began.")

TRACE: Json = text(
    "Only when the request behind the change was traced: its span, as W3C Trace Context writes it.",
    "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01",
)

Refer = Callable[[str], Json]
"""Returns the reference to a part of the contract, by its name."""


def in_defs(name: str) -> Json:
    """Refer to a part that stands in the same JSON Schema."""
    return {"$ref": f"#/$defs/{name}"}


def envelope(event_type: CustomerEventType, data: Json) -> Json:
    """Return the schema of one event, around that of its *data*."""
    name = EVENT_NAMES[event_type]
    fields: dict[str, Json] = {
        "id": HEADERS["ce_id"] | {"pattern": "^evt_[0-9a-hjkmnp-tv-z]{26}$"},
        "type": {"const": name, "description": "The name of the event."},
        "schemaVersion": {
            "const": SCHEMA_VERSION,
            "description": "Goes up when a field changes its meaning or disappears. New fields do not change it.",
        },
        "sellerId": text("Whose customer it is.", "demo"),
        "customerId": text("Whom it happened to: also the key of the record.", "cus_01kat5x2p3f8m9rj4t6vwy7z0a"),
        "version": {
            "type": "integer",
            "minimum": 1,
            "description": "The customer's version after this: 1 at its creation, higher with each event.",
        },
        "occurredAt": moment("When it happened. It never runs backwards for one customer."),
        "actor": text("Who did it: kind and name of the caller, or of a chore of the service.", "operator:ada"),
        "changed": {
            "type": "array",
            "items": {"type": "string"},
            "description": "The fields that changed, as the API spells them. Without values.",
            "examples": [["email", "phone"]],
        },
    }
    required = (*fields, "data")
    if event_type is CustomerEventType.ERASED:
        fields["reason"] = text("Only when nobody asked for it: the customer was inactive for too long.", RETENTION)
    fields["data"] = data
    return {"title": name, "description": TOLD[event_type], **_object(fields, required=required)}


def parts(refer: Refer) -> dict[str, Json]:
    """Return the schemas that the events' own refer to, by name."""
    reference = {field.public: field.schema for field in REFERENCE_FIELDS}
    merged = {MERGED_INTO.public: MERGED_INTO.schema}
    rest = {field.public: _graded(field) for field in CUSTOMER_FIELDS}
    lists: dict[str, Json] = {
        part: {"type": "array", "items": refer(_PART_TITLES[part]), "description": _PARTS_TOLD[part]} for part in PARTS
    }
    return {
        "Customer": {
            "description": "The customer after the change, as far as `kafka.personalData` lets it be told.",
            **_object(
                {
                    **reference,
                    **merged,
                    EXTERNAL_ID.public: EXTERNAL_ID.schema,
                    **rest,
                    **lists,
                    "document": refer("OneDocument"),
                },
                required=reference,
            ),
        },
        "ErasedCustomer": {
            "description": "What is left of an erased customer: references.",
            **_object({**reference, **merged}, required=reference),
        },
        **{_PART_TITLES[part]: _part(part, fields) for part, fields in PARTS.items()},
        "OneDocument": about_schema(),
    }


def data_of(event_type: CustomerEventType, refer: Refer) -> Json:
    """Return the reference to the schema of what an event of this type says of the customer."""
    return refer("ErasedCustomer" if event_type is CustomerEventType.ERASED else "Customer")


def json_schemas() -> dict[str, Json]:
    """Return the JSON Schema of each event, by the event's name. Each stands on its own."""
    return {name: _standalone(event_type, name) for event_type, name in EVENT_NAMES.items()}


def example(event_type: CustomerEventType) -> WireEvent:
    """Return an event as it is written for Kafka: its personal data masked, as they are unless configured otherwise."""
    customer = {field.stored: _first_example(field) for field in (*REFERENCE_FIELDS, EXTERNAL_ID, *CUSTOMER_FIELDS)}
    customer |= {"kind": "INDIVIDUAL", "status": "ACTIVE"}
    if event_type is CustomerEventType.ERASED:
        customer["erased_at"] = _SOME_MOMENT
    data = customer_data(customer, EventPrivacy.MASKED)
    if event_type is CustomerEventType.DOCUMENT_EXPIRING:
        document: dict[str, object] = {field.stored: _first_example(field) for field in REMINDER_FIELDS}
        document |= {
            "id": "doc_01kat5x2p3f8m9rj4t6vwy7z0c",
            "type": "PASSPORT",
            "status": "VERIFIED",
            "expires_on": "2026-11-27",
        }
        data["document"] = about_document(document, EventPrivacy.MASKED)
    told = CustomerEvent(
        id=str(_first_of(HEADERS["ce_id"])),
        seller_id=str(customer["seller_id"]),
        customer_id=str(customer["_id"]),
        type=event_type,
        version=_SOME_VERSIONS[event_type],
        actor="operator:ada",
        changed=("email", "phone") if event_type is CustomerEventType.UPDATED else (),
        occurred_at=_SOME_MOMENT,
        data=data,
    )
    return wire(told)


_SOME_MOMENT = datetime(2026, 11, 22, 17, 30, 0, 5000, UTC)
_SOME_VERSIONS = {
    CustomerEventType.CREATED: 1,
    CustomerEventType.UPDATED: 2,
    CustomerEventType.DELETED: 3,
    CustomerEventType.ERASED: 4,
    CustomerEventType.DOCUMENT_EXPIRING: 3,
}
_PART_TITLES = {"attributes": "Attribute", "addresses": "Address", "documents": "Document"}
_PARTS_TOLD = {
    "attributes": "Only in `full`: what the seller noted about the customer.",
    "addresses": "Only in `full`, where the event carries addresses.",
    "documents": "Only in `full`, where the event carries documents. Never their numbers.",
}
_PARTS_REQUIRED = {"attributes": ("key", "value"), "addresses": ("id",), "documents": ("id",)}


def _standalone(event_type: CustomerEventType, name: str) -> Json:
    used = parts(in_defs)
    needed = ["ErasedCustomer"] if event_type is CustomerEventType.ERASED else [key for key in used if key != "ErasedCustomer"]
    return {
        "$schema": DIALECT,
        "$id": f"urn:customer-service:events:{name}:{SCHEMA_VERSION}",
        **envelope(event_type, data_of(event_type, in_defs)),
        "examples": [orjson.loads(example(event_type).value)],
        "$defs": {key: used[key] for key in needed},
    }


def _part(part: str, fields: Sequence[Field]) -> Json:
    described = {"addresses": "An address.", "documents": "A document, without its number.", "attributes": "An attribute."}
    properties = {field.public: field.schema for field in fields}
    return {"description": described[part], **_object(properties, required=_PARTS_REQUIRED[part])}


def _graded(field: Field) -> Json:
    """Return a field's schema, with the grades that have it in its description."""
    masked = field.public in MASKED_FIELDS
    grades = "In `full`; shortened in `masked`." if masked else "Only in `full`."
    return field.schema | {"description": f"{field.schema['description']} {grades}"}


def _object(properties: Mapping[str, Json], *, required: Iterable[str]) -> Json:
    return {"type": "object", "properties": dict(properties), "required": list(required)}


def _first_example(field: Field) -> object:
    return _first_of(field.schema)


def _first_of(schema: Json) -> object:
    examples = schema.get("examples")
    return examples[0] if isinstance(examples, list) else None
