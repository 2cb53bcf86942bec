"""A customer of the API as a row of a CSV that can be imported again."""

import csv
from collections.abc import Iterator, Mapping, Sequence
from io import StringIO
from typing import Any

from core.vocabulary import AddressKind
from services.csv.aliases import ADDRESS_FIELDS
from services.csv.values import defused

_PROFILE = {
    "external_id": "externalId",
    "email": "email",
    "phone": "phone",
    "first_name": "firstName",
    "last_name": "lastName",
    "company": "company",
    "kind": "kind",
    "status": "status",
    "date_of_birth": "dateOfBirth",
    "locale": "locale",
}
_OF_ADDRESS = {"postal_code": "postalCode", "country": "countryCode"}
PROFILE = " ".join(_PROFILE.values())
"""What a row needs of a customer, as fields of GraphQL."""


def header(attributes: Sequence[str]) -> bytes:
    """Return the first line: the columns of the profile, of both addresses, and one for each of these *attributes*."""
    addresses = (f"{kind.value.lower()}_{field}" for kind in AddressKind for field in ADDRESS_FIELDS)
    return _line([*_PROFILE, "tags", *addresses, *(f"attribute.{key}" for key in attributes)])


def row(customer: Mapping[str, Any], attributes: Sequence[str]) -> bytes:
    """Return the line of one customer: the default address of each kind, and the values of these *attributes*."""
    values = {one["key"]: one["value"] for one in customer["attributes"]}
    return _line(
        [
            *(customer[field] for field in _PROFILE.values()),
            _tags(customer["tags"]),
            *_addresses(customer["addresses"]),
            *(values.get(key) for key in attributes),
        ]
    )


def holds_all_addresses(customer: Mapping[str, Any]) -> bool:
    """Say whether a row has room for all addresses of a customer: one of each kind."""
    kinds = [one["kind"] for one in customer["addresses"]]
    return len(set(kinds)) == len(kinds)


def _addresses(addresses: Sequence[Mapping[str, Any]]) -> Iterator[str | None]:
    for kind in AddressKind:
        chosen = next((one for one in addresses if one["kind"] == kind and one["isDefault"]), {})
        for field in ADDRESS_FIELDS:
            yield chosen.get(_OF_ADDRESS.get(field, field))


def _tags(tags: Sequence[str]) -> str:
    # A bar behind the last one says that a comma in a tag separates nothing.
    return "|".join(tags) + ("|" if len(tags) == 1 and set(tags[0]) & set(",;") else "")


def _line(cells: Sequence[str | None]) -> bytes:
    line = StringIO()
    csv.writer(line, lineterminator="\r\n").writerow([defused(cell or "") for cell in cells])
    return line.getvalue().encode()
