"""What every type with an id has in common."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Self, TypeVar

import strawberry

from models.base import StoredModel
from models.row import Row, row_class
from models.stored import InRow, in_row

N = TypeVar("N", bound="type[Node]")

_TYPES: dict[type[Any], type["Node"]] = {}
"""By the classes of records and of rows, the types that present them."""


@dataclass(frozen=True, slots=True)
class Shown:
    """How a field of a type is made of one of its record's; what is *certain* is made of whatever stands there."""

    of: str
    by: Callable[[Any], Any]
    certain: bool = True


@strawberry.interface(description="Anything that can be found again by its id.")
class Node:
    presented: ClassVar[type[StoredModel] | None] = None
    """The model whose records it is made of by `from_model`, field by field; its rows can take its place then."""
    different: ClassVar[Mapping[str, Shown]] = {}
    uncertain: ClassVar[Sequence[Shown]] = ()

    id: strawberry.ID = strawberry.field(
        description="Opaque, and the same in GraphQL, REST, events and the database; the prefix says what it names."
    )

    @classmethod
    def from_model(cls, record: Any) -> Self:
        """Return what presents *record*: every field of the same name as it is, and `different` for what is not.

        Naming 20 fields twice would be a second definition of the shape, and takes longer. What a type
        does not declare as a field is not shown, whatever the record has.
        """
        node, found = cls.__new__(cls), vars(record)
        vars(node).update(found, record=record)
        for name, shown in cls.different.items():
            if shown.of in found:
                vars(node)[name] = shown.by(found[shown.of])
        return node

    @classmethod
    def from_row(cls, row: Row[Any]) -> Self:
        """Return what presents the record of *row*."""
        return cls.from_model(row.record)

    @classmethod
    def in_row(cls, name: str) -> InRow | None:
        """Return how a field, by its Python name, is read off rows, as `from_row` would show it. None for no such."""
        if cls.presented is None:
            return None
        if name in cls.different:
            return in_row(cls.presented, cls.different[name].of, cls.different[name].by)
        return in_row(cls.presented, name) if name in cls.presented.model_fields else None

    @classmethod
    def check(cls, row: Row[Any]) -> None:
        """Make sure that each field of *row* can be shown, as `from_row` would find out.

        Raises:
            Exception: what `from_row` would raise.
        """
        for shown in cls.uncertain:
            if shown.of in row:
                shown.by(row[shown.of])


def presents(model: type[StoredModel], **different: Shown) -> Callable[[N], N]:
    """Declare that a type is how clients see *model*; its fields are the record's of the same name but for the *different*."""

    def declare(node: N) -> N:
        node.presented, node.different = None if "from_model" in vars(node) else model, different
        node.uncertain = [shown for shown in different.values() if not shown.certain]
        _TYPES[model] = _TYPES[row_class(model)] = node
        return node

    return declare


def type_of(record: StoredModel | Row[Any]) -> type[Node]:
    """Return the type that presents a record or a row."""
    return _TYPES[type(record)]


def present(record: StoredModel) -> Any:  # the type that presents the record, which types may not import in a circle
    """Return a stored record as clients see it."""
    return _TYPES[type(record)].from_model(record)
