"""``customer-service events schemas``: what it prints, writes and finds wrong."""

import shutil
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner, Result

from app.cli import event_schemas as command

COMMITTED = command.FOLDER


@pytest.fixture(name="folder")
def _folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder with what is committed, which the command takes for the real one."""
    folder = tmp_path / "schemas"
    shutil.copytree(COMMITTED, folder)
    monkeypatch.setattr(command, "FOLDER", folder)
    return folder


def run(*arguments: str) -> Result:
    app = typer.Typer()
    app.command()(command.schemas)
    return CliRunner().invoke(app, arguments)


def test_committed_is_what_the_code_says() -> None:
    assert (0, "") == (run("--check").exit_code, run("--check").output)


def test_what_is_stale_missing_or_superfluous_is_named_and_mended(folder: Path) -> None:
    (folder / "customer.created.json").write_text("{}", encoding="utf-8")
    (folder / "customer.erased.json").unlink()
    (folder / "customer.renamed.json").write_text("{}", encoding="utf-8")

    found = run("--check")
    assert 0 == run("--write").exit_code

    assert 1 == found.exit_code
    assert [
        "events/schemas/customer.created.json is not what the service publishes. Run: make schema",
        "events/schemas/customer.erased.json is not what the service publishes. Run: make schema",
        "events/schemas/customer.renamed.json describes no event. Run: make schema",
    ] == found.stderr.splitlines()
    assert 0 == run("--check").exit_code
    assert sorted(path.name for path in COMMITTED.iterdir()) == sorted(path.name for path in folder.iterdir())


def test_printed_is_what_is_committed() -> None:
    assert (COMMITTED / "asyncapi.json").read_text(encoding="utf-8") == run().stdout
    assert (COMMITTED / "customer.created.json").read_text(encoding="utf-8") == run("--event", "customer.created").stdout


def test_an_event_that_there_is_not_is_a_mistake_of_the_caller() -> None:
    answer = run("--event", "customer.renamed")

    assert 2 == answer.exit_code
    assert "customer.created" in answer.stderr
