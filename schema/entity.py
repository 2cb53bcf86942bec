"""What gateways of a federated graph ask for: entities by the fields of their keys, and the subgraph's own schema."""

from typing import Annotated

import strawberry
from strawberry.federation.schema import FederationAny
from strawberry.types.scalar import ScalarDefinition, ScalarWrapper

from core.errors import BadInput
from core.ids import IdKind
from core.paging import MAX_PAGE_SIZE
from schema.address import Address
from schema.customer import Customer
from schema.document import Document

ENTITIES = {"Address": IdKind.ADDRESS, "Customer": IdKind.CUSTOMER, "Document": IdKind.DOCUMENT}
"""The names of the types that other subgraphs may refer to, with what their ids name."""

Entity = Annotated[
    Address | Customer | Document,
    strawberry.union("_Entity", description="What other parts of a federated graph may refer to by its id."),
]

Representations = Annotated[
    list[FederationAny],
    strawberry.argument(description=f"What is wanted, at most {MAX_PAGE_SIZE}: each with `__typename` and `id`."),
]


@strawberry.type(name="_Service", description="What this subgraph tells the gateway of a federated graph about itself.")
class Subgraph:
    sdl: str = strawberry.field(description="The schema of this subgraph, with the directives of Apollo Federation 2.")


ANY: ScalarDefinition = strawberry.scalar(
    name="_Any",
    description="A reference to an entity, as gateways write it: an object with `__typename` and the fields of the key: `id`.",
    serialize=lambda value: value,
    parse_value=lambda value: value,
)

FEDERATION_SCALARS: dict[object, type | ScalarWrapper | ScalarDefinition] = {FederationAny: ANY}
"""Strawberry's own scalar for references has no description."""


def references(representations: list[FederationAny]) -> list[tuple[str, str]]:
    """Return type and id of each reference of a gateway; what else it carries is nothing to us.

    Raises:
        BadInput: for more than a page of them, and for what is no reference to an entity of ours.
    """
    if len(representations) > MAX_PAGE_SIZE:
        message = f"At most {MAX_PAGE_SIZE} entities can be asked for at once; there are {len(representations)}."
        raise BadInput(message)
    return [_reference(number, one) for number, one in enumerate(representations)]


def _reference(number: int, representation: object) -> tuple[str, str]:
    given = representation if isinstance(representation, dict) else {}
    type_, id_ = given.get("__typename"), given.get("id")
    if not isinstance(type_, str) or type_ not in ENTITIES:
        message = f"Representation {number} names no entity of this subgraph. Its __typename is one of {', '.join(ENTITIES)}."
        raise BadInput(message)
    if not isinstance(id_, str):
        message = f"Representation {number} has no id. Send the id of the {type_} as a string; it is the key."
        raise BadInput(message)
    return type_, id_
