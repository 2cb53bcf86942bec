"""New customers as plain documents: exactly what their records would be stored as."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime
from typing import Any

import pytest_asyncio
from bson import decode, encode
from hypothesis import given, settings
from hypothesis import strategies as st

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft, DocumentDraft
from core.sealing import Sealer
from core.vault import WrappedKey
from core.vocabulary import AddressKind, CustomerEventType, CustomerKind, CustomerStatus, DocumentType, EventPrivacy
from models.customer import RowSource
from repositories.base import stored_form
from repositories.customer_event import stored_event
from services.changes import joined, of_addresses, of_customer, of_documents
from services.customer_values import PATCHABLE, created_fields
from services.new_customers import new_customer
from services.records import RecordMaker, changed_fields
from tests.mock_mongo import mock_mongo

SEALER = Sealer("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
AT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
RANDOM = {"_id", "number_box", "id", "wrapped", "changes", "chain", "salt", "digest", "hash"}
"""What differs each time something is made: new ids, new keys, and what is sealed with them."""


@pytest_asyncio.fixture(autouse=True)
async def _models() -> AsyncIterator[None]:
    """Stored shapes can be made only once Beanie knows a database."""
    async with mock_mongo():
        yield


TEXTS = st.one_of(st.none(), st.sampled_from(["", "Ada", "O'Brien", "Müller", "李", "ada@example.com", "+442079460958"]))
DAYS = st.one_of(st.none(), st.dates(date(1900, 1, 1), date(2040, 1, 1)))
ATTRIBUTES = st.lists(st.builds(AttributeDraft, key=st.sampled_from(["tier", "note"]), value=st.text(max_size=5)), max_size=2)
ADDRESSES = st.builds(
    AddressDraft,
    kind=st.sampled_from(AddressKind),
    line1=st.sampled_from(["1 Main Street", ""]),
    country_code=st.sampled_from(["US", "DE"]),
    is_default=st.sampled_from([None, True, False]),
    **dict.fromkeys(("label", "recipient", "company", "line2", "city", "region", "postal_code", "phone"), TEXTS),
)
DOCUMENTS = st.builds(
    DocumentDraft,
    type=st.sampled_from(DocumentType),
    number=st.one_of(st.none(), st.sampled_from(["X1234567", "x-123 4567", "12"])),
    issuing_country=st.one_of(st.none(), st.just("US")),
    issued_on=DAYS,
    expires_on=DAYS,
)
DRAFTS = st.builds(
    CustomerDraft,
    kind=st.one_of(st.none(), st.sampled_from(CustomerKind)),
    status=st.one_of(st.none(), st.sampled_from(CustomerStatus)),
    date_of_birth=DAYS,
    tags=st.lists(st.sampled_from(["vip", "früh"]), max_size=2).map(tuple),
    attributes=ATTRIBUTES.map(tuple),
    addresses=st.lists(ADDRESSES, max_size=3).map(tuple),
    documents=st.lists(DOCUMENTS, max_size=2).map(tuple),
    **dict.fromkeys(("external_id", "email", "phone", "first_name", "last_name", "company", "locale"), TEXTS),
)


def stored(documents: list[dict[str, Any]]) -> list[Any]:
    """Return what comes out of the database, each field at its place, without what is random."""
    return [[(name, value) for name, value in decode(encode(one)).items() if name not in RANDOM] for one in documents]


def without_ids(changes: dict[str, Any]) -> dict[str, Any]:
    """Return what a new customer came with, what belongs to it by its number instead of its new id."""
    (side,) = changes
    return {
        name: list(value.values()) if name in {"addresses", "documents"} else value
        for name, value in decode(encode(changes))[side].items()
    }


@settings(deadline=None)  # the first one waits for what models and drafts are checked with
@given(DRAFTS, st.sampled_from(EventPrivacy))
def test_a_new_customer_is_stored_as_its_records_would_be(draft: CustomerDraft, privacy: EventPrivacy) -> None:
    maker = RecordMaker(SEALER, privacy)
    source = RowSource(import_id="imp_1", row=7)
    records = maker.new_customer(draft, seller_id="acme", at=AT, customer_id="cus_7", source=source)
    changed = changed_fields(created_fields(draft))
    changes = joined(
        of_customer(None, {name: getattr(records.customer, name) for name in PATCHABLE}),
        of_addresses(*((None, one) for one in records.addresses)),
        of_documents(*((None, one) for one in records.documents)),
    )
    event = maker.event(
        records.customer,
        CustomerEventType.CREATED,
        actor="import:imp_1",
        changed=changed,
        changes=changes,
        origin={"import_id": "imp_1", "row": 7},
    )

    documents = maker.new_documents(draft.documents, seller_id="acme", customer_id="cus_7", at=AT)
    made = new_customer(
        maker,
        draft,
        documents,
        seller_id="acme",
        at=AT,
        customer_id="cus_7",
        actor="import:imp_1",
        source=("imp_1", 7),
    )

    assert ("cus_7", "cus_7") == (made.id, made.customer["_id"])
    assert stored([stored_form(records.customer)]) == stored([made.customer])
    assert stored([stored_form(one) for one in records.addresses]) == stored(list(made.addresses))
    assert stored([stored_form(one) for one in records.documents]) == stored(list(made.documents))
    assert stored(list(records.keys)) == stored(list(made.keys))
    assert stored([stored_event(event)]) == stored([made.event])
    assert without_ids(changes) == without_ids(made.event["changes"])


def test_what_belongs_to_a_new_customer_has_ids_of_its_own_and_a_number_that_can_be_opened() -> None:
    draft = CustomerDraft(
        email="ada@example.com",
        addresses=(AddressDraft(kind=AddressKind.SHIPPING, line1="1 Main Street", country_code="US"),),
        documents=(DocumentDraft(type=DocumentType.PASSPORT, number="X1234567"),),
    )

    maker = RecordMaker(SEALER, EventPrivacy.MASKED)
    documents = maker.new_documents(draft.documents, seller_id="acme", customer_id="cus_7", at=AT)

    made = new_customer(maker, draft, documents, seller_id="acme", at=AT, customer_id="cus_7", actor="operator:ada")

    (document,), (stored_key,) = made.documents, made.keys
    key = maker.vault.unwrap(WrappedKey(stored_key["wrapped"], stored_key["wrapped_with"]), "cus_7")
    assert "X1234567" == key.open(document["number_box"], bound_to=document["_id"])
    assert ["adr_", "doc_", "evt_"] == [one["_id"][:4] for one in (*made.addresses, document, made.event)]
