"""The file of documents that clients may call by id, as their build tools write it."""

from collections.abc import Iterable, Iterator
from pathlib import Path

from graphql import GraphQLError, OperationDefinitionNode, parse

from app.graphql.document_guard import MAX_CHARACTERS, MAX_COMMENTS, MAX_TOKENS
from app.graphql.execution import Schema
from app.graphql.screened import Screened
from app.settings import InvalidSettings
from core.errors import ServiceError
from core.strict_json import strict_json

_KEY = "graphql.storedDocuments"
_MANIFEST = "apollo-persisted-query-manifest"


def stored_documents(path: Path | None, schema: Schema) -> dict[str, str]:
    """Return the documents in the JSON file at *path* by id, each of them valid for *schema*; none without a file.

    The file is ``{"<id>": "query …"}``, as relay-compiler writes it too, or a manifest of Apollo's.

    Raises:
        InvalidSettings: with a line for the file, or for each document that could never be served.
    """
    if path is None:
        return {}
    documents: dict[str, str] = {}
    faults = []
    for id_, text in _entries(path):
        if id_ in documents:
            faults.append(f"  {id_!r}: there are two of them")
        elif fault := _fault(text, schema):
            faults.append(f"  {id_!r}: {fault}")
        documents[id_] = text
    if faults:
        raise InvalidSettings("\n".join([f"{_KEY}: documents in {str(path)!r} cannot be served:", *faults]))
    return documents


def _entries(path: Path) -> Iterator[tuple[str, str]]:
    try:
        content = strict_json(path.read_bytes())
    except OSError as error:
        message = f"{_KEY}: the file {str(path)!r} cannot be read: {error.strerror}."
        raise InvalidSettings(message) from error
    except ValueError as error:
        message = f"{_KEY}: the file {str(path)!r} holds no JSON object of documents. {error}"
        raise InvalidSettings(message) from error
    unreadable = InvalidSettings(
        f'{_KEY}: the file {str(path)!r} has to be {{"<id>": "<document>"}}, or a manifest of Apollo\'s.'
    )
    if not isinstance(content, dict):
        raise unreadable
    pairs: Iterable[tuple[object, object]] = content.items()
    if content.get("format") == _MANIFEST:
        operations = content.get("operations")
        if not isinstance(operations, list) or not all(isinstance(one, dict) for one in operations):
            raise unreadable
        pairs = [(one.get("id"), one.get("body")) for one in operations]
    for id_, text in pairs:
        if not isinstance(id_, str) or not id_ or not isinstance(text, str):
            raise unreadable
        yield id_, text


def _fault(text: str, schema: Schema) -> str | None:
    try:
        document = parse(text, max_lexical_tokens=MAX_TOKENS, max_comments=MAX_COMMENTS, max_source_length=MAX_CHARACTERS)
    except GraphQLError as error:
        return error.message
    screened = Screened(schema._schema, document)  # noqa: SLF001  Strawberry has no public way to the schema it builds
    if refusal := screened.refusal(named=True):
        return str(refusal)
    if errors := screened.errors():
        return errors[0].message
    for operation in document.definitions:
        if isinstance(operation, OperationDefinitionNode):
            try:
                # Without variables: what is too dear or too large then is written into the document.
                screened.cost(None if operation.name is None else operation.name.value).within_limit({})
            except ServiceError as error:
                return str(error)
    return None
