"""One development stack for all journeys, and callers of it."""

import shutil
from collections.abc import AsyncIterator, Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
import pytest_asyncio
from pymongo import AsyncMongoClient
from pymongo.asynchronous.database import AsyncDatabase

from core.vocabulary import PrincipalKind
from embedded.identities import AUDIENCE, Mint
from tests.api import Api
from tests.embedded.stacks import REAL, StackUnderTest, stack_under_test
from tests.house import ROOT
from tests.journeys.terminals import Terminal, open_terminal


# First, because xdist reads the groups in the same hook.
@pytest.hookimpl(tryfirst=True)
def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Keep all journeys in one process of xdist, so that they share the stack."""
    for item in items:
        if item.path.parent.name == "journeys":
            item.add_marker(pytest.mark.xdist_group("journeys"))


@pytest.fixture(scope="session", name="stack")
def _stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[StackUnderTest]:
    """The real stack, started on first use. Whoever kills a part of it waits until it is whole again."""
    with stack_under_test(tmp_path_factory.mktemp("journeys") / "run", REAL) as stack:
        stack.start()
        yield stack


@pytest.fixture(name="directory")
def _directory(tmp_path: Path) -> Path:
    """A folder like a fresh clone, in which a walk leaves its traces instead of in this one."""
    (tmp_path / "customer-service").symlink_to(ROOT / "customer-service")
    shutil.copytree(
        ROOT / "examples", tmp_path / "examples", ignore=shutil.ignore_patterns("*.errors.csv", "node_modules", "dist")
    )
    return tmp_path


@pytest.fixture(name="terminal")
def _terminal(stack: StackUnderTest, directory: Path) -> Iterator[Terminal]:
    """A terminal in that folder."""
    with open_terminal(directory, stack.environment) as terminal:
        yield terminal


@pytest.fixture(scope="session", name="mint")
def _mint(stack: StackUnderTest) -> Mint:
    """Makes tokens that the stack believes, for sellers that ``stack.json`` has none for."""
    return Mint(stack.directory / "keys.json", issuer=stack.read()["issuer"], audience=AUDIENCE)


@pytest_asyncio.fixture(scope="session", name="http")
async def _http(stack: StackUnderTest) -> AsyncIterator[httpx.AsyncClient]:
    """An HTTP client of the stack's API."""
    async with httpx.AsyncClient(base_url=stack.read()["rest"], trust_env=False, timeout=60) as client:
        yield client


@pytest.fixture(name="operator")
def _operator(mint: Mint, seller: str) -> str:
    """The token of a person who works for the test's seller."""
    return mint.mint(PrincipalKind.OPERATOR, "ada", seller)


@pytest.fixture(name="execute")
def _execute(http: httpx.AsyncClient, operator: str) -> Api:
    """Runs GraphQL against the stack, as an operator of the test's seller or as somebody else with ``as_=``."""
    return Api(http, operator)


@pytest_asyncio.fixture(scope="session", name="database")
async def _database(stack: StackUnderTest) -> AsyncIterator[AsyncDatabase[dict[str, Any]]]:
    """The stack's database, for looking behind the API."""
    found = stack.read()
    client: AsyncMongoClient[dict[str, Any]] = AsyncMongoClient(found["mongodb_uri"])
    async with client:
        yield client[found["mongodb_database"]]
