"""What an operation says of itself: whether it can be compiled, and what its variables decide."""

from collections.abc import Iterator
from typing import Any

from graphql import (
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
)

from compiled_graphql.arguments import variables_in
from compiled_graphql.contract import Unsupported

MAX_DEPTH = 50
"""Of selections inside selections. A level takes up to a dozen of Python's thousand frames."""


class Survey:
    """Looks at an operation, and at each fragment it uses once."""

    def __init__(self, operation: OperationDefinitionNode, fragments: dict[str, FragmentDefinitionNode]) -> None:
        self._operation = operation
        self._fragments = fragments
        self._depths: dict[str, int] = {}
        self._deciding: dict[str, None] = {}

    def deciding(self) -> tuple[str, ...]:
        """Return the variables that decide what is selected.

        Raises:
            Unsupported: there is something that only the reference executor does.
        """
        if self._operation.operation is OperationType.SUBSCRIPTION:
            raise Unsupported("subscription")
        if self._operation.directives:
            raise Unsupported("directive")
        if self._depth(self._operation.selection_set) > MAX_DEPTH:
            raise Unsupported("depth")
        return tuple(self._deciding)

    def shared(self) -> tuple[str, ...]:
        """Return the variables that stand anywhere but in arguments of the operation's own fields."""
        found: set[str] = set()
        for one in self._operation.selection_set.selections:
            inside = [*(one.directives or ()), one.selection_set] if isinstance(one, FieldNode) else [one]
            found.update(*(variables_in(node) for node in inside if node is not None))
        return tuple(sorted(found.union(*map(variables_in, self._fragments.values()))))

    def _depth(self, selections: SelectionSetNode) -> int:
        return 1 + max((self._depth_of(one) for one in selections.selections), default=0)

    def _depth_of(self, selection: Any) -> int:
        self._directives(selection)
        if isinstance(selection, FragmentSpreadNode):
            return self._depth_of_fragment(selection.name.value)
        if isinstance(selection, InlineFragmentNode):
            return self._depth(selection.selection_set)
        if isinstance(selection, FieldNode):
            if selection.name.value in {"__schema", "__type"}:
                raise Unsupported("introspection")
            if selection.selection_set is not None:
                return self._depth(selection.selection_set)
        return 0

    def _depth_of_fragment(self, name: str) -> int:
        if name not in self._depths:
            fragment = self._fragments.get(name)
            if fragment is None or fragment.variable_definitions:
                raise Unsupported("fragment")
            self._depths[name] = MAX_DEPTH  # until it is known: a cycle, which validation refuses, is too deep
            self._depths[name] = self._depth(fragment.selection_set)
        return self._depths[name]

    def _directives(self, selection: Any) -> None:
        for directive in selection.directives or ():
            if directive.name.value not in {"skip", "include"}:
                raise Unsupported("directive")
            self._deciding.update((name, None) for name in _of_directive(directive.arguments))


def _of_directive(arguments: Any) -> Iterator[str]:
    for argument in arguments or ():
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value
