"""Values as JSON and MongoDB both keep them."""

from datetime import date, datetime
from enum import Enum

from core.clock import rfc3339


def plain(value: object) -> object:
    """Turn *value* into what both JSON and MongoDB keep unchanged: moments as RFC 3339, days as ISO 8601, members by value."""
    if type(value) is str:
        return value
    if isinstance(value, Enum):
        return value.value
    if isinstance(value, datetime):
        return rfc3339(value)
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, tuple | list):
        return [plain(item) for item in value]
    return value
