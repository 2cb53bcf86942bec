"""Help that teaches: what a command looks like when somebody types it, and what its exit status says."""

import inspect
from collections.abc import Callable
from typing import Any, TypeVar

from rich.markup import escape

Command = TypeVar("Command", bound=Callable[..., Any])

PROGRAM = "customer-service"
EXAMPLES = "For example:"
"""What stands above the examples in every help."""


def shown_by(*examples: str) -> Callable[[Command], Command]:
    """Put *examples* at the end of a command's help; they are written without the name of the program."""

    def teach(command: Command) -> Command:
        lines = "\n".join(f"  {PROGRAM} {escape(example)}" for example in examples)
        paragraphs = inspect.cleandoc(command.__doc__ or "").split("\n\n")
        # As wide as the terminal, not as the source.
        said = [" ".join(paragraph.splitlines()) for paragraph in paragraphs]
        command.__doc__ = "\n\n".join([*said, f"{EXAMPLES}\n{lines}"])
        return command

    return teach
