"""What the service answers with."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """A postal address of a customer. `raw` is everything the service said, newer members included."""

    id: str
    customer_id: str
    kind: str
    is_default: bool
    recipient: str | None
    company: str | None
    line1: str
    line2: str | None
    city: str | None
    region: str | None
    postal_code: str | None
    country_code: str
    phone: str | None
    formatted: tuple[str, ...]
    version: int
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Address":
        """Read an address."""
        return cls(
            id=said["id"],
            customer_id=said["customerId"],
            kind=said["kind"],
            is_default=said["isDefault"],
            recipient=said.get("recipient"),
            company=said.get("company"),
            line1=said["line1"],
            line2=said.get("line2"),
            city=said.get("city"),
            region=said.get("region"),
            postal_code=said.get("postalCode"),
            country_code=said["countryCode"],
            phone=said.get("phone"),
            formatted=tuple(said.get("formatted") or ()),
            version=said["version"],
            raw=said,
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Customer:
    """A customer of one seller. `addresses` is None when your token may not read them; `raw` as in `Address`."""

    id: str
    seller_id: str
    external_id: str | None
    kind: str
    status: str
    email: str | None
    email_verified: bool
    phone: str | None
    phone_verified: bool
    first_name: str | None
    last_name: str | None
    full_name: str
    company: str | None
    locale: str | None
    tags: tuple[str, ...]
    attributes: Mapping[str, str]
    version: int
    created_at: datetime
    updated_at: datetime
    addresses: tuple[Address, ...] | None
    raw: Mapping[str, Any] = field(repr=False, compare=False)

    @classmethod
    def from_json(cls, said: Mapping[str, Any]) -> "Customer":
        """Read a customer."""
        addresses = said.get("addresses")
        return cls(
            id=said["id"],
            seller_id=said["sellerId"],
            external_id=said.get("externalId"),
            kind=said["kind"],
            status=said["status"],
            email=said.get("email"),
            email_verified=said["emailVerified"],
            phone=said.get("phone"),
            phone_verified=said["phoneVerified"],
            first_name=said.get("firstName"),
            last_name=said.get("lastName"),
            full_name=said["fullName"],
            company=said.get("company"),
            locale=said.get("locale"),
            tags=tuple(said.get("tags") or ()),
            attributes={one["key"]: one["value"] for one in said.get("attributes") or ()},
            version=said["version"],
            created_at=datetime.fromisoformat(said["createdAt"]),
            updated_at=datetime.fromisoformat(said["updatedAt"]),
            addresses=None if addresses is None else tuple(Address.from_json(one) for one in addresses),
            raw=said,
        )

    @property
    def default_shipping_address(self) -> Address | None:
        """The address to ship to, None when there is none."""
        return next((one for one in self.addresses or () if one.is_default and one.kind == "SHIPPING"), None)


@dataclass(frozen=True, slots=True)
class Page:
    """One page of customers; `next` is the cursor of the one behind it, None at the end."""

    customers: tuple[Customer, ...]
    next: str | None
