"""The one place where what the driver raises becomes what services understand."""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from pymongo.errors import (
    BulkWriteError,
    ConnectionFailure,
    DuplicateKeyError,
    ExecutionTimeout,
    NetworkTimeout,
    PyMongoError,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
    WriteConcernError,
)

from core.errors import Unavailable

_NOT_ANSWERING = (
    ConnectionFailure,
    ExecutionTimeout,
    NetworkTimeout,
    ServerSelectionTimeoutError,
    WaitQueueTimeoutError,
)
_DUPLICATE_KEY = 11000
_INTERRUPTED = 11601
"""Somebody ended the session: that of a worker who is taken for dead, or whose import is over."""


class KeyTaken(Exception):
    """Another live record of the seller already holds a value that may be held once. `field` is its stored name."""

    def __init__(self, field: str) -> None:
        super().__init__(field)
        self.field = field


@contextmanager
def translated() -> Iterator[None]:
    """Translate driver errors on the way out.

    Raises:
        KeyTaken: a unique index refused a write.
        Unavailable: the database did not answer in time, or cannot say whether a write will last.
    """
    try:
        yield
    except DuplicateKeyError as error:
        raise KeyTaken(duplicate_field(error)) from error
    except BulkWriteError as error:
        refused = [one for one in error.details["writeErrors"] if one["code"] == _DUPLICATE_KEY]
        if not refused:
            raise
        raise KeyTaken(_last_field(refused[0])) from error
    except _NOT_ANSWERING as error:
        raise Unavailable("The database did not answer in time. Try again.") from error
    except PyMongoError as error:
        if error.timeout or isinstance(error, WriteConcernError) or getattr(error, "code", None) == _INTERRUPTED:
            raise Unavailable("The database did not answer in time. Try again.") from error
        raise


def is_silence(error: Exception) -> bool:
    """Say whether *error* tells that the database did not answer, and not what it answered."""
    return isinstance(error, _NOT_ANSWERING) or (isinstance(error, PyMongoError) and error.timeout)


def duplicate_field(error: DuplicateKeyError) -> str:
    """Return the field whose uniqueness was violated: the last one of the index."""
    return _last_field(error.details or {})


def _last_field(details: Mapping[str, Any]) -> str:
    pattern = details.get("keyPattern", {})
    return list(pattern)[-1] if pattern else ""
