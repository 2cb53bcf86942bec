"""How tests call REST: as somebody, and seeing whether a call has changed anything."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx

from models.address import Address
from models.bulk_import import BulkImport
from models.customer import Customer
from models.customer_event import CustomerEvent
from models.document import Document
from tests.api import Json

ADDRESS: Json = {
    "kind": "SHIPPING",
    "line1": "1600 Pennsylvania Avenue NW",
    "city": "Washington",
    "region": "DC",
    "postalCode": "20500",
    "countryCode": "US",
}
NOBODY = "cus_01j9zs3w8xf4bt6s9h2m5n7p8q"
NO_ADDRESS = "adr_01j9zs3w8xf4bt6s9h2m5n7p8q"


@dataclass(frozen=True)
class Calls:
    """Calls as whoever has *token*; None is nobody."""

    http: httpx.AsyncClient
    token: str | None

    def as_(self, token: str | None) -> "Calls":
        """Call as somebody else."""
        return Calls(self.http, token)

    async def __call__(self, method: str, path: str, body: object = None, **options: Any) -> httpx.Response:
        """Send one request; a *body* is sent as JSON."""
        headers: dict[str, str] = dict(options.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("authorization", f"Bearer {self.token}")
        if body is not None:
            options["json"] = body
        return await self.http.request(method, path, headers=headers, **options)

    async def get(self, path: str, **options: Any) -> httpx.Response:
        """Read."""
        return await self("GET", path, **options)

    async def post(self, path: str, body: object, **options: Any) -> httpx.Response:
        """Create."""
        return await self("POST", path, body, **options)

    async def put(self, path: str, body: object, **options: Any) -> httpx.Response:
        """Change."""
        return await self("PUT", path, body, **options)

    async def delete(self, path: str, **options: Any) -> httpx.Response:
        """Delete."""
        return await self("DELETE", path, **options)


async def made(calls: Calls, seller: str, **values: object) -> Json:
    """Create a customer of a seller, which has to go well."""
    answer = await calls.post(f"/api/v1/sellers/{seller}/customers", values)
    assert 201 == answer.status_code, answer.text
    found: Json = answer.json()
    return found


def problem(answer: httpx.Response, status: int, code: str) -> Json:
    """Return a problem, after a look at what every problem has."""
    assert (status, "application/problem+json") == (answer.status_code, answer.headers["content-type"]), answer.text
    body: Json = answer.json()
    assert (status, code) == (body["status"], body["code"]), body
    assert f"/problems/{code.lower().replace('_', '-')}" == body["type"]
    assert body["title"]
    assert body["detail"]
    assert answer.headers["x-request-id"] == body["requestId"]
    assert (status == 401) == ("www-authenticate" in answer.headers)
    return body


def reasons(body: Json) -> list[tuple[str, list[str] | None]]:
    """Return code and path of each reason."""
    return [(error["code"], error.get("field")) for error in body["errors"]]


async def stored(seller: str) -> dict[str, list[Mapping[str, Any]]]:
    """Return everything that is stored of a seller, to show that a refusal has changed nothing of it."""
    models = (Customer, Address, Document, CustomerEvent, BulkImport)
    found = {}
    for model in models:
        collection = model.get_pymongo_collection()
        found[model.__name__] = await collection.find({"seller_id": seller}).sort("_id", 1).to_list()
    return found
