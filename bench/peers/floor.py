"""The floor: Starlette, PyMongo Async and orjson doing the work of three operations, without GraphQL, rules or tokens.

Each operation has a path of its own, ``/Q1``, and takes the ``variables`` of the same body as everybody else.
"""

import asyncio
import base64
import os
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from typing import Any

import orjson
import uvicorn
from pymongo import AsyncMongoClient, WriteConcern
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.asynchronous.database import AsyncDatabase
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from core.clock import rfc3339
from core.ids import IdKind, new_id

SELLER = os.environ.get("SELLER", "")
_MINE = {"seller_id": SELLER, "live": True}
_OLDEST_FIRST = [("customer_id", 1), ("_id", 1)]
_NEWEST_FIRST = [("created_at", -1), ("_id", -1)]

Stored = Mapping[str, Any]


def _customer(stored: Stored, addresses: list[dict[str, Any]], documents: list[dict[str, Any]]) -> dict[str, Any]:
    return {
        "id": stored["_id"],
        "fullName": stored["full_name"],
        "email": stored["email"],
        "phone": stored["phone"],
        "status": stored["status"],
        "version": stored["version"],
        "tags": stored["tags"],
        "createdAt": rfc3339(stored["created_at"]),
        "addresses": addresses,
        "documents": documents,
    }


def _address(stored: Stored) -> dict[str, Any]:
    return {
        "id": stored["_id"],
        "kind": stored["kind"],
        "isDefault": stored["is_default"],
        "line1": stored["line1"],
        "city": stored["city"],
        "postalCode": stored["postal_code"],
        "countryCode": stored["country_code"],
    }


def _document(stored: Stored) -> dict[str, Any]:
    number = f"••••{stored['number_last_four']}"
    return {"id": stored["_id"], "type": stored["type"], "status": stored["status"], "number": number}


async def _of(
    database: AsyncDatabase[dict[str, Any]], name: str, shape: Callable[[Stored], dict[str, Any]], ids: list[str]
) -> dict[str, list[dict[str, Any]]]:
    groups: dict[str, list[dict[str, Any]]] = {id_: [] for id_ in ids}
    for stored in await database[name].find({**_MINE, "customer_id": {"$in": ids}}).sort(_OLDEST_FIRST).to_list():
        groups[stored["customer_id"]].append(shape(stored))
    return groups


async def _one(request: Request) -> Response:
    database, variables = await _asked(request)
    id_ = variables["id"]
    found, addresses, documents = await asyncio.gather(
        database.customers.find_one({**_MINE, "_id": id_}),
        _of(database, "addresses", _address, [id_]),
        _of(database, "documents", _document, [id_]),
    )
    return _answer({"customer": found and _customer(found, addresses[id_], documents[id_])})


async def _page(request: Request) -> Response:
    database, variables = await _asked(request)
    size, conditions = variables["first"], dict(_MINE)
    if after := variables.get("after"):
        _, at, id_ = orjson.loads(base64.urlsafe_b64decode(after + "=" * (-len(after) % 4)))
        moment = datetime.fromisoformat(at["t"])
        conditions["created_at"] = {"$lte": moment}
        conditions["$or"] = [{"created_at": {"$lt": moment}}, {"created_at": moment, "_id": {"$lt": id_}}]
    found = await database.customers.find(conditions).sort(_NEWEST_FIRST).limit(size + 1).to_list()
    items = found[:size]
    ids = [one["_id"] for one in items]
    addresses, documents = await asyncio.gather(
        _of(database, "addresses", _address, ids), _of(database, "documents", _document, ids)
    )
    edges = [{"cursor": _cursor(one), "node": _customer(one, addresses[one["_id"]], documents[one["_id"]])} for one in items]
    end = edges[-1]["cursor"] if edges else None
    return _answer({"customers": {"edges": edges, "pageInfo": {"hasNextPage": len(found) > size, "endCursor": end}}})


async def _create(request: Request) -> Response:
    database, variables = await _asked(request)
    given, now = variables["input"], datetime.now(UTC)
    stamp = {"seller_id": SELLER, "version": 1, "live": True, "created_at": now, "updated_at": now}
    name = f"{given['firstName']} {given['lastName']}"
    customer = {
        "_id": new_id(IdKind.CUSTOMER),
        **stamp,
        "kind": "INDIVIDUAL",
        "status": "ACTIVE",
        "email": given["email"],
        "email_verified": False,
        "phone": given["phone"],
        "phone_verified": False,
        "first_name": given["firstName"],
        "last_name": given["lastName"],
        "full_name": name,
        "sort_name": name.lower(),
        "tags": given["tags"],
        "attributes": [],
        "document_keys": [],
        "search_words": [*name.lower().split(), given["email"], given["phone"]],
    }
    addresses = [
        {
            "_id": new_id(IdKind.ADDRESS),
            **stamp,
            "customer_id": customer["_id"],
            "is_default": True,
            "postal_code": one["postalCode"],
            "country_code": one["countryCode"],
            **{key: one[key] for key in ("kind", "line1", "city", "region")},
        }
        for one in given["addresses"]
    ]
    event = {
        "_id": new_id(IdKind.EVENT),
        "seller_id": SELLER,
        "customer_id": customer["_id"],
        "type": "CREATED",
        "version": 1,
        "actor": "operator:bench",
        "changed": [],
        "occurred_at": now,
        "pending": True,
        "data": {"email": customer["email"], "fullName": name},
    }

    async def work(session: AsyncClientSession) -> None:
        await database.customers.insert_one(customer, session=session)
        await database.addresses.insert_many(addresses, session=session)
        await database.customer_events.insert_one(event, session=session)

    async with database.client.start_session() as session:
        await session.with_transaction(work, write_concern=WriteConcern("majority"))
    told = {"id": customer["_id"], "email": customer["email"], "status": customer["status"], "version": 1}
    return _answer({"createCustomer": {"customer": told, "userErrors": []}})


def _cursor(stored: Stored) -> str:
    place = ["CREATED_AT_DESC", {"t": rfc3339(stored["created_at"])}, stored["_id"]]
    return base64.urlsafe_b64encode(orjson.dumps(place)).rstrip(b"=").decode()


async def _asked(request: Request) -> tuple[AsyncDatabase[dict[str, Any]], dict[str, Any]]:
    return request.app.state.database, orjson.loads(await request.body())["variables"]


def _answer(data: dict[str, Any]) -> Response:
    return Response(orjson.dumps({"data": data}), media_type="application/json")


@asynccontextmanager
async def _lifespan(app: Starlette) -> AsyncIterator[None]:
    async with AsyncMongoClient[dict[str, Any]](os.environ["MONGODB_URI"], tz_aware=True, tzinfo=UTC) as client:
        app.state.database = client[os.environ["MONGODB_DATABASE"]]
        yield


def main() -> None:
    """Serve on ``PORT``, reading what ``SELLER`` has in ``MONGODB_DATABASE`` at ``MONGODB_URI``."""
    routes = [Route(path, work, methods=["POST"]) for path, work in (("/Q1", _one), ("/Q2", _page), ("/M1", _create))]
    app = Starlette(lifespan=_lifespan, routes=routes)
    uvicorn.run(app, host="127.0.0.1", port=int(os.environ["PORT"]), loop="uvloop", http="httptools", access_log=False)


if __name__ == "__main__":
    main()
