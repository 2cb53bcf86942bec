"""The variables of an operation: what is plainly right is taken, all else is left to graphql-core and its words for it."""

import math
from collections.abc import Callable, Mapping, Sequence
from enum import Enum
from functools import cached_property
from typing import Any

from graphql import (
    GraphQLBoolean,
    GraphQLEnumType,
    GraphQLError,
    GraphQLFloat,
    GraphQLID,
    GraphQLInputField,
    GraphQLInputObjectType,
    GraphQLInputType,
    GraphQLInt,
    GraphQLSchema,
    GraphQLString,
    OperationDefinitionNode,
    Undefined,
    VariableValues,
    is_list_type,
    is_non_null_type,
)
from graphql.execution.get_variable_signature import GraphQLVariableSignature, get_variable_signature
from graphql.execution.values import VariableValueSource
from graphql.utilities.coerce_input_value import coerce_default_value

Take = Callable[[Any], Any]
"""Returns a value as resolvers get it; Undefined for one that somebody has to look at more closely."""

_INTEGERS = range(-(2**31), 2**31)


class Variables:
    """The variables of one operation. What is plainly right is taken without graphql-core."""

    def __init__(self, schema: GraphQLSchema, operation: OperationDefinitionNode) -> None:
        self._all: list[_Variable] | None = []
        for definition in operation.variable_definitions or ():
            signature = get_variable_signature(schema, definition)
            if isinstance(signature, GraphQLError):
                self._all = None
                return
            self._all.append(_Variable(signature))

    def coerced(self, given: Mapping[str, Any]) -> VariableValues | None:
        """Return the values of the variables; None when graphql-core has to look at them."""
        if self._all is None:
            return None
        sources, coerced = {}, {}
        for one in self._all:
            value = given.get(one.name, Undefined)
            if value is Undefined:
                if one.is_required:
                    return None
                sources[one.name] = one.absent
                if one.default is not Undefined:
                    coerced[one.name] = one.default
                continue
            found = one.take(value)
            if found is Undefined:
                return None
            coerced[one.name] = found
            sources[one.name] = VariableValueSource(one.signature, value)
        return VariableValues(sources, coerced)


class _Variable:
    """One variable, with what of it does not depend on a call."""

    __slots__ = ("absent", "default", "is_required", "name", "signature", "take")

    def __init__(self, signature: GraphQLVariableSignature) -> None:
        self.name = signature.name
        self.signature = signature
        self.absent = VariableValueSource(signature)
        self.take = _take(signature.type)
        self.default: Any = Undefined
        self.is_required = is_non_null_type(signature.type)
        if signature.default is not None:
            try:
                self.default = coerce_default_value(signature)
            except Exception:  # noqa: BLE001  graphql-core says it, each time
                self.default = Undefined
            # A default that could be changed is made anew for each call, by graphql-core.
            self.is_required = not isinstance(self.default, str | int | float | Enum | None)


def _take(type_: GraphQLInputType) -> Take:
    """Return what takes the values of a type."""
    if is_non_null_type(type_):
        inner = _take(type_.of_type)
        return lambda value: Undefined if value is None else inner(value)
    if is_list_type(type_):
        each = _take(type_.of_type)

        def items(value: Any) -> Any:
            if value is None:
                return None
            if type(value) is not list:
                return Undefined
            taken = [each(item) for item in value]
            return Undefined if any(item is Undefined for item in taken) else taken

        return items
    if isinstance(type_, GraphQLInputObjectType):
        return _Objects(type_)
    if isinstance(type_, GraphQLEnumType):
        names = {name: type_.coerce_input_value(name) for name in type_.values}
        return lambda value: None if value is None else names.get(value, Undefined) if type(value) is str else Undefined
    fits = _FITTING.get(type_)
    if fits is None:
        return lambda value: None if value is None else Undefined
    return lambda value: value if value is None or fits(value) else Undefined


class _Objects:
    """Takes input objects: each field that is given by itself, in the order of the type."""

    def __init__(self, type_: GraphQLInputObjectType) -> None:
        self._type = type_
        self._left = type_.is_one_of or type_.out_type is not None
        self._names = type_.fields.keys()

    @cached_property
    def _fields(self) -> Sequence[tuple[str, str, Take, bool]]:
        # Only now: a type may hold itself.
        return [
            (name, field.out_name or name, _take(field.type), _is_left_out(field)) for name, field in self._type.fields.items()
        ]

    def __call__(self, value: Any) -> Any:
        """Return an object as resolvers get it; Undefined for one that is not plainly right."""
        if value is None:
            return None
        if self._left or type(value) is not dict or not self._names >= value.keys():
            return Undefined
        found = {}
        for name, out_name, take, may_be_left_out in self._fields:
            if name in value:
                taken = found[out_name] = take(value[name])
                if taken is Undefined:
                    return Undefined
            elif not may_be_left_out:
                return Undefined
        return found


def _is_left_out(field: GraphQLInputField) -> bool:
    """Say whether nothing stands in the place of a field that is not given: neither an error nor a default."""
    return not is_non_null_type(field.type) and field.default is None and field.default_value is Undefined


_FITTING: dict[object, Callable[[Any], bool]] = {
    GraphQLString: lambda value: type(value) is str,
    GraphQLID: lambda value: type(value) is str,
    GraphQLBoolean: lambda value: type(value) is bool,
    GraphQLInt: lambda value: type(value) is int and value in _INTEGERS,
    GraphQLFloat: lambda value: type(value) is float and math.isfinite(value),
}
"""Which values of which scalars stand for themselves."""
