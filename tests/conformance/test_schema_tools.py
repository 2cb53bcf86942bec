"""What the tools of schema reviewers say: nothing that was promised is broken, and the schema follows their rules."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from graphql import Visitor, parse, print_ast, visit

from tests.conformance.node import HERE, OPERATIONS, SCHEMA, Finished, tool
from tests.house import ROOT

PROMISES = {
    "released": ROOT / "schema" / "released.graphql",
    "contract": ROOT / "tests" / "graphql" / "contract.graphql",
}


EVERY_PROMISE = pytest.mark.parametrize("promise", sorted(PROMISES))


class _WithoutDescriptions(Visitor):
    """Takes descriptions away."""

    def enter(self, node: Any, *_: object) -> Any:
        """Return the node without its own."""
        return replace(node, description=None) if "description" in node.keys else None


async def compared(folder: Path, promise: str, sdl: str) -> Finished:
    """Compare a promise with *sdl*.

    Without descriptions: where one has been added to a field, graphql-inspector 7.0.0 looks at nothing else of the field, so
    that every field of the contract, which has none, could change its type and lose its arguments unseen.
    """
    for name, text in (("old", PROMISES[promise].read_text(encoding="utf-8")), ("new", sdl)):
        (folder / f"{name}.graphql").write_text(print_ast(visit(parse(text), _WithoutDescriptions())), encoding="utf-8")
    return await tool("graphql-inspector", "diff", folder / "old.graphql", folder / "new.graphql")


@EVERY_PROMISE
async def test_inspector_finds_no_breaking_change(tmp_path: Path, promise: str) -> None:
    found = await compared(tmp_path, promise, SCHEMA.read_text(encoding="utf-8"))

    assert 0 == found.code, found.output
    # It says the first when it has been given one schema twice, which is no comparison but no break either.
    assert "No changes detected" in found.output or "No breaking changes detected" in found.output


@EVERY_PROMISE
@pytest.mark.parametrize(
    ("promised", "served", "named"),
    [
        ("  fullName: String!\n", "  fullName: String\n", "Customer.fullName"),
        ("    after: String\n", "    since: String\n", "Query.customers"),
        ("  BILLING\n", "  INVOICE\n", "BILLING"),
    ],
    ids=["nullability", "argument", "value"],
)
async def test_inspector_finds_a_breaking_change_where_there_is_one(
    tmp_path: Path, promise: str, promised: str, served: str, named: str
) -> None:
    """
    The test above could not fail if the tool looked at nothing.
    """
    sdl = SCHEMA.read_text(encoding="utf-8")
    assert promised in sdl

    found = await compared(tmp_path, promise, sdl.replace(promised, served))

    assert 1 == found.code
    assert [] != [line for line in found.output.splitlines() if "✖" in line and named in line]


async def test_inspector_finds_the_sample_operations_valid() -> None:
    validated = await tool("graphql-inspector", "validate", f"{OPERATIONS.relative_to(HERE)}/*.graphql", SCHEMA, "--deprecated")

    assert 0 == validated.code, validated.output
    assert "All documents are valid" in validated.output


async def lint(folder: Path, sdl: str) -> tuple[int, str]:
    """Lint a schema as ``eslint.config.mjs`` says; return the exit code and what was found."""
    for name in ("eslint.config.mjs", "node_modules"):
        (folder / name).symlink_to((HERE / name).resolve())
    (folder / "schema.graphql").write_text(sdl, encoding="utf-8")
    linted = await tool("eslint", "--max-warnings", "0", "schema.graphql", cwd=folder, environment={"SCHEMA": "schema.graphql"})
    return linted.code, linted.output


async def test_eslint_finds_the_schema_clean(tmp_path: Path) -> None:
    assert (0, "") == await lint(tmp_path, SCHEMA.read_text(encoding="utf-8"))


async def test_eslint_finds_faults_where_there_are_some(tmp_path: Path) -> None:
    """
    The test above could not fail if no rule were on.
    """
    faults = "\ntype widget { id: ID }\ntype WidgetConnection { edges: [widget!]! }\n"

    code, output = await lint(tmp_path, SCHEMA.read_text(encoding="utf-8") + faults)

    assert 1 == code
    found = {line.split()[-1] for line in output.splitlines() if "@graphql-eslint/" in line}
    assert {"naming-convention", "require-description", "no-unreachable-types", "relay-connection-types"} <= {
        rule.removeprefix("@graphql-eslint/") for rule in found
    }
