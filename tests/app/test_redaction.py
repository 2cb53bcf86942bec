"""Redaction: by name wherever it stands, and by look in what others wrote."""

from typing import Any

import pytest
from pymongo.errors import DuplicateKeyError

from app.redaction import redact, redacted
from core.vocabulary import AddressKind
from models.address import Address
from tests.clocks import NOON


def written(entry: dict[str, Any]) -> str:
    return str(redact(None, "info", dict(entry)))


@pytest.mark.parametrize(
    "name",
    ["token", "accessToken", "refresh_token", "Client-Secret", "Authorization", "email", "PHONE", "firstName", "date_of_birth"],
)
@pytest.mark.parametrize(
    "wrap", [lambda x: x, lambda x: {"customer": x}, lambda x: {"customers": [x, (x,)]}], ids=["", "in", "deep"]
)
def test_what_goes_under_a_secret_name_is_left_out(name: str, wrap: Any) -> None:
    entry = wrap({name: "canary"})

    assert "canary" not in written(entry)
    assert "[redacted]" in written(entry)


@pytest.mark.parametrize(
    "text",
    [
        "No such customer: canary@example.com.",
        "canary.x+y@mail.example.co.uk",
        "Authorization: Bearer canary.canary-canary",
        "eyJcanary.canary.canary was refused",
        "mongodb://ada:canary@db.internal:27017/?replicaSet=rs0",
        "Customer(first_name='canary', version=1)",
        "{'email': 'canary', 'phone': \"canary\"}",
        '{"documentNumber": "canary"}',
        "Customer(lastName='O\\'canary')",
        "1 validation error for Customer\nemail\n  No text [type=string_type, input_value=['canary'], input_type=list]",
    ],
)
def test_what_looks_personal_is_left_out_of_texts(text: str) -> None:
    assert "canary" not in redacted(text)


@pytest.mark.parametrize("phone", ["+971501234567", "+1 202 707 5000", "+44 (0)20-7946-0958"])
def test_phones_are_left_out_of_texts(phone: str) -> None:
    assert phone[-4:] not in redacted(f"Cannot reach {phone} today")


def test_what_the_database_says_of_a_value_that_is_taken_is_left_out() -> None:
    """
    The driver quotes the key twice: in its sentence, and in the details behind it.
    """
    details = {"code": 11000, "keyValue": {"external_id": "canary"}}
    error = DuplicateKeyError('E11000 duplicate key error index: unique_x dup key: { external_id: "canary" }', 11000, details)

    assert "canary" not in redacted(str(error))
    assert "unique_x" in redacted(str(error))


def test_an_object_tells_nothing_personal() -> None:
    address = Address.model_construct(
        id="adr_1",
        seller_id="demo",
        customer_id="cus_1",
        kind=AddressKind.SHIPPING,
        line1="canary",
        recipient="canary",
        created_at=NOON,
    )

    assert "canary" not in written({"thing": address})


@pytest.mark.parametrize(
    "text",
    [
        "2026-11-28T06:00:00.123456Z",
        "cus_01J9ZK3V7W8Q1R2S3T4V5W6X7Y",
        "The import has 1,234,567 rows, 12 of them failed.",
        "File /srv/app/services/customer.py, line 12, in create",
        "unavailable: mongodb:27017",
        "status=503 code=UNAVAILABLE attempt=2",
    ],
)
def test_what_people_need_stays(text: str) -> None:
    assert text == redacted(text)


def test_a_long_text_costs_little() -> None:
    """
    Every pattern is bounded: a megabyte that nearly matches would otherwise take minutes.
    """
    assert 1_000_000 == len(redacted("a" * 1_000_000))
