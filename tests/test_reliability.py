"""Every promise has a test that exists, and docs/reliability.md says which."""

import ast
import re
from dataclasses import dataclass
from functools import cache

import pytest

from tests.house import ROOT

PROMISES = 65
QUOTED = re.compile(r"`([^`]+)`")
TARGETS = set(re.findall(r"^([a-z-]+):.*## ", (ROOT / "Makefile").read_text(encoding="utf-8"), re.MULTILINE))


@dataclass(frozen=True)
class Row:
    """One row of the table."""

    number: str
    promise: str
    shown_by: str
    figure: str
    repeated_by: str

    def __str__(self) -> str:
        return self.number


def rows() -> list[Row]:
    text = (ROOT / "docs/reliability.md").read_text(encoding="utf-8")
    cells = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if re.match(r"\| \d+ \|", line)
    ]
    return [Row(*line) for line in cells]


ROWS = rows()


def test_every_promise_has_one_row_in_order() -> None:
    assert [str(number) for number in range(1, PROMISES + 1)] == [row.number for row in ROWS]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_row_names_tests_that_exist(row: Row) -> None:
    named = [test.split("::") for test in QUOTED.findall(row.shown_by)]

    assert row.promise
    assert named
    assert [] == [f"{file}::{name}" for file, name in named if name not in named_in(file)]


@pytest.mark.parametrize("row", ROWS, ids=str)
def test_every_row_says_how_it_is_repeated(row: Row) -> None:
    commands = [command.split() for command in QUOTED.findall(row.repeated_by)]

    assert commands
    for first, *others in commands:
        if first == "make":
            assert others[0] in TARGETS
        else:
            module = ROOT / others[-1].replace(".", "/")
            assert ["python", "-m"] == [first, others[0]]
            assert module.with_suffix(".py").exists() or (module / "__main__.py").exists()


@cache
def named_in(file: str) -> frozenset[str]:
    """Return the tests of a file, those of classes too."""
    if not (ROOT / file).is_file():
        return frozenset()
    found = ast.walk(ast.parse((ROOT / file).read_text(encoding="utf-8")))
    return frozenset(node.name for node in found if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef))
