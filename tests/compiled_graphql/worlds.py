"""Small random schemas whose resolvers fail in every way there is, and random operations on them.

What a field of an object is depends on nothing but the world's seed, the object and the field, so that two executors that ask
in different orders find the same.
"""

import asyncio
import random
from collections.abc import Callable, Sequence
from enum import Enum
from typing import Any
from zlib import crc32

from graphql import GraphQLEnumType, GraphQLObjectType, GraphQLSchema, build_schema, get_named_type

from compiled_graphql.contract import BATCH, CALLS, CLASSES, READ

LEAVES = ("Int", "String", "Boolean", "ID", "Float", "Colour")
COMPOSITES = ("A", "B", "N", "U")
WAYS = ("attribute", "sync", "read")
WAYS_WITH_TASKS = (*WAYS, "async", "batch", "batch later", "either")
WAYS_TOGETHER = ("read", "batch", "batch later")
"""In which it does not matter whose object it is."""
MAX_ITEMS = 3


class Colour(Enum):
    RED = "red"
    GREEN = "green"


class Oops(Exception):
    """What goes wrong here."""


class Source:
    """An object of the world; its attributes are made when they are asked for."""

    def __init__(self, world: "World", id_: str, typename: str) -> None:
        self.world, self.id_, self.typename = world, id_, typename

    def __getattr__(self, name: str) -> Any:
        if name.startswith("_"):
            raise AttributeError(name)
        return self.world.value(self, name)

    def __repr__(self) -> str:
        return f"<{self.typename} {self.id_}>"


class SourceA(Source):
    """Always an A, and declared so."""


class World:
    """A schema and what its resolvers find."""

    def __init__(self, choose: random.Random, *, tasks: bool, ways: Sequence[str] = ()) -> None:
        self.seed = choose.randrange(2**16)
        self.trouble = choose.choice((0, 0, 5, 15, 30))
        self.tasks = tasks
        self._choose = choose
        self.sdl = self._described()
        self.ways = {
            f"{type_}.{field}": choose.choice(ways or (WAYS_WITH_TASKS if tasks else WAYS))
            for type_ in ("Query", "Mutation", "A", "B")
            for field in ("f1", "f2", "f3", "f4", f"{type_.lower()}1", f"{type_.lower()}2")
        }
        self.asks_types = choose.random() < 0.5

    def schema(self, *, batches: bool) -> GraphQLSchema:
        """Return the schema; with what the compiler may know, or without."""
        schema = build_schema(self.sdl)
        colour = schema.type_map["Colour"]
        assert isinstance(colour, GraphQLEnumType)
        for name, value in colour.values.items():
            value.value = Colour[name]
        colour.__dict__.pop("_value_lookup", None)
        for type_ in schema.type_map.values():
            if not isinstance(type_, GraphQLObjectType) or type_.name.startswith("__"):
                continue
            if type_.name == "A" and batches:
                type_.extensions[CLASSES] = (SourceA,)
            if self.asks_types and type_.name in {"A", "B"}:
                type_.is_type_of = self._is_type_of(type_.name)
            for name, field in type_.fields.items():
                way = self.ways.get(f"{type_.name}.{name}", "attribute")
                self._equip(field, name, way, batches=batches, at_root=type_.name in {"Query", "Mutation"})
        for name in ("N", "U"):
            abstract: Any = schema.type_map[name]
            abstract.resolve_type = self._resolve_type
        return schema

    def value(self, source: Any, field: str, x: Any = None) -> Any:
        """Return what a field of an object is, or raise what it fails with."""
        owner = "" if source is None else source.id_
        typename = "Query" if source is None else source.typename
        chance = random.Random(crc32(f"{self.seed} {owner} {field} {x}".encode()))
        type_ = self._types[f"{typename}.{field}"] if f"{typename}.{field}" in self._types else self._types[f"Mutation.{field}"]
        return self._make(chance, type_, f"{owner}/{field}{'' if x is None else x}")

    def _make(self, chance: random.Random, type_: str, id_: str) -> Any:
        if chance.randrange(100) < self.trouble:
            trouble = chance.randrange(5)
            if trouble == 0:
                raise Oops(f"raised at {id_}")
            if trouble == 1:
                return Oops(f"returned at {id_}")
            if trouble == 2:
                return None
            if trouble == 3:
                return object if self._named(type_) in LEAVES else 7
        type_ = type_.removesuffix("!")
        if type_.startswith("["):
            return self._list(chance, type_[1:-1], id_)
        if type_ in COMPOSITES:
            typename = type_ if type_ in {"A", "B"} else chance.choice(("A", "B"))
            return (SourceA if typename == "A" and chance.random() < 0.8 else Source)(self, id_, typename)
        leaves: dict[str, Callable[[], Any]] = {
            "Int": lambda: chance.choice((0, 7, -3, True, 4.0)),
            "String": lambda: chance.choice(("", "text", "ä", 5, True)),
            "Boolean": lambda: chance.choice((True, False, 1)),
            "ID": lambda: chance.choice(("id", 4)),
            "Float": lambda: chance.choice((1.5, 2, 0.1)),
            "Colour": lambda: chance.choice(tuple(Colour)),
        }
        return leaves[type_]()

    def _list(self, chance: random.Random, inner: str, id_: str) -> Any:
        items = []
        for number in range(chance.randrange(MAX_ITEMS + 1)):
            try:
                items.append(self._make(chance, inner, f"{id_}.{number}"))
            except Oops as error:
                items.append(error)
        form = chance.randrange(6)
        if form == 0:
            return tuple(items)
        if form == 1:
            return (item for item in items)
        if self.tasks and form == 2:
            return [_soon(item, chance.randrange(3)) if chance.random() < 0.5 else item for item in items]
        if self.tasks and form == 3:
            return _one_by_one(items)
        return items

    @staticmethod
    def _named(type_: str) -> str:
        return type_.replace("[", "").replace("]", "").replace("!", "")

    def _described(self) -> str:
        choose, self._types = self._choose, dict[str, str]()
        shared = {name: self._some_type() for name in ("f1", "f2", "f3", "f4")}
        lines = []
        for type_ in ("A", "B", "Query", "Mutation"):
            own = {f"{type_.lower()}1": self._some_type(), f"{type_.lower()}2": self._some_type(composite=True)}
            fields = {**shared, **own}
            self._types |= {f"{type_}.{name}": one for name, one in fields.items()}
            described = " ".join(f"{name}(x: Int = {choose.randrange(3)}): {one}" for name, one in fields.items())
            lines.append(f"type {type_}{' implements N' if type_ in {'A', 'B'} else ''} {{ {described} }}")
        common = " ".join(f"{name}(x: Int = 0): {one}" for name, one in shared.items())
        return "\n".join(["enum Colour { RED GREEN }", f"interface N {{ {common} }}", "union U = A | B", *lines])

    def _some_type(self, *, composite: bool = False) -> str:
        choose = self._choose
        name = choose.choice(COMPOSITES if composite or choose.random() < 0.4 else LEAVES)
        for _ in range(choose.choice((0, 0, 1, 1, 2))):
            name = f"[{name}{choose.choice(('', '!'))}]"
        return f"{name}{choose.choice(('', '', '!'))}"

    def _equip(self, field: Any, name: str, way: str, *, batches: bool, at_root: bool) -> None:
        def sync(source: Any, _info: Any, x: Any = None) -> Any:
            return self.value(source, name, x)

        async def later(source: Any, _info: Any, x: Any = None) -> Any:
            return await _soon(self.value(source, name, x), crc32(f"{source!r}".encode()) % 3)

        either = _either(later, sync)

        def many(sources: Sequence[Any], _info: Any, x: Any = None) -> list[Any]:
            return self._many(sources, name, x)

        async def many_later(sources: Sequence[Any], info: Any, x: Any = None) -> list[Any]:
            await asyncio.sleep(0)
            return many(sources, info, x)

        def read(source: Any) -> Any:
            return self.value(source, name)

        if way == "read":
            self._equip_to_be_read(field, read, batches=batches, at_root=at_root)
            return
        field.resolve = {"sync": sync, "async": later, "either": either, "batch": sync, "batch later": later}.get(way)
        if batches and way.startswith("batch"):
            in_batches = many if way == "batch" else many_later
            field.extensions[CALLS if at_root else BATCH] = self._of_calls(name, way) if at_root else in_batches
        if field.resolve is None and at_root:
            field.resolve = lambda source, _info, **_arguments: self.value(source, name)  # the root has no attributes

    @staticmethod
    def _equip_to_be_read(field: Any, read: Callable[[Any], Any], *, batches: bool, at_root: bool) -> None:
        field.resolve = lambda source, _info, **_arguments: read(source)
        if batches:
            field.extensions[READ] = read
            if at_root:
                field.extensions[CALLS] = lambda calls, _info: [_tried(read, None) for _ in calls]

    def _of_calls(self, name: str, way: str) -> Callable[..., Any]:
        def of_calls(calls: Sequence[dict[str, Any]], _info: Any) -> Any:
            found = [self._many([None], name, given.get("x"))[0] for given in calls]
            return _soon(found, 2) if way == "batch later" else found

        return of_calls

    def _many(self, sources: Sequence[Any], name: str, x: Any) -> list[Any]:
        found = []
        for source in sources:
            try:
                found.append(self.value(source, name, x))
            except Exception as error:  # noqa: BLE001  some sources are no objects at all
                found.append(error)
        return found

    def _resolve_type(self, value: Any, _info: Any, _abstract: Any) -> Any:
        typename = getattr(value, "typename", None)
        chance = crc32(f"{self.seed} {value!r}".encode()) % 100
        if self.trouble and not isinstance(value, SourceA) and chance < self.trouble // 3:
            if chance == 0:
                raise Oops(f"no type for {value!r}")
            return ("Query", "Nothing", 7, None)[chance % 4]
        return _soon(typename, chance % 2) if self.tasks and chance % 5 == 0 else typename

    def _is_type_of(self, typename: str) -> Callable[[Any, Any], Any]:
        def is_type_of(value: Any, _info: Any) -> Any:
            verdict = getattr(value, "typename", None) == typename
            return _soon(verdict, 1) if self.tasks and crc32(f"{value!r}".encode()) % 5 == 0 else verdict

        return is_type_of


def _tried(read: Callable[[Any], Any], source: Any) -> Any:
    try:
        return read(source)
    except Exception as error:  # noqa: BLE001  it is the value
        return error


def _either(later: Callable[..., Any], sync: Callable[..., Any]) -> Callable[..., Any]:
    def either(source: Any, info: Any, x: Any = None) -> Any:
        return (later if crc32(f"{source!r}".encode()) % 2 else sync)(source, info, x)

    return either


async def _soon(value: Any, turns: int) -> Any:
    for _ in range(turns):
        await asyncio.sleep(0)
    if isinstance(value, Oops) and turns == 1:
        raise value
    return value


async def _one_by_one(items: Sequence[Any]) -> Any:
    for item in items:
        await asyncio.sleep(0)
        yield item


class Operations:
    """Random operations on a schema: aliases, fragments, arguments, variables and directives."""

    def __init__(self, choose: random.Random, schema: GraphQLSchema) -> None:
        self._choose = choose
        self._schema = schema
        self._fragments: list[str] = []

    def document(self) -> str:
        """Return a document with one operation."""
        kind = self._choose.choice(("query", "query", "query", "mutation"))
        selections = self._selections("Query" if kind == "query" else "Mutation", 4)
        text = f"{{ {selections} }} {' '.join(self._fragments)}"
        known = {"$yes": "Boolean!", "$no": "Boolean = false", "$x": "Int"}
        declared = ", ".join(f"{name}: {type_}" for name, type_ in known.items() if name in text)
        return f"{kind} {f'({declared})' if declared else ''} {text}"

    def variables(self) -> dict[str, Any]:
        """Return values for its variables."""
        variables: dict[str, Any] = {"yes": self._choose.random() < 0.5}
        if self._choose.random() < 0.5:
            variables["no"] = self._choose.random() < 0.5
        if self._choose.random() < 0.7:
            variables["x"] = self._choose.choice((0, 1, None))
        return variables

    def _selections(self, typename: str, depth: int) -> str:
        choose = self._choose
        type_: Any = self._schema.type_map[typename]
        parts = []
        for _ in range(choose.randrange(1, 5)):
            roll = choose.random()
            if depth > 1 and roll < 0.15:
                parts.append(f"... on {typename}{self._directive()} {{ {self._selections(typename, depth - 1)} }}")
            elif depth > 1 and roll < 0.25:
                name = f"F{len(self._fragments)}"
                self._fragments.append("")
                self._fragments[int(name[1:])] = f"fragment {name} on {typename} {{ {self._selections(typename, depth - 1)} }}"
                parts.append(f"...{name}{self._directive()}")
            elif typename in {"N", "U"} and roll < 0.6:
                one = choose.choice(("A", "B"))
                inside = self._selections(one, depth - 1) if depth > 1 else "__typename"
                parts.append(f"... on {one}{self._directive()} {{ {inside} }}")
            elif typename == "U" or roll > 0.93:
                parts.append("__typename")
            else:
                parts.append(self._field(type_, choose.choice(list(type_.fields)), depth))
        return " ".join(parts)

    def _field(self, type_: Any, name: str, depth: int) -> str:
        # What a key stands for is told by the key, so that selections under one key can be merged.
        argument = self._choose.choice(("", "", "1", "x"))
        given = {"": "", "1": "(x: 1)", "x": "(x: $x)"}[argument]
        key = f"{name}{argument}: " if argument else ""
        inner = get_named_type(type_.fields[name].type).name
        inside = ""
        if inner in COMPOSITES:
            inside = "{ __typename }" if depth <= 1 else f"{{ {self._selections(inner, depth - 1)} }}"
        return f"{key}{name}{given}{self._directive()} {inside}"

    def _directive(self) -> str:
        return self._choose.choice(
            ("",) * 6 + (" @skip(if: $no)", " @include(if: $yes)", " @skip(if: $yes)", " @include(if: true)")
        )
