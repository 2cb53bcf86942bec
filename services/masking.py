"""Customers as those see them who may know who they are, and not how to reach them: by the map of personal data. No I/O."""

from typing import Any

from auth.principal import Principal, Scope
from core.data_map import CUSTOMERS
from core.filters import CustomerFilter, CustomerSort
from core.personal_data import MASKED, Mask, mask_email, mask_phone
from models.customer import Customer
from models.row import Row

HIDDEN = "•••"
"""What stands in the place of a text that has to be there and is not shown."""

_BY_NAME = frozenset({CustomerSort.NAME_ASC, CustomerSort.NAME_DESC})


def seen(viewer: Principal, row: Row[Customer]) -> Row[Customer]:
    """Return a stored customer as *viewer* may see it; *row* itself stays as it is, and may have been read in part."""
    if not viewer.sees_masked:
        return row
    masked = type(row)((name, shown) for name, value in row.items() if (shown := seen_value(name, value)) is not None)
    if attributes := masked.get("attributes"):
        masked["attributes"] = [{**one, "value": HIDDEN} for one in attributes]
    masked.read = row.read
    return masked


def require_harmless(viewer: Principal, chosen: CustomerFilter, sort: CustomerSort | None = None) -> None:
    """Refuse what would tell a caller, piece by piece, what it is not shown.

    A search by beginnings of words spells out an e-mail address letter by letter; and who has no name is sorted by its e-mail
    address, which the cursors of such a list hold.

    Raises:
        Forbidden: naming ``customers:read``.
    """
    if viewer.sees_masked and (chosen.search is not None or sort in _BY_NAME):
        viewer.require(Scope.CUSTOMERS_READ)


def seen_value(name: str, value: Any) -> Any:
    """Return what is shown of a stored field of a customer to who sees it masked; None for nothing."""
    if not isinstance(value, str) or name not in CUSTOMERS:
        return value
    mask = CUSTOMERS[name].mask
    if mask is not Mask.PLAIN:
        return MASKED[mask](value)
    return _without_contact(value) if CUSTOMERS[name].about.personal else value


def _without_contact(text: str) -> str:
    """Mask a name or a reference that is itself contact data: who has no name is called by its e-mail address or phone."""
    if "@" in text:
        return mask_email(text)
    return mask_phone(text) if text[:1] == "+" and text[1:].isdecimal() else text
