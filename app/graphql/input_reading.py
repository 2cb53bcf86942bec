"""How inputs become objects: worked out once for each input type.

Strawberry works it out anew for each value: the name of each field, and what its type is. Creating a customer with an address
spent a fifth of its time there. Types that tell an absent field from null (`strawberry.Maybe`), and all that hold one, are left
to Strawberry.
"""

from collections.abc import Callable, Mapping
from dataclasses import MISSING
from typing import Any

from graphql import GraphQLInputObjectType
from strawberry import UNSET
from strawberry.relay import GlobalID
from strawberry.scalars import is_scalar
from strawberry.schema import Schema
from strawberry.schema.schema_converter import GraphQLCoreConverter
from strawberry.types.base import (
    StrawberryList,
    StrawberryMaybe,
    StrawberryObjectDefinition,
    StrawberryOptional,
    has_object_definition,
)
from strawberry.types.enum import StrawberryEnumDefinition, has_enum_definition

Convert = Callable[[Any], Any]

_DEFINITION = GraphQLCoreConverter.DEFINITION_BACKREF


class _LeftToStrawberry(Exception):
    """A type is not of the kind that is read here."""


def read_inputs_quickly(schema: Schema) -> None:
    """Give each input type of *schema* that allows it a way to be read that is worked out now."""
    served = schema._schema  # noqa: SLF001  Strawberry has no public way to the schema it builds
    reading = _Reading(schema)
    for type_ in served.type_map.values():
        definition = type_.extensions.get(_DEFINITION)
        if isinstance(type_, GraphQLInputObjectType) and isinstance(definition, StrawberryObjectDefinition):
            reading.declare(definition)


class _Reading:
    """Works out how the inputs of a schema are read."""

    def __init__(self, schema: Schema) -> None:
        self._name_of = schema.config.name_converter.from_field
        self._scalars = schema.schema_converter.scalar_registry
        self._known: dict[type, Convert | None] = {}

    def declare(self, definition: StrawberryObjectDefinition) -> None:
        """Let values of a type be read quickly, if they can."""
        try:
            convert = self._object(definition)
        except _LeftToStrawberry:
            return
        definition.from_input = lambda _class, value, _context: convert(value)

    def _object(self, definition: StrawberryObjectDefinition) -> Convert:
        origin = definition.origin
        if origin not in self._known:
            self._known[origin] = None  # one that holds itself
            self._known[origin] = self._read(definition)
        known = self._known[origin]
        if known is None:
            raise _LeftToStrawberry
        return known

    def _read(self, definition: StrawberryObjectDefinition) -> Convert:
        if definition.is_one_of:
            raise _LeftToStrawberry
        origin = definition.origin
        fields = {
            self._name_of(field): (field.python_name, self._of(field.resolve_type(type_definition=definition)))
            for field in definition.fields
        }
        # As in Strawberry: what has no default of its own, and may be left out, is None.
        blank = {
            field.python_name: None
            for field in definition.fields
            if field.default_value is MISSING and field.default_factory is MISSING
        }

        def read(value: Mapping[str, Any]) -> Any:
            given = {**blank}
            for name, part in value.items():
                field, convert = fields[name]
                given[field] = part if convert is None or part is None or part is UNSET else convert(part)
            return origin(**given)

        return read

    def _of(self, type_: Any) -> Convert | None:
        """Return what converts values of a type; None for those that are what they should be already."""
        if isinstance(type_, StrawberryMaybe):
            raise _LeftToStrawberry
        if isinstance(type_, StrawberryOptional):
            return self._of(type_.of_type)
        if isinstance(type_, StrawberryList):
            each = self._of(type_.of_type)
            # A copy, as in Strawberry: a default would be everybody's.
            return list if each is None else lambda values: [None if value is None else each(value) for value in values]
        if isinstance(type_, StrawberryEnumDefinition) or has_enum_definition(type_):
            return None
        if has_object_definition(type_):
            return self._object(type_.__strawberry_definition__)
        if is_scalar(type_, self._scalars) and type_ is not GlobalID:
            return None
        raise _LeftToStrawberry
