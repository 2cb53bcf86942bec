"""Root fields that the gateway of a federated graph calls."""

import asyncio
from typing import Any

import strawberry

from core.errors import Forbidden
from core.ids import IdKind, is_id
from models.base import StoredModel
from schema.context import Context, Info
from schema.entity import ENTITIES, Entity, Representations, Subgraph, references
from schema.node import present
from schema.sdl import subgraph_sdl


@strawberry.type
class EntityQuery:
    @strawberry.field(
        name="_entities",
        description="For gateways of federated graphs: customers, addresses and documents by their ids, in the order of the "
        "representations; null where you can see nothing, as with `nodes`. For anybody with a token.",
    )
    async def entities(self, info: Info, representations: Representations) -> list[Entity | None]:
        """Return what a gateway refers to: one query for each type, however many of it are wanted."""
        context = info.context
        _ = context.viewer  # nobody learns without a token what a reference has to look like
        return list(await asyncio.gather(*(_find(context, type_, id_) for type_, id_ in references(representations))))

    @strawberry.field(
        name="_service",
        description="For gateways of federated graphs: the schema of this subgraph. Answers without a token, but only where "
        "introspection does.",
    )
    def service(self, info: Info) -> Subgraph:
        """Return the SDL of the subgraph."""
        return Subgraph(sdl=subgraph_sdl(info.schema))


async def _find(context: Context, type_: str, id_: str) -> Any:  # one of Entity's types, or None
    """Return what a reference names, as far as the caller may see it; what it may not read is not there."""
    kind = ENTITIES[type_]
    if not is_id(kind, id_):
        return None
    record: StoredModel | None
    try:
        match kind:
            case IdKind.CUSTOMER:
                context.may_read_customers()
                record = await context.loaders.customer_by_id.load(id_)
            case IdKind.ADDRESS:
                context.may_read_customers()
                record = await context.loaders.address_by_id.load(id_)
            case _:
                context.may_read_documents()
                record = await context.loaders.document_by_id.load(id_)
    except Forbidden:
        record = None
    return None if record is None else present(record)
