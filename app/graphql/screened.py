"""What is known of a document: looked at once, and kept as long as there is room."""

from collections import OrderedDict
from dataclasses import dataclass

from graphql import DocumentNode, GraphQLError, GraphQLSchema, OperationDefinitionNode, specified_rules, validate
from strawberry.schema.validation_rules.maybe_null import MaybeNullValidationRule
from strawberry.types.graphql import OperationType

from app.graphql.auth_documents import ONE_AT_A_TIME, multiplies_auth
from app.graphql.compiled_execution import Compilation
from app.graphql.document_cost import Cost, compiled
from app.graphql.document_guard import MAX_CHARACTERS, Findings, examine
from app.graphql.one_of import OneOfVariables
from app.graphql.operation_label import operation_label
from core.errors import BadInput, QueryTooComplex, ServiceError

MAX_ERRORS = 20
"""Of a document that is not valid. Nobody mends more at once, and each one costs time to find."""

KEPT_TOKENS = 40_000
"""Of all documents that are kept. A token's syntax tree has 350 bytes and its compiled form 900, so that they have 50 MB at the
most."""

_RULES = (*specified_rules, MaybeNullValidationRule, OneOfVariables)
_SEVERAL = "The document has several operations. Say which one to run with operationName."


@dataclass(frozen=True, slots=True)
class Ready:
    """An operation of which nothing is left to find out: its document fits, it is compiled, and this is what it costs."""

    type: OperationType
    label: str
    cost: Cost
    compilation: Compilation


class Screened:
    """A document and what was found in it. Validity, costs and compiled forms are made when they are first asked for."""

    def __init__(self, schema: GraphQLSchema, document: DocumentNode) -> None:
        self.document = document
        self._schema = schema
        self._findings: Findings = examine(document)
        self._multiplies_auth = multiplies_auth(document)
        self._errors: list[GraphQLError] | None = None
        self._costs: dict[str | None, Cost] = {}
        self._compilations: dict[str | None, Compilation] = {}
        self._labels: dict[str | None, str] = {}
        self._ready: dict[str | None, Ready] = {}

    @property
    def tells_schema(self) -> bool:
        """Whether it asks for the schema anywhere."""
        return self._findings.tells_schema

    def refusal(self, *, named: bool) -> ServiceError | None:
        """Return why this document is not even validated, if it is not; *named* says whether the call names an operation."""
        if self._multiplies_auth:
            return BadInput(ONE_AT_A_TIME)
        if self._findings.operations > 1 and not named:
            return BadInput(_SEVERAL)
        if self._findings.too_much is not None:
            return QueryTooComplex(self._findings.too_much)
        return None

    def errors(self) -> list[GraphQLError]:
        """Return what makes it invalid, at most `MAX_ERRORS` and a last one that says that there are more."""
        if self._errors is None:
            self._errors = validate(self._schema, self.document, _RULES, max_errors=MAX_ERRORS)
        return self._errors

    def label(self, name: str | None) -> str:
        """Return what the operation called *name* is counted under: ``query customers``. The document has to be valid."""
        if name not in self._labels:
            self._labels[name] = operation_label(self.document, self._called(name))
        return self._labels[name]

    def _called(self, name: str | None) -> OperationDefinitionNode:
        return next(
            one
            for one in self.document.definitions
            if isinstance(one, OperationDefinitionNode) and name in {None, None if one.name is None else one.name.value}
        )

    def cost(self, name: str | None) -> Cost:
        """Return the cost of the operation called *name*, or of the only one. The document has to be valid."""
        if name not in self._costs:
            operation = self._called(name)
            self._costs[name] = compiled(self._schema, self.document, operation)
        return self._costs[name]

    def compilation(self, name: str | None) -> Compilation:
        """Return the operation called *name*, or the only one, as it is executed. The document has to be valid."""
        if name not in self._compilations:
            self._compilations[name] = Compilation(self._schema, self.document, name)
        return self._compilations[name]

    def ready(self, name: str | None) -> Ready | None:
        """Return the operation that a call means by *name*; None while, or because, there is more to be looked at."""
        found = self._ready.get(name)
        if found is None and self._errors == [] and not self.tells_schema and self.refusal(named=name is not None) is None:
            names = [
                None if one.name is None else one.name.value
                for one in self.document.definitions
                if isinstance(one, OperationDefinitionNode)
            ]
            if name is None or name in names:
                compilation = self.compilation(name or names[0])
                if compilation.type is not None:
                    type_ = OperationType(compilation.type.value)
                    found = self._ready[name] = Ready(
                        type_, self.label(name or names[0]), self.cost(name or names[0]), compilation
                    )
        return found


class ScreenedDocuments:
    """The documents that were asked for last, by their text. Refused ones too: looking at them again would cost the same."""

    def __init__(self, schema: GraphQLSchema) -> None:
        self._schema = schema
        self._kept: OrderedDict[str, tuple[Screened, int]] = OrderedDict()
        self._tokens = 0

    def find(self, text: str) -> Screened | None:
        """Return what is known of a document, None if it has not been seen lately."""
        found = self._kept.get(text)
        if found is None:
            return None
        self._kept.move_to_end(text)
        return found[0]

    def screen(self, text: str | None, document: DocumentNode) -> Screened:
        """Look at a document, and keep what was found under its text."""
        screened = Screened(self._schema, document)
        if text is not None and len(text) <= MAX_CHARACTERS and text not in self._kept:
            tokens = _tokens(document)
            self._kept[text] = (screened, tokens)
            self._tokens += tokens
            while self._tokens > KEPT_TOKENS:
                _, (_, dropped) = self._kept.popitem(last=False)
                self._tokens -= dropped
        return screened


def _tokens(document: DocumentNode) -> int:
    """Count the tokens of a document, which its syntax tree keeps."""
    count, token = 1, None if document.loc is None else document.loc.start_token
    while token is not None:
        count, token = count + 1, token.next
    return count
