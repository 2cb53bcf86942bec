"""One auth mutation per document: nobody tries a thousand codes, or sends a thousand, with one request."""

from graphql import DocumentNode, OperationDefinitionNode, OperationType

from app.graphql.root_fields import root_fields

AUTH_MUTATIONS = frozenset({"login", "logout", "refreshTokens", "requestOtp", "revokeSession"})
"""Where a guess could be repeated, or a message be sent: limits count calls, so each call has to be a request of its own."""

ONE_AT_A_TIME = (
    f"Send {', '.join(sorted(AUTH_MUTATIONS))} one at a time: as the only field, once, of the only operation of "
    "a document. Nothing of this document was executed."
)


def multiplies_auth(document: DocumentNode) -> bool:
    """Say whether a field of `AUTH_MUTATIONS` stands beside another root field, another operation, or itself.

    Whatever aliases, fragments and directives it is done with, and whichever operation is asked for: what is refused is the
    document, before anything of it runs, so it counts as no attempt at all.
    """
    operations = [one for one in document.definitions if isinstance(one, OperationDefinitionNode)]
    mutations = [one for one in operations if one.operation is OperationType.MUTATION]
    if not mutations:
        return False
    fields, spread = root_fields(document, mutations)
    if AUTH_MUTATIONS.isdisjoint(fields):
        return False
    named = [name for name in fields if name != "__typename"]  # tells what the client knows, and is no field of Mutation
    return len(operations) > 1 or len(named) > 1 or len(spread) > len(set(spread))
