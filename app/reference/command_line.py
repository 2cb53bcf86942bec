"""The command line, from the help of every command."""

import re

import typer
from typer.cli import get_docs_for_click
from typer.main import get_command

from app.reference.markdown import NOTICE


def command_line_page(command_line: typer.Typer, name: str, examples: str) -> str:
    """Return the page for a whole command line, in whose help the lines below *examples* are examples."""
    command = get_command(command_line)
    text = get_docs_for_click(obj=command, ctx=typer.Context(command), name=name, title="Command line")
    title, _, rest = text.partition("\n\n")
    below = re.compile(rf"^{examples}\n((?:  .*\n)+)", re.MULTILINE)
    shown = below.sub(lambda found: f"{examples}\n\n```console\n{_typed(found[1])}```\n", rest)
    return f"{title}\n\n{NOTICE}\n\n{shown.strip()}\n"


def _typed(lines: str) -> str:
    return "".join(f"$ {line.strip()}\n" for line in lines.splitlines()).replace("\\[", "[")
