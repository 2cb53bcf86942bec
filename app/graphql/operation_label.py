"""What an operation is counted under: a name from the schema, for those in documents are chosen by callers."""

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
    SelectionSetNode,
)

SEVERAL = "several"


def operation_label(document: DocumentNode, operation: OperationDefinitionNode) -> str:
    """Return the kind of an operation and its root field, or `SEVERAL` for more than one: ``mutation createCustomer``.

    The document has to be valid, so that there are as many labels as the schema has root fields, and a few more.
    """
    fragments = {one.name.value: one for one in document.definitions if isinstance(one, FragmentDefinitionNode)}
    fields: set[str] = set()
    seen: set[str] = set()
    waiting: list[SelectionSetNode] = [operation.selection_set]
    while waiting:
        for selection in waiting.pop().selections:
            if isinstance(selection, FieldNode):
                fields.add(selection.name.value)
            elif isinstance(selection, InlineFragmentNode):
                waiting.append(selection.selection_set)
            elif isinstance(selection, FragmentSpreadNode) and selection.name.value not in seen:
                seen.add(selection.name.value)
                waiting.append(fragments[selection.name.value].selection_set)
    # What every client adds by itself tells nothing of the operation.
    named = fields - {"__typename"} or fields
    return f"{operation.operation.value} {named.pop() if len(named) == 1 else SEVERAL}"
