"""What happens around every operation."""

from collections.abc import Iterator
from typing import Any

from graphql import GraphQLError, OperationDefinitionNode
from strawberry.extensions import SchemaExtension

MAX_TOKENS = 1000
MAX_COMMENTS = 20
MAX_CHARACTERS = 15_000


class ParseLimits(SchemaExtension):
    """Refuses documents that cost more to parse than any client's do."""

    def on_operation(self) -> Iterator[None]:
        """Set the parser's limits."""
        options: dict[str, Any] = dict(self.execution_context.parse_options)
        options.update(max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS, max_source_length=MAX_CHARACTERS)
        self.execution_context.parse_options = options  # type: ignore[assignment]  # a TypedDict that knows two of them
        yield


class OneContextPerOperation(SchemaExtension):
    """Gives each operation a context of its own: a WebSocket has one for all, and its loaders would serve stale data."""

    def on_operation(self) -> Iterator[None]:
        """Replace the connection's context."""
        self.execution_context.context = self.execution_context.context.for_operation()
        yield


class OneOperation(SchemaExtension):
    """Refuses a document of several operations when nobody says which one is meant; Strawberry would run the first."""

    def on_validate(self) -> Iterator[None]:
        """Add the refusal to what validation found. Comes after the cache of validations."""
        context = self.execution_context
        document = context.graphql_document
        operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)] if document else []
        if len(operations) > 1 and context._provided_operation_name is None:  # noqa: SLF001  the public name guesses
            refusal = GraphQLError("The document has several operations. Say which one to run with operationName.")
            context.pre_execution_errors = [*(context.pre_execution_errors or ()), refusal]
        yield
