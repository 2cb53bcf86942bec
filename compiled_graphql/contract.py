"""What a schema may tell the compiler, and what the compiler says when it cannot help.

Everything here is optional: a schema that tells nothing is executed with its resolvers, called as GraphQL says.
"""

from typing import Protocol

READ = "compiled_graphql.read"
"""In a field's ``extensions``: a function of the source alone that returns what the field's resolver would return.

It is neither given ``info`` nor arguments, and is not awaited: attributes, keys, and methods that look at nothing else.
"""

BATCH = "compiled_graphql.batch"
"""In a field's ``extensions``: ``(sources, info, **arguments) -> Sequence[value | Exception]``, a coroutine function or not.

It is called once for all objects of one level of the answer, and returns as many values as there are sources, in their
order. An exception among the values is the error of that source; one that is raised is the error of each. ``info`` is that
of the first source.
"""

CLASSES = "compiled_graphql.classes"
"""In an object type's ``extensions``: the Python classes whose direct instances are always of this type.

Neither ``is_type_of`` nor ``resolve_type`` is asked about them.
"""


NEEDS = "compiled_graphql.needs"
"""In a field's ``extensions``: the names, a frozenset, of what the field reads of its object; see `needed.needed_of`."""


class Unsupported(Exception):
    """The operation has to be left to the reference executor. Carries the reason in one word, fit for a metric."""

    def __init__(self, reason: str) -> None:
        super().__init__(f"This operation cannot be compiled: {reason}. Execute it with graphql-core.")
        self.reason = reason


class Watch(Protocol):
    """Watches an execution. Whatever it raises ends the execution, and leaves it as it is: it becomes no field's error."""

    def count(self, objects: int) -> None:
        """Take note that so many more objects are about to be made."""

    def look(self) -> None:
        """Take note that work is being done without a pause. Called at least once for every 64 resolvers."""


class Unwatched:
    """Lets everything pass."""

    def count(self, objects: int) -> None:
        """Let them be made."""

    def look(self) -> None:
        """Let it go on."""
