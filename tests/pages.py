"""The documentation as tests look at it: pages, their blocks of code, and what stands above a block about trying it.

A block is tried as it stands. Above it may stand, as comments that nobody sees on the page:

    <!-- not run: why -->    it is only looked at
    <!-- prints: words -->   what it prints has these words in it; repeatable
    <!-- fails: 1 -->        it ends with this exit status
"""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from tests.house import ROOT

_BLOCK = re.compile(
    r"(?P<marks>(?:^ *<!-- (?:not run|prints|fails): [^\n]* -->\n)*)"
    r"^(?P<indent> *)```(?P<language>\w*)\n(?P<text>.*?)^(?P=indent)```$",
    re.MULTILINE | re.DOTALL,
)
_MARK = re.compile(r"<!-- (not run|prints|fails): (.*?) -->")
_ELSEWHERE = {".venv", ".uv", ".run", ".conformance", ".peers", "node_modules", ".site"}


@dataclass(frozen=True, slots=True)
class Block:
    """A block of code, and the line of the page it begins at."""

    page: Path
    line: int
    language: str
    text: str
    not_run: str | None
    prints: tuple[str, ...]
    fails: int

    def __str__(self) -> str:
        return f"{self.page.relative_to(ROOT)}:{self.line}"


def pages() -> list[Path]:
    """Return every page of the repository that is written for people."""
    return sorted(
        path for path in ROOT.rglob("*.md") if not _ELSEWHERE & set(path.relative_to(ROOT).parts) and "tests" not in path.parts
    )


def blocks(page: Path) -> Iterator[Block]:
    """Yield the blocks of a page in order; what is indented in a list loses that."""
    text = page.read_text(encoding="utf-8")
    for found in _BLOCK.finditer(text):
        marks = [(mark[1], mark[2]) for mark in _MARK.finditer(found["marks"])]
        yield Block(
            page=page,
            line=text.count("\n", 0, found.start("language")) + 1,
            language=found["language"],
            text=re.sub(rf"^{found['indent']}", "", found["text"], flags=re.MULTILINE),
            not_run=next((said for kind, said in marks if kind == "not run"), None),
            prints=tuple(said for kind, said in marks if kind == "prints"),
            fails=next((int(said) for kind, said in marks if kind == "fails"), 0),
        )


def every_block() -> list[Block]:
    """Return the blocks of all pages."""
    return [block for page in pages() for block in blocks(page)]


def fences(page: Path) -> int:
    """Return how many lines of a page begin or end a block."""
    return len(re.findall(r"^ *```", page.read_text(encoding="utf-8"), re.MULTILINE))


@cache
def anchors(page: Path) -> set[str]:
    """Return the anchors of a page that hold both where the repository is read and on the site."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    titles = [re.sub(r"[`*]|\[([^\]]*)\]\([^)]*\)", r"\1", title) for title in re.findall(r"^#+ +(.*?) *$", text, re.MULTILINE)]
    kept = [re.sub(r"[^\w\- ]", "", title.lower()) for title in titles]
    return {title.replace(" ", "-") for title in kept} & {re.sub(r"[-\s]+", "-", title.strip()) for title in kept}


def links(page: Path) -> Iterator[str]:
    """Yield where the links and pictures of a page lead."""
    text = _BLOCK.sub("", page.read_text(encoding="utf-8"))
    yield from re.findall(r"\]\(([^)\s]+)\)", re.sub(r"`[^`\n]*`", "", text))
