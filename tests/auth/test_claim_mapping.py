"""From the claims of another issuer to one of our principals."""

from dataclasses import replace
from typing import Any

import pytest

from auth.claim_mapping import ClaimMapping, UnfitClaims
from auth.principal import CUSTOMER_SCOPES, OPERATOR_SCOPES, SERVICE_SCOPES, Scope
from core.ids import IdKind, new_id
from core.vocabulary import PrincipalKind

ISSUER = "https://login.example.com"
CLAIMS: dict[str, Any] = {"sub": "ada", "seller_id": "acme"}
OPERATOR = ClaimMapping(issuer=ISSUER, kind=PrincipalKind.OPERATOR, granted=OPERATOR_SCOPES)
SERVICE = ClaimMapping(issuer=ISSUER, kind=PrincipalKind.SERVICE, granted=SERVICE_SCOPES)
CUSTOMER = ClaimMapping(issuer=ISSUER, kind=PrincipalKind.CUSTOMER, granted=CUSTOMER_SCOPES)
CUSTOMER_ID = new_id(IdKind.CUSTOMER)


def scopes(mapping: ClaimMapping, **claims: Any) -> set[str]:
    return {scope.value for scope in mapping.principal({**CLAIMS, **claims}).scopes}


def test_a_foreign_subject_is_marked_in_the_history() -> None:
    """
    Else the ada of a gateway would be written down as the ada whom we know.
    """
    assert f"operator:{ISSUER}|ada" == OPERATOR.principal(CLAIMS).actor
    assert f"service:{ISSUER}|ada" == SERVICE.principal(CLAIMS).actor


def test_a_customer_is_our_own_id_of_it() -> None:
    found = CUSTOMER.principal({**CLAIMS, "sub": CUSTOMER_ID})

    assert (CUSTOMER_ID, CUSTOMER_ID, "acme") == (found.subject, found.customer_id, found.seller_id)


@pytest.mark.parametrize(
    "subject",
    ["ada", new_id(IdKind.SESSION), f"{CUSTOMER_ID} ", CUSTOMER_ID.upper(), f"{ISSUER}|{CUSTOMER_ID}"],
    ids=["a name", "a session", "a blank behind", "capitals", "an issuer in front"],
)
def test_a_customer_without_an_id_of_ours_is_nobody(subject: str) -> None:
    with pytest.raises(UnfitClaims, match=r"^the claim sub names no"):
        CUSTOMER.principal({**CLAIMS, "sub": subject})


@pytest.mark.parametrize("mapping", [OPERATOR, SERVICE, CUSTOMER], ids=["operator", "service", "customer"])
def test_everybody_needs_a_seller(mapping: ClaimMapping) -> None:
    with pytest.raises(UnfitClaims, match=r"^the claim seller_id names no seller$"):
        mapping.principal({"sub": CUSTOMER_ID})


def test_a_service_acts_for_all_sellers_only_where_that_is_configured() -> None:
    everywhere = replace(SERVICE, all_sellers=True)

    assert everywhere.principal({"sub": "oms"}).seller_id is None
    assert "acme" == everywhere.principal(CLAIMS).seller_id


@pytest.mark.parametrize("seller", ["", " ", 0, False, [], {}, "acme other", "a" * 65])
def test_a_seller_that_is_none_does_not_become_all_sellers(seller: object) -> None:
    with pytest.raises(UnfitClaims):
        replace(SERVICE, all_sellers=True).principal({"sub": "oms", "seller_id": seller})


@pytest.mark.parametrize("kind", [PrincipalKind.OPERATOR, PrincipalKind.CUSTOMER])
def test_nobody_but_a_service_acts_for_all_sellers(kind: PrincipalKind) -> None:
    with pytest.raises(UnfitClaims):
        replace(SERVICE, kind=kind, all_sellers=True).principal({"sub": CUSTOMER_ID})


def test_a_fixed_seller_is_everybodys() -> None:
    assert "shop" == replace(OPERATOR, seller_id="shop").principal({"sub": "ada", "seller_id": "acme"}).seller_id


@pytest.mark.parametrize(
    ("path", "claims"),
    [
        ("scope", {"scope": "erasure x"}),
        ("scope", {"scope": ["x", "erasure"]}),
        ("realm_access.roles", {"realm_access": {"roles": ["erasure"]}}),
        ("realm_access.roles", {"realm_access.roles": ["erasure"]}),
        ("https://example.com/roles", {"https://example.com/roles": ["erasure"]}),
        ("resource_access.my.client.roles", {"resource_access": {"my.client": {"roles": ["erasure"]}}}),
        ("a.b", {"a": {"b": None}, "a.b": "erasure"}),
    ],
    ids=["text", "list", "nested", "dots in a name", "address", "dots within", "nothing where it was looked for first"],
)
def test_scopes_are_found_where_the_issuer_keeps_them(path: str, claims: dict[str, Any]) -> None:
    assert {"erasure"} == scopes(replace(OPERATOR, scope=path), **claims)


@pytest.mark.parametrize("claims", [{}, {"a": None}, {"a": "b"}, {"a": ["b"]}, {"a": {}}, {"b": "erasure"}], ids=str)
def test_whoever_brings_no_word_is_known_and_may_do_nothing(claims: dict[str, Any]) -> None:
    assert set() == scopes(replace(OPERATOR, scope="a.b"), **claims)


@pytest.mark.parametrize("words", [7, True, {"erasure": 1}, ["erasure", 7], [["erasure"]]], ids=str)
def test_words_of_another_shape_are_refused(words: object) -> None:
    with pytest.raises(UnfitClaims, match=r"^the claim scope is neither text nor a list of texts$"):
        scopes(OPERATOR, scope=words)


def test_roles_allow_what_was_configured() -> None:
    mapping = replace(OPERATOR, roles={"support": frozenset({Scope.CUSTOMERS_READ}), "boss": frozenset({Scope.ERASURE})})

    assert {"customers:read"} == scopes(mapping, scope="support unknown Boss")
    assert {"customers:read", "erasure"} == scopes(mapping, scope=["boss", "support"])


def test_our_own_words_hold_within_the_grant_only() -> None:
    mapping = replace(OPERATOR, granted=frozenset({Scope.CUSTOMERS_READ}))

    assert {"customers:read"} == scopes(mapping, scope="customers:read customers:write erasure")
    assert set() == scopes(OPERATOR, scope="documents:read_full")
    assert {"documents:read_full"} == scopes(
        replace(OPERATOR, granted=frozenset({Scope.DOCUMENTS_READ_FULL})), scope="documents:read_full erasure"
    )


def test_our_own_words_can_be_meaningless() -> None:
    assert set() == scopes(replace(OPERATOR, own_words=False), scope="customers:read erasure")


def test_roles_hold_within_the_grant_only() -> None:
    mapping = replace(OPERATOR, granted=frozenset({Scope.CUSTOMERS_READ}), roles={"boss": frozenset(Scope)})

    assert {"customers:read"} == scopes(mapping, scope="boss")


def test_a_customer_never_gets_what_customers_do_not_have() -> None:
    mapping = replace(CUSTOMER, granted=frozenset(Scope), roles={"boss": frozenset(Scope)}, everybody=frozenset(Scope))

    assert {scope.value for scope in CUSTOMER_SCOPES} == scopes(mapping, sub=CUSTOMER_ID, scope="boss")


def test_their_session_is_marked() -> None:
    """
    Whoever signs out takes the session of the token back: unmarked, that could be anything of ours.
    """
    assert f"{ISSUER}|{CUSTOMER_ID}" == OPERATOR.principal({**CLAIMS, "sid": CUSTOMER_ID}).session_id


@pytest.mark.parametrize("session", [None, "", 7, ["x"], new_id(IdKind.SESSION), "ses_", "a\n", "x" * 256], ids=range(8))
def test_a_session_that_is_none_or_looks_like_ours_is_left_out(session: object) -> None:
    assert OPERATOR.principal({**CLAIMS, "sid": session}).session_id is None
