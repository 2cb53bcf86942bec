"""Several calls of one operation, executed as one: its root level has a source for each of them."""

from collections.abc import Sequence
from typing import Any

from graphql import VariableValues


class Calls(list[Any]):
    """The sources of a root level: the root value, once for each call, and the variables of each."""

    __slots__ = ("variables",)

    def __init__(self, root_value: Any, variables: Sequence[VariableValues]) -> None:
        super().__init__([root_value] * len(variables))
        self.variables = variables
