"""From checked drafts to stored records, and to the event that tells of them."""

from collections.abc import AsyncIterator
from datetime import UTC, date, datetime, timedelta

import pytest
import pytest_asyncio
from hypothesis import given
from hypothesis import strategies as st

from core.drafts import AddressDraft, AttributeDraft, CustomerDraft, DocumentDraft
from core.ids import IdKind, is_id
from core.paging import Position, decode_cursor, encode_cursor
from core.sealing import Sealer
from core.vocabulary import (
    AddressKind,
    CustomerEventType,
    CustomerKind,
    CustomerStatus,
    DocumentStatus,
    DocumentType,
    EventPrivacy,
)
from models.customer import Customer, RowSource
from services.records import RecordMaker, changed_fields, derived_names, last_digits, moment_after, unique
from tests.mock_mongo import mock_mongo

SEALER = Sealer("MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=")
MAKER = RecordMaker(SEALER, EventPrivacy.MASKED)
AT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
SHIPPING, BILLING = AddressKind.SHIPPING, AddressKind.BILLING


@pytest_asyncio.fixture(autouse=True)
async def _models() -> AsyncIterator[None]:
    """Stored shapes can be made only once Beanie knows a database."""
    async with mock_mongo():
        yield


def address(kind: AddressKind, *, is_default: bool | None = None) -> AddressDraft:
    return AddressDraft(kind=kind, line1="1 Main Street", country_code="US", is_default=is_default)


def customer(**fields: object) -> Customer:
    return MAKER.new_customer(CustomerDraft(**fields), seller_id="acme", at=AT).customer  # type: ignore[arg-type]  # of a draft


@pytest.mark.parametrize(
    ("drafts", "defaults"),
    [
        ([], []),
        ([address(SHIPPING)], [True]),
        ([address(SHIPPING), address(SHIPPING)], [True, False]),
        ([address(SHIPPING), address(SHIPPING, is_default=True)], [False, True]),
        ([address(SHIPPING, is_default=True), address(SHIPPING, is_default=True)], [False, True]),
        ([address(SHIPPING, is_default=False)], [True]),
        ([address(SHIPPING, is_default=False), address(SHIPPING)], [True, False]),
        (
            [address(SHIPPING), address(BILLING), address(SHIPPING), address(BILLING, is_default=True)],
            [True, False, False, True],
        ),
    ],
    ids=lambda value: str(value) if value and isinstance(value[0], bool) else "",
)
def test_each_kind_has_one_default(drafts: list[AddressDraft], defaults: list[bool]) -> None:
    """
    The one asked for (the last, if several are), else the first of the kind.
    """
    made = MAKER.new_addresses(drafts, seller_id="acme", customer_id="cus_1", at=AT)

    assert defaults == [one.is_default for one in made]


@given(st.lists(st.tuples(st.sampled_from(AddressKind), st.sampled_from([None, True, False])), max_size=8))
def test_never_two_defaults_of_a_kind_and_never_none(wanted: list[tuple[AddressKind, bool | None]]) -> None:
    drafts = [address(kind, is_default=is_default) for kind, is_default in wanted]

    made = MAKER.new_addresses(drafts, seller_id="acme", customer_id="cus_1", at=AT)

    assert sorted({kind for kind, _ in wanted}) == sorted(one.kind for one in made if one.is_default)


def test_a_new_customer_is_a_person_and_active_unless_said_otherwise() -> None:
    plain = customer(email="ada@example.com")
    firm = customer(company="Acme", kind=CustomerKind.BUSINESS, status=CustomerStatus.PENDING)

    assert (CustomerKind.INDIVIDUAL, CustomerStatus.ACTIVE, 1, True) == (plain.kind, plain.status, plain.version, plain.live)
    assert (CustomerKind.BUSINESS, CustomerStatus.PENDING) == (firm.kind, firm.status)
    assert is_id(IdKind.CUSTOMER, plain.id)
    assert (AT, AT, None) == (plain.created_at, plain.updated_at, plain.deleted_at)
    assert (False, False) == (plain.email_verified, plain.phone_verified)


def test_everything_of_a_draft_is_kept() -> None:
    source = RowSource(import_id="imp_1", row=7)
    draft = CustomerDraft(
        external_id="7",
        email="ada@example.com",
        phone="+442079460958",
        first_name="Ada",
        last_name="Lovelace",
        company="Analytical",
        date_of_birth=date(1815, 12, 10),
        locale="en-GB",
        tags=("vip", "early"),
        attributes=(AttributeDraft(key="tier", value="gold"),),
        addresses=(address(SHIPPING),),
        documents=(DocumentDraft(type=DocumentType.PASSPORT, number="X1234567", expires_on=date(2030, 1, 31)),),
    )

    records = MAKER.new_customer(draft, seller_id="acme", at=AT, customer_id="cus_7", source=source)

    stored = records.customer.model_dump()
    assert {
        "id": "cus_7",
        "seller_id": "acme",
        "external_id": "7",
        "email": "ada@example.com",
        "phone": "+442079460958",
        "first_name": "Ada",
        "last_name": "Lovelace",
        "company": "Analytical",
        "date_of_birth": "1815-12-10",
        "locale": "en-GB",
        "tags": ["vip", "early"],
        "attributes": [{"key": "tier", "value": "gold"}],
        "source": {"import_id": "imp_1", "row": 7},
        "full_name": "Ada Lovelace",
    }.items() <= stored.items()
    assert [("acme", "cus_7")] * 2 == [(one.seller_id, one.customer_id) for one in (*records.addresses, *records.documents)]
    (document,) = records.documents
    assert [document.number_key] == stored["document_keys"]
    assert (DocumentStatus.AWAITING_UPLOAD, "2030-01-31", None) == (document.status, document.expires_on, document.issued_on)


@pytest.mark.parametrize(
    ("fields", "full_name", "sort_name"),
    [
        ({"first_name": "Ada", "last_name": "Lovelace"}, "Ada Lovelace", "lovelace ada"),
        ({"first_name": "Ada"}, "Ada", "ada"),
        ({"last_name": "Gonçalves"}, "Gonçalves", "goncalves"),
        ({"first_name": "Ada", "company": "Acme"}, "Ada", "ada"),
        ({"company": "Ångström  AB", "email": "a@b.example"}, "Ångström  AB", "angstrom ab"),
        ({"email": "ada@example.com", "phone": "+442079460958"}, "ada@example.com", "ada@example.com"),
        ({"phone": "+442079460958", "external_id": "7"}, "+442079460958", "+442079460958"),
        ({"external_id": "A-7"}, "A-7", "a-7"),
        ({}, "", ""),
    ],
    ids=str,
)
def test_the_name_to_show_and_the_name_to_sort_by(fields: dict[str, str], full_name: str, sort_name: str) -> None:
    made = customer(**fields)

    assert (full_name, sort_name) == (made.full_name, made.sort_name)


def test_search_words_are_those_of_names_and_contacts() -> None:
    made = customer(first_name="Luís", last_name="O'Reilly", company="Acme", email="luis@example.com", external_id="secret-7")

    assert {"luis", "oreilly", "acme", "luis@example.com", "example.com"} <= set(made.search_words)
    assert not [word for word in made.search_words if "secret" in word]


@given(
    st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=200), st.sampled_from(["", "ﷺ" * 200, "\U0001f600" * 200])
)
def test_a_name_to_sort_by_always_fits_into_a_cursor(first: str, last: str) -> None:
    """
    The Arabic ligature of eighteen letters unfolds; emoji have four bytes each.
    """
    names = derived_names(first_name=first, last_name=last, company=None, email=None, phone=None, external_id=None)

    place = Position(str(names["sort_name"]), "cus_01m828cffyepdakc5jnxq2y2qx")
    assert place == decode_cursor("NAME_DESC", encode_cursor("NAME_DESC", place))
    assert 256 >= len(place.value)  # type: ignore[arg-type]  # a text


def test_a_documents_number_is_sealed_and_found_again() -> None:
    draft = DocumentDraft(type=DocumentType.PASSPORT, number="X1234567")

    key, _ = MAKER.vault.new_key("cus_1")

    made = MAKER.new_document(draft, seller_id="acme", customer_id="cus_1", at=AT, key=key)

    assert "X1234567" == MAKER.number_of(made, key)
    assert "4567" == made.number_last_four
    assert MAKER.number_key("x-123 45.67", seller_id="acme") == made.number_key
    assert MAKER.number_key("X1234567", seller_id="other") != made.number_key
    assert "X1234567" not in str(made.model_dump())
    assert "X123" not in str(made.model_dump())


def test_a_document_without_a_number_has_nothing_sealed() -> None:
    made = MAKER.new_document(DocumentDraft(type=DocumentType.PASSPORT), seller_id="acme", customer_id="cus_1", at=AT, key=None)

    assert (None, None, None, None) == (made.number_box, made.number_last_four, made.number_key, MAKER.number_of(made, None))


@pytest.mark.parametrize(
    ("number", "shown"),
    [
        ("X1234567", "4567"),
        ("12345678", "5678"),
        ("1234567", "567"),
        ("12345", "45"),
        ("1234", "34"),
        ("AB", "B"),
        ("A", ""),
        ("", ""),
    ],
)
def test_of_a_short_number_at_most_half_is_shown(number: str, shown: str) -> None:
    """
    "The last four" of a number of four is the number.
    """
    assert shown == last_digits(number)


def test_one_number_on_two_documents_is_one_key() -> None:
    twice = tuple(DocumentDraft(type=type_, number="X1234567") for type_ in (DocumentType.PASSPORT, DocumentType.NATIONAL_ID))

    assert 1 == len(customer(documents=twice).document_keys)


def test_what_a_customer_would_hold_alone() -> None:
    draft = CustomerDraft(
        email="ada@example.com",
        documents=(DocumentDraft(type=DocumentType.PASSPORT, number="X1"), DocumentDraft(type=DocumentType.UTILITY_BILL)),
    )

    assert {
        "email": ["ada@example.com"],
        "document_keys": [MAKER.number_key("X1", seller_id="acme")],
    } == MAKER.keys_of(draft, seller_id="acme")
    assert {} == MAKER.keys_of(CustomerDraft(first_name="Ada"), seller_id="acme")


def test_the_event_is_of_the_customers_present_version() -> None:
    ada = customer(first_name="Ada", email="ada@example.com")
    ada.version, ada.updated_at = 3, AT + timedelta(hours=1)

    changed = changed_fields(["first_name", "email", "date_of_birth"])
    event = MAKER.event(ada, CustomerEventType.UPDATED, actor="operator:ada", changed=changed)

    assert (ada.id, "acme", 3, ada.updated_at) == (event.customer_id, event.seller_id, event.version, event.occurred_at)
    assert ("firstName", "email", "dateOfBirth") == event.changed
    assert is_id(IdKind.EVENT, event.id)
    assert "ada@example.com" not in str(event.data)
    assert "a***@example.com" == event.data["email"]


@pytest.mark.parametrize("privacy", EventPrivacy)
def test_no_event_carries_what_is_kept_for_searching(privacy: EventPrivacy) -> None:
    ada = customer(email="ada@example.com", documents=(DocumentDraft(type=DocumentType.PASSPORT, number="X1234567"),))

    data = RecordMaker(SEALER, privacy).event(ada, CustomerEventType.CREATED, actor="a", changed=()).data

    assert set() == set(data) & {
        "documentKeys",
        "document_keys",
        "searchWords",
        "search_words",
        "sortName",
        "sort_name",
        "live",
    }
    assert ada.document_keys[0] not in str(data)


@given(st.lists(st.integers(-(10**9), 10**9)))
def test_moments_of_one_customer_go_forward_whatever_the_clock_does(jumps: list[int]) -> None:
    ada = customer(first_name="Ada")
    moments = [ada.updated_at]

    for jump in jumps:
        ada.updated_at = moment_after(ada, AT + timedelta(milliseconds=jump))
        moments.append(ada.updated_at)

    assert sorted(set(moments)) == moments


def test_a_clock_that_is_right_is_believed() -> None:
    assert AT + timedelta(seconds=5) == moment_after(customer(), AT + timedelta(seconds=5))


@pytest.mark.parametrize(("values", "once"), [([], []), (["b", "a", "b"], ["b", "a"])])
def test_unique_keeps_the_order(values: list[str], once: list[str]) -> None:
    assert once == unique(values)
