"""What every type with an id has in common."""

from collections.abc import Callable
from typing import Any, TypeVar

import strawberry

from models.base import StoredModel

N = TypeVar("N", bound="type[Node]")

_PRESENTERS: dict[type[StoredModel], Callable[[Any], "Node"]] = {}


@strawberry.interface(description="Anything that can be found again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Opaque, and the same in GraphQL, REST, events and the database; the prefix says what it names."
    )


def presents(model: type[StoredModel]) -> Callable[[N], N]:
    """Declare that a type is how clients see *model*; its ``from_model`` makes one from the other."""

    def declare(node: N) -> N:
        _PRESENTERS[model] = node.from_model  # type: ignore[attr-defined]  # every such type has one
        return node

    return declare


def present(record: StoredModel) -> Any:  # the type that presents the record, which types may not import in a circle
    """Return a stored record as clients see it."""
    return _PRESENTERS[type(record)](record)
