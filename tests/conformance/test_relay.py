"""Relay: its compiler takes the schema, with fragments that page, refetch and update as its hooks do."""

import shutil
from pathlib import Path

import pytest

from tests.conformance.node import HERE, SCHEMA, tool


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """A copy of the sample project, beside which the compiler may write."""
    shutil.copytree(HERE / "relay", tmp_path / "relay")
    shutil.copy(HERE / "relay.config.json", tmp_path)
    shutil.copy(SCHEMA, tmp_path / "schema.graphql")
    (tmp_path / "generated").mkdir()
    return tmp_path


async def test_compiler_takes_fragments_that_page_refetch_and_update(project: Path) -> None:
    compiled = await tool("relay-compiler", "--noWatchman", "relay.config.json", cwd=project)

    assert 0 == compiled.code, compiled.output
    assert "warning" not in compiled.output.lower()
    assert (project / "generated" / "CustomerListPagePaginationQuery.graphql.ts").is_file()
    assert (project / "generated" / "CustomerPageProfileQuery.graphql.ts").is_file()
