"""How these tests run programs of npm: the scripts beside them, and the tools installed by ``make conformance``."""

import asyncio
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.api import Json
from tests.house import ROOT

HERE = Path(__file__).resolve().parent
SCHEMA = ROOT / "schema" / "schema.graphql"
OPERATIONS = HERE / "operations"
MODULES = ROOT / ".conformance" / "node_modules"

_PATIENCE = 90


@dataclass(frozen=True)
class Finished:
    """A program that has run: its exit code, and what it wrote on both outputs together."""

    code: int
    output: str


async def tool(name: str, *arguments: str | Path, cwd: Path = HERE, environment: Mapping[str, str] | None = None) -> Finished:
    """Run a command line tool of npm in *cwd*, with *environment* beside what this process has."""
    return await run(MODULES / ".bin" / name, *arguments, cwd=cwd, environment=environment)


async def script(name: str, **given: object) -> list[Json]:
    """Run ``name.mjs`` with *given* on its standard input; return what it told, one object for each line.

    Raises:
        AssertionError: it failed, with all that it wrote.
    """
    finished = await run("node", HERE / f"{name}.mjs", cwd=HERE, stdin=json.dumps(given).encode())
    assert 0 == finished.code, finished.output
    return [json.loads(line) for line in finished.output.splitlines() if line.startswith("{")]


def surroundings(more: Mapping[str, str]) -> dict[str, str]:
    """Return this process's environment and *more*, for programs that talk to this machine only and to no terminal."""
    inherited = {name: value for name, value in os.environ.items() if not name.lower().endswith("_proxy")}
    return {**inherited, "NO_COLOR": "1", **more}


async def run(
    program: str | Path,
    *arguments: str | Path,
    cwd: Path,
    stdin: bytes = b"",
    environment: Mapping[str, str] | None = None,
) -> Finished:
    """Run *program* in *cwd* to its end, with *environment* beside what this process has."""
    process = await asyncio.create_subprocess_exec(
        program,
        *arguments,
        cwd=cwd,
        env=surroundings(environment or {}),
        stdin=asyncio.subprocess.PIPE,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        async with asyncio.timeout(_PATIENCE):
            output, _ = await process.communicate(stdin)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    assert process.returncode is not None
    return Finished(process.returncode, output.decode())
