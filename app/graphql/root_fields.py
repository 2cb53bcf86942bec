"""The root fields of operations, through whatever fragments."""

from collections.abc import Iterable

from graphql import (
    DocumentNode,
    FieldNode,
    FragmentDefinitionNode,
    FragmentSpreadNode,
    InlineFragmentNode,
    OperationDefinitionNode,
)


def root_fields(document: DocumentNode, operations: Iterable[OperationDefinitionNode]) -> tuple[list[str], list[str]]:
    """Return the names of the root fields of *operations*, as often as they stand there, and of the fragments spread for them.

    Every selection and every fragment is looked at once, so the time is linear in the document's size, cycles or not.
    """
    waiting = [one.selection_set for one in operations]
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
    return fields, spread
