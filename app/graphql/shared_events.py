"""One event and many who watch: what the same operation makes of it is made once, and written as JSON once.

Shared is only what cannot differ between two callers: operations that read plain fields of the event, without arguments and
without directives, none of which asks who is calling. Whether a caller may watch at all was decided before there was an event.
"""

from collections.abc import Iterable, Mapping
from functools import cached_property
from typing import Any

import orjson
from graphql import (
    Executor,
    FieldNode,
    FragmentSpreadNode,
    GraphQLNamedType,
    GraphQLObjectType,
    InlineFragmentNode,
    OperationType,
    SelectionSetNode,
    get_named_type,
)

from compiled_graphql.contract import BATCH, READ
from core.by_identity import ByIdentity

MOST = 256
"""Answers that are kept: of as many events, or of fewer that are watched in several ways."""


class SharedData(dict[str, Any]):
    """The ``data`` of an answer that many are given. Nobody changes it."""

    @cached_property
    def encoded(self) -> orjson.Fragment:
        """It as JSON, written when it is first sent."""
        return orjson.Fragment(orjson.dumps(dict(self)))


def written(body: Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the body of an answer as orjson is to write it: with what is written already, where its data are shared."""
    data = body.get("data")
    return {**body, "data": data.encoded} if isinstance(data, SharedData) else body


class SharedEvents:
    """Knows what operations made of the last events."""

    def __init__(self) -> None:
        self._plain: ByIdentity[bool] = ByIdentity(MOST)
        self._made: ByIdentity[SharedData] = ByIdentity(MOST)

    def find(self, executor: Executor[Any]) -> SharedData | None:
        """Return what the operation has made of the event already; None when it has not, or when it has to be made anew."""
        return self._made.get(executor.operation, executor.root_value) if self._shares(executor) else None

    def keep(self, executor: Executor[Any], data: dict[str, Any] | None) -> dict[str, Any] | None:
        """Keep what the operation made of the event, if others may be given the same, and return it."""
        if data is None or not self._shares(executor):
            return data
        return self._made.put(SharedData(data), executor.operation, executor.root_value)

    def _shares(self, executor: Executor[Any]) -> bool:
        if executor.operation.operation is not OperationType.SUBSCRIPTION:
            return False
        known = self._plain.get(executor.operation, executor.fragments)
        if known is None:
            known = self._plain.put(_is_plain(executor), executor.operation, executor.fragments)
        return known


def _is_plain(executor: Executor[Any]) -> bool:
    root = executor.schema.subscription_type
    if root is None or executor.operation.directives:
        return False
    fields = executor.operation.selection_set.selections
    # What the only field of a subscription is given decides which events there are, not what they look like.
    return len(fields) == 1 and all(
        isinstance(field, FieldNode)
        and not field.directives
        and field.selection_set is not None
        and (definition := executor.schema.get_field(root, field.name.value)) is not None
        and _reads(executor, get_named_type(definition.type), field.selection_set)
        for field in fields
    )


def _reads(executor: Executor[Any], type_: GraphQLNamedType | None, selections: SelectionSetNode | None) -> bool:
    """Say whether a selection of a type's fields does no more than to read them; of interfaces and unions nobody knows."""
    if selections is None:
        return True
    return isinstance(type_, GraphQLObjectType) and all(
        not selection.directives and all(_inside(executor, type_, selection)) for selection in selections.selections
    )


def _inside(executor: Executor[Any], type_: GraphQLObjectType, selection: object) -> Iterable[bool]:
    if isinstance(selection, FragmentSpreadNode):
        fragment = executor.fragments[selection.name.value].definition
        yield fragment.type_condition.name.value == type_.name
        yield _reads(executor, type_, fragment.selection_set)
    elif isinstance(selection, InlineFragmentNode):
        yield selection.type_condition is None or selection.type_condition.name.value == type_.name
        yield _reads(executor, type_, selection.selection_set)
    elif isinstance(selection, FieldNode) and selection.name.value != "__typename":
        definition = executor.schema.get_field(type_, selection.name.value)
        yield definition is not None and READ in definition.extensions and BATCH not in definition.extensions
        yield not selection.arguments
        yield definition is None or _reads(executor, get_named_type(definition.type), selection.selection_set)
