"""Selected fields: how their values are come by, for all objects of a level."""

from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from typing import Any

from graphql import (
    FieldNode,
    GraphQLEnumType,
    GraphQLField,
    GraphQLObjectType,
    GraphQLResolveInfo,
    get_nullable_type,
    is_leaf_type,
    is_non_null_type,
)
from graphql.execution.collect_fields import FieldDetailsList

from compiled_graphql.arguments import NO_ARGUMENTS, Arguments
from compiled_graphql.calls import Calls
from compiled_graphql.contract import BATCH, CALLS, IN_ROW, LEAVES_TRACE, READ, TAKES_ROWS, Promised, RowField
from compiled_graphql.leaves import quick
from compiled_graphql.needed import Inside, Needed, SelectedNodes
from compiled_graphql.places import FieldPlaces, Level
from compiled_graphql.rows import Rows, column_of, names_of
from compiled_graphql.run import Run
from compiled_graphql.waiting import Column, Later, Values, awaitables, awaited, outcome

_LOOK_EVERY = 64

_Ask = Callable[[Run, Sequence[Any], GraphQLResolveInfo[Any]], Any]
"""``(run, sources, info) -> values``: asks a field's batch function."""

Completer = Callable[[Run, Values, Any], Column]
"""``(run, values, places) -> column``: makes of a field's values what stands in the answer."""


class SelectedField:
    """A field of a selection set, with all the nodes that select it under one key."""

    __slots__ = (
        "_arguments",
        "_completer",
        "_deep",
        "_make_completer",
        "_names",
        "_nth",
        "_obtain",
        "_of_rows",
        "_quick",
        "_takes_rows",
        "_whole",
        "definition",
        "details",
        "in_row",
        "key",
        "nodes",
        "nullable",
        "parent",
    )

    def __init__(
        self,
        key: str,
        nth: int,
        parent: GraphQLObjectType,
        details: FieldDetailsList,
        definition: GraphQLField,
        make_completer: "Callable[[SelectedField], Completer]",
        needed: Needed,
        inside: Inside,
    ) -> None:
        self.key = key
        self.parent = parent
        self.definition = definition
        self.details = details
        self.nodes: list[FieldNode] = SelectedNodes((one.node for one in details), needed, inside)
        self.nullable = not is_non_null_type(definition.type)
        self._make_completer = make_completer
        self._completer: Completer | None = None
        self._nth = nth
        self._arguments = Arguments(definition, self.nodes[0]) if definition.args else NO_ARGUMENTS
        self._deep = False
        self.in_row: RowField | None = definition.extensions.get(IN_ROW)
        self._of_rows = None if self.in_row is None else column_of(self.in_row)
        self._takes_rows = bool(definition.extensions.get(TAKES_ROWS)) or self.name == "__typename"
        self._obtain = self._how()
        type_ = get_nullable_type(definition.type)
        self._quick = quick(type_, nullable=self.nullable) if is_leaf_type(type_) else None
        self._whole = self._at_once()
        self._names = (
            names_of(self.in_row, self._quick)
            if self.in_row is not None and self._quick is not None and isinstance(type_, GraphQLEnumType)
            else None
        )

    @property
    def is_shared(self) -> bool:
        """Whether the field is come by alike for all objects, whichever of several operations they belong to."""
        extensions = self.definition.extensions
        if extensions.get(LEAVES_TRACE, False):
            return False
        return self.name == "__typename" or READ in extensions or BATCH in extensions or IN_ROW in extensions

    @property
    def name(self) -> str:
        """The name of the field in the schema."""
        return self.nodes[0].name.value

    def complete(self, run: Run, values: Values, places: FieldPlaces) -> Column:
        """Return what stands in the answer for values of the field."""
        if self._completer is None:
            # Most fields are leaves that are never looked at one by one.
            self._completer = self._make_completer(self)
        return self._completer(run, values, places)

    def column(self, run: Run, sources: Sequence[Any], level: Level) -> Column:
        """Return what stands in the answer under the field's key for each object of a level."""
        if type(sources) is Rows:
            return self._column_of_rows(run, sources, level)
        return self._column(run, sources, level)

    def _column_of_rows(self, run: Run, rows: Rows, level: Level) -> Column:
        if self._takes_rows:
            return self._column(run, rows, level)
        try:
            if self._of_rows is None:
                objects = rows.objects()
            else:
                if len(rows) > _LOOK_EVERY:
                    run.watch.look()
                if self._names is not None and (names := self._names(rows)) is not None:
                    return names
                found = self._of_rows(rows)
        except Exception as error:  # noqa: BLE001  whatever it is, it is the error of the field
            return self.complete(run, [error] * len(rows), self.places(level))
        if self._of_rows is None:
            return self._column(run, objects, level)
        if self._quick is not None and (column := self._quick(found)) is not None:
            return column
        return self.complete(run, found, self.places(level))

    def _column(self, run: Run, sources: Sequence[Any], level: Level) -> Column:
        if self._whole is not None and len(sources) <= _LOOK_EVERY:
            try:
                plain = self._whole(sources)
            except Exception:  # noqa: BLE001  it is met again below, with its source
                plain = None
            if plain is not None:
                return plain
        found = self._obtain(run, sources, level)
        if isinstance(found, Later):
            return found
        if self._quick is not None and (column := self._quick(found)) is not None:
            return column
        return self.complete(run, found, self.places(level))

    def places(self, level: Level) -> FieldPlaces:
        """Return the places of the field's values."""
        return FieldPlaces(level, self.key, self._nth, self.parent.name, nullable=self.nullable)

    def info(self, run: Run, places: FieldPlaces, row: int) -> GraphQLResolveInfo[Any]:
        """Return what a resolver learns of the place it is called for."""
        return run.info(self.definition, self.nodes, self.parent, places.path(row))

    def null_error(self) -> TypeError:
        """Return what is wrong with null here, or in a list here."""
        return TypeError(f"Cannot return null for non-nullable field {self.parent}.{self.name}.")

    def _how(self) -> Callable[[Run, Sequence[Any], Level], Column]:
        if self.name == "__typename":
            return lambda _run, sources, _level: [self.parent.name] * len(sources)
        extensions = self.definition.extensions
        if CALLS in extensions:
            return self._batched(self._asked_by_calls(extensions[CALLS]))
        if BATCH in extensions:
            return self._batched(self._asked_of_many(extensions[BATCH]))
        if READ in extensions:
            return self._read(extensions[READ])
        resolve = self.definition.resolve
        return self._by_default if resolve is None else self._resolved(resolve)

    def _at_once(self) -> Callable[[Sequence[Any]], Values | None] | None:
        """Return the shortest way from objects to a serialised column, for fields that are plainly read."""
        extensions, serialise = self.definition.extensions, self._quick
        if READ not in extensions or BATCH in extensions or serialise is None:
            return None
        read = extensions[READ]
        return lambda sources: serialise(list(map(read, sources)))

    def _read(self, read: Callable[[Any], Any]) -> Callable[[Run, Sequence[Any], Level], Column]:
        def some(sources: Sequence[Any]) -> Values:
            try:
                return list(map(read, sources))
            except Exception:  # noqa: BLE001  one of them, which is found below
                return [_tried(read, source) for source in sources]

        def values(run: Run, sources: Sequence[Any], _level: Level) -> Column:
            if len(sources) <= _LOOK_EVERY:
                return some(sources)
            found: Values = []
            for start in range(0, len(sources), _LOOK_EVERY):
                run.watch.look()
                found += some(sources[start : start + _LOOK_EVERY])
            return found

        return values

    def _by_default(self, run: Run, sources: Sequence[Any], level: Level) -> Column:
        """Do what graphql-core does for fields without a resolver."""
        name = self.name
        if self.definition.args:
            try:
                self._arguments.of(run)
            except Exception as error:  # noqa: BLE001  told for each object, as the reference executor does
                return [error] * len(sources)
        if {dict}.issuperset(map(type, sources)):
            values = [source.get(name) for source in sources]
        else:
            values = [_tried(lambda source: _attribute(source, name), source) for source in sources]
        if any(callable(value) for value in values):
            # What is found may be a method, which is called without its object.
            return self._resolved(lambda value, info, **given: value(info, **given) if callable(value) else value)(
                run, values, level
            )
        return self._perhaps_later(run, values, level)

    def _resolved(self, resolve: Callable[..., Any]) -> Callable[[Run, Sequence[Any], Level], Column]:
        def values(run: Run, sources: Sequence[Any], level: Level) -> Column:
            try:
                arguments = self._arguments.of(run)
            except Exception as error:  # noqa: BLE001  told for each object, as the reference executor does
                return [error] * len(sources)
            places = self.places(level)
            found: Values = []
            for row, source in enumerate(sources):
                if row % _LOOK_EVERY == 0:
                    run.watch.look()
                try:
                    found.append(resolve(source, self.info(run, places, row), **arguments))
                except Exception as error:  # noqa: BLE001  whatever a resolver raises is the error of its field
                    found.append(error)
            return self._perhaps_later(run, found, level)

        return values

    def _perhaps_later(self, run: Run, values: Values, level: Level) -> Column:
        if not awaitables(values):
            return values

        async def complete() -> Values:
            places = self.places(level)
            column = self.complete(run, await awaited(run.failures, places, values), places)
            return column if isinstance(column, list) else await column.values()

        return Later(complete, values)

    def _asked_of_many(self, many: Callable[..., Any]) -> _Ask:
        return lambda run, sources, info: many(sources, info, **self._arguments.of(run))

    def _asked_by_calls(self, of_calls: Callable[..., Any]) -> _Ask:
        arguments = self._arguments

        def ask(run: Run, sources: Sequence[Any], info: GraphQLResolveInfo[Any]) -> Any:
            if type(sources) is Calls:
                return of_calls([arguments.of(run, variables) for variables in sources.variables], info)
            return of_calls([arguments.of(run) for _ in sources], info)

        return ask

    def _batched(self, ask: _Ask) -> Callable[[Run, Sequence[Any], Level], Column]:
        def values(run: Run, sources: Sequence[Any], level: Level) -> Column:
            places = self.places(level)
            run.watch.look()
            try:
                found = ask(run, sources, self.info(run, places, 0))
            except Exception as error:  # noqa: BLE001  as above
                return [error] * len(sources)
            if type(found) is Promised:
                return self._promised(run, found, sources, places)
            waiting = awaitables([found])
            if not waiting:
                return self._as_many(found, sources)

            async def complete() -> Values:
                (all_,) = await awaited(run.failures, places, waiting)
                column = self.complete(run, self._as_many(all_, sources), places)
                return column if isinstance(column, list) else await column.values()

            return Later(complete, list(waiting))

        return values

    def _promised(self, run: Run, promised: Promised[Any], sources: Sequence[Any], places: FieldPlaces) -> Later:
        future = promised.future

        def finish() -> Column:
            values = outcome(future, promised.finish)
            if type(values) is Promised:
                return self._promised(run, values, sources, places)
            column = self.complete(run, self._as_many(values, sources), places)
            if isinstance(column, Later):
                self._deep = True
            return column

        async def complete() -> Values:
            with suppress(Exception):
                await future
            run.failures.resumed()
            column = finish()
            return column if isinstance(column, list) else await column.values()

        # Whose values wait again has a task of its own, lest it waits for its neighbours in between.
        return Later(complete, [future], None if self._deep else (future, finish))

    def _as_many(self, found: Any, sources: Sequence[Any]) -> Values:
        """Return what a batch function returned, if it is a value for each source, else its error for each of them."""
        if isinstance(found, Exception):
            return [found] * len(sources)
        if not isinstance(found, Sequence) or len(found) != len(sources):
            wanted = f"The batch function of {self.parent}.{self.name} has to return a sequence of {len(sources)} values"
            return [TypeError(f"{wanted}, one for each source.")] * len(sources)
        return list(found)


def _tried(read: Callable[[Any], Any], source: Any) -> Any:
    try:
        return read(source)
    except Exception as error:  # noqa: BLE001  whatever reading raises is the error of its field
        return error


def _attribute(source: Any, name: str) -> Any:
    return source.get(name) if isinstance(source, Mapping) else getattr(source, name, None)
