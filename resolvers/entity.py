"""Root fields that the gateway of a federated graph calls."""

import strawberry

from core.ids import is_id
from resolvers.node import find
from schema.context import Info
from schema.entity import ENTITIES, Entity, Representations, Subgraph, references
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
        _ = info.context.viewer  # nobody learns without a token what a reference has to look like
        wanted = references(representations)
        kinds = [ENTITIES[type_] if is_id(ENTITIES[type_], id_) else None for type_, id_ in wanted]
        return await find(info, [id_ for _, id_ in wanted], kinds)

    @strawberry.field(
        name="_service",
        description="For gateways of federated graphs: the schema of this subgraph. Answers without a token, but only where "
        "introspection does.",
    )
    def service(self, info: Info) -> Subgraph:
        """Return the SDL of the subgraph."""
        return Subgraph(sdl=subgraph_sdl(info.schema))
