"""What each operation asks, and what it makes of the answers: generators that know nothing of how requests are sent.

An operation yields what it asks and is sent what is answered, as JSON; what it returns is its result.
"""

import uuid
from collections.abc import Generator, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, TypeAlias, TypeVar
from urllib.parse import quote

from customer_service_client.keys import Key
from customer_service_client.shapes import Address, Customer, Page

T = TypeVar("T")

MAX_KEYS = 100
MAX_CUSTOMERS = 250
MAX_PAGE = 100
INTERNAL = "/internal/api/v1"


@dataclass(frozen=True, slots=True)
class Ask:
    """One request. `repeatable` says that a second one does no harm."""

    method: str
    path: str
    body: object = None
    headers: Mapping[str, str] = field(default_factory=dict)
    params: Mapping[str, str] = field(default_factory=dict)
    repeatable: bool = True


Operation: TypeAlias = Generator[Ask, Any, T]


def look_up(seller_id: str, keys: Sequence[Key]) -> Operation[list[Customer | None]]:
    """Find the customer of each key."""
    found: list[Customer | None] = []
    for some in _parts(keys, MAX_KEYS):
        said = yield Ask(
            "POST", f"{INTERNAL}/sellers/{_safe(seller_id)}/customer-lookups", {"keys": [key.as_json() for key in some]}
        )
        found += [None if one is None else Customer.from_json(one) for one in said["customers"]]
    return found


def default_addresses(customer_ids: Sequence[str], kind: str) -> Operation[dict[str, Address | None]]:
    """Find where each customer is reached."""
    found: dict[str, Address | None] = {}
    for some in _parts(list(dict.fromkeys(customer_ids)), MAX_CUSTOMERS):
        said = yield Ask("POST", f"{INTERNAL}/default-addresses", {"customerIds": some, "kind": kind})
        for one in said["addresses"]:
            found[one["customerId"]] = None if one["address"] is None else Address.from_json(one["address"])
    return found


def get(seller_id: str, customer_id: str) -> Operation[Customer]:
    """Read one customer."""
    return Customer.from_json((yield Ask("GET", _one(seller_id, customer_id))))


def page(seller_id: str, filters: Mapping[str, str], after: str | None, size: int) -> Operation[Page]:
    """Read one page of customers."""
    params = {**filters, "first": str(min(size, MAX_PAGE)), **({} if after is None else {"after": after})}
    said = yield Ask("GET", _all(seller_id), params=params)
    info = said["pageInfo"]
    customers = tuple(Customer.from_json(one) for one in said["nodes"])
    return Page(customers, info["endCursor"] if info["hasNextPage"] else None)


def create(seller_id: str, values: Mapping[str, Any], idempotency_key: str | None) -> Operation[Customer]:
    """Create a customer, once."""
    headers = {"idempotency-key": idempotency_key or uuid.uuid4().hex}
    return Customer.from_json((yield Ask("POST", _all(seller_id), values, headers)))


def upsert(seller_id: str, key: Key, values: Mapping[str, Any]) -> Operation[Customer]:
    """Change the customer of a key, or create it. The second one of two changes nothing."""
    body = {"key": key.as_json(), "input": values}
    return Customer.from_json((yield Ask("POST", f"{_all(seller_id)}/upsert", body)))


def update(customer: Customer, values: Mapping[str, Any]) -> Operation[Customer]:
    """Change a customer that has not changed since it was read."""
    # Repeated, it would meet its own change, and take it for somebody else's.
    headers = {"if-match": f'"{customer.version}"'}
    ask = Ask("PUT", _one(customer.seller_id, customer.id), values, headers, repeatable=False)
    return Customer.from_json((yield ask))


def delete(seller_id: str, customer_id: str) -> Operation[None]:
    """Delete a customer."""
    yield Ask("DELETE", _one(seller_id, customer_id), repeatable=False)


def _all(seller_id: str) -> str:
    return f"{INTERNAL}/sellers/{_safe(seller_id)}/customers"


def _one(seller_id: str, customer_id: str) -> str:
    return f"{_all(seller_id)}/{_safe(customer_id)}"


def _safe(part: str) -> str:
    return quote(part, safe="")


def _parts(many: Sequence[T], size: int) -> Iterator[list[T]]:
    for start in range(0, len(many), size):
        yield list(many[start : start + size])
