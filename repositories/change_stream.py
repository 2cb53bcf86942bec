"""What changes in a collection, of every seller, as it changes."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from typing import Any, Generic, TypeVar

import pymongo
from pymongo.asynchronous.collection import AsyncCollection
from pymongo.errors import OperationFailure, PyMongoError

from core.errors import Unavailable
from repositories.errors import translated

T = TypeVar("T")

Place = Mapping[str, Any]
"""A place in a stream of changes, from which it can be followed again. Only the database knows what it means."""

_LONGEST_SILENCE_MS = 1000
_RESUMABLE = "ResumableChangeStreamError"
# InvalidResumeToken, ChangeStreamFatalError, ChangeStreamHistoryLost, BSONObjectTooLarge (a change larger than a message).
_NO_WAY_ON = frozenset({260, 280, 286, 10334})


class PlaceLost(Unavailable):
    """The database no longer knows the place to go on from: what happened since then cannot be told any more."""


class ChangeStream(Generic[T]):
    """The changes of one collection. One per process is enough; it is fanned out in memory."""

    def __init__(
        self,
        collection: AsyncCollection[dict[str, Any]],
        pipeline: Sequence[Mapping[str, Any]],
        read: Callable[[dict[str, Any]], T],
        *,
        full_document: str | None = None,
    ) -> None:
        self._collection = collection
        self._pipeline = list(pipeline)
        self._read = read
        self._full_document = full_document

    async def follow(self, after: Place | None = None) -> AsyncIterator[tuple[Place, T | None]]:
        """Yield every change after a place, else from now on, with the place behind it.

        The first one comes at once and has no record: from there on nothing is missed. Others without one come now and then
        when nothing changes, with a place that the database will remember for longer.

        Raises:
            PlaceLost: *after* is too old, or the collection is another one by now.
            Unavailable: the stream broke, or could not be opened. Follow again after the last place.
        """
        opened = False
        try:
            # The time limit of single operations does not apply: a stream is meant to wait.
            with translated(), pymongo.timeout(None):
                async with await self._collection.watch(
                    self._pipeline,
                    full_document=self._full_document,
                    resume_after=after,
                    max_await_time_ms=_LONGEST_SILENCE_MS,
                ) as stream:
                    opened = True
                    yield _place(stream.resume_token, after), None
                    while stream.alive:
                        change = await stream.try_next()
                        record = change.get("fullDocument") if change is not None else None
                        yield _place(stream.resume_token, after), None if record is None else self._read(record)
                    # An invalidated stream ends without an error, and there is no going on after it.
                    raise PlaceLost("What was followed is gone.")
        except PyMongoError as error:
            lost = _is_final(error, opened=opened)
            raise (PlaceLost if lost else Unavailable)("The stream of changes broke.") from error


def _place(token: Mapping[str, Any] | None, before: Place | None) -> Place:
    # A server before 4.0.7 gives none until something changes.
    return token or before or {}


def _is_final(error: PyMongoError, *, opened: bool) -> bool:
    """Say whether following again from the same place would only fail again.

    An open stream is also ended by what has nothing to do with its place: whoever kills cursors, for one.
    """
    if not isinstance(error, OperationFailure) or error.has_error_label(_RESUMABLE):
        return False
    return not opened or error.code in _NO_WAY_ON
