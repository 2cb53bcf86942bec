"""REST, as an operator of the test's seller."""

import httpx
import pytest
import pytest_asyncio

from app.container import Container
from tests.api import Json, Tokens, some_email
from tests.rest.calls import ADDRESS, Calls, made


@pytest.fixture(name="rest")
def _rest(container: Container, http: httpx.AsyncClient, tokens: Tokens, seller: str) -> Calls:
    """Calls REST as an operator of the test's seller; ``as_`` makes it somebody else's."""
    return Calls(http, tokens.operator(seller))


@pytest_asyncio.fixture(name="ada")
async def _ada(rest: Calls, seller: str) -> Json:
    """A customer of the test's seller with an address and a document."""
    return await made(
        rest,
        seller,
        email=some_email(),
        firstName="Ada",
        lastName="Lovelace",
        externalId="ada",
        addresses=[ADDRESS],
        documents=[{"type": "PASSPORT", "number": "P1234567", "issuingCountry": "US"}],
    )


@pytest.fixture(name="customers")
def _customers(seller: str) -> str:
    """The path of the test's seller's customers."""
    return f"/api/v1/sellers/{seller}/customers"


@pytest.fixture(name="internal")
def _internal(seller: str) -> str:
    """The same for services."""
    return f"/internal/api/v1/sellers/{seller}/customers"
