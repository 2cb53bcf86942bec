"""@graphql-codegen: types for the sample operations, and a program that uses them, compile under --strict."""

import shutil
from pathlib import Path

import pytest

from tests.conformance.node import HERE, OPERATIONS, SCHEMA, Finished, tool

STRICT = ("--noEmit", "--strict", "--target", "es2022", "--module", "esnext", "--moduleResolution", "bundler")


@pytest.fixture(name="project")
def _project(tmp_path: Path) -> Path:
    """A project of TypeScript in which nothing has been generated yet."""
    shutil.copy(SCHEMA, tmp_path)
    shutil.copy(HERE / "codegen.config.mjs", tmp_path)
    shutil.copy(HERE / "codegen" / "usage.ts", tmp_path)
    shutil.copytree(OPERATIONS, tmp_path / "operations")
    (tmp_path / "node_modules").symlink_to((HERE / "node_modules").resolve())
    return tmp_path


async def generate(project: Path) -> Finished:
    return await tool("graphql-codegen", "--config", "codegen.config.mjs", cwd=project)


async def test_generated_types_and_a_program_that_uses_them_compile(project: Path) -> None:
    generated = await generate(project)
    compiled = await tool("tsc", *STRICT, "usage.ts", cwd=project)

    assert 0 == generated.code, generated.output
    assert (0, "") == (compiled.code, compiled.output)


async def test_program_that_misuses_the_types_does_not_compile(project: Path) -> None:
    """
    Types that were all `any` would let everything pass.
    """
    await generate(project)
    usage = project / "usage.ts"
    usage.write_text(usage.read_text(encoding="utf-8").replace("node.fullName", "node.fullNome"), encoding="utf-8")

    compiled = await tool("tsc", *STRICT, "usage.ts", cwd=project)

    assert 0 != compiled.code
    assert "fullNome" in compiled.output
