"""What an operation is counted under: a name from the schema, for those in documents are chosen by callers."""

from graphql import DocumentNode, OperationDefinitionNode

from app.graphql.root_fields import root_fields

SEVERAL = "several"


def operation_label(document: DocumentNode, operation: OperationDefinitionNode) -> str:
    """Return the kind of an operation and its root field, or `SEVERAL` for more than one: ``mutation createCustomer``.

    The document has to be valid, so that there are as many labels as the schema has root fields, and a few more.
    """
    found, _ = root_fields(document, [operation])
    fields = set(found)
    # What every client adds by itself tells nothing of the operation.
    named = fields - {"__typename"} or fields
    return f"{operation.operation.value} {named.pop() if len(named) == 1 else SEVERAL}"
