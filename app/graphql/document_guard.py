"""What a document may look like, decided before the work of validating it.

One walk over the syntax tree, whatever it holds: unknown fragments and fields, cycles and empty selections are left to
validation. Each fragment is looked at once and its sums are kept, so the time is linear in the document's size; Strawberry's
own limiters walk a fragment at every spread of it, which 26 fragments in 869 bytes turn into minutes.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLSyntaxError,
    OperationDefinitionNode,
    SelectionSetNode,
)

# What the parser counts while it reads. Characters, tokens, aliases and directives as in graphql-armor, which measured what
# clients send; 1,000 tokens are 350 KB of syntax tree.
MAX_CHARACTERS = 15_000
MAX_TOKENS = 1_000
MAX_COMMENTS = 20
# The deepest useful path (customers, edges, node, documents, file, name) has 6 levels.
MAX_DEPTH = 10
# What code generators and IDEs ask for nests 14 deep: __schema, types, fields, args, type, and 9 times ofType.
MAX_INTROSPECTION_DEPTH = 15
MAX_ALIASES = 15
MAX_ROOT_FIELDS = 10
MAX_DIRECTIVES = 50
# A screen of an application has some 60.
MAX_FIELDS = 500
# They may be empty, and then cost validation without being fields.
MAX_SPREADS = 500

INTROSPECTION = frozenset({"__schema", "__type"})
SCHEMA_FIELDS = INTROSPECTION | {"_service"}
"""The fields that tell the whole schema, `__typename` not among them."""

_ENOUGH = 1_000_000  # sums stop here: a bomb of a thousand fragments would make numbers of a thousand bits


@dataclass(frozen=True, slots=True)
class Findings:
    """What the guard found in a document."""

    too_much: str | None
    """What there is too much of, and what to do; None when there is not."""
    tells_schema: bool
    """Whether one of `SCHEMA_FIELDS` stands anywhere in it."""
    operations: int
    """How many operations it has."""


@dataclass(frozen=True, slots=True)
class _Spread:
    """The use of a fragment, and how many fields lie above it."""

    name: str
    depth: int
    introspecting: bool


@dataclass(slots=True)
class _Sums:
    """What was counted in a definition; with its fragments, once it is `expanded`."""

    fields: int = 0
    aliases: int = 0
    root_fields: int = 0
    directives: int = 0
    spread_count: int = 0
    depth: int = 0
    introspection_depth: int = 0
    tells_schema: bool = False
    spreads: list[_Spread] = field(default_factory=list)
    entered: bool = False
    expanded: bool = False

    def count(self, other: "_Sums", *, at_root: bool = True) -> None:
        """Add what *other* counted; *at_root* says whether its root fields are root fields here."""
        self.fields = min(self.fields + other.fields, _ENOUGH)
        self.aliases = min(self.aliases + other.aliases, _ENOUGH)
        self.directives = min(self.directives + other.directives, _ENOUGH)
        self.spread_count = min(self.spread_count + other.spread_count, _ENOUGH)
        if at_root:
            self.root_fields = min(self.root_fields + other.root_fields, _ENOUGH)

    def reach(self, depth: int, *, introspecting: bool) -> None:
        """Note that a field lies that deep."""
        if introspecting:
            self.introspection_depth = max(self.introspection_depth, depth)
        else:
            self.depth = max(self.depth, depth)


def examine(document: DocumentNode) -> Findings:
    """Hold a document, all its operations and fragments together, against the limits. Never raises."""
    operations = [_counted(one) for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    definitions = [one for one in document.definitions if isinstance(one, FragmentDefinitionNode)]
    fragments = [_counted(one) for one in definitions]
    named = {one.name.value: sums for one, sums in zip(definitions, fragments, strict=True)}
    total = _Sums()
    for sums in (*operations, *fragments):
        # A fragment that is expanded here is used by no operation, or another one has its name. Validation refuses that, but
        # has to read it first.
        if not sums.expanded:
            _expand(sums, named)
            total.count(sums)
            total.reach(sums.depth, introspecting=False)
            total.reach(sums.introspection_depth, introspecting=True)
    return Findings(_too_much(total), any(sums.tells_schema for sums in (*operations, *fragments)), len(operations))


def too_long_to_read(error: GraphQLSyntaxError) -> str | None:
    """Return what there is too much of when the parser gave up because of its limits, None for any other error."""
    for words, much in _UNREADABLE:
        if error.description.startswith(words):
            return f"This document has more than {much}. Send values as variables, and ask in several requests."
    return None


_UNREADABLE = (
    ("Source contains more than", f"{MAX_CHARACTERS:,} characters"),
    (f"Document contains more than {MAX_TOKENS} tokens", f"{MAX_TOKENS:,} tokens (names, values, punctuation)"),
    (f"Document contains more than {MAX_COMMENTS} comments", f"{MAX_COMMENTS} comments"),
    ("Document is nested too deeply", f"{MAX_DEPTH} levels of fields, or values nested far deeper than any input is"),
)


def _too_much(total: _Sums) -> str | None:
    limits = (
        (total.depth, MAX_DEPTH, "levels of fields"),
        (total.introspection_depth, MAX_INTROSPECTION_DEPTH, "levels of introspection"),
        (total.root_fields, MAX_ROOT_FIELDS, "root fields"),
        (total.aliases, MAX_ALIASES, "aliases"),
        (total.directives, MAX_DIRECTIVES, "directives"),
        (total.fields, MAX_FIELDS, "fields"),
        (total.spread_count, MAX_SPREADS, "fragment spreads"),
    )
    for found, limit, noun in limits:
        if found > limit:
            much = f"{found:,}" if found < _ENOUGH else f"{_ENOUGH:,} or more"
            return (
                f"This document has {much} {noun}; at most {limit} are allowed. All operations of a document count, and a "
                "fragment counts wherever it is used. Ask in several requests."
            )
    return None


def _counted(definition: OperationDefinitionNode | FragmentDefinitionNode) -> _Sums:
    """Return what stands in a definition itself."""
    sums = _Sums(directives=len(definition.directives or ()))
    for variable in definition.variable_definitions or ():
        sums.directives += len(variable.directives or ())
    waiting: list[tuple[SelectionSetNode, int, bool]] = [(definition.selection_set, 0, False)]
    while waiting:
        selections, depth, introspecting = waiting.pop()
        for selection in selections.selections:
            sums.directives += len(selection.directives or ())
            if isinstance(selection, FragmentSpreadNode):
                sums.spread_count += 1
                sums.spreads.append(_Spread(selection.name.value, depth, introspecting))
                continue
            below, inside = depth, introspecting
            if isinstance(selection, FieldNode):
                name = selection.name.value
                sums.fields += 1
                sums.aliases += selection.alias is not None
                sums.root_fields += depth == 0 and not introspecting
                sums.tells_schema = sums.tells_schema or name in SCHEMA_FIELDS
                if name in INTROSPECTION and not inside:
                    below, inside = 0, True
                below += 1
                sums.reach(below, introspecting=inside)
            nested: SelectionSetNode | None = getattr(selection, "selection_set", None)
            if nested is not None:
                waiting.append((nested, below, inside))
    return sums


def _expand(start: _Sums, fragments: dict[str, _Sums]) -> None:
    """Add to *start* the fragments it spreads, and to them theirs: innermost first, each fragment once, without recursion."""
    path: list[tuple[_Sums, Iterator[_Spread]]] = [(start, iter(start.spreads))]
    start.entered = True
    while path:
        sums, spreads = path[-1]
        for spread in spreads:
            inner = fragments.get(spread.name)
            if inner is not None and not inner.entered:
                inner.entered = True
                path.append((inner, iter(inner.spreads)))
                break
        else:
            path.pop()
            _add_fragments(sums, fragments)


def _add_fragments(sums: _Sums, fragments: dict[str, _Sums]) -> None:
    for spread in sums.spreads:
        inner = fragments.get(spread.name)
        # One that is not expanded yet closes a cycle, which validation refuses.
        if inner is not None and inner.expanded:
            sums.count(inner, at_root=spread.depth == 0 and not spread.introspecting)
            sums.reach(spread.depth + inner.depth, introspecting=spread.introspecting)
            sums.reach(inner.introspection_depth, introspecting=True)
    sums.expanded = True
