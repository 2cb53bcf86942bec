"""What can go wrong, in the words every wire uses.

    ServiceError
    ├── Unauthenticated      no valid token
    ├── Forbidden            a valid token that may not do this
    ├── NotFound             nothing there that this caller can see, where null cannot say so
    ├── BadInput             a request that cannot be understood (wrong cursor, page too large)
    ├── RateLimited          too many calls, where no payload can say so
    ├── QueryTooComplex      a document that costs more than one call may
    ├── PersistedQueryNotFound  a document asked for by its hash, which nobody has sent yet
    ├── PersistedQueryRequired  a document that is not on the list of those that are served
    ├── FileWithheld         a file that nobody may read, or not yet
    ├── TimedOut             the operation took longer than one may
    ├── Refused              expected refusals, reported together as problems
    │   ├── Conflict         somebody else changed it first; carries the current version
    │   └── TooMany          too many attempts; carries how long to wait
    └── Unavailable          a remote system did not answer in time

A `Problem` is data, not an exception: services collect all of them and raise one `Refused`.
"""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import ClassVar

FieldPath = tuple[str, ...]
"""Path into the caller's input, for example ``("addresses", "0", "postalCode")``."""


class ErrorCode(StrEnum):
    """Why one field or one row was refused."""

    REQUIRED = "REQUIRED"
    INVALID = "INVALID"
    TOO_LONG = "TOO_LONG"
    TOO_MANY = "TOO_MANY"
    TAKEN = "TAKEN"
    NOT_FOUND = "NOT_FOUND"
    MERGED = "MERGED"
    FORBIDDEN = "FORBIDDEN"
    CONFLICT = "CONFLICT"
    INVALID_EMAIL = "INVALID_EMAIL"
    INVALID_PHONE = "INVALID_PHONE"
    INVALID_ADDRESS = "INVALID_ADDRESS"
    INVALID_DOCUMENT_NUMBER = "INVALID_DOCUMENT_NUMBER"
    DOCUMENT_EXPIRED = "DOCUMENT_EXPIRED"
    DOCUMENT_NOT_SCANNED = "DOCUMENT_NOT_SCANNED"
    UPLOAD_MISSING = "UPLOAD_MISSING"
    UPLOAD_MISMATCH = "UPLOAD_MISMATCH"
    FILE_TYPE_REJECTED = "FILE_TYPE_REJECTED"
    STATE = "STATE"
    INVALID_CODE = "INVALID_CODE"
    CODE_EXPIRED = "CODE_EXPIRED"
    TOO_MANY_ATTEMPTS = "TOO_MANY_ATTEMPTS"
    INVALID_CSV = "INVALID_CSV"
    UNSUPPORTED_ENCODING = "UNSUPPORTED_ENCODING"
    MISSING_COLUMN = "MISSING_COLUMN"
    DUPLICATE_ROW = "DUPLICATE_ROW"
    SOURCE_CHANGED = "SOURCE_CHANGED"
    UNPROCESSED = "UNPROCESSED"
    IDEMPOTENCY_KEY_REUSED = "IDEMPOTENCY_KEY_REUSED"
    LEGAL_HOLD = "LEGAL_HOLD"
    INTERNAL = "INTERNAL"


@dataclass(frozen=True, slots=True)
class Problem:
    """One reason for a refusal, addressed to the person who can mend it.

    With MERGED, `merged_into` is the id of the customer that goes on in the place of the one that was meant.
    """

    code: ErrorCode
    message: str
    field: FieldPath = ()
    current_version: int | None = None
    merged_into: str | None = None

    def under(self, *prefix: str) -> "Problem":
        """Return the same problem, with *prefix* in front of its path."""
        return replace(self, field=(*prefix, *self.field))


class ServiceError(Exception):
    """Base of everything this service raises on purpose. Never raised itself.

    The message is written for the caller; `code` is what a GraphQL error carries as ``extensions.code``.
    """

    code: ClassVar[str]


class Unauthenticated(ServiceError):
    """The call carries no token, or one that does not hold."""

    code = "UNAUTHENTICATED"


class Forbidden(ServiceError):
    """The caller is known and may not do this."""

    code = "FORBIDDEN"


class BadInput(ServiceError):
    """The request itself makes no sense; no amount of different data would help."""

    code = "BAD_USER_INPUT"


class NotFound(ServiceError):
    """There is nothing with this id: unknown, malformed and another seller's are the same."""

    code = "NOT_FOUND"


class Unavailable(ServiceError):
    """A system this call needs did not answer. Safe to retry."""

    code = "UNAVAILABLE"


class FileWithheld(ServiceError):
    """Nobody may read this file: it has not been found free of malware, or not yet."""

    code = "FILE_WITHHELD"


class RateLimited(ServiceError):
    """Too many calls of this kind. `retry_after` is in seconds."""

    code = "RATE_LIMITED"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"There were too many of these calls. Try again in {retry_after} seconds.")
        self.retry_after = retry_after


class QueryTooComplex(ServiceError):
    """The document asks for more than one call may; ask in parts."""

    code = "QUERY_TOO_COMPLEX"


class PersistedQueryNotFound(ServiceError):
    """The document was asked for by its hash, and is not known here. Clients then send it in full."""

    code = "PERSISTED_QUERY_NOT_FOUND"


class PersistedQueryRequired(ServiceError):
    """Only stored documents are served here, and this is none of them."""

    code = "PERSISTED_QUERY_REQUIRED"


class TimedOut(ServiceError):
    """The operation took longer than one may. What a mutation had begun may still be completed."""

    code = "TIMEOUT"


class Refused(ServiceError):
    """An expected refusal. Nothing was changed."""

    code = "BAD_USER_INPUT"

    def __init__(self, problems: Sequence[Problem]) -> None:
        super().__init__("; ".join(problem.message for problem in problems))
        self.problems = tuple(problems)

    @classmethod
    def because(cls, code: ErrorCode, message: str, *field: str) -> "Refused":
        """Build a refusal with a single problem."""
        return cls([Problem(code, message, field)])


class Conflict(Refused):
    """Somebody else changed the thing first. *argument* is where its caller said which version it expects."""

    def __init__(self, current_version: int, argument: str = "expectedVersion") -> None:
        super().__init__(
            [
                Problem(
                    ErrorCode.CONFLICT,
                    f"This was changed in the meantime: the current version is {current_version}. "
                    f"Read it again, reapply your change and send the new {argument}.",
                    (argument,),
                    current_version,
                )
            ]
        )


class TooMany(Refused):
    """There were too many attempts. `retry_after` is in seconds."""

    def __init__(self, message: str, retry_after: int, *field: str) -> None:
        super().__init__([Problem(ErrorCode.TOO_MANY_ATTEMPTS, message, field)])
        self.retry_after = retry_after


class StandaloneDatabase(Exception):
    """MongoDB runs alone: without a replica set there are no transactions and no change streams."""
