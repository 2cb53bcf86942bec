"""Root fields that find anything by its id, and tell who calls."""

import asyncio
from collections.abc import Awaitable, Sequence
from typing import Annotated, Any

import strawberry

from core.errors import BadInput, Forbidden
from core.ids import IdKind, kind_of
from core.paging import MAX_PAGE_SIZE
from schema.batching import needed
from schema.context import Info
from schema.node import Node, present
from schema.rows import shown
from schema.viewer import Viewer


@strawberry.type
class NodeQuery:
    @strawberry.field(description="Anything by its id; null when you can see nothing with this id. For anybody with a token.")
    async def node(
        self,
        info: Info,
        id: Annotated[strawberry.ID, strawberry.argument(description="Any id of this service.")],
    ) -> Node | None:
        """Return anything by id."""
        found: list[Node | None] = await find(info, [id], [kind_of(id)])
        return found[0]

    @strawberry.field(
        description="Many things by their ids, in their order; null where you can see nothing. For anybody with a token."
    )
    async def nodes(
        self,
        info: Info,
        ids: Annotated[list[strawberry.ID], strawberry.argument(description="Ids of this service, at most 100.")],
    ) -> list[Node | None]:
        """Return many things by id."""
        if len(ids) > MAX_PAGE_SIZE:
            message = f"At most {MAX_PAGE_SIZE} ids can be asked for at once; there are {len(ids)}."
            raise BadInput(message)
        return await find(info, ids, [kind_of(one) for one in ids])

    @strawberry.field(description="Who you are, by your token. For anybody with a token.")
    def viewer(self, info: Info) -> Viewer:
        """Return the caller."""
        viewer = info.context.viewer
        return Viewer(
            kind=viewer.kind,
            subject=viewer.subject,
            seller_id=None if viewer.seller_id is None else strawberry.ID(viewer.seller_id),
            scopes=sorted(scope.value for scope in viewer.scopes),
        )


async def find(info: Info, ids: Sequence[str], kinds: Sequence[IdKind | None]) -> list[Any]:
    """Return what ids of these kinds name, as far as the caller may see it; what it may not read is not there.

    Customers, addresses and documents take one query each, however many are wanted.
    """
    _ = info.context.viewer
    places: dict[IdKind, list[int]] = {}
    for place, kind in enumerate(kinds):
        if kind is not None:
            places.setdefault(kind, []).append(place)
    parts = await asyncio.gather(*(_load(info, kind, [ids[place] for place in some]) for kind, some in places.items()))
    found: list[Any] = [None] * len(ids)
    for some, things in zip(places.values(), parts, strict=True):
        for place, thing in zip(some, things, strict=True):
            found[place] = thing if thing is None or isinstance(thing, Node) else shown(thing, info)
    return found


def _load(info: Info, kind: IdKind, ids: Sequence[str]) -> Awaitable[Sequence[Any]]:
    """Ask for what ids of one kind name. What becomes of it are rows, nodes, and None for what is not there."""
    context = info.context
    services, viewer = context.services, context.viewer
    try:
        match kind:
            case IdKind.CUSTOMER:
                context.may_read_customers()
                return context.loaders.customers(needed(info, "Customer")).load_many(ids)
            case IdKind.ADDRESS:
                context.may_read_customers()
                return context.loaders.addresses(needed(info, "Address")).load_many(ids)
            case IdKind.DOCUMENT:
                context.may_read_documents()
                return context.loaders.documents(needed(info, "Document")).load_many(ids)
            case IdKind.BULK_IMPORT:
                return asyncio.gather(*(_perhaps(services.bulk_imports.get(viewer, one)) for one in ids))
            case IdKind.DATA_EXPORT:
                return asyncio.gather(*(_perhaps(services.data_exports.get(viewer, one)) for one in ids))
            case IdKind.SESSION:
                return asyncio.gather(*(_perhaps(services.sessions.get(viewer, one)) for one in ids))
            case _:
                return _nothing(len(ids))
    except Forbidden:
        return _nothing(len(ids))


async def _perhaps(asked: Awaitable[Any]) -> Node | None:
    try:
        record = await asked
    except Forbidden:
        return None
    found: Node | None = None if record is None else present(record)
    return found


async def _nothing(count: int) -> list[None]:
    return [None] * count
