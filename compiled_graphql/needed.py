"""What an operation reads of the objects of a type, so that whoever loads them may leave the rest where it is."""

from collections.abc import Callable, Iterable, Sequence

from graphql import FieldNode

Needed = Callable[[str], frozenset[str] | None]
"""Returns what is read of the objects of the type of this name, None when that cannot be told."""


Inside = Callable[[str], frozenset[str]]
"""Returns which fields are selected of the objects of the type of this name that a field returns."""


class SelectedNodes(list[FieldNode]):
    """The nodes of a field, as resolvers find them in ``info.field_nodes``, which know the whole operation."""

    __slots__ = ("_inside", "_known", "needed")

    def __init__(self, nodes: Iterable[FieldNode], needed: Needed, inside: Inside) -> None:
        super().__init__(nodes)
        self.needed = needed
        self._inside = inside
        self._known: dict[str, frozenset[str]] | None = None

    def inside(self, name: str) -> frozenset[str]:
        """Return the names of the fields that are selected of objects of the type called *name*, which the field returns."""
        if self._known is None:
            self._known = {}
        if name not in self._known:
            self._known[name] = self._inside(name)
        return self._known[name]


def is_compiled(nodes: Sequence[FieldNode]) -> bool:
    """Say whether these ``info.field_nodes`` are those of a compiled operation, which takes rows for objects."""
    return type(nodes) is SelectedNodes


def needed_of(nodes: Sequence[FieldNode], name: str) -> frozenset[str] | None:
    """Return what an operation reads anywhere of the objects of the type called *name*: what `NEEDS` says of its fields.

    *nodes* are those of a resolver's ``info.field_nodes``. None when everything may be: a field of the type says nothing, or
    the operation is not a compiled one.
    """
    return nodes.needed(name) if isinstance(nodes, SelectedNodes) else None


def selected_of(nodes: Sequence[FieldNode], name: str) -> frozenset[str]:
    """Return which fields are selected of what a field returns, where that is of the type called *name*.

    *nodes* are those of the field's ``info.field_nodes``. Nothing when the operation is not a compiled one.
    """
    return nodes.inside(name) if isinstance(nodes, SelectedNodes) else frozenset()
