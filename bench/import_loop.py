"""What imports are compared with: a loop around PyMongo's `insert_many` that has all documents at hand.

The documents are those that an import stored: customers, addresses, event records, and what became of the rows. They go into a
database with the same indexes, in batches of the same size, one `insert_many` for each collection after the other; either each
batch in a transaction (snapshot reads, majority writes), as imports do it, or without any.
"""

import time
from collections import defaultdict
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any

from pymongo import AsyncMongoClient
from pymongo.asynchronous.client_session import AsyncClientSession
from pymongo.read_concern import ReadConcern
from pymongo.write_concern import WriteConcern

from infra.mongo import create_indexes, open_mongo

Batch = Mapping[str, Sequence[dict[str, Any]]]
"""Documents by the name of their collection."""


async def read_back(uri: str, database: str, seller_id: str, size: int) -> list[Batch]:
    """Return what the imports of a seller stored, in batches of *size* customers, in the order of the file."""
    async with AsyncMongoClient[dict[str, Any]](uri, tz_aware=True) as client:
        stored = client[database]
        customers = await stored["customers"].find({"seller_id": seller_id}).sort("_id", 1).to_list()
        of_customer: dict[str, defaultdict[str, list[dict[str, Any]]]] = {}
        for name in ("addresses", "customer_events"):
            owned = of_customer[name] = defaultdict(list)
            async for one in stored[name].find({"seller_id": seller_id}).sort("_id", 1):
                owned[one["customer_id"]].append(one)
    batches: list[Batch] = []
    for start in range(0, len(customers), size):
        some = customers[start : start + size]
        ids = [one["_id"] for one in some]
        batch = {name: [one for id_ in ids for one in owned[id_]] for name, owned in of_customer.items()}
        batches.append({"customers": some, **batch, "import_batch_results": [_result(some)]})
    return batches


def _result(customers: Sequence[Mapping[str, Any]]) -> dict[str, Any]:
    """Return what an import stores of rows until its report is written; it is gone by now."""
    first, source = customers[0], customers[0]["source"]
    return {
        "_id": f"{source['import_id']}:{source['row']}",
        "seller_id": first["seller_id"],
        "import_id": source["import_id"],
        "first_row": source["row"],
        "outcomes": "C" * len(customers),
        "customer_ids": [one["_id"] for one in customers],
        "created_at": first["created_at"],
    }


async def insert(uri: str, database: str, batches: Sequence[Batch], *, transactions: bool) -> float:
    """Insert everything into a new database, and return how many seconds that took."""
    async with open_mongo(uri, database):
        await create_indexes()
    async with AsyncMongoClient[dict[str, Any]](uri) as client, client.start_session() as session:
        into = client[database]

        async def write(batch: Batch, session: AsyncClientSession | None = None) -> None:
            for name, documents in batch.items():
                await into[name].insert_many(documents, session=session)

        begun = time.perf_counter()
        for batch in batches:
            if transactions:
                await session.with_transaction(
                    partial(write, batch),
                    read_concern=ReadConcern("snapshot"),
                    write_concern=WriteConcern("majority"),
                )
            else:
                await write(batch)
        took = time.perf_counter() - begun
        await client.drop_database(database)
    return took


async def version_of(uri: str) -> str:
    """Return the version of the server."""
    async with AsyncMongoClient[dict[str, Any]](uri) as client:
        return str((await client.server_info())["version"])
