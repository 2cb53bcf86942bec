"""What every JSON object of the REST facade has in common, and the values in it that JSON has no type for."""

import re
from datetime import UTC, date, datetime
from typing import Annotated, Any

from pydantic import AwareDatetime, BaseModel, BeforeValidator, ConfigDict, PlainSerializer, Strict, WithJsonSchema
from pydantic.alias_generators import to_camel

from core.clock import rfc3339

MAX_INTEGER = 2**31 - 1
"""The largest integer of GraphQL, which says the same of the same values."""

_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(\.[0-9]{1,9})?([Zz]|[+-][0-9]{2}:[0-9]{2})")


class Shape(BaseModel):
    """A JSON object. Its members are spelled as in GraphQL, and one that nobody reads is an error: it is a typing mistake."""

    model_config = ConfigDict(alias_generator=to_camel, populate_by_name=True, extra="forbid", frozen=True)


def _only_a_day(value: object) -> object:
    if isinstance(value, str) and not _DAY.fullmatch(value):
        raise ValueError("Write a day like 2026-11-22")
    return _no_number(value)


def _only_a_moment(value: object) -> object:
    if isinstance(value, str) and not _MOMENT.fullmatch(value):
        raise ValueError("Write a moment like 2026-11-22T17:30:00Z, with a time zone")
    return _no_number(value)


def _no_number(value: object) -> object:
    # Pydantic would take a number for the seconds since 1970.
    if isinstance(value, int | float):
        raise ValueError("Write it as text")  # noqa: TRY004 - Pydantic reports ValueErrors only
    return value


def _in_utc(moment: datetime) -> datetime:
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise ValueError("There is no such moment in the years 1 to 9999 in UTC") from None


def _input_moment(value: object) -> object:
    read = _only_a_moment(value)
    if not isinstance(read, str):
        return read
    try:
        return _in_utc(datetime.fromisoformat(read.upper()))
    except ValueError:
        raise ValueError("There is no such moment") from None


Day = Annotated[date, BeforeValidator(_only_a_day)]
"""A day of the calendar: ``2026-11-22``."""

Moment = Annotated[
    datetime,
    PlainSerializer(rfc3339, return_type=str),
    WithJsonSchema({"type": "string", "format": "date-time"}, mode="serialization"),
]
"""A moment in an answer: RFC 3339 in UTC with milliseconds."""

GivenMoment = Annotated[AwareDatetime, BeforeValidator(_input_moment)]
"""A moment that a caller gives: RFC 3339 with a time zone, in UTC once it is read."""

StrictBool = Annotated[bool, Strict()]
"""A boolean of JSON: neither "yes" nor 1."""

StrictInt = Annotated[int, Strict()]
"""An integer of JSON, neither 1.0 nor "1"."""


def given(patch: Shape) -> dict[str, Any]:
    """Return the members of a patch that the caller gave, by stored name; None for those to clear."""
    return {name: getattr(patch, name) for name in patch.model_fields_set}
