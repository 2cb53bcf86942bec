"""Scalars that GraphQL itself does not have."""

from datetime import UTC, date, datetime
from typing import Any

import strawberry
from graphql import GraphQLError

from core.clock import rfc3339


def _parse_moment(value: object) -> datetime:
    try:
        moment = datetime.fromisoformat(str(value))
    except ValueError:
        moment = None
    if moment is None or moment.tzinfo is None:
        raise GraphQLError(
            f"DateTime cannot represent {str(value)[:40]!r}. Write it like 2026-11-22T17:30:00Z, with a time zone."
        )
    try:
        return moment.astimezone(UTC)
    except OverflowError:
        raise GraphQLError("DateTime cannot represent a moment outside the years 1 to 9999 in UTC.") from None


def _parse_day(value: object) -> date:
    try:
        return date.fromisoformat(str(value))
    except ValueError:
        raise GraphQLError(f"Date cannot represent {str(value)[:40]!r}. Write it like 2026-11-22.") from None


DateTime = strawberry.scalar(
    name="DateTime",
    description="A moment, as RFC 3339 in UTC with milliseconds: `2026-11-22T17:30:00.000Z`.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339",
    serialize=rfc3339,
    parse_value=_parse_moment,
)

Date = strawberry.scalar(
    name="Date",
    description="A day of the calendar, as ISO 8601: `2026-11-22`.",
    specified_by_url="https://www.rfc-editor.org/rfc/rfc3339#section-5.6",
    serialize=date.isoformat,
    parse_value=_parse_day,
)

SCALARS: dict[object, Any] = {datetime: DateTime, date: Date}
"""Which Python types are written as which scalar."""
