"""One execution: what all of its parts share."""

from typing import Any

from graphql import (
    Executor,
    FieldNode,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    VariableValues,
    get_argument_values,
)
from graphql.pyutils import Path

from compiled_graphql.contract import Watch
from compiled_graphql.failures import Failures


class Run:
    """One execution of an operation, with the reference executor for what that does once per field or less."""

    __slots__ = ("executor", "failures", "watch")

    def __init__(self, executor: Executor[Any], watch: Watch) -> None:
        self.executor = executor
        self.watch = watch
        self.failures = Failures()

    def arguments(self, definition: GraphQLField, node: FieldNode, variables: VariableValues) -> dict[str, Any]:
        """Return a field's arguments with these values of the *variables*, the same for all objects of a level.

        Raises:
            GraphQLError: a variable does not fit.
        """
        if not definition.args:
            return {}
        return get_argument_values(definition, node, variables, hide_suggestions=self.executor.hide_suggestions)

    def info(
        self, definition: GraphQLField, nodes: list[FieldNode], parent: GraphQLObjectType, path: Path
    ) -> GraphQLResolveInfo[Any]:
        """Return what a resolver learns of the place it is called for."""
        return self.executor.build_resolve_info(definition, nodes, parent, path)
