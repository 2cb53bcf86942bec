"""What a resolver returns for stored rows: a compiled operation reads its fields off the rows, and is spared the objects."""

from collections.abc import Sequence
from typing import Any

from compiled_graphql.needed import is_compiled
from models.row import Row
from schema.batching import needed
from schema.context import Info
from schema.node import type_of


def shown(row: Row[Any] | None, info: Info) -> Any:  # the type that presents the row, or the row in its place
    """Return what clients see of a row that was found; None for none."""
    if row is None:
        return None
    type_ = type_of(row)
    if not _is_compiled(info):
        return type_.from_row(row)
    if type_.uncertain:
        type_.check(row)
    return row


def all_shown(rows: Sequence[Row[Any]], info: Info) -> list[Any]:
    """Return what clients see of rows, which are all of one kind."""
    if not rows:
        return []
    type_ = type_of(rows[0])
    if not _is_compiled(info):
        return [type_.from_row(row) for row in rows]
    if type_.uncertain:
        for row in rows:
            type_.check(row)
    return list(rows)


def each_shown(lists: Sequence[list[Row[Any]] | None], info: Info) -> list[list[Any]]:
    """Return what clients see of lists of rows, all of one kind: none instead of a list that is not there."""
    type_ = next((type_of(rows[0]) for rows in lists if rows), None)
    if type_ is None or type_.uncertain or not _is_compiled(info):
        return [all_shown(rows or (), info) for rows in lists]
    return [rows or [] for rows in lists]


async def owners_of(things: Sequence[Any], info: Info) -> list[Any]:  # Customer or NotFound; Customer imports this module
    """Return the customers that addresses or documents belong to, as clients see them."""
    owners = await info.context.owners([one.customer_id for one in things], needed(info, "Customer"))
    return [one if isinstance(one, Exception) else shown(one, info) for one in owners]


def _is_compiled(info: Info) -> bool:
    return is_compiled(info._raw_info.field_nodes)  # noqa: SLF001  Strawberry keeps the nodes to itself
