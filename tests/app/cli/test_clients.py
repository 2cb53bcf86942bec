"""``customer-service clients``: from the first secret to the end of a client."""

import json
from typing import Any

import pytest
from fastapi import FastAPI
from typer.testing import CliRunner

from app.cli import clients
from app.settings import Settings


@pytest.fixture(name="command")
def _command(app: FastAPI, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Runs the command on the database of the tests."""
    monkeypatch.setattr(clients, "settings_beside_the_stack", lambda: settings)
    # A table is as wide as the terminal it is printed on.
    monkeypatch.setenv("COLUMNS", "80")

    def run(*arguments: str) -> str:
        answer = CliRunner().invoke(clients.clients, arguments, catch_exceptions=False)
        assert 0 == answer.exit_code, answer.output
        return answer.stdout

    return run


def test_a_client_from_its_making_to_its_end(command: Any) -> None:
    made = json.loads(command("create", "warehouse", "--scope", "customers:read", "--seller", "acme", "--json"))
    id_, secret = made["client_id"], made["client_secret"]
    other = command("new-secret", id_)
    listed = [one for one in json.loads(command("list", "--json")) if one["id"] == id_]
    table = command("list")
    command("disable", id_)
    disabled = [one for one in json.loads(command("list", "--json")) if one["id"] == id_]

    assert id_ in other
    assert secret not in other
    (found,) = listed
    assert {
        "name": "warehouse",
        "sellerId": "acme",
        "scopes": ["customers:read"],
        "secrets": 2,
        "disabledAt": None,
    }.items() <= (found.items())
    assert id_ in table
    assert "customers:read" in table
    assert secret not in table
    assert disabled[0]["disabledAt"]
    assert 0 == disabled[0]["secrets"]
