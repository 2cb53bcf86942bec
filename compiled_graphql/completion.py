"""From what resolvers return to what stands in the answer: leaves, lists, objects, and objects of several types."""

from collections.abc import AsyncIterable, Callable, Sequence
from functools import partial
from itertools import accumulate, pairwise
from types import NoneType
from typing import Any

from graphql import (
    GraphQLAbstractType,
    GraphQLError,
    GraphQLLeafType,
    GraphQLList,
    GraphQLObjectType,
    GraphQLOutputType,
    GraphQLResolveInfo,
    GraphQLSchema,
    Undefined,
    default_type_resolver,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    is_list_type,
    is_non_null_type,
)
from graphql.pyutils import UndefinedType, inspect, is_iterable

from compiled_graphql.contract import CLASSES, ROWS, RowType
from compiled_graphql.failures import Failed, first
from compiled_graphql.fields import Completer, SelectedField
from compiled_graphql.leaves import quick, serialised
from compiled_graphql.places import ItemPlaces, Level, PickedPlaces, Places
from compiled_graphql.rows import Rows
from compiled_graphql.run import Run
from compiled_graphql.selection import Selection
from compiled_graphql.waiting import Column, Later, Values, awaitables, awaited, then, together

Select = Callable[[GraphQLObjectType], Selection]
"""Returns what a field selects of objects of a type."""

_PRESENT = object()


def completer(field: SelectedField, type_: GraphQLOutputType, select: Select, schema: GraphQLSchema) -> Completer:
    """Return what completes values of *type_*, which is the field's, or that of items of its lists."""
    inner = get_nullable_type(type_)
    if is_list_type(inner):
        return _Lists(field, inner, completer(field, inner.of_type, select, schema))
    if is_leaf_type(inner):
        return _leaves(field, inner, nullable=not is_non_null_type(type_))
    if is_abstract_type(inner):
        return _Abstract(field, inner, select, schema)
    return _Objects(field, inner, select)  # type: ignore[arg-type]  # nothing else is left


def _instead(run: Run, field: SelectedField, value: Any, places: Places, index: int) -> Any:
    """Return what stands in the answer instead of a value that is none or has failed, and `_PRESENT` for all others."""
    if value is None or value is Undefined:
        return None if places.nullable else run.failures.fail(places, index, field.null_error(), field.nodes)
    if isinstance(value, Exception):
        return run.failures.fail(places, index, value, field.nodes)
    if isinstance(value, Failed):
        return run.failures.settle(places, index, value)
    return _PRESENT


def _any_absent(types: set[type]) -> bool:
    return any(issubclass(type_, NoneType | UndefinedType | Exception | Failed) for type_ in types)


def _leaves(field: SelectedField, type_: GraphQLLeafType, *, nullable: bool) -> Completer:
    whole = quick(type_, nullable=nullable)

    def one(run: Run, value: Any, places: Places, index: int) -> Any:
        instead = _instead(run, field, value, places, index)
        if instead is not _PRESENT:
            return instead
        try:
            return serialised(type_, value)
        except Exception as error:  # noqa: BLE001  whatever a type raises is the error of the field
            return run.failures.fail(places, index, error, field.nodes)

    def complete(run: Run, values: Values, places: Places) -> Column:
        column = whole(values)
        return [one(run, value, places, index) for index, value in enumerate(values)] if column is None else column

    return complete


class _Lists:
    """Completes values that are lists, the items of all of them as one column."""

    def __init__(self, field: SelectedField, type_: GraphQLList[Any], items: Completer) -> None:
        self._field = field
        self._items = items
        self._nullable_items = not is_non_null_type(type_.of_type)

    def __call__(self, run: Run, values: Values, places: Places) -> Column:
        if {list}.issuperset(map(type, values)):
            lists = values
        elif any(issubclass(type_, AsyncIterable) for type_ in set(map(type, values))):
            return Later(lambda: self._collected(run, values, places), [])
        else:
            lists = [
                value if type(value) is list else self._as_list(run, value, places, index) for index, value in enumerate(values)
            ]
        starts = [0, *accumulate(len(one) if type(one) is list else 0 for one in lists)]
        inside = ItemPlaces(places, starts[:-1], nullable=self._nullable_items)
        flat = [item for one in lists if type(one) is list for item in one]
        before = run.failures.carried

        def parted(completed: Values) -> Values:
            parts = [completed[start:end] for start, end in pairwise(starts)]
            if run.failures.carried != before:
                parts = [self._settled(run, part, places, index) for index, part in enumerate(parts)]
            return [part if type(one) is list else one for one, part in zip(lists, parts, strict=True)]

        if not awaitables(flat):
            return then(self._items(run, flat, inside), parted)
        present = Later(lambda: awaited(run.failures, inside, flat), flat)
        return then(then(present, lambda found: self._items(run, found, inside)), parted)

    async def _collected(self, run: Run, values: Values, places: Places) -> Values:
        collected = [await _items_of(value) if isinstance(value, AsyncIterable) else value for value in values]
        run.failures.resumed()
        column = self(run, collected, places)
        return column if isinstance(column, list) else await column.values()

    def _as_list(self, run: Run, value: Any, places: Places, index: int) -> Any:
        """Return the items of an iterable as a list, and of anything else what stands in the answer instead."""
        instead = _instead(run, self._field, value, places, index)
        if instead is not _PRESENT:
            return instead
        try:
            if not is_iterable(value):
                name = f"{self._field.parent}.{self._field.name}"
                raise GraphQLError(f"Expected Iterable, but did not find one for field '{name}'.")  # noqa: TRY301  as any other
            return list(value)
        except Exception as error:  # noqa: BLE001  whatever an iterator raises is the error of the field
            return run.failures.fail(places, index, error, self._field.nodes)

    def _settled(self, run: Run, part: Values, places: Places, index: int) -> Any:
        if any(isinstance(item, Failed) for item in part):
            return run.failures.settle(places, index, first(part))
        return part


async def _items_of(value: AsyncIterable[Any]) -> Any:
    """Return the items of an async iterable, or what it raised."""
    try:
        return [item async for item in value]
    except Exception as error:  # noqa: BLE001  whatever an iterator raises is the error of the field
        return error


def _asked(run: Run, field: SelectedField, places: Places, values: Values, ask: Callable[[Any, Any], Any]) -> Column:
    """Return what *ask* says of each value and of its field's info; what it raises is among it."""
    found: Values = []
    for index, value in enumerate(values):
        try:
            found.append(ask(value, field.info(run, *places.field(index))))
        except Exception as error:  # noqa: BLE001  as the error of a resolver
            found.append(error)
    waiting = awaitables(found)
    return Later(lambda: awaited(run.failures, places, found), waiting) if waiting else found


class _Objects:
    """Completes values that are objects of one type."""

    def __init__(self, field: SelectedField, type_: GraphQLObjectType, select: Select) -> None:
        self._field = field
        self._type = type_
        self._select = select
        self._selection: Selection | None = None
        self._classes = frozenset(type_.extensions.get(CLASSES, ()))
        self._rows: RowType | None = type_.extensions.get(ROWS)

    def __call__(self, run: Run, values: Values, places: Places) -> Column:
        types = set(map(type, values))
        if self._rows is not None and self._rows.class_ in types:
            if len(types) == 1:
                return self._objects(run, Rows(values, self._rows.make), places)
        elif self._classes.issuperset(types) if self._classes else self._type.is_type_of is None and not _any_absent(types):
            return self._objects(run, values, places)
        column: Values = [_instead(run, self._field, value, places, index) for index, value in enumerate(values)]
        picked = [index for index, value in enumerate(column) if value is _PRESENT]
        sources = [values[index] for index in picked]
        return then(self._checked(run, sources, PickedPlaces(places, picked)), partial(_scattered, column, picked))

    def _checked(self, run: Run, sources: Values, places: Places) -> Column:
        """Return an object for each source that is one, null or an error for all others."""
        if self._rows is not None:
            types = set(map(type, sources))
            if types == {self._rows.class_}:
                return self._objects(run, Rows(sources, self._rows.make), places)
            sources = [self._rows.make(one) if type(one) is self._rows.class_ else one for one in sources]
        is_type_of = self._type.is_type_of
        if is_type_of is None or (self._classes and self._classes.issuperset(map(type, sources))):
            return self._objects(run, sources, places)

        def chosen(verdicts: Values) -> Column:
            column = [self._verdict(run, one, sources[index], places, index) for index, one in enumerate(verdicts)]
            picked = [index for index, value in enumerate(column) if value is _PRESENT]
            objects = self._objects(run, [sources[index] for index in picked], PickedPlaces(places, picked))
            return then(objects, partial(_scattered, column, picked))

        return then(_asked(run, self._field, places, sources, is_type_of), chosen)

    def _verdict(self, run: Run, verdict: Any, source: Any, places: Places, index: int) -> Any:
        if isinstance(verdict, Exception | Failed):
            return _instead(run, self._field, verdict, places, index)
        if verdict:
            return _PRESENT
        error = GraphQLError(f"Expected value of type '{self._type}' but got: {inspect(source)}.", self._field.nodes)
        return run.failures.fail(places, index, error, self._field.nodes)

    def _objects(self, run: Run, sources: Values, places: Places) -> Column:
        if not sources:
            return []
        if self._selection is None:
            self._selection = self._select(self._type)
        run.watch.count(len(sources))
        before = run.failures.carried

        def settled(objects: Values) -> Values:
            if run.failures.carried == before:
                return objects
            return [
                run.failures.settle(places, index, one) if isinstance(one, Failed) else one for index, one in enumerate(objects)
            ]

        return then(self._selection.objects(run, sources, Level(places)), settled)


class _Abstract:
    """Completes values that are objects of any of several types."""

    def __init__(self, field: SelectedField, type_: GraphQLAbstractType, select: Select, schema: GraphQLSchema) -> None:
        self._field = field
        self._type = type_
        self._select = select
        self._possible = {possible.name: possible for possible in schema.get_possible_types(type_)}
        self._by_class = {
            class_: name for name, possible in self._possible.items() for class_ in possible.extensions.get(CLASSES, ())
        }
        self._by_class |= {
            possible.extensions[ROWS].class_: name for name, possible in self._possible.items() if ROWS in possible.extensions
        }
        self._completers: dict[GraphQLObjectType, _Objects] = {}

    def __call__(self, run: Run, values: Values, places: Places) -> Column:
        column: Values = [_instead(run, self._field, value, places, index) for index, value in enumerate(values)]
        picked = [index for index, value in enumerate(column) if value is _PRESENT]
        sources = [values[index] for index in picked]
        inside = PickedPlaces(places, picked)
        resolve_type = self._type.resolve_type or default_type_resolver

        def ask(value: Any, info: GraphQLResolveInfo[Any]) -> Any:
            return resolve_type(value, info, self._type)

        known = [self._by_class.get(type(source)) for source in sources]
        names = _asked(run, self._field, inside, sources, ask) if None in known else known
        objects = then(names, lambda found: self._of_types(run, sources, inside, found))
        return then(objects, partial(_scattered, column, picked))

    def _of_types(self, run: Run, sources: Values, places: Places, names: Values) -> Column:
        """Return objects, made type by type."""
        column: Values = [None] * len(sources)
        groups: dict[GraphQLObjectType, list[int]] = {}
        for index, name in enumerate(names):
            if isinstance(name, Exception | Failed):
                column[index] = _instead(run, self._field, name, places, index)
                continue
            try:
                type_ = self._runtime_type(run, name, sources[index], places, index)
            except GraphQLError as error:
                column[index] = run.failures.fail(places, index, error, self._field.nodes)
            else:
                groups.setdefault(type_, []).append(index)
        parts: list[tuple[list[int], Column]] = []
        for type_, picked in groups.items():
            of_type = self._completers.setdefault(type_, _Objects(self._field, type_, self._select))
            inside = PickedPlaces(places, picked)
            parts.append((picked, of_type(run, [sources[index] for index in picked], inside)))
        later = [(picked, part) for picked, part in parts if isinstance(part, Later)]

        def joined(waited: Sequence[Values]) -> Values:
            found = iter(waited)
            for picked, part in parts:
                _scattered(column, picked, part if isinstance(part, list) else next(found))
            return column

        if not later:
            return joined([])

        async def together_joined() -> Values:
            return joined(await together(run.failures, Level(places), later))

        return Later(together_joined, [part for _, part in later])

    def _runtime_type(self, run: Run, name: Any, source: Any, places: Places, index: int) -> GraphQLObjectType:
        if isinstance(name, str) and name in self._possible:
            return self._possible[name]
        info = self._field.info(run, *places.field(index))
        return run.executor.ensure_valid_runtime_type(name, self._type, self._field.details, info, source)


def _scattered(column: Values, picked: Sequence[int], found: Values) -> Values:
    """Put what was *found* at the *picked* places of a column."""
    for index, value in zip(picked, found, strict=True):
        column[index] = value
    return column
