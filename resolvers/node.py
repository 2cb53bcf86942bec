"""Root fields that find anything by its id, and tell who calls."""

import asyncio
from typing import Annotated

import strawberry

from core.errors import BadInput, Forbidden
from core.ids import IdKind, kind_of
from core.paging import MAX_PAGE_SIZE
from models.base import StoredModel
from schema.context import Info
from schema.node import Node, present
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
        return await _find(info, id)

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
        return list(await asyncio.gather(*(_find(info, one) for one in ids)))

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


async def _find(info: Info, id_: str) -> Node | None:
    """Return what an id names, as far as the caller may see it; what it may not read is not there."""
    context = info.context
    services, viewer = context.services, context.viewer
    record: StoredModel | None
    try:
        match kind_of(id_):
            case IdKind.CUSTOMER:
                context.may_read_customers()
                record = await context.loaders.customer_by_id.load(id_)
            case IdKind.ADDRESS:
                context.may_read_customers()
                record = await context.loaders.address_by_id.load(id_)
            case IdKind.DOCUMENT:
                context.may_read_documents()
                record = await context.loaders.document_by_id.load(id_)
            case IdKind.BULK_IMPORT:
                record = await services.bulk_imports.get(viewer, id_)
            case IdKind.SESSION:
                record = await services.sessions.get(viewer, id_)
            case _:
                record = None
    except Forbidden:
        record = None
    found: Node | None = None if record is None else present(record)
    return found
