"""What every type with an id has in common."""

from collections.abc import Callable
from typing import Any, Self, TypeVar

import strawberry

from models.base import StoredModel

N = TypeVar("N", bound="type[Node]")

_PRESENTERS: dict[type[StoredModel], Callable[[Any], "Node"]] = {}


@strawberry.interface(description="Anything that can be found again by its id.")
class Node:
    id: strawberry.ID = strawberry.field(
        description="Opaque, and the same in GraphQL, REST, events and the database; the prefix says what it names."
    )

    @classmethod
    def taking_over(cls, record: StoredModel, **different: object) -> Self:
        """Return what presents *record*: every field of the same name as it is, and *different* for what is not.

        Naming 20 fields twice would be a second definition of the shape, and takes longer. What a type
        does not declare as a field is not shown, whatever the record has.
        """
        node = cls.__new__(cls)
        vars(node).update(vars(record), record=record, **different)
        return node


def presents(model: type[StoredModel]) -> Callable[[N], N]:
    """Declare that a type is how clients see *model*; its ``from_model`` makes one from the other."""

    def declare(node: N) -> N:
        _PRESENTERS[model] = node.from_model  # type: ignore[attr-defined]  # every such type has one
        return node

    return declare


def present(record: StoredModel) -> Any:  # the type that presents the record, which types may not import in a circle
    """Return a stored record as clients see it."""
    return _PRESENTERS[type(record)](record)
