"""What clients learn of an error: what they can act on, with a code and the request's id. Everything else stays inside."""

import secrets

import structlog
from graphql import GraphQLError

from core.errors import ServiceError

log = structlog.get_logger("graphql")

_INTERNAL = "Something went wrong on our side. It has been recorded; mention the errorId when you report it."


def published(errors: list[GraphQLError], request_id: str) -> list[GraphQLError]:
    """Return *errors* as clients may see them, and log each of them: one line, without values from the request."""
    return [_published(error, request_id) for error in errors]


def _published(error: GraphQLError, request_id: str) -> GraphQLError:
    cause = error.original_error
    while isinstance(cause, GraphQLError):
        cause = cause.original_error
    extensions = {"requestId": request_id}
    if cause is None:
        message, code = error.message, "BAD_USER_INPUT"
    elif isinstance(cause, ServiceError):
        message, code = str(cause), cause.code
    else:
        message, code = _INTERNAL, "INTERNAL"
        extensions["errorId"] = secrets.token_hex(8)
        log.error("internal error", path=error.path, exc_info=cause, **extensions)
    if code != "INTERNAL":
        log.info("refused", code=code, path=error.path, **extensions)
    return GraphQLError(
        message,
        nodes=error.nodes,
        source=error.source,
        positions=error.positions,
        path=error.path,
        extensions={"code": code, **extensions},
    )
