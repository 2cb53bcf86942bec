"""The JSON Schemas: valid themselves, true of what is written, and wide enough for every grade of privacy."""

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any

import orjson
import pytest
from jsonschema import Draft202012Validator

from core.vocabulary import AddressKind, CustomerEventType, CustomerKind, CustomerStatus, EventPrivacy
from events.contract import HEADERS, example, json_schemas
from events.customer import EVENT_NAMES, CustomerEvent, WireEvent, customer_data, wire
from events.fields import LEFT_OF_ERASED
from tests.event_promise import faults

SCHEMAS: dict[str, Any] = json_schemas()
ADA = {
    "_id": "cus_01kat5x2p3f8m9rj4t6vwy7z0a",
    "seller_id": "demo",
    "external_id": "shop-4711",
    "kind": CustomerKind.INDIVIDUAL,
    "status": CustomerStatus.ACTIVE,
    "email": "ada@example.com",
    "email_verified": True,
    "phone": None,
    "phone_verified": False,
    "first_name": "Ada",
    "last_name": "Lovelace",
    "company": None,
    "date_of_birth": date(1815, 12, 10),
    "locale": "en-GB",
    "tags": ["vip"],
    "attributes": [{"key": "tier", "value": "gold"}],
    "version": 2,
    "created_at": datetime(2026, 1, 2, 3, 4, 5, 678000, UTC),
    "updated_at": datetime(2026, 1, 2, 3, 4, 5, 678000, UTC),
    "addresses": [{"_id": "adr_1", "kind": AddressKind.SHIPPING, "is_default": True, "country_code": "GB", "line2": None}],
    "documents": [{"_id": "doc_1", "type": "PASSPORT", "status": "VERIFIED", "number": "X1", "expires_on": "2030-01-31"}],
}
EVERY_TYPE = pytest.mark.parametrize("event_type", CustomerEventType)
EVERY_EVENT = pytest.mark.parametrize("name", sorted(SCHEMAS))


def event(event_type: CustomerEventType, data: dict[str, object], **changes: Any) -> CustomerEvent:
    told = CustomerEvent(
        id="evt_01kat5x2p3f8m9rj4t6vwy7z09",
        seller_id="demo",
        customer_id="cus_01kat5x2p3f8m9rj4t6vwy7z0a",
        type=event_type,
        version=2,
        actor="operator:ada",
        changed=("email",),
        occurred_at=datetime(2026, 11, 22, tzinfo=UTC),
        data=data,
    )
    return replace(told, **changes)


@EVERY_EVENT
def test_schemas_are_schemas(name: str) -> None:
    Draft202012Validator.check_schema(SCHEMAS[name])

    assert "https://json-schema.org/draft/2020-12/schema" == SCHEMAS[name]["$schema"]
    assert f"urn:customer-service:events:{name}:1" == SCHEMAS[name]["$id"]


@pytest.mark.parametrize("privacy", EventPrivacy)
@EVERY_TYPE
def test_every_grade_of_every_event_keeps_the_promise(event_type: CustomerEventType, privacy: EventPrivacy) -> None:
    gone = {"erased_at": datetime(2026, 1, 1, tzinfo=UTC)} if event_type is CustomerEventType.ERASED else {}

    written = wire(event(event_type, customer_data(ADA | {"merged_into": "cus_2"} | gone, privacy)))

    assert [] == faults(written.value)


@EVERY_TYPE
def test_what_an_erasure_leaves_of_an_older_event_keeps_the_promise(event_type: CustomerEventType) -> None:
    """
    It may still be published, or published again.
    """
    data = customer_data(ADA | {"merged_into": "cus_2"}, EventPrivacy.FULL)

    left = {name: value for name, value in data.items() if name in LEFT_OF_ERASED}

    assert set(LEFT_OF_ERASED) == left.keys()
    assert [] == faults(wire(event(event_type, left)).value)


@pytest.mark.parametrize(
    ("changes", "complaint"),
    [
        ({"id": "42"}, "$.id: '42' does not match"),
        ({"version": 0}, "$.version: 0 is less than the minimum of 1"),
        ({"data": {}}, "$.data: 'id' is a required property"),
        ({"data": customer_data(ADA, EventPrivacy.REFERENCE) | {"number": "X1"}}, "('number' was unexpected)"),
    ],
    ids=["id", "version", "data", "more than is written down"],
)
def test_what_breaks_the_promise_is_found(changes: dict[str, Any], complaint: str) -> None:
    told = event(CustomerEventType.UPDATED, customer_data(ADA, EventPrivacy.REFERENCE))
    assert [] == faults(wire(told).value)

    found = faults(wire(replace(told, **changes)).value)

    assert [] != [line for line in found if complaint in line], found


@EVERY_TYPE
def test_headers_and_body_are_described_one_by_one(event_type: CustomerEventType) -> None:
    written = wire(event(event_type, customer_data(ADA, EventPrivacy.REFERENCE)))
    schema = SCHEMAS[EVENT_NAMES[event_type]]

    assert list(HEADERS) == [name for name, _ in written.headers]
    assert list(orjson.loads(written.value)) == schema["required"]
    assert schema["required"] == [name for name in schema["properties"] if name != "reason"]


def test_only_an_erasure_says_why() -> None:
    """
    What somebody wrote about any other change is for the history.
    """
    told = {type_: event(type_, customer_data(ADA, EventPrivacy.REFERENCE)) for type_ in CustomerEventType}
    bodies = {type_: orjson.loads(wire(replace(one, reason="RETENTION")).value) for type_, one in told.items()}

    assert {CustomerEventType.ERASED} == {type_ for type_, body in bodies.items() if "reason" in body}
    assert list(bodies[CustomerEventType.ERASED]) == list(SCHEMAS["customer.erased"]["properties"])


@EVERY_EVENT
def test_everything_is_described(name: str) -> None:
    found = [path for path, part in properties(SCHEMAS[name]) if "$ref" not in part and not part.get("description")]

    assert [] == found


@EVERY_TYPE
def test_examples_keep_the_promise(event_type: CustomerEventType) -> None:
    shown: WireEvent = example(event_type)

    assert [] == faults(shown.value)
    assert [orjson.loads(shown.value)] == SCHEMAS[EVENT_NAMES[event_type]]["examples"]


@EVERY_EVENT
def test_no_schema_lets_a_document_number_through(name: str) -> None:
    assert "number" not in {path.rpartition(".")[2] for path, _ in properties(SCHEMAS[name])}


@EVERY_EVENT
def test_objects_are_open_so_that_fields_can_be_added(name: str) -> None:
    assert "additionalProperties" not in orjson.dumps(SCHEMAS[name]).decode()


def properties(schema: Any, path: str = "$") -> list[tuple[str, Any]]:
    """Return every property of a schema and its definitions, with its path."""
    found = []
    for name, part in schema.get("properties", {}).items():
        found += [(f"{path}.{name}", part), *properties(part, f"{path}.{name}")]
    for name, part in schema.get("$defs", {}).items():
        found += properties(part, f"{path}#{name}")
    return found
