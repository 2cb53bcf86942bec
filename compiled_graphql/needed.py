"""What an operation reads of the objects of a type, so that whoever loads them may leave the rest where it is."""

from collections.abc import Callable, Iterable, Sequence

from graphql import FieldNode

Needed = Callable[[str], frozenset[str] | None]
"""Returns what is read of the objects of the type of this name, None when that cannot be told."""


class SelectedNodes(list[FieldNode]):
    """The nodes of a field, as resolvers find them in ``info.field_nodes``, which know the whole operation."""

    __slots__ = ("needed",)

    def __init__(self, nodes: Iterable[FieldNode], needed: Needed) -> None:
        super().__init__(nodes)
        self.needed = needed


def is_compiled(nodes: Sequence[FieldNode]) -> bool:
    """Say whether these ``info.field_nodes`` are those of a compiled operation, which takes rows for objects."""
    return type(nodes) is SelectedNodes


def needed_of(nodes: Sequence[FieldNode], name: str) -> frozenset[str] | None:
    """Return what an operation reads anywhere of the objects of the type called *name*: what `NEEDS` says of its fields.

    *nodes* are those of a resolver's ``info.field_nodes``. None when everything may be: a field of the type says nothing, or
    the operation is not a compiled one.
    """
    return nodes.needed(name) if isinstance(nodes, SelectedNodes) else None
