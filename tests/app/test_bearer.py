"""From an Authorization header to a principal."""

from datetime import UTC, datetime, timedelta

import pytest

from app.bearer import BearerReader
from app.verifiers import Verifiers
from auth.keys import generate_key_set, load_key_set
from auth.principal import Principal, Scope
from auth.tokens import Credential, TokenIssuer, TokenVerifier
from core.clock import SystemClock
from core.errors import Unauthenticated
from core.vocabulary import PrincipalKind

KEYS = load_key_set(generate_key_set())


class Everybody:
    """Lets everybody stand, and notes nothing."""

    async def require(self, credential: Credential) -> None: ...

    def note(self, principal: Principal) -> None: ...


READER = BearerReader(Verifiers(TokenVerifier(KEYS, issuer="us", audience="us", clock=SystemClock())), Everybody(), Everybody())
TOKEN = TokenIssuer(KEYS, issuer="us", audience="us", clock=SystemClock()).issue(
    kind=PrincipalKind.OPERATOR, subject="ada", scopes=[Scope.CUSTOMERS_READ], lifetime=timedelta(hours=1), seller_id="acme"
)
ADA = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=frozenset({Scope.CUSTOMERS_READ}), seller_id="acme")


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN}  "])
async def test_a_good_header_names_its_caller_and_until_when(header: str) -> None:
    found = await READER.credential(header)

    assert found is not None
    assert ADA == found.principal
    assert timedelta(minutes=50) < found.expires_at - datetime.now(UTC) <= timedelta(hours=1) == found.lifetime


@pytest.mark.parametrize("header", [None, ""])
async def test_no_header_is_nobody(header: str | None) -> None:
    assert await READER.credential(header) is None


@pytest.mark.parametrize(
    "header", [TOKEN, "Basic YWRhOnNlY3JldA==", f"Token {TOKEN}", "Bearer", f"Bearer\t{TOKEN}", f" Bearer {TOKEN}", "\x00"]
)
async def test_another_scheme_is_told_which_one_it_is(header: str) -> None:
    with pytest.raises(Unauthenticated, match=r"^Send the access token as: Authorization: Bearer …\.$"):
        await READER.credential(header)


@pytest.mark.parametrize(
    "header", ["Bearer ", "Bearer x", f"Bearer {TOKEN}x", f"Bearer {TOKEN} {TOKEN}", f"Bearer Bearer {TOKEN}", "Bearer \ud800"]
)
async def test_a_bad_token_is_refused_like_every_other(header: str) -> None:
    with pytest.raises(Unauthenticated, match=r"^The access token is not valid, or no longer\.$"):
        await READER.credential(header)
