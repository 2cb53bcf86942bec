"""Between a stored customer, a draft and a set of given values."""

from collections.abc import AsyncIterator, Mapping
from datetime import UTC, date, datetime
from typing import Any

import pytest
import pytest_asyncio

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft, DocumentDraft
from core.filters import CustomerKey, CustomerKeyKind
from core.sealing import Sealer
from core.vocabulary import AddressKind, CustomerKind, CustomerStatus, DocumentType, EventPrivacy
from models.customer import Customer, StoredAttribute
from services.customer_values import (
    PATCHABLE,
    consequences,
    created_fields,
    for_database,
    given_values,
    stored_values,
    with_key,
)
from services.records import RecordMaker
from tests.mock_mongo import mock_mongo

ADA = CustomerDraft(
    external_id="7",
    email="ada@example.com",
    phone="+442079460958",
    first_name="Ada",
    last_name="Lovelace",
    date_of_birth=date(1815, 12, 10),
    tags=("vip",),
    attributes=(AttributeDraft(key="tier", value="gold"),),
)


@pytest_asyncio.fixture(name="ada")
async def _ada() -> AsyncIterator[Customer]:
    """A stored customer with verified contacts."""
    async with mock_mongo():
        maker = RecordMaker(Sealer("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY="), EventPrivacy.MASKED)
        stored = maker.new_customer(ADA, seller_id="acme", at=datetime(2026, 1, 1, tzinfo=UTC)).customer
        stored.email_verified = stored.phone_verified = True
        yield stored


def test_every_field_that_can_be_changed_is_of_a_draft_and_of_a_record() -> None:
    assert set(PATCHABLE) <= set(CustomerDraft.__slots__)
    assert set(PATCHABLE) <= set(Customer.model_fields)


def test_given_is_what_is_neither_none_nor_empty() -> None:
    assert {} == given_values(CustomerDraft())
    assert {"first_name": "Ada", "tags": ("vip",), "status": CustomerStatus.PENDING} == given_values(
        CustomerDraft(first_name="Ada", tags=("vip",), status=CustomerStatus.PENDING)
    )


def test_what_is_stored_already_is_no_change(ada: Customer) -> None:
    assert {} == stored_values(given_values(ADA), ada)


@pytest.mark.parametrize(
    ("checked", "stored"),
    [
        ({"first_name": "Augusta"}, {"first_name": "Augusta"}),
        ({"first_name": "Ada", "last_name": "King"}, {"last_name": "King"}),
        ({"last_name": None}, {"last_name": None}),
        ({"company": None}, {}),
        ({"date_of_birth": date(1815, 12, 11)}, {"date_of_birth": "1815-12-11"}),
        ({"tags": ()}, {"tags": []}),
        ({"tags": ("vip", "early")}, {"tags": ["vip", "early"]}),
        ({"attributes": (AttributeDraft(key="tier", value="gold"),)}, {}),
        ({"kind": CustomerKind.BUSINESS}, {"kind": CustomerKind.BUSINESS}),
    ],
    ids=str,
)
def test_only_what_differs_is_stored(ada: Customer, checked: Mapping[str, object], stored: Mapping[str, object]) -> None:
    assert stored == stored_values(checked, ada)


def test_attributes_are_compared_as_a_whole(ada: Customer) -> None:
    changed = stored_values({"attributes": (AttributeDraft(key="tier", value="silver"),)}, ada)

    assert {"attributes": [StoredAttribute(key="tier", value="silver")]} == changed


@pytest.mark.parametrize(
    ("values", "follows"),
    [
        ({"last_name": "King"}, {"full_name": "Ada King", "sort_name": "king ada"}),
        ({"first_name": None, "last_name": None}, {"full_name": "ada@example.com", "sort_name": "ada@example.com"}),
        ({"email": "a@b.example"}, {"email_verified": False, "full_name": "Ada Lovelace"}),
        ({"phone": None}, {"phone_verified": False}),
        ({"email": None, "phone": None}, {"email_verified": False, "phone_verified": False}),
    ],
    ids=str,
)
def test_what_follows_from_a_change(ada: Customer, values: Mapping[str, object], follows: Mapping[str, object]) -> None:
    found = consequences(ada, values)

    assert follows.items() <= found.items()
    lost = {field for field in found if field.endswith("_verified")}
    assert {field for field in follows if field.endswith("_verified")} == lost


def test_search_words_follow_too(ada: Customer) -> None:
    found: Any = consequences(ada, {"last_name": "King", "email": None})["search_words"]

    assert "king" in found
    assert set() == {"lovelace", "ada@example.com"} & set(found)


def test_values_as_the_driver_takes_them() -> None:
    assert {"attributes": [{"key": "a", "value": "b"}], "tags": ["vip"], "email": None} == for_database(
        {"attributes": [StoredAttribute(key="a", value="b")], "tags": ["vip"], "email": None}
    )


@pytest.mark.parametrize(
    ("kind", "field"),
    [(CustomerKeyKind.EMAIL, "email"), (CustomerKeyKind.PHONE, "phone"), (CustomerKeyKind.EXTERNAL_ID, "external_id")],
)
def test_a_draft_gets_the_identifier_it_is_looked_up_by(kind: CustomerKeyKind, field: str) -> None:
    assert "x" == getattr(with_key(CustomerDraft(first_name="Ada"), CustomerKey(kind, "x")), field)
    assert ADA == with_key(ADA, CustomerKey(kind, "x"))  # its own comes first


@pytest.mark.parametrize("kind", [CustomerKeyKind.ID, CustomerKeyKind.DOCUMENT_NUMBER])
def test_other_identifiers_are_no_fields_of_a_draft(kind: CustomerKeyKind) -> None:
    assert ADA == with_key(ADA, CustomerKey(kind, "x"))


def test_what_a_new_customer_came_with() -> None:
    draft = CustomerDraft(
        first_name="Ada",
        addresses=(AddressDraft(kind=AddressKind.BILLING, line1="1", country_code="US"),),
        documents=(DocumentDraft(type=DocumentType.PASSPORT),),
    )

    assert ["first_name", "addresses", "documents"] == created_fields(draft)
    assert ["email"] == created_fields(CustomerDraft(email="a@b.example"))
