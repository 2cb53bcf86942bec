"""Whose access tokens are accepted."""

import time
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
import pytest_asyncio
import structlog.testing
import yaml
from starlette.responses import PlainTextResponse

from app.settings import InvalidSettings, Settings, load_settings
from app.verifiers import Verifiers, open_verifiers
from auth.keys import generate_key_set, load_key_set
from auth.principal import Principal, Scope
from auth.tokens import TokenIssuer, TokenVerifier
from core.clock import SystemClock
from core.errors import Unauthenticated, Unavailable
from core.vocabulary import PrincipalKind
from tests.identity_provider import IdentityProvider, open_identity_provider, signed

MESSAGE = "The access token is not valid, or no longer."
OURS = load_key_set(generate_key_set())
OWN = TokenVerifier(OURS, issuer="customer-service", audience="customer-service", clock=SystemClock())
ISSUE = TokenIssuer(OURS, issuer="customer-service", audience="customer-service", clock=SystemClock()).issue


def settings_with(*trusted: dict[str, Any], **security: Any) -> dict[str, Any]:
    return {
        "mongodb": {"uri": "mongodb://localhost"},
        "security": {
            "keyFile": "keys.json",
            "masterKey": "MDEyMzQ1Njc4OWFiY2RlZjAxMjM0NTY3ODlhYmNkZWY=",
            "trustedIssuers": list(trusted),
            **security,
        },
    }


PRODUCTION = {"environment": "production", "malware": {"scanner": "none"}}


def loaded(tmp_path: Path, content: dict[str, Any]) -> Settings:
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_settings(path, {})


@pytest_asyncio.fixture(name="gateway")
async def _gateway() -> AsyncIterator[IdentityProvider]:
    async with open_identity_provider() as provider:
        yield provider


@pytest_asyncio.fixture(name="verifiers")
async def _verifiers(gateway: IdentityProvider, tmp_path: Path) -> AsyncIterator[Verifiers]:
    """A gateway whose tokens we trust, with roles where Keycloak has them."""
    trusted = {
        "issuer": gateway.url,
        "audience": "customer-service",
        "jwksUrl": f"{gateway.url}/jwks",
        "claims": {"scope": "realm_access.roles"},
        "roles": [
            {"role": "support", "allows": ["customers:read"]},
            {"role": "support", "allows": ["documents:read"]},
        ],
    }
    async with open_verifiers(loaded(tmp_path, settings_with(trusted)), OWN, SystemClock()) as verifiers:
        yield verifiers


def token_of(gateway: IdentityProvider, **claims: Any) -> str:
    now = int(time.time())
    content = {
        "iss": gateway.url,
        "aud": "customer-service",
        "sub": "ada",
        "iat": now,
        "exp": now + 600,
        "seller_id": "acme",
        "realm_access": {"roles": ["support", "offline_access"]},
        "sid": "theirs",
        **claims,
    }
    return signed({"alg": "ES256", "kid": gateway.key.kid}, content, gateway.key)


async def test_a_token_of_a_trusted_issuer_is_good(verifiers: Verifiers, gateway: IdentityProvider) -> None:
    found = (await verifiers.verify(token_of(gateway))).principal

    assert f"{gateway.url}|theirs" == found.session_id
    assert found == Principal(
        kind=PrincipalKind.OPERATOR,
        subject=f"{gateway.url}|ada",
        scopes=frozenset({Scope.CUSTOMERS_READ, Scope.DOCUMENTS_READ}),
        seller_id="acme",
    )


async def test_a_token_of_ours_is_good_beside_them(verifiers: Verifiers, gateway: IdentityProvider) -> None:
    own = ISSUE(
        kind=PrincipalKind.OPERATOR, subject="ada", scopes=[Scope.ERASURE], lifetime=timedelta(minutes=1), seller_id="acme"
    )

    assert "ada" == (await verifiers.verify(own)).principal.subject
    assert 0 == gateway.jwks_calls


async def test_whatever_is_wrong_the_answer_is_the_same(verifiers: Verifiers, gateway: IdentityProvider) -> None:
    stranger = load_key_set(generate_key_set()).keys[0].key
    for bad in (
        "x",
        token_of(gateway, iss="https://nobody.example.com"),
        token_of(gateway, iss=["x"]),
        token_of(gateway, aud="another"),
        token_of(gateway, seller_id=None),
        signed({"alg": "ES256", "kid": gateway.key.kid}, {"iss": gateway.url}, stranger),
        signed({"alg": "ES256", "kid": gateway.key.kid}, {"iss": "customer-service"}, gateway.key),
    ):
        with pytest.raises(Unauthenticated) as refusal:
            await verifiers.verify(bad)
        assert MESSAGE == str(refusal.value)


async def test_nobody_can_make_us_ask_an_issuer_that_is_not_configured(verifiers: Verifiers, gateway: IdentityProvider) -> None:
    for issuer in ("https://nobody.example.com", "", f"{gateway.url}/", None):
        with pytest.raises(Unauthenticated):
            await verifiers.verify(token_of(gateway, iss=issuer))

    assert 0 == gateway.jwks_calls


async def test_a_foreign_key_signs_nothing_in_our_name(verifiers: Verifiers, gateway: IdentityProvider) -> None:
    """
    The claims of a token choose whose keys check it, and no more.
    """
    ours = ISSUE(kind=PrincipalKind.OPERATOR, subject="ada", scopes=[], lifetime=timedelta(minutes=1), seller_id="acme")
    header = {"typ": "at+jwt", "alg": "ES256", "kid": OURS.keys[0].kid}

    assert "ada" == (await verifiers.verify(ours)).principal.subject
    for forged in (
        signed(header, {"iss": "customer-service"}, gateway.key),
        signed({**header, "kid": gateway.key.kid}, {"iss": "customer-service"}, gateway.key),
        signed(header, {"iss": gateway.url, "aud": "customer-service"}, OURS.keys[0].key),
    ):
        with pytest.raises(Unauthenticated):
            await verifiers.verify(forged)


async def test_an_outage_of_theirs_is_no_fault_of_the_token(verifiers: Verifiers, gateway: IdentityProvider) -> None:
    gateway.jwks = lambda: PlainTextResponse("down", 503)

    with pytest.raises(Unavailable):
        await verifiers.verify(token_of(gateway))


async def test_the_log_says_why_and_never_what(verifiers: Verifiers, gateway: IdentityProvider) -> None:
    with structlog.testing.capture_logs() as lines:
        for bad in (
            token_of(gateway, seller_id="canary other"),
            token_of(gateway, exp="canary"),
            token_of(gateway, aud="canary"),
        ):
            with pytest.raises(Unauthenticated):
                await verifiers.verify(bad)

    assert ["the claim seller_id names no seller", "InvalidClaimError", "InvalidClaimError"] == [
        line["reason"] for line in lines
    ]
    assert "canary" not in str(lines)


# --------------------------------------------------------------------------- what is refused at start

TRUSTED = {"issuer": "https://login.example.com", "audience": "us", "jwksUrl": "https://login.example.com/keys"}

WRONG: dict[str, tuple[dict[str, Any], str]] = {
    "our own name": ({"issuer": "customer-service"}, "security.trustedIssuers:"),
    "a bar in the name": ({"issuer": "https://login.example.com|ada"}, "security.trustedIssuers.0.issuer"),
    "an unknown scope in a role": (
        {"roles": [{"role": "a", "allows": ["customers:read"]}, {"role": "b", "allows": ["customers:burn"]}]},
        "security.trustedIssuers.0.roles.1.allows.0",
    ),
    "an unknown scope granted": ({"granted": ["everything"]}, "security.trustedIssuers.0.granted.0"),
    "a role beyond the grant": (
        {"granted": ["customers:read"], "roles": [{"role": "a", "allows": ["erasure"]}]},
        "security.trustedIssuers.0.roles",
    ),
    "a role beyond what operators may do": (
        {"roles": [{"role": "a", "allows": ["documents:read_full"]}]},
        "security.trustedIssuers.0.roles",
    ),
    "customers who may import": ({"kind": "CUSTOMER", "granted": ["imports:write"]}, "security.trustedIssuers.0.granted"),
    "customers whose role may erase": (
        {"kind": "CUSTOMER", "roles": [{"role": "a", "allows": ["erasure"]}]},
        "security.trustedIssuers.0.roles",
    ),
    "operators of all sellers": ({"allSellers": True}, "security.trustedIssuers.0.allSellers"),
    "all sellers and one of them": (
        {"kind": "SERVICE", "sellerId": "acme", "allSellers": True},
        "security.trustedIssuers.0.allSellers",
    ),
    "a shared secret": ({"algorithms": ["HS256"]}, "security.trustedIssuers.0.algorithms.0"),
    "no signature": ({"algorithms": ["ES256", "none"]}, "security.trustedIssuers.0.algorithms.1"),
    "no algorithm": ({"algorithms": []}, "security.trustedIssuers.0.algorithms"),
    "no type": ({"types": []}, "security.trustedIssuers.0.types"),
    "keys behind a port that does not exist": ({"jwksUrl": "https://a:99999/"}, "security.trustedIssuers.0.jwksUrl"),
    "keys from a file": ({"jwksUrl": "file:///etc/passwd"}, "security.trustedIssuers.0.jwksUrl"),
}


@pytest.mark.parametrize(("changes", "key"), WRONG.values(), ids=WRONG)
def test_an_issuer_that_makes_no_sense_is_refused_by_the_name_of_its_key(
    tmp_path: Path, changes: dict[str, Any], key: str
) -> None:
    assert loaded(tmp_path, settings_with(TRUSTED)).security.trusted_issuers

    with pytest.raises(InvalidSettings) as refusal:
        loaded(tmp_path, settings_with({**TRUSTED, **changes}))

    (_, line) = str(refusal.value).splitlines()
    assert line.strip().startswith(key)


def test_one_issuer_is_named_once(tmp_path: Path) -> None:
    with pytest.raises(InvalidSettings, match=r"security\.trustedIssuers: .*Two of them have the same issuer"):
        loaded(tmp_path, settings_with(TRUSTED, {**TRUSTED, "audience": "other"}))


async def test_keys_come_over_tls_in_production(tmp_path: Path) -> None:
    content = settings_with({**TRUSTED, "jwksUrl": "http://login.example.com/keys"})

    async with open_verifiers(loaded(tmp_path, content), OWN, SystemClock()):
        pass
    with pytest.raises(InvalidSettings, match=r"^security\.trustedIssuers\.0\.jwksUrl: "):
        async with open_verifiers(loaded(tmp_path, {**content, **PRODUCTION}), OWN, SystemClock()):
            pass
