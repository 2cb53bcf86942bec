"""Events are other teams' API: these tests pin their bytes."""

from datetime import UTC, date, datetime, timedelta, timezone

import pytest

from core.vocabulary import CustomerEventType, CustomerKind, CustomerStatus, EventPrivacy
from events.customer import CustomerEvent, EventTopics, customer_data, topic_of, wire
from events.fields import LEFT_OF_ERASED

TOPICS = EventTopics(created="c", updated="u", deleted="d")
LUIS = {
    "_id": "cus_01",
    "seller_id": "demo",
    "external_id": "1",
    "kind": CustomerKind.INDIVIDUAL,
    "status": "ACTIVE",
    "email": "luisg@embraer.com.br",
    "email_verified": True,
    "phone": "+551239235555",
    "first_name": "Luís Ana",
    "last_name": "Gonçalves",
    "company": None,
    "date_of_birth": date(1980, 2, 29),
    "tags": ["vip"],
    "attributes": [{"key": "tier", "value": "gold"}],
    "secret": "never shown",
    "version": 3,
    "created_at": datetime(2026, 1, 2, 3, 4, 5, 678000, UTC),
    "addresses": [{"_id": "adr_01", "line1": "Av. Faria Lima 2170", "country_code": "BR", "internal": 1}],
    "documents": [{"_id": "doc_01", "type": "PASSPORT", "number": "X123", "number_hash": "h", "status": "VERIFIED"}],
}


def test_the_bytes_on_the_wire() -> None:
    """
    A change here breaks consumers, unless it only adds.
    """
    written = wire(
        CustomerEvent(
            id="evt_01",
            seller_id="demo",
            customer_id="cus_01",
            type=CustomerEventType.UPDATED,
            version=3,
            actor="operator:ops",
            changed=("email", "phone"),
            occurred_at=datetime(2026, 11, 22, 18, 30, 0, 5000, timezone(timedelta(hours=1))),
            data={"id": "cus_01", "email": "é"},
        )
    )

    assert b"cus_01" == written.key
    assert (
        '{"id":"evt_01","type":"customer.updated","schemaVersion":1,"sellerId":"demo","customerId":"cus_01","version":3,'
        '"occurredAt":"2026-11-22T17:30:00.005Z","actor":"operator:ops","changed":["email","phone"],'
        '"data":{"id":"cus_01","email":"é"}}'
    ).encode() == written.value
    assert (
        ("event", b"customer.updated"),
        ("ce_specversion", b"1.0"),
        ("ce_id", b"evt_01"),
        ("ce_type", b"customer.updated"),
        ("ce_source", b"customer-service"),
        ("ce_time", b"2026-11-22T17:30:00.005Z"),
        ("seller_id", b"demo"),
        ("content-type", b"application/json"),
    ) == written.headers


@pytest.mark.parametrize(
    ("event_type", "topic"),
    [
        (CustomerEventType.CREATED, "c"),
        (CustomerEventType.UPDATED, "u"),
        (CustomerEventType.DELETED, "d"),
        (CustomerEventType.ERASED, "d"),
    ],
)
def test_every_type_has_a_topic(event_type: CustomerEventType, topic: str) -> None:
    assert topic == topic_of(event_type, TOPICS)


def test_a_time_without_a_zone_is_refused() -> None:
    with pytest.raises(ValueError, match="aware occurred_at"):
        CustomerEvent(
            id="evt_01",
            seller_id="demo",
            customer_id="cus_01",
            type=CustomerEventType.CREATED,
            version=1,
            actor="a",
            changed=(),
            occurred_at=datetime(2026, 1, 1),  # noqa: DTZ001 - the mistake in question
            data={},
        )


REFERENCE = {"id": "cus_01", "sellerId": "demo", "kind": "INDIVIDUAL", "status": "ACTIVE", "externalId": "1"}


def test_a_reference_names_the_customer_and_nothing_else() -> None:
    assert REFERENCE == customer_data(LUIS, EventPrivacy.REFERENCE)


def test_masked_data_is_recognised_by_those_who_know() -> None:
    assert REFERENCE | {
        "email": "l***@embraer.com.br",
        "phone": "***55",
        "firstName": "L. A.",
        "lastName": "G.",
        "company": None,
    } == customer_data(LUIS, EventPrivacy.MASKED)


def test_full_data_is_everything_but_document_numbers() -> None:
    assert REFERENCE | {
        "email": "luisg@embraer.com.br",
        "emailVerified": True,
        "phone": "+551239235555",
        "firstName": "Luís Ana",
        "lastName": "Gonçalves",
        "company": None,
        "dateOfBirth": "1980-02-29",
        "tags": ["vip"],
        "version": 3,
        "createdAt": "2026-01-02T03:04:05.678Z",
        "attributes": [{"key": "tier", "value": "gold"}],
        "addresses": [{"id": "adr_01", "line1": "Av. Faria Lima 2170", "countryCode": "BR"}],
        "documents": [{"id": "doc_01", "type": "PASSPORT", "status": "VERIFIED"}],
    } == customer_data(LUIS, EventPrivacy.FULL)


@pytest.mark.parametrize("external_id", ["luisg@embraer.com.br", "+551239235555"])
@pytest.mark.parametrize("privacy", [EventPrivacy.REFERENCE, EventPrivacy.MASKED])
def test_a_reference_that_is_contact_data_does_not_slip_through(external_id: str, privacy: EventPrivacy) -> None:
    data = customer_data(LUIS | {"external_id": external_id}, privacy)

    assert external_id not in repr(data)


@pytest.mark.parametrize("privacy", EventPrivacy)
def test_who_was_merged_away_names_who_is_left(privacy: EventPrivacy) -> None:
    """
    And says nothing less than before.
    """
    assert customer_data(LUIS, privacy) | {"mergedInto": "cus_02"} == customer_data(LUIS | {"merged_into": "cus_02"}, privacy)


@pytest.mark.parametrize("privacy", EventPrivacy)
def test_an_erased_customer_is_a_reference_whatever_is_left_of_it(privacy: EventPrivacy) -> None:
    """
    The seller's own reference is no exception: it is somebody's name in another system.
    """
    gone = LUIS | {"erased_at": datetime(2026, 11, 22, tzinfo=UTC), "merged_into": "cus_02"}

    assert {
        "id": "cus_01",
        "sellerId": "demo",
        "kind": "INDIVIDUAL",
        "status": "ACTIVE",
        "mergedInto": "cus_02",
    } == customer_data(gone, privacy)
    assert set(LEFT_OF_ERASED) == customer_data(gone, privacy).keys()


def test_the_bytes_of_an_erasure_on_the_wire() -> None:
    written = wire(
        CustomerEvent(
            id="evt_09",
            seller_id="demo",
            customer_id="cus_01",
            type=CustomerEventType.ERASED,
            version=4,
            actor="operator:ops",
            changed=(),
            occurred_at=datetime(2026, 11, 22, 17, 30, tzinfo=UTC),
            data=customer_data(LUIS | {"erased_at": datetime(2026, 11, 22, tzinfo=UTC)}, EventPrivacy.FULL),
        )
    )

    assert (
        b'{"id":"evt_09","type":"customer.erased","schemaVersion":1,"sellerId":"demo","customerId":"cus_01","version":4,'
        b'"occurredAt":"2026-11-22T17:30:00.000Z","actor":"operator:ops","changed":[],'
        b'"data":{"id":"cus_01","sellerId":"demo","kind":"INDIVIDUAL","status":"ACTIVE"}}'
    ) == written.value
    assert ("event", b"customer.erased") == written.headers[0]


def test_a_customer_with_nothing_but_an_id_has_data() -> None:
    bare = {"id": "cus_02", "seller_id": "demo", "kind": CustomerKind.BUSINESS, "status": CustomerStatus.PENDING}

    assert {
        "id": "cus_02",
        "sellerId": "demo",
        "kind": "BUSINESS",
        "status": "PENDING",
        "email": None,
        "phone": None,
        "firstName": None,
        "lastName": None,
        "company": None,
    } == customer_data(bare, EventPrivacy.MASKED)
