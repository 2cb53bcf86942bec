"""What happens around every operation."""

from collections.abc import Iterator
from typing import Any

import structlog
from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    GraphQLError,
    InlineFragmentNode,
    OperationDefinitionNode,
    OperationType,
)
from strawberry.extensions import SchemaExtension, ValidationCache
from strawberry.types import ExecutionContext

MAX_TOKENS = 1000
MAX_COMMENTS = 20
MAX_CHARACTERS = 15_000

AUTH_MUTATIONS = frozenset({"login", "logout", "refreshTokens", "requestOtp", "revokeSession"})
"""Where a guess could be repeated, or a message be sent: limits count calls, so each call has to be a request of its own."""


class ParseLimits(SchemaExtension):
    """Refuses documents that cost more to parse than any client's do."""

    def on_operation(self) -> Iterator[None]:
        """Set the parser's limits."""
        options: dict[str, Any] = dict(self.execution_context.parse_options)
        options.update(max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS, max_source_length=MAX_CHARACTERS)
        self.execution_context.parse_options = options  # type: ignore[assignment]  # a TypedDict that knows two of them
        yield


class OneContextPerOperation(SchemaExtension):
    """Gives each operation a context of its own: a WebSocket has one for all, and its loaders would serve stale data.

    Whatever is logged on the way carries the request's id.
    """

    def on_operation(self) -> Iterator[None]:
        """Replace the connection's context."""
        self.execution_context.context = self.execution_context.context.for_operation()
        structlog.contextvars.bind_contextvars(request_id=self.execution_context.context.request_id)
        yield
        # Not a reset to what was before: a stream may be closed by another task than the one that opened it.
        structlog.contextvars.unbind_contextvars("request_id")


class OneOperation(SchemaExtension):
    """Refuses a document of several operations when nobody says which one is meant; Strawberry would run the first."""

    def on_validate(self) -> Iterator[None]:
        """Refuse the document before the work of validating it."""
        context = self.execution_context
        if len(_operations(context)) > 1 and context._provided_operation_name is None:  # noqa: SLF001  the public name guesses
            _refuse(context, "The document has several operations. Say which one to run with operationName.")
        yield


class OneAuthMutation(SchemaExtension):
    """Refuses documents that would try several codes or tokens at once, whatever aliases and fragments they do it with.

    One of `AUTH_MUTATIONS` has to be the only field of the only operation. Directives do not matter, nor which operation
    is asked for: what is refused is the document, before anything of it runs, so it counts as no attempt at all.
    """

    def on_validate(self) -> Iterator[None]:
        """Refuse the document before the work of validating it."""
        context = self.execution_context
        if context.graphql_document is not None and multiplies_auth(context.graphql_document):
            _refuse(
                context,
                f"Send {', '.join(sorted(AUTH_MUTATIONS))} one at a time: as the only field, once, of the only operation of "
                "a document. Nothing of this document was executed.",
            )
        yield


class CachedValidation(ValidationCache):
    """Validates a document once, and one that is refused already not at all. Comes after the extensions that refuse."""

    def on_validate(self) -> Iterator[None]:
        """Validate, or take what was found the last time."""
        if self.execution_context.pre_execution_errors:
            yield
        else:
            yield from super().on_validate()


def multiplies_auth(document: DocumentNode) -> bool:
    """Say whether a field of `AUTH_MUTATIONS` stands beside another root field, another operation, or itself.

    Every selection and every fragment is looked at once, so the time is linear in the document's size, cycles or not.
    """
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    waiting = [one.selection_set for one in operations if one.operation is OperationType.MUTATION]
    if not waiting:
        return False
    fragments = {one.name.value: one.selection_set for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    fields: list[str] = []
    spread: list[str] = []
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                fields.append(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode):
                name = selection.name.value
                spread.append(name)
                if name in fragments:
                    # Taken out when first met: no fragment is walked twice.
                    waiting.append(fragments.pop(name))
    if AUTH_MUTATIONS.isdisjoint(fields):
        return False
    named = [name for name in fields if name != "__typename"]  # tells what the client knows, and is no field of Mutation
    return len(operations) > 1 or len(named) > 1 or len(spread) > len(set(spread))


def _operations(context: ExecutionContext) -> list[OperationDefinitionNode]:
    document = context.graphql_document
    return [] if document is None else [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]


def _refuse(context: ExecutionContext, message: str) -> None:
    context.pre_execution_errors = context.pre_execution_errors or [GraphQLError(message)]
