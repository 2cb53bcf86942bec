"""Operations, compiled: what can be worked out once is worked out once, and the rest runs a level at a time."""

from collections import OrderedDict
from collections.abc import Hashable, Iterator, Sequence
from enum import Enum
from functools import cached_property, partial
from typing import Any

from graphql import (
    DocumentNode,
    ExecutionResult,
    Executor,
    FragmentDefinitionNode,
    GraphQLError,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    OperationType,
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

from compiled_graphql.calls import Calls
from compiled_graphql.completion import completer
from compiled_graphql.contract import CALLS, NEEDS, Unsupported, Unwatched, Watch
from compiled_graphql.failures import Failed
from compiled_graphql.fields import Completer, SelectedField
from compiled_graphql.places import Level
from compiled_graphql.run import Run
from compiled_graphql.selection import Selection
from compiled_graphql.survey import Survey
from compiled_graphql.variables import Variables

MAX_SHAPES = 16
"""Forms of one operation that are kept: each set of values of the variables in its ``@skip`` and ``@include`` is one."""

_BUILT_WITH = frozenset(("middleware", "max_coercion_errors"))
"""Arguments that graphql-core's ``build`` looks at, and executors do not take."""

_UNWATCHED = Unwatched()
_NOTHING: frozenset[str] = frozenset()


_ABSENT = object()
_COMPARED_BY_VALUE = str | int | float | Enum | None
"""What two calls can be compared by, of variables that are not their own."""


class Call:
    """A call of an operation that can be executed together with all others that are `alike`."""

    __slots__ = ("alike", "selection", "variables")

    def __init__(self, selection: Selection, variables: VariableValues, alike: Hashable) -> None:
        self.selection = selection
        self.variables = variables
        self.alike = alike


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
        self._survey = Survey(self._operation, definitions)
        self._deciding = self._survey.deciding()
        self._definitions = definitions
        self._variables = Variables(schema, self._operation)
        self._fragments = {name: FragmentDetails(definition) for name, definition in definitions.items()}
        self._shapes: OrderedDict[tuple[object, ...], _Shape] = OrderedDict()

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
            selection = self._shape(executor.variable_values).root
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

    @cached_property
    def _shared(self) -> tuple[str, ...]:
        return self._survey.shared()

    def call(self, variable_values: dict[str, Any] | None) -> Call | None:
        """Return what can be executed together with others; None for what has to be executed by itself.

        Two calls are alike when they differ in nothing but variables in arguments of root fields that have `CALLS`. Whether
        they may share an answer otherwise, by who calls above all, is for the caller to say.
        """
        variables = self._variables.coerced(variable_values or {}) if self.type is OperationType.QUERY else None
        if variables is None:
            return None
        coerced = variables.coerced
        shared = [coerced.get(name, _ABSENT) for name in self._shared]
        if not all(value is _ABSENT or isinstance(value, _COMPARED_BY_VALUE) for value in shared):
            return None
        try:
            shape = self._shape(variables)
        except GraphQLError:
            return None
        # With their types: true is 1 for Python.
        return Call(shape.root, variables, tuple((type(value), value) for value in shared)) if shape.is_shared else None

    async def execute_together(
        self,
        calls: Sequence[Call],
        root_value: Any = None,
        context_value: Any = None,
        *,
        executor_class: type[Executor[Any]] = Executor,
        watch: Watch = _UNWATCHED,
        **executor_arguments: Any,
    ) -> list[Any] | None:
        """Return the data of each of several calls that are alike; ``info.variable_values`` are those of the first.

        None when there is an error anywhere: each has to be executed by itself then, to have its own.

        Raises:
            Exception: whatever *watch* raises.
        """
        variables = [one.variables for one in calls]
        run = Run(self._made(executor_class, root_value, context_value, variables[0], executor_arguments), watch)
        column = calls[0].selection.objects(run, Calls(root_value, variables), Level())
        data = column if isinstance(column, list) else await column.values()
        return None if run.failures.any else data

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
        return self._made(class_, root_value, context_value, variables, more)

    def _made(
        self,
        class_: type[Executor[Any]],
        root_value: Any,
        context_value: Any,
        variables: VariableValues,
        more: dict[str, Any],
    ) -> Executor[Any]:
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

    def _shape(self, variables: VariableValues) -> "_Shape":
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
        shape = _Shape(self._schema, self._operation, self._fragments, VariableValues(sources, values))
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
        self.root = self._root()

    def needed(self, name: str) -> frozenset[str] | None:
        """Return what is read of the objects of a type anywhere in the operation, None when that cannot be told."""
        if self._needed is None:
            self._needed = {}
            self._survey(self.root)
        return self._needed.get(name)

    @cached_property
    def is_shared(self) -> bool:
        """Whether one execution can serve several calls, so that no resolver learns whose object it is given."""
        fields = self.root.fields
        return all(one.name == "__typename" or CALLS in one.definition.extensions for one in fields) and all(
            field.is_shared for one in fields for field in self._below(one)
        )

    def _root(self) -> Selection:
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
            for inside in self._selections_of(field):
                self._survey(inside)

    def _below(self, field: SelectedField) -> Iterator[SelectedField]:
        for inside in self._selections_of(field):
            for one in inside.fields:
                yield one
                yield from self._below(one)

    def _selections_of(self, field: SelectedField) -> Iterator[Selection]:
        """Yield what is selected of the objects of each type that a field may return."""
        inner = get_named_type(field.definition.type)
        for type_ in self._schema.get_possible_types(inner) if is_abstract_type(inner) else [inner]:
            if isinstance(type_, GraphQLObjectType):
                yield self._inside(field.details, type_)

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
