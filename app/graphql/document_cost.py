"""What an operation costs: the objects it may fetch, counted before it runs, with its variables.

Scalars and enums cost nothing, an object 1, an interface or a union what its most expensive type costs, a mutation 10. What
stands in a list costs that times the list's size: what `first` or `last` asks for, as many ids as are given, else
`ASSUMED_ITEMS`, and `MOST_ITEMS` inside another such list. A count costs `COUNT_COST`, a search `SEARCH_COST`. `@skip` and
`@include` lower nothing: what may be left out has to be affordable.

The document's part is worked out once (`compiled`). What is left for each call is a few multiplications.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLField,
    GraphQLList,
    GraphQLObjectType,
    GraphQLSchema,
    OperationDefinitionNode,
    SelectionSetNode,
    get_named_type,
    get_nullable_type,
    is_abstract_type,
    is_leaf_type,
    value_from_ast_untyped,
)

from app.graphql.list_sizes import ListSizes, Read, Variables, is_unsized
from core.errors import QueryTooComplex

MAX_COST = 1000
"""Of one operation: a page of 100 customers with their addresses and documents is 802. Shopify's and Hot Chocolate's limit."""

ASSUMED_ITEMS = 3
"""In a list that nobody gives a size for. Half of all customers have one address and no document, hardly one has five."""

MOST_ITEMS = 100
"""In such a list inside another one. Whoever comes back to a customer by way of its addresses finds nothing new, but as many
addresses again: with 45 of them, three rounds were 91,000 objects for 79 points. 100 is the most a customer may have."""

COUNT_COST = 150
"""Of a ``totalCount``, which reads the whole list: 0.1 to 0.9 s with 120,000 customers."""

SEARCH_COST = 50
"""Of a filter by words or tags, which may read far more than the page it finds."""

MUTATION_COST = 10
"""A mutation is a transaction with history, outbox and indexes; the figure is Shopify's."""

_SEARCHED_BY = ("search", "tags")
"""Conditions of a filter that cost `SEARCH_COST`."""


class TooExpensive(QueryTooComplex):
    """The operation costs more than one may. Carries both figures."""

    def __init__(self, cost: int) -> None:
        super().__init__(
            f"This operation costs {cost:,} points; one may cost {MAX_COST:,}. Ask for smaller pages (first), or for less of "
            "each item."
        )
        self.cost = cost


@dataclass(frozen=True, slots=True)
class Cost:
    """A cost in which the sizes of some lists are still open."""

    fixed: int = 0
    lists: tuple[tuple[Read, "Cost"], ...] = ()
    choices: tuple[tuple["Cost", ...], ...] = ()

    def of(self, variables: Variables) -> int:
        """Return the cost with these variables, as they were sent.

        Raises:
            BadInput: one of them asks for a page that nobody gets.
        """
        total = self.fixed
        for size, items in self.lists:
            total += size(variables) * items.of(variables)
        for choice in self.choices:
            total += max(one.of(variables) for one in choice)
        return total

    def within_limit(self, variables: Variables) -> int:
        """Return the cost with these variables.

        Raises:
            BadInput: one of them asks for a page that nobody gets.
            TooExpensive: it is more than `MAX_COST`.
        """
        cost = self.of(variables)
        if cost > MAX_COST:
            raise TooExpensive(cost)
        return cost


def compiled(schema: GraphQLSchema, document: DocumentNode, operation: OperationDefinitionNode) -> Cost:
    """Return the cost of an operation. The document has to be valid, and small enough for the document guard."""
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    defaults = {
        one.variable.name.value: value_from_ast_untyped(one.default_value)
        for one in operation.variable_definitions or ()
        if one.default_value is not None
    }
    root = schema.get_root_type(operation.operation)
    if root is None:  # such a document is not valid
        return Cost()
    return _Compiler(schema, fragments, defaults).object(root, [operation.selection_set])


@dataclass(slots=True)
class _Total:
    """A cost that grows."""

    fixed: int = 0
    lists: list[tuple[Read, Cost]] = field(default_factory=list)
    choices: list[tuple[Cost, ...]] = field(default_factory=list)

    def add(self, cost: Cost) -> None:
        """Add a cost."""
        self.fixed += cost.fixed
        self.lists += cost.lists
        self.choices += cost.choices

    def add_list(self, size: "int | Read", items: Cost) -> None:
        """Add a list of as many items."""
        if isinstance(size, int) and not items.lists and not items.choices:
            self.fixed += size * items.fixed
        elif isinstance(size, int):
            self.lists.append((lambda _: size, items))
        else:
            self.lists.append((size, items))

    def cost(self) -> Cost:
        """Return what was added."""
        return Cost(self.fixed, tuple(self.lists), tuple(self.choices))


class _Compiler:
    """Works out the costs of one operation. Fields that are merged in the answer are counted once, as they are executed."""

    def __init__(
        self, schema: GraphQLSchema, fragments: Mapping[str, FragmentDefinitionNode], defaults: Mapping[str, Any]
    ) -> None:
        self._schema = schema
        self._fragments = fragments
        self._sizes = ListSizes(defaults)

    def object(
        self, parent: GraphQLObjectType, selections: Sequence[SelectionSetNode], *, assumed: int = ASSUMED_ITEMS
    ) -> Cost:
        """Return the cost of these selections on one object; *assumed* is the size of a list that nobody gives a size for."""
        total = _Total()
        for nodes in self._fields(parent, selections):
            self._add_field(total, parent, nodes, assumed)
        return total.cost()

    def _add_field(self, total: _Total, parent: GraphQLObjectType, nodes: Sequence[FieldNode], assumed: int) -> None:
        definition = self._schema.get_field(parent, nodes[0].name.value)
        if definition is None or is_leaf_type(get_named_type(definition.type)):
            return
        own = Cost(MUTATION_COST if parent is self._schema.mutation_type else 1)
        selections = [node.selection_set for node in nodes if node.selection_set is not None]
        if {"first", "last"} & definition.args.keys() and not isinstance(get_nullable_type(definition.type), GraphQLList):
            total.add(own)
            connection = get_named_type(definition.type)
            self._add_search(total, definition, nodes[0])
            self._add_connection(total, connection, selections, self._sizes.page(definition, nodes[0]), assumed)
            return
        if "first" in definition.args:
            # A list of the best of what was looked for, which is no connection.
            total.fixed += SEARCH_COST
        size = self._sizes.items(definition, nodes[0], assumed)
        below = MOST_ITEMS if is_unsized(definition) else assumed
        inside = self._any(get_named_type(definition.type), selections, below)
        each = Cost(own.fixed + inside.fixed, inside.lists, inside.choices)
        if isinstance(get_nullable_type(definition.type), GraphQLList):
            total.add_list(size, each)
        else:
            total.add(each)

    def _add_search(self, total: _Total, definition: GraphQLField, node: FieldNode) -> None:
        for name in _SEARCHED_BY:
            given = self._sizes.given(definition, node, "filter", name)
            if callable(given):
                total.add_list(_whether(given), Cost(SEARCH_COST))
            elif given:
                total.fixed += SEARCH_COST

    def _add_connection(
        self, total: _Total, connection: Any, selections: Sequence[SelectionSetNode], size: "int | Read", assumed: int
    ) -> None:
        """Add a connection's selections: what is a list in it has as many items as the page, edges and nodes alike."""
        items = _Total()
        for nodes in self._fields(connection, selections):
            name = nodes[0].name.value
            definition = self._schema.get_field(connection, name)
            total.fixed += COUNT_COST if name == "totalCount" else 0
            if definition is None or not isinstance(get_nullable_type(definition.type), GraphQLList):
                self._add_field(total, connection, nodes, assumed)
                continue
            inner = [node.selection_set for node in nodes if node.selection_set is not None]
            items.fixed += 1
            items.add(self._any(get_named_type(definition.type), inner, assumed))
        total.add_list(size, items.cost())

    def _any(self, type_: Any, selections: Sequence[SelectionSetNode], assumed: int) -> Cost:
        """Return the cost of these selections on an object, whichever of its types it has."""
        if not is_abstract_type(type_):
            return self.object(type_, selections, assumed=assumed)
        possible = self._schema.get_possible_types(type_)
        choices = [self.object(one, selections, assumed=assumed) for one in possible]
        if all(not one.lists and not one.choices for one in choices):
            return Cost(max((one.fixed for one in choices), default=0))
        return Cost(choices=(tuple(choices),))

    def _fields(self, parent: GraphQLObjectType, selections: Sequence[SelectionSetNode]) -> list[list[FieldNode]]:
        """Return the fields that are executed on an object of this type, those with one name in the answer together."""
        grouped: dict[str, list[FieldNode]] = {}
        seen: set[str] = set()
        waiting = [selection for one in reversed(selections) for selection in reversed(one.selections)]
        while waiting:
            selection = waiting.pop()
            if isinstance(selection, FieldNode):
                grouped.setdefault((selection.alias or selection.name).value, []).append(selection)
                continue
            if isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                if name in seen or name not in self._fragments:
                    continue
                seen.add(name)
                fragment: Any = self._fragments[name]
            else:
                fragment = selection
            if self._applies(fragment.type_condition, parent):
                waiting.extend(reversed(fragment.selection_set.selections))
        return list(grouped.values())

    def _applies(self, condition: Any, parent: GraphQLObjectType) -> bool:
        if condition is None or condition.name.value == parent.name:
            return True
        type_ = self._schema.get_type(condition.name.value)
        return is_abstract_type(type_) and self._schema.is_sub_type(type_, parent)


def _whether(given: Read) -> Read:
    return lambda variables: bool(given(variables))
