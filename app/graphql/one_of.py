"""Inputs of which exactly one field is to be given (``@oneOf``), checked by graphql-core.

Strawberry keeps graphql-core from knowing them and checks them with a rule of its own, which raises KeyError at a variable
that is not defined, and AttributeError in a fragment that stands before its operation: an internal error for a client's
mistake. `OneOfVariables` takes its place.
"""

from typing import Any

from graphql import (
    GraphQLError,
    GraphQLInputObjectType,
    GraphQLSchema,
    NonNullTypeNode,
    OperationDefinitionNode,
    ValidationRule,
    get_named_type,
)


class OneOfVariables(ValidationRule):
    """Refuses variables that may be null in such an input. graphql-core's own rule misses them where the input is required."""

    def leave_operation_definition(self, operation: OperationDefinitionNode, *_: Any) -> None:
        """Look at the variables of one operation, wherever they are used."""
        defined = {one.variable.name.value: one for one in operation.variable_definitions or ()}
        for usage in self.context.get_recursive_variable_usages(operation):
            parent = None if usage.parent_type is None else get_named_type(usage.parent_type)
            definition = defined.get(usage.node.name.value)
            if definition is None or not isinstance(parent, GraphQLInputObjectType) or not parent.is_one_of:
                continue
            if not isinstance(definition.type, NonNullTypeNode):
                name = usage.node.name.value
                self.report_error(
                    GraphQLError(
                        f"Variable '${name}' may be null, and exactly one field of {parent.name} is given. "
                        f"Declare it with an exclamation mark.",
                        [definition, usage.node],
                    )
                )


def declare_one_of(schema: GraphQLSchema) -> None:
    """Tell graphql-core which inputs these are; it checks literals and variables then, and prints the directive."""
    for type_ in schema.type_map.values():
        if isinstance(type_, GraphQLInputObjectType):
            type_.is_one_of = type_.extensions["strawberry-definition"].is_one_of
