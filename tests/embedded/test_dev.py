"""``customer-service dev`` with the real service: the one command that everybody starts with."""

import json
import os
import shutil
import signal
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from embedded.screen import suggestions
from tests.embedded.stacks import REAL, StackUnderTest, stack_under_test, wait_until

CUSTOMER = "query ($id: ID!) { customer(id: $id) { id email } }"


@pytest.fixture(name="stack")
def _stack(tmp_path: Path) -> Iterator[StackUnderTest]:
    with stack_under_test(tmp_path / "run", REAL) as stack:
        yield stack


def demo_customer(stack: dict[str, Any], token: str) -> Any:
    """Ask the API for the demo customer, as the holder of one of the stack's tokens."""
    answer = httpx.post(
        stack["graphql"],
        json={"query": CUSTOMER, "variables": {"id": stack["customer_id"]}},
        headers={"Authorization": f"Bearer {stack['tokens'][token]}"},
    )
    return answer.json()["data"]["customer"]


def test_it_serves_repairs_itself_survives_a_crash_and_leaves_nothing(stack: StackUnderTest) -> None:
    """
    One long test, because a start costs seconds: the life of a stack on a developer's machine.
    """
    first = stack.start()
    assert 0o600 == stat.S_IMODE(stack.file.stat().st_mode)
    assert 200 == httpx.get(first["metrics"]).status_code
    assert "/console/assets/main.js" in httpx.get(first["console"]).text
    assert "Ada, operator of demo" in httpx.get(f"{first['rest']}/auth/operator/login", follow_redirects=True).text
    customer = demo_customer(first, "operator")
    assert first["customer_id"] == customer["id"]
    assert customer == demo_customer(first, "customer")
    assert demo_customer(first, "other_operator") is None
    curl = next(command for command in suggestions(first, stack.file) if command.startswith("curl"))
    if shutil.which("curl") and shutil.which("python3"):
        answer = json.loads(subprocess.run(curl, shell=True, capture_output=True, check=True).stdout)
        assert customer["email"] in [node["email"] for node in answer["data"]["customers"]["nodes"]]

    os.kill(first["pids"]["worker"][0], signal.SIGKILL)
    wait_until(lambda: stack.read()["pids"]["worker"] != first["pids"]["worker"], 30, stack.output.read_text)
    assert customer == demo_customer(first, "operator")

    stack.signal(signal.SIGKILL)
    second = stack.start()
    assert first["customer_id"] == second["customer_id"]
    assert customer == demo_customer(second, "operator")

    assert 0 == stack.signal(signal.SIGTERM)
    assert [] == stack.survivors()
    assert not stack.file.exists()
