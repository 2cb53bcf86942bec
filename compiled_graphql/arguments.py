"""The arguments of selected fields: what does not depend on a call is worked out in the first one."""

from typing import Any

from graphql import FieldNode, GraphQLField, Node, VariableNode, VariableValues, Visitor, is_non_null_type, visit

from compiled_graphql.run import Run


class Arguments:
    """The arguments of one field, as it is selected."""

    __slots__ = ("_definition", "_fixed", "_node", "_open")

    def __init__(self, definition: GraphQLField, node: FieldNode) -> None:
        self._definition = definition
        self._node = node
        self._open = _variables(definition, node)
        self._fixed: dict[str, Any] | None = None

    def of(self, run: Run, variables: VariableValues | None = None) -> dict[str, Any]:
        """Return the arguments, the same for all objects of a level; with the operation's own *variables*, or with others.

        Raises:
            GraphQLError: a variable does not fit.
        """
        if variables is None:
            variables = run.executor.variable_values
        if self._fixed is None or self._open is None:
            return self._of_all(run, variables)
        if not self._open:
            return self._fixed.copy()
        found, given = self._fixed.copy(), variables.coerced
        for name, variable, nullable in self._open:
            value = given.get(variable)
            if value is None and (not nullable or variable not in given):
                # Left out or not allowed: there are rules for that.
                return self._of_all(run, variables)
            found[name] = value
        return found

    def _of_all(self, run: Run, variables: VariableValues) -> dict[str, Any]:
        found = run.arguments(self._definition, self._node, variables)
        if self._fixed is None and self._open is not None:
            variable = {name for name, _, _ in self._open}
            self._fixed = {name: value for name, value in found.items() if name not in variable}
        return found


class _None(Arguments):
    """Those of a field that takes none."""

    __slots__ = ()

    def __init__(self) -> None:
        pass

    def of(self, run: Run, variables: VariableValues | None = None) -> dict[str, Any]:  # noqa: ARG002  as all others
        """Return none."""
        return {}


NO_ARGUMENTS = _None()


def _variables(definition: GraphQLField, node: FieldNode) -> tuple[tuple[str, str, bool], ...] | None:
    """Return for each argument that is a variable as a whole its name, the variable's, and whether it may be null.

    None when there are variables inside of others.
    """
    found = []
    for argument in node.arguments or ():
        defined = definition.args.get(argument.name.value)
        if isinstance(argument.value, VariableNode) and defined is not None:
            name = defined.out_name or argument.name.value
            found.append((name, argument.value.name.value, not is_non_null_type(defined.type)))
        elif variables_in(argument.value):
            return None
    return tuple(found)


def variables_in(node: Node) -> set[str]:
    """Return the names of the variables anywhere inside *node*."""
    seen = _Variables()
    visit(node, seen)
    return seen.names


class _Variables(Visitor):
    def __init__(self) -> None:
        super().__init__()
        self.names: set[str] = set()

    def enter_variable(self, node: VariableNode, *_: Any) -> None:
        self.names.add(node.name.value)
