"""Pieces of Markdown that several reference pages are made of."""

from collections.abc import Iterable, Sequence

NOTICE = "Written by `make schema` from the code; `make check` fails when it is stale."


def page(title: str, *parts: str) -> str:
    """Return a page: its title, where it comes from, and its parts with a blank line between them."""
    return "\n\n".join([f"# {title}", NOTICE, *filter(None, parts)]) + "\n"


def table(titles: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    """Return a table, or nothing when it would have no rows."""
    lines = [_line(row) for row in rows]
    if not lines:
        return ""
    return "\n".join([_line(titles), "|" + "---|" * len(titles), *lines])


def flowing(text: str | None) -> str:
    """Return *text* as one line, as cells and items of lists need it."""
    return " ".join((text or "").split())


def _line(cells: Iterable[str]) -> str:
    return "| " + " | ".join(flowing(cell).replace("|", "\\|") for cell in cells) + " |"
