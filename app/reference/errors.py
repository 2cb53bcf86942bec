"""Error codes: of fields and rows, and of whole requests."""

import inspect
from collections.abc import Iterator

from graphql import GraphQLEnumType, build_schema

from app.reference.markdown import flowing, page, table
from core.errors import ServiceError

_INTRODUCTION = (
    "Programs read `code`, people read `message`. New codes may come; treat one that you do not know like `INVALID` in a form, "
    "and like `INTERNAL` for a request."
)
_FIELDS = (
    "In `userErrors` of mutations, in `errors` of REST's problems, and beside rows of imports. Nothing was changed when a "
    "mutation has any; a row with one of severity `ERROR` was refused."
)
_REQUESTS = (
    "In `errors[].extensions.code` of GraphQL, with `requestId`; REST says the same in `code` of its problems, with [a status]"
    "(../rest.md#problems)."
)
_FAULT = "A fault of ours. `extensions.errorId` stands in the log of the service."


def errors_page(sdl: str) -> str:
    """Return the page; the codes of fields are described in the schema."""
    codes = build_schema(sdl).type_map["ErrorCode"]
    if not isinstance(codes, GraphQLEnumType):
        raise TypeError(codes)
    fields = ((f"`{name}`", value.description or "") for name, value in codes.values.items())
    return page(
        "Error codes",
        _INTRODUCTION,
        "## Of fields and rows",
        _FIELDS,
        table(("Code", "Means"), fields),
        "## Of requests",
        _REQUESTS,
        table(("Code", "Means"), sorted(_of_requests())),
    )


def _of_requests() -> Iterator[tuple[str, str]]:
    seen: set[str] = set()
    waiting = list(ServiceError.__subclasses__())
    while waiting:
        error = waiting.pop(0)
        waiting += error.__subclasses__()
        if error.code not in seen:
            seen.add(error.code)
            yield f"`{error.code}`", flowing(inspect.getdoc(error))
    yield "`INTERNAL`", _FAULT
