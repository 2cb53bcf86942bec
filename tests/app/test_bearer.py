"""From an Authorization header to a principal."""

from datetime import UTC, datetime, timedelta

import pytest

from app.bearer import BearerReader
from auth.keys import generate_key_set, load_key_set
from auth.principal import Principal, Scope
from auth.tokens import TokenIssuer, TokenVerifier
from core.clock import SystemClock
from core.errors import Unauthenticated
from core.vocabulary import PrincipalKind

KEYS = load_key_set(generate_key_set())
READER = BearerReader(TokenVerifier(KEYS, issuer="us", audience="us", clock=SystemClock()))
TOKEN = TokenIssuer(KEYS, issuer="us", audience="us", clock=SystemClock()).issue(
    kind=PrincipalKind.OPERATOR, subject="ada", scopes=[Scope.CUSTOMERS_READ], lifetime=timedelta(hours=1), seller_id="acme"
)
ADA = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=frozenset({Scope.CUSTOMERS_READ}), seller_id="acme")


@pytest.mark.parametrize("header", [f"Bearer {TOKEN}", f"bearer {TOKEN}", f"BEARER   {TOKEN}  "])
def test_a_good_header_names_its_caller_and_until_when(header: str) -> None:
    found = READER.principal_until(header)

    assert found is not None
    assert ADA == found[0] == READER.principal(header)
    assert timedelta(minutes=50) < found[1] - datetime.now(UTC) <= timedelta(hours=1)


@pytest.mark.parametrize("header", [None, ""])
def test_no_header_is_nobody(header: str | None) -> None:
    assert READER.principal(header) is None
    assert READER.principal_until(header) is None


@pytest.mark.parametrize(
    "header", [TOKEN, "Basic YWRhOnNlY3JldA==", f"Token {TOKEN}", "Bearer", f"Bearer\t{TOKEN}", f" Bearer {TOKEN}", "\x00"]
)
def test_another_scheme_is_told_which_one_it_is(header: str) -> None:
    with pytest.raises(Unauthenticated, match=r"^Send the access token as: Authorization: Bearer …\.$"):
        READER.principal(header)


@pytest.mark.parametrize(
    "header", ["Bearer ", "Bearer x", f"Bearer {TOKEN}x", f"Bearer {TOKEN} {TOKEN}", f"Bearer Bearer {TOKEN}", "Bearer \ud800"]
)
def test_a_bad_token_is_refused_like_every_other(header: str) -> None:
    with pytest.raises(Unauthenticated, match=r"^The access token is not valid, or no longer\.$"):
        READER.principal(header)
