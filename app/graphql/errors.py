"""What clients learn of an error: what they can act on, with a code and the request's id. Everything else stays inside."""

import re
import secrets
from collections import Counter
from collections.abc import Sequence
from traceback import extract_tb
from typing import Any

import structlog
from graphql import FieldNode, GraphQLError, GraphQLSyntaxError
from graphql.validation.validate import ValidationAbortedError

from app.graphql.document_guard import too_long_to_read
from core.errors import QueryTooComplex, RateLimited, ServiceError
from core.request_facts import note

log = structlog.get_logger("graphql")

_INTERNAL = "Something went wrong on our side. It has been recorded; mention the errorId when you report it."
_TOO_INTRICATE = (
    "This document selects the same fields so often that checking whether they agree was given up. Select each field once, or "
    "ask in several requests."
)
_LONGEST_PATH = 200
_NAME = re.compile(r"[_A-Za-z][_0-9A-Za-z]{0,63}")
_HINT = re.compile(r"\s*Did you mean .*", re.DOTALL)


def published(
    errors: Sequence[GraphQLError], request_id: str, *, hints: bool = False, operation: str | None = None
) -> list[GraphQLError]:
    """Return the errors of one answer as clients may see them, *hints* at names of the schema only where it is open.

    Leaves one line in the log for all that clients did wrong, and one for each thing that went wrong here: where that was
    is told by the errorId. Neither has values of the request, nor names that are not names.
    """
    codes: Counter[str] = Counter()
    ids: dict[object, str] = {}
    shown = []
    for error in errors:
        cause = _cause(error)
        if _is_ours(error, cause):
            error_id = ids.get(_place(cause))
            if error_id is None:
                error_id = ids[_place(cause)] = secrets.token_hex(8)
                log.error("internal error", path=_path(error), errorId=error_id, requestId=request_id, exc_info=cause)
            note(code="INTERNAL")
            shown.append(_shown(error, _INTERNAL, {"code": "INTERNAL", "requestId": request_id, "errorId": error_id}))
        else:
            message, extensions = _told(error, cause, hints=hints)
            codes[extensions["code"]] += 1
            note(code=extensions["code"])
            shown.append(_shown(error, message, {**extensions, "requestId": request_id}))
    if codes:
        named = operation if operation is None or _NAME.fullmatch(operation) else "(no name)"
        log.info("refused", codes=dict(codes), path=_path(errors[0]), operation=named, requestId=request_id)
    return shown


def gave_up(error: GraphQLError) -> bool:
    """Say whether validation ended because it took too much work, not because it had found enough."""
    return isinstance(error, ValidationAbortedError) and error.message == "Validation aborted."


def _cause(error: GraphQLError) -> Exception | None:
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    return cause


def _is_ours(error: GraphQLError, cause: Exception | None) -> bool:
    """Say whether something went wrong here, which no caller can mend.

    An error without a cause comes from GraphQL itself. It is the caller's, unless it is about the value of a field: those
    about arguments point at the argument.
    """
    if cause is None:
        return bool(error.path) and all(isinstance(node, FieldNode) for node in error.nodes or ())
    return not isinstance(cause, ServiceError)


def _told(error: GraphQLError, cause: Exception | None, *, hints: bool) -> tuple[str, dict[str, Any]]:
    """Return the message and the extensions for an error that is the caller's."""
    if isinstance(cause, ServiceError):
        extensions = {**(error.extensions or {}), "code": cause.code}
        if isinstance(cause, RateLimited):
            extensions["retryAfter"] = cause.retry_after
        return str(cause), extensions
    if isinstance(error, GraphQLSyntaxError) and (too_much := too_long_to_read(error)) is not None:
        return too_much, {"code": QueryTooComplex.code}
    if gave_up(error):
        return _TOO_INTRICATE, {"code": QueryTooComplex.code}
    return error.message if hints else _HINT.sub("", error.message), {"code": "BAD_USER_INPUT"}


def _shown(error: GraphQLError, message: str, extensions: dict[str, Any]) -> GraphQLError:
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions=extensions,
    )


def _path(error: GraphQLError) -> str | None:
    """Return where in the answer the error belongs, for the log: aliases are chosen by callers, and may be long."""
    return None if error.path is None else ".".join(str(step) for step in error.path)[:_LONGEST_PATH]


def _place(cause: Exception | None) -> object:
    """Return the kind of an error and where in the program it was raised: a fault in each item of a list is one fault."""
    if cause is None:
        return None
    (frame,) = extract_tb(cause.__traceback__, limit=-1) or [None]
    return type(cause), None if frame is None else (frame.filename, frame.lineno)
