"""A query whose answer fits into one message, without what a cursor is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from bson.codec_options import CodecOptions
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import AutoReconnect

from models.row import Row

_ONE_MESSAGE = 100_000
"""Documents. What of them does not fit into 16 MB has to be fetched, and is, by the driver's cursor."""

R = TypeVar("R", bound=Row[Any])


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of an index, called by its name: from *low* on, and before *high*, both with a value for each of its keys."""

    index: str
    low: Mapping[str, Any]
    high: Mapping[str, Any]


_OPTIONS: dict[type[Row[Any]], tuple[CodecOptions[Any], CodecOptions[Any]]] = {}
"""By the class of rows: how its collection is decoded as a rule, and how it is into rows."""


async def found(
    collection: AsyncCollection[dict[str, Any]],
    conditions: Mapping[str, Any],
    rows: type[R],
    projection: Mapping[str, bool] | None,
    sort: Sequence[tuple[str, int]] = (),
    limit: int = 0,
    within: Stretch | None = None,
) -> list[R]:
    """Return what a ``find`` finds, outside of any transaction, as *rows* of a class; of all that lies *within*, if given.

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
        if within is not None:
            command |= {"hint": within.index, "min": within.low, "max": within.high}
        try:
            answer: Any = await collection.database.command(command, codec_options=_into(rows, collection.codec_options))
        except AutoReconnect:
            answer = None
        if answer is not None:
            cursor = answer["cursor"]
            if not cursor["id"]:
                some: list[R] = cursor["firstBatch"]
                return some
            await collection.database.command({"killCursors": collection.name, "cursors": [cursor["id"]]})
    asked = collection.find(conditions, projection, limit=limit)
    # A stand-in has no indexes either.
    if within is not None and isinstance(collection, AsyncCollection):
        asked = asked.hint(within.index).min(list(within.low.items())).max(list(within.high.items()))
    documents = await (asked.sort(list(sort)) if sort else asked).to_list()
    return [rows(document) for document in documents]


def _into(rows: type[R], options: CodecOptions[Any]) -> CodecOptions[R]:
    """Return *options* for documents that are decoded into *rows*."""
    known = _OPTIONS.get(rows)
    if known is None or known[0] is not options:
        # Made once: it takes 20 microseconds.
        known = _OPTIONS[rows] = options, options.with_options(document_class=rows)
    return known[1]
