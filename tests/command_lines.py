"""The command line, read and not run."""

from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from typer.main import get_command

from app.cli.main import command_line
from app.cli.teaching import EXAMPLES, PROGRAM


@cache
def whole() -> Any:
    """Return the command line with all its commands."""
    return get_command(command_line([], whole=True))


def understood(words: Sequence[str]) -> bool:
    """Say whether *words*, those behind the program's name, are a command with options and values that it takes.

    What a shell would do with a line ends them: pipes, redirections and what follows.
    """
    ends = [place for place, word in enumerate(words) if word[:1] in {">", "|", "&", "<"} or word == "2>"]
    given = list(words[: ends[0]] if ends else words)
    command, context = whole(), None
    try:
        while True:
            context = command.make_context(PROGRAM, list(given), parent=context)
            if not hasattr(command, "commands"):
                return True
            _, command, given = command.resolve_command(context, list(given))
            if command is None:
                return False
    except Exception:  # noqa: BLE001 - whatever says that it is not understood
        return False


def commands(group: Any = None, path: tuple[str, ...] = ()) -> Iterator[tuple[tuple[str, ...], Any]]:
    """Yield every command that can be run, with the words that name it."""
    for name, command in (group or whole()).commands.items():
        if hasattr(command, "commands"):
            yield from commands(command, (*path, name))
        else:
            yield (*path, name), command


def examples(command: Any) -> list[str]:
    """Return the examples in the help of a command, without the program's name."""
    _, _, shown = (command.help or "").partition(f"{EXAMPLES}\n")
    return [line.strip().removeprefix(f"{PROGRAM} ").replace("\\[", "[") for line in shown.splitlines() if line.strip()]
