"""A query whose answer fits into one message, without what a cursor is for."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, NamedTuple, TypeVar

from bson.codec_options import CodecOptions
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import AutoReconnect

from core.ids import IdKind
from models.row import Row

_ONE_MESSAGE = 100_000
"""Documents. What of them does not fit into 16 MB has to be fetched, and is, by the driver's cursor."""

_KIND = 3
"""Letters of an id that say what it names."""

R = TypeVar("R", bound=Row[Any])


@dataclass(frozen=True, slots=True)
class Stretch:
    """Part of an index, called by its name: from *low* on, and before *high*, both with a value for each of its keys.

    Without these, what of the index the conditions allow.
    """

    index: str
    low: Mapping[str, Any] | None = None
    high: Mapping[str, Any] | None = None


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
    # A stand-in for a collection, in tests without a server, has no commands, and no indexes either.
    if not _has_commands(collection):
        within = None
    else:
        command: dict[str, Any] = {"find": collection.name, "filter": conditions, "batchSize": _ONE_MESSAGE}
        if projection is not None:
            command["projection"] = projection
        if sort:
            command["sort"] = dict(sort)
        if limit:
            command["limit"] = limit
        if within is not None:
            command |= _told(within)
        some = await _all_at_once(collection, command, rows)
        if some is not None:
            return some
    asked = collection.find(conditions, projection, limit=limit, **({} if within is None else _told(within)))
    documents = await (asked.sort(list(sort)) if sort else asked).to_list()
    return [rows(document) for document in documents]


def _told(within: Stretch) -> dict[str, Any]:
    """Return what tells the server to look nowhere else; the driver's cursor takes the same."""
    bounds = {} if within.low is None or within.high is None else {"min": within.low, "max": within.high}
    return {"hint": within.index, **bounds}


class Query(NamedTuple):
    """One of several queries: what is found in a collection, as rows of a class. Ids of what it finds begin with *kind*."""

    kind: IdKind
    collection: AsyncCollection[dict[str, Any]]
    conditions: Mapping[str, Any]
    rows: type[Row[Any]]
    projection: Mapping[str, bool] | None
    sort: Sequence[tuple[str, int]] = ()


async def found_together(queries: Sequence[Query]) -> list[list[Row[Any]]]:
    """Return what each of several queries on different collections finds, outside of any transaction, with one command.

    A command takes the driver 265 microseconds, whatever it holds, and its client a round trip.
    """
    first, *others = queries
    if _has_commands(first.collection):
        joined = [{"$unionWith": {"coll": one.collection.name, "pipeline": _stages(one)}} for one in others]
        command = {
            "aggregate": first.collection.name,
            "pipeline": [*_stages(first), *joined],
            "cursor": {"batchSize": _ONE_MESSAGE},
        }
        documents = await _all_at_once(first.collection, command, Row)
        if documents is not None:
            parts: dict[str, list[Row[Any]]] = {one.kind.value: [] for one in queries}
            classes = {one.kind.value: one.rows for one in queries}
            for document in documents:
                kind = document["_id"][:_KIND]
                parts[kind].append(classes[kind](document))
            return list(parts.values())
    return [await found(one.collection, one.conditions, one.rows, one.projection, one.sort) for one in queries]


def _stages(query: Query) -> list[dict[str, Any]]:
    stages: list[dict[str, Any]] = [{"$match": query.conditions}]
    if query.sort:
        stages.append({"$sort": dict(query.sort)})
    if query.projection is not None:
        stages.append({"$project": query.projection})
    return stages


def _has_commands(collection: object) -> bool:
    """Say whether it is a collection of a server: a stand-in, in tests without one, has none."""
    return isinstance(collection, AsyncCollection)


async def _all_at_once(collection: AsyncCollection[dict[str, Any]], command: dict[str, Any], rows: type[R]) -> list[R] | None:
    """Return what a command finds; None when the server has just changed, or the answer does not fit into one message."""
    try:
        answer: Any = await collection.database.command(command, codec_options=_into(rows, collection.codec_options))
    except AutoReconnect:
        return None
    cursor = answer["cursor"]
    if cursor["id"]:
        await collection.database.command({"killCursors": collection.name, "cursors": [cursor["id"]]})
        return None
    some: list[R] = cursor["firstBatch"]
    return some


def _into(rows: type[R], options: CodecOptions[Any]) -> CodecOptions[R]:
    """Return *options* for documents that are decoded into *rows*."""
    known = _OPTIONS.get(rows)
    if known is None or known[0] is not options:
        # Made once: it takes 20 microseconds.
        known = _OPTIONS[rows] = options, options.with_options(document_class=rows)
    return known[1]
