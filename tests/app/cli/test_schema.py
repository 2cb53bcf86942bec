"""``customer-service schema``: what it prints, writes and finds wrong."""

import shutil
from pathlib import Path

import pytest
import typer
from graphql import build_schema
from typer.testing import CliRunner, Result

from app.cli import schema as command

COMMITTED = command.ROOT
WRITTEN = (command.CLIENTS, command.GATEWAYS, command.REST)


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what is committed, which the command takes for the real one."""
    for name in (*WRITTEN, command.RELEASED):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(COMMITTED / name, tmp_path / name)
    monkeypatch.setattr(command, "ROOT", tmp_path)
    return tmp_path


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.schema)
    return CliRunner().invoke(app, arguments, catch_exceptions=False)


def test_written_is_what_the_check_wants(folder: Path) -> None:
    for name in WRITTEN:
        (folder / name).unlink()

    missing = run("--check")
    assert 0 == run("--write").exit_code

    assert 1 == missing.exit_code
    assert [f"{name} is not what the service serves. Run: make schema" for name in WRITTEN] == missing.stderr.splitlines()
    assert (0, "") == (run("--check").exit_code, run("--check").output)


def test_printed_is_what_is_written(folder: Path) -> None:
    run("--write")

    assert (folder / command.CLIENTS).read_text(encoding="utf-8") == run().stdout
    assert (folder / command.GATEWAYS).read_text(encoding="utf-8") == run("--subgraph").stdout
    assert (folder / command.REST).read_text(encoding="utf-8") == run("--rest").stdout


def test_what_breaks_clients_of_the_last_release_fails_the_check(folder: Path) -> None:
    run("--write")
    released = (folder / command.RELEASED).read_text(encoding="utf-8")
    promised = released.replace("enum AddressKind {", "enum AddressKind {\n  HOLIDAY").replace(
        "type PageInfo {", "type PageInfo {\n  pages: Int!"
    )
    build_schema(promised)
    (folder / command.RELEASED).write_text(promised, encoding="utf-8")

    answer = run("--check")

    why = "Clients of the last release rely on it: see docs/schema-policy.md."
    assert 1 == answer.exit_code
    assert {
        f"Field PageInfo.pages was removed. (FIELD_REMOVED) {why}",
        f"Enum value AddressKind.HOLIDAY was removed. (VALUE_REMOVED_FROM_ENUM) {why}",
    } == set(answer.stderr.splitlines())


def test_release_makes_the_served_schema_what_clients_rely_on(folder: Path) -> None:
    (folder / command.RELEASED).write_text("type Query { gone: Int }", encoding="utf-8")
    assert 1 == run("--check").exit_code

    assert 0 == run("--release").exit_code

    assert run().stdout == (folder / command.RELEASED).read_text(encoding="utf-8")
    assert "gone" not in run("--check").stderr
