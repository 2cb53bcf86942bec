"""What happens around every operation."""

from collections.abc import AsyncIterator, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from graphql import GraphQLError
from prometheus_client import Counter, Histogram
from strawberry.extensions import SchemaExtension

from app.graphql import introspection
from app.graphql.document_cost import MAX_COST, Cost, TooExpensive
from app.graphql.document_guard import MAX_CHARACTERS, MAX_COMMENTS, MAX_TOKENS
from app.graphql.errors import gave_up
from app.graphql.quotas import Key, Quotas, bucket_of
from app.graphql.rules import OperationRules
from app.graphql.screened import Screened, ScreenedDocuments
from core.errors import BadInput, ServiceError
from core.request_facts import CURRENT, note
from schema.context import Context

# Word by word a list of guesses would otherwise become the schema: which field there is, and what it wants.
_UNFIT = BadInput("This document does not fit the schema. Send an access token to be told where: Authorization: Bearer ….")

_SOCKET_OPERATIONS = Counter("graphql_socket_operations", "Operations that came over WebSockets.", ["operation"])
_COST = Histogram(
    "graphql_operation_cost", "What operations cost that were let through.", buckets=(1, 2, 5, 10, 25, 50, 100, 250, 500, 1000)
)


@dataclass(frozen=True, slots=True)
class Spent:
    """What was taken for an operation, and out of which bucket."""

    key: Key
    points: int

    def told(self, quotas: Quotas) -> dict[str, Any]:
        """Return what the answer's ``extensions`` say of it."""
        throttle = {
            "maximumAvailable": quotas.points,
            "currentlyAvailable": quotas.available(self.key),
            "restoreRate": quotas.per_second,
        }
        return {"cost": {"requestedQueryCost": self.points, "throttleStatus": throttle}}


class OneContextPerOperation(SchemaExtension):
    """Gives each operation a context of its own: a WebSocket has one for all, and its loaders would serve stale data.

    Whatever is logged on the way carries the request's id.
    """

    def on_operation(self) -> Iterator[None]:
        """Replace the connection's context."""
        self.execution_context.context = self.execution_context.context.for_operation()
        context = self.execution_context.context
        structlog.contextvars.bind_contextvars(request_id=context.request_id)
        if (facts := CURRENT.get()) is not None and facts.is_socket:
            # A socket has many operations, each in a task of its own.
            CURRENT.set(facts.next())
            note(request_id=context.request_id, seller=None if context.principal is None else context.principal.seller_id)
        try:
            yield
        finally:
            # Not a reset to what was before: a stream may be closed by another task than the one that opened it.
            structlog.contextvars.unbind_contextvars("request_id")


class Gate(SchemaExtension):
    """Lets an operation through when its document, its cost and its caller's quota allow it; see `docs/limits.md`.

    What refuses for less comes first: the document's size and shape, who asks for the schema, validity, cost, quota.
    """

    def __init__(self, rules: OperationRules, documents: ScreenedDocuments, quotas: Quotas) -> None:
        super().__init__()
        self._rules = rules
        self._documents = documents
        self._quotas = quotas
        self._known: Screened | None = None
        self._spent: Spent | None = None

    def on_operation(self) -> Iterator[None]:
        """Set the parser's limits."""
        options: dict[str, Any] = dict(self.execution_context.parse_options)
        options.update(max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS, max_source_length=MAX_CHARACTERS)
        self.execution_context.parse_options = options  # type: ignore[assignment]  # a TypedDict that knows two of them
        yield

    def on_parse(self) -> Iterator[None]:
        """Take a document that is known; any other is parsed."""
        context = self.execution_context
        if context.graphql_document is None and context.query is not None:
            self._known = self._documents.find(context.query)
            if self._known is not None:
                context.graphql_document = self._known.document
        yield

    def on_validate(self) -> Iterator[None]:
        """Refuse the operation, or note what it costs."""
        context = self.execution_context
        if context.graphql_document is not None:
            if self._known is None:
                self._known = self._documents.screen(context.query, context.graphql_document)
            try:
                # An empty list says that the work is done, and nothing was found.
                context.pre_execution_errors = list(self._admit(self._known))
            except ServiceError as error:
                context.pre_execution_errors = [refused(error)]
        yield

    async def on_execute(self) -> AsyncIterator[None]:
        """Execute the operation as it is compiled. One that cannot be is left to the executor of the schema."""
        context = self.execution_context
        if self._known is not None:
            # Strawberry executes what has no result yet.
            context.result = await self._known.compilation(context.operation_name).execute(
                self._rules,
                context.context,
                context.variables,
                root_value=context.root_value,
                extensions=context.operation_extensions,
            )
        yield

    def get_results(self) -> dict[str, Any]:
        """Return the cost for the answer's ``extensions``, once the operation is let through."""
        return {} if self._spent is None else self._spent.told(self._quotas)

    def _admit(self, known: Screened) -> list[GraphQLError]:
        context = self.execution_context
        named = context._provided_operation_name is not None  # noqa: SLF001  the public name guesses
        principal = context.context.principal
        if (refusal := known.refusal(named=named)) is not None:
            raise refusal
        if known.tells_schema and not introspection.is_open(principal, to_everybody=self._rules.open_introspection):
            raise introspection.refusal(principal)
        if errors := known.errors():
            told = principal is not None or self._rules.open_introspection or any(map(gave_up, errors))
            return errors if told else [refused(_UNFIT)]
        note_operation(known.label(context.operation_name))
        self._spent = spend(self._quotas, context.context, known.cost(context.operation_name), context.variables)
        return []


def note_operation(label: str) -> None:
    """Note what the request asks for, under a name of ours."""
    if (facts := CURRENT.get()) is not None:
        facts.operation = label
        if facts.is_socket:
            _SOCKET_OPERATIONS.labels(label).inc()


def spend(quotas: Quotas, context: Context, cost: Cost, variables: Mapping[str, Any] | None) -> Spent:
    """Take what an operation costs with these *variables* out of its caller's bucket.

    Raises:
        TooExpensive: it is more than any operation may cost.
        RateLimited: it is more than there is at present.
    """
    spent = Spent(bucket_of(context), cost.within_limit(variables or {}))
    _COST.observe(spent.points)
    quotas.spend(spent.key, spent.points)
    return spent


def refused(error: ServiceError) -> GraphQLError:
    """Return an error of ours as one of GraphQL's, with the figures that clients act on."""
    extensions = {"cost": error.cost, "maximumCost": MAX_COST} if isinstance(error, TooExpensive) else None
    return GraphQLError(str(error), original_error=error, extensions=extensions)
