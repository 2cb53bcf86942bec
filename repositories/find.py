"""A query whose answer fits into one message, without what a cursor is for."""

from collections.abc import Mapping, Sequence
from typing import Any

from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import AutoReconnect

_ONE_MESSAGE = 100_000
"""Documents. What of them does not fit into 16 MB has to be fetched, and is, by the driver's cursor."""


async def found(
    collection: AsyncCollection[dict[str, Any]],
    conditions: Mapping[str, Any],
    projection: Mapping[str, bool] | None,
    sort: Sequence[tuple[str, int]] = (),
    limit: int = 0,
    hint: str | None = None,
) -> list[dict[str, Any]]:
    """Return what a ``find`` finds, outside of any transaction, by the index called *hint* if there is one.

    A command takes the driver 80 of 330 microseconds less than a cursor that is drained at once. Where the server has just
    changed, or the answer is too large, the cursor is asked after all: it tries again, and fetches the rest.
    """
    # A stand-in for a collection, in tests without a server, has no commands.
    if isinstance(collection, AsyncCollection):
        command: dict[str, Any] = {"find": collection.name, "filter": conditions, "batchSize": _ONE_MESSAGE}
        if projection is not None:
            command["projection"] = projection
        if sort:
            command["sort"] = dict(sort)
        if limit:
            command["limit"] = limit
        if hint is not None:
            command["hint"] = hint
        try:
            answer = await collection.database.command(command, codec_options=collection.codec_options)
        except AutoReconnect:
            answer = None
        if answer is not None:
            cursor = answer["cursor"]
            if not cursor["id"]:
                documents: list[dict[str, Any]] = cursor["firstBatch"]
                return documents
            await collection.database.command({"killCursors": collection.name, "cursors": [cursor["id"]]})
    # A stand-in has no indexes either.
    by = {"hint": hint} if hint is not None and isinstance(collection, AsyncCollection) else {}
    asked = collection.find(conditions, projection, limit=limit, **by)
    return await (asked.sort(list(sort)) if sort else asked).to_list()
