"""What an event says of the one document that it is about: `data.document`, beside what it says of the customer.

Which of it depends on the grades of `core.data_map`: its id in every event, its kind and state from masked on.
"""

from collections.abc import Mapping, Sequence
from enum import Enum

from core.data_map import COLLECTIONS
from core.vocabulary import EventPrivacy
from events.fields import DOCUMENT_FIELDS, Field, Json

_ORDER = (EventPrivacy.REFERENCE, EventPrivacy.MASKED, EventPrivacy.FULL)
_STORED = ("id", "type", "status", "expires_on", "rejection_code")

ABOUT_FIELDS: Sequence[Field] = tuple(field for field in DOCUMENT_FIELDS if field.stored in _STORED)

REMINDER_FIELDS: Sequence[Field] = (
    Field(
        "days",
        "reminder",
        {
            "type": "integer",
            "minimum": 0,
            "description": "Only of `customer.document_expiring`: which reminder it is, by its days before the end.",
            "examples": [7],
        },
    ),
    Field(
        "days_left",
        "daysLeft",
        {
            "type": "integer",
            "minimum": 0,
            "description": "Only of `customer.document_expiring`: how many days were left when it was told, 0 on the last one.",
            "examples": [5],
        },
    ),
)


def about_document(document: Mapping[str, object], privacy: EventPrivacy) -> dict[str, object]:
    """Return what an event may say of a stored *document*; of a reminder, *document* has ``days`` and ``days_left`` besides."""
    known = COLLECTIONS["documents"].fields
    told = [
        field
        for field in ABOUT_FIELDS
        if (grade := known[field.stored].told) is not None and _ORDER.index(grade) <= _ORDER.index(privacy)
    ]
    return {
        field.public: value.value if isinstance(value := document.get(field.stored), Enum) else value
        for field in (*told, *(one for one in REMINDER_FIELDS if one.stored in document))
    }


def about_schema() -> Json:
    """Return the JSON Schema of it."""
    properties = {field.public: _graded(field) for field in ABOUT_FIELDS} | {one.public: one.schema for one in REMINDER_FIELDS}
    return {
        "type": "object",
        "description": "Only of events about one document: which it is, and how it is with it after the change.",
        "properties": properties,
        "required": ["id"],
    }


def _graded(field: Field) -> Json:
    if field.stored == "id":
        return field.schema
    return field.schema | {"description": f"{field.schema['description']} In `masked` and `full`."}
