"""What an event may say of a customer, field by field: how it is stored, what it is called on Kafka, and what it holds.

Written out by hand: a field that is added to the stored customer stays private until somebody adds it here, and gives it a
grade in `core.data_map`, which decides in which events it is. "number" is missing among those of a document, because document
numbers never leave the service.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from enum import StrEnum

from core.data_map import COLLECTIONS, CUSTOMERS
from core.vocabulary import (
    AddressKind,
    CustomerKind,
    CustomerStatus,
    DocumentRejectionReason,
    DocumentStatus,
    DocumentType,
    EventPrivacy,
)

Json = dict[str, object]
"""A part of a JSON Schema."""


@dataclass(frozen=True, slots=True)
class Field:
    """One field of what an event carries: its stored name, its public one, and the JSON Schema of its values."""

    stored: str
    public: str
    schema: Json


def text(description: str, example: str, **more: object) -> Json:
    """Return the schema of a text that is always there."""
    return {"type": "string", "description": description, "examples": [example], **more}


def optional(description: str, example: str, **more: object) -> Json:
    """Return the schema of a text that may be null."""
    return text(description, example, **more) | {"type": ["string", "null"]}


def flag(description: str) -> Json:
    """Return the schema of a yes or no."""
    return {"type": "boolean", "description": description}


def choice(description: str, values: type[StrEnum]) -> Json:
    """Return the schema of one of some words. Consumers have to expect words that are added later."""
    return {"type": "string", "enum": [value.value for value in values], "description": description}


def moment(description: str) -> Json:
    """Return the schema of a moment: RFC 3339, in UTC, with milliseconds."""
    return text(description, "2026-11-22T17:30:00.005Z", format="date-time")


_DATE = r"^[0-9]{4}-[0-9]{2}-[0-9]{2}$"
_COUNTRY = r"^[A-Z]{2}$"


def _day(description: str) -> Json:
    return optional(description, "1815-12-10", pattern=_DATE)


def _perhaps(description: str, values: type[StrEnum]) -> Json:
    """Return the schema of one of some words, or of none. Consumers have to expect words that are added later."""
    return {"type": ["string", "null"], "enum": [*(value.value for value in values), None], "description": description}


def _told(collection: str, *fields: Field, part: str = "") -> Sequence[Field]:
    """Return those of *fields* that the map of personal data lets into events."""
    known = COLLECTIONS[collection].fields
    return tuple(field for field in fields if known[part + field.stored].told is not None)


CUSTOMER_FIELDS: Sequence[Field] = _told(
    "customers",
    Field("email", "email", optional("The e-mail address.", "ada@example.com")),
    Field("email_verified", "emailVerified", flag("Whether the customer has shown that the address is theirs.")),
    Field("phone", "phone", optional("The phone number in E.164.", "+442079460018")),
    Field("phone_verified", "phoneVerified", flag("Whether the customer has shown that the number is theirs.")),
    Field("first_name", "firstName", optional("The given name.", "Ada")),
    Field("last_name", "lastName", optional("The family name.", "Lovelace")),
    Field("company", "company", optional("The company.", "Analytical Engines Ltd")),
    Field("date_of_birth", "dateOfBirth", _day("The day of birth.")),
    Field("locale", "locale", optional("The language the customer is written to in (BCP 47).", "en-GB")),
    Field("tags", "tags", {"type": "array", "items": {"type": "string"}, "description": "The seller's tags."}),
    Field("version", "version", {"type": "integer", "minimum": 1, "description": "The same as the event's own version."}),
    Field("created_at", "createdAt", moment("When the customer was created.")),
    Field("updated_at", "updatedAt", moment("When this change happened.")),
)
"""What a full event has of a customer, besides the reference."""

ATTRIBUTE_FIELDS: Sequence[Field] = _told(
    "customers",
    Field("key", "key", text("The seller's name for the attribute.", "tier")),
    Field("value", "value", text("Its value.", "gold")),
    part="attributes.",
)

ADDRESS_FIELDS: Sequence[Field] = _told(
    "addresses",
    Field("id", "id", text("The id of the address.", "adr_01kat5x2p3f8m9rj4t6vwy7z0b")),
    Field("kind", "kind", choice("What the address is for.", AddressKind)),
    Field("is_default", "isDefault", flag("Whether it is the one to use when nobody says which of its kind.")),
    Field("label", "label", optional("What the customer calls it.", "Home")),
    Field("recipient", "recipient", optional("Who receives there.", "Ada Lovelace")),
    Field("company", "company", optional("The company there.", "Analytical Engines Ltd")),
    Field("line1", "line1", optional("The first line.", "12 St James's Square")),
    Field("line2", "line2", optional("The second line.", "Flat 3")),
    Field("city", "city", optional("The city.", "London")),
    Field("region", "region", optional("The state, province or region.", "Greater London")),
    Field("postal_code", "postalCode", optional("The postal code.", "SW1Y 4JH")),
    Field("country_code", "countryCode", text("The country (ISO 3166-1 alpha-2).", "GB", pattern=_COUNTRY)),
    Field("phone", "phone", optional("The phone number there, in E.164.", "+442079460018")),
)

DOCUMENT_FIELDS: Sequence[Field] = _told(
    "documents",
    Field("id", "id", text("The id of the document.", "doc_01kat5x2p3f8m9rj4t6vwy7z0c")),
    Field("type", "type", choice("What it is.", DocumentType)),
    Field("status", "status", choice("How far it has come.", DocumentStatus)),
    Field("issuing_country", "issuingCountry", optional("Who issued it (ISO 3166-1 alpha-2).", "GB", pattern=_COUNTRY)),
    Field("issued_on", "issuedOn", _day("When it was issued.")),
    Field("expires_on", "expiresOn", _day("Its last valid day.")),
    Field("rejection_code", "rejectionCode", _perhaps("With REJECTED: why.", DocumentRejectionReason)),
)

PARTS: Mapping[str, Sequence[Field]] = {
    "attributes": ATTRIBUTE_FIELDS,
    "addresses": ADDRESS_FIELDS,
    "documents": DOCUMENT_FIELDS,
}
"""Lists that a full event has of a customer, under the same name stored and on Kafka."""

MASKED_FIELDS = tuple(field.public for field in CUSTOMER_FIELDS if CUSTOMERS[field.stored].told is EventPrivacy.MASKED)
"""What a masked event has besides the reference: public names, values shortened."""

REFERENCE_FIELDS: Sequence[Field] = (
    Field("_id", "id", text("The customer's id.", "cus_01kat5x2p3f8m9rj4t6vwy7z0a")),
    Field("seller_id", "sellerId", text("Whose customer it is.", "demo")),
    Field("kind", "kind", choice("A person or an organisation.", CustomerKind)),
    Field("status", "status", choice("Where the customer stands with the seller.", CustomerStatus)),
)
"""What every event has of a customer, of an erased one too."""

MERGED_INTO = Field(
    "merged_into", "mergedInto", text("Only of a customer that was merged away: who is left.", "cus_01kat5x2p3f8m9rj4t6vwy7z0d")
)
EXTERNAL_ID = Field(
    "external_id",
    "externalId",
    text("The seller's own reference, where there is one. One that is contact data is left out below `full`.", "shop-4711"),
)

LEFT_OF_ERASED = tuple(
    field.public for field in (*REFERENCE_FIELDS, MERGED_INTO) if CUSTOMERS[field.stored.removeprefix("_")].stays
)
"""What stays in the data of an erased customer's events, those that were recorded before included."""
