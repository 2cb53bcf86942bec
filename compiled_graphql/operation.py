"""Operations, compiled: what can be worked out once is worked out once, and the rest runs a level at a time."""

from collections import OrderedDict
from collections.abc import Iterator
from functools import partial
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    Executor,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
    SelectionSetNode,
    VariableNode,
    VariableValues,
    default_field_resolver,
    default_type_resolver,
    get_named_type,
    is_abstract_type,
)
from graphql.execution.collect_fields import (
    FieldDetailsList,
    FragmentDetails,
    GroupedFieldSet,
    collect_fields,
    collect_subfields,
)

from compiled_graphql.completion import completer
from compiled_graphql.contract import NEEDS, Unsupported, Unwatched, Watch
from compiled_graphql.failures import Failed
from compiled_graphql.fields import Completer, SelectedField
from compiled_graphql.places import Level
from compiled_graphql.run import Run
from compiled_graphql.selection import Selection
from compiled_graphql.variables import Variables

MAX_SHAPES = 16
"""Forms of one operation that are kept: each set of values of the variables in its ``@skip`` and ``@include`` is one."""

MAX_DEPTH = 50
"""Of selections inside selections. A level takes up to a dozen of Python's thousand frames."""

_BUILT_WITH = frozenset(("middleware", "max_coercion_errors"))
"""Arguments that graphql-core's ``build`` looks at, and executors do not take."""

_UNWATCHED = Unwatched()
_NOTHING: frozenset[str] = frozenset()


class CompiledOperation:
    """An operation of a validated document, ready to be executed any number of times, also at the same time."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode, name: str | None = None) -> None:
        """Compile the operation called *name*, or the only one.

        Raises:
            Unsupported: the reference executor has to execute it.
        """
        self._schema = schema
        self._document = document
        self._name = name
        self._operation = _operation(document, name)
        self.type = self._operation.operation
        definitions = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
        self._deciding = _Survey(self._operation, definitions).deciding()
        self._definitions = definitions
        self._variables = Variables(schema, self._operation)
        self._fragments = {name: FragmentDetails(definition) for name, definition in definitions.items()}
        self._shapes: OrderedDict[tuple[object, ...], Selection] = OrderedDict()

    async def execute(
        self,
        root_value: Any = None,
        context_value: Any = None,
        variable_values: dict[str, Any] | None = None,
        *,
        executor_class: type[Executor[Any]] = Executor,
        watch: Watch = _UNWATCHED,
        **executor_arguments: Any,
    ) -> ExecutionResult:
        """Return what graphql-core's ``execute`` would return, with errors in the order of the answer.

        *executor_class* coerces the variables, and makes the ``info`` of resolvers; it is given *executor_arguments* too.

        Raises:
            Exception: whatever *watch* raises.
        """
        executor = self._executor(executor_class, root_value, context_value, variable_values, executor_arguments)
        if isinstance(executor, list):
            return ExecutionResult(None, executor)
        try:
            selection = self._shape(executor.variable_values)
        except GraphQLError as error:
            return ExecutionResult(None, [error])
        run = Run(executor, watch)
        if self._operation.operation is OperationType.MUTATION:
            data = await selection.object_serially(run, root_value)
        else:
            column = selection.objects(run, [root_value], Level())
            (data,) = column if isinstance(column, list) else await column.values()
        if isinstance(data, Failed):
            run.failures.caught(data)
            data = None
        return ExecutionResult(data, run.failures.told() or None)

    def _executor(
        self,
        class_: type[Executor[Any]],
        root_value: Any,
        context_value: Any,
        variable_values: dict[str, Any] | None,
        more: dict[str, Any],
    ) -> "list[GraphQLError] | Executor[Any]":
        """Return what ``class_.build`` returns: without it, if the variables are plainly right, in a third of the time."""
        variables = None if not _BUILT_WITH.isdisjoint(more) else self._variables.coerced(variable_values or {})
        if variables is None:
            return class_.build(self._schema, self._document, root_value, context_value, variable_values, self._name, **more)
        return class_(
            self._schema,
            self._definitions,
            self._fragments,
            root_value,
            context_value,
            self._operation,
            variables,
            more.pop("field_resolver", None) or default_field_resolver,
            more.pop("type_resolver", None) or default_type_resolver,
            more.pop("subscribe_field_resolver", None) or default_field_resolver,
            **more,
        )

    def _shape(self, variables: VariableValues) -> Selection:
        """Return the operation as it is with these values for what its directives ask.

        Raises:
            GraphQLError: there is no root type, or a directive asks for null.
        """
        key: tuple[object, ...] = tuple(variables.coerced.get(name) for name in self._deciding)
        found = self._shapes.get(key)
        if found is not None:
            self._shapes.move_to_end(key)
            return found
        # Only these: what is kept must not hold on to anything else that somebody has sent.
        sources = {name: variables.sources[name] for name in self._deciding if name in variables.sources}
        values = {name: variables.coerced[name] for name in self._deciding if name in variables.coerced}
        shape = _Shape(self._schema, self._operation, self._fragments, VariableValues(sources, values)).root()
        self._shapes[key] = shape
        if len(self._shapes) > MAX_SHAPES:
            self._shapes.popitem(last=False)
        return shape


class _Shape:
    """An operation with fixed values for its ``@skip`` and ``@include``. Selections are made when they are first needed."""

    def __init__(
        self,
        schema: GraphQLSchema,
        operation: OperationDefinitionNode,
        fragments: dict[str, FragmentDetails],
        variables: VariableValues,
    ) -> None:
        self._schema = schema
        self._operation = operation
        self._fragments = fragments
        self._variables = variables
        self._needed: dict[str, frozenset[str] | None] | None = None

    def needed(self, name: str) -> frozenset[str] | None:
        """Return what is read of the objects of a type anywhere in the operation, None when that cannot be told."""
        if self._needed is None:
            self._needed = {}
            self._survey(self.root())
        return self._needed.get(name)

    def root(self) -> Selection:
        """Return what is selected of the root."""
        kind = self._operation.operation
        type_ = self._schema.get_root_type(kind)
        if type_ is None:
            raise GraphQLError(f"Schema is not configured to execute {kind.value} operation.", self._operation)
        return self._selection(
            type_, collect_fields(self._schema, self._fragments, self._variables, type_, self._operation).grouped_field_set
        )

    def _survey(self, selection: Selection) -> None:
        found = self._needed = self._needed or {}
        for field in selection.fields:
            if field.name == "__typename":
                continue
            known, more = found.get(field.parent.name, _NOTHING), field.definition.extensions.get(NEEDS)
            found[field.parent.name] = None if known is None or more is None else known | more
            inner = get_named_type(field.definition.type)
            for type_ in self._schema.get_possible_types(inner) if is_abstract_type(inner) else [inner]:
                if isinstance(type_, GraphQLObjectType):
                    self._survey(self._inside(field.details, type_))

    def _inside(self, details: FieldDetailsList, type_: GraphQLObjectType) -> Selection:
        collected = collect_subfields(self._schema, self._fragments, self._variables, self._operation, type_, details)
        return self._selection(type_, collected.grouped_field_set)

    def _names(self, details: FieldDetailsList, type_: str) -> frozenset[str]:
        object_type = self._schema.type_map.get(type_)
        if not isinstance(object_type, GraphQLObjectType):
            return _NOTHING
        return frozenset(field.name for field in self._inside(details, object_type).fields)

    def _selection(self, type_: GraphQLObjectType, grouped: GroupedFieldSet) -> Selection:
        fields: list[SelectedField] = []
        for key, details in grouped.items():
            definition = self._schema.get_field(type_, details[0].node.name.value)
            if definition is None:  # validation finds it; the reference executor leaves it out
                continue
            inside = partial(self._names, details)
            fields.append(SelectedField(key, len(fields), type_, details, definition, self._completer, self.needed, inside))
        return Selection(fields)

    def _completer(self, field: SelectedField) -> Completer:
        return completer(field, field.definition.type, partial(self._inside, field.details), self._schema)


class _Survey:
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
            self._deciding.update((name, None) for name in _variables(directive.arguments))


def _variables(arguments: Any) -> Iterator[str]:
    for argument in arguments or ():
        if isinstance(argument.value, VariableNode):
            yield argument.value.name.value


def _operation(document: DocumentNode, name: str | None) -> OperationDefinitionNode:
    """Return the operation called *name*, or the only one.

    Raises:
        Unsupported: there is none, or more than one, which is for the reference executor to say.
    """
    found = [
        one
        for one in document.definitions
        if isinstance(one, OperationDefinitionNode) and (name is None or (one.name is not None and one.name.value == name))
    ]
    if len(found) != 1:
        raise Unsupported("operation")
    return found[0]
