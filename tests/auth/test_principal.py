"""Who may reach what."""

import pytest

from auth.principal import CUSTOMER_SCOPES, OPERATOR_SCOPES, SERVICE_SCOPES, Principal, Scope
from core.errors import BadInput, Forbidden
from core.tenancy import EverySeller, Reach, Tenant
from core.vocabulary import PrincipalKind

OPERATOR = Principal(kind=PrincipalKind.OPERATOR, subject="ada", scopes=OPERATOR_SCOPES, seller_id="acme")
SERVICE = Principal(kind=PrincipalKind.SERVICE, subject="oms", scopes=SERVICE_SCOPES)
BOUND_SERVICE = Principal(kind=PrincipalKind.SERVICE, subject="oms", scopes=SERVICE_SCOPES, seller_id="acme")
CUSTOMER = Principal(kind=PrincipalKind.CUSTOMER, subject="cus_1", scopes=CUSTOMER_SCOPES, seller_id="acme")
EVERYBODY = pytest.mark.parametrize("who", [OPERATOR, SERVICE, BOUND_SERVICE, CUSTOMER], ids=lambda who: who.actor)


@pytest.mark.parametrize(
    ("who", "tenant"),
    [
        (OPERATOR, Tenant("acme")),
        (SERVICE, EverySeller("service:oms")),
        (BOUND_SERVICE, Tenant("acme")),
        (CUSTOMER, Tenant("acme", "cus_1")),
    ],
)
def test_reach(who: Principal, tenant: Reach) -> None:
    assert tenant == who.reach()


@pytest.mark.parametrize(
    ("who", "seller_id", "tenant"),
    [
        (OPERATOR, None, Tenant("acme")),
        (OPERATOR, "acme", Tenant("acme")),
        (SERVICE, "acme", Tenant("acme")),
        (SERVICE, "other", Tenant("other")),
        (BOUND_SERVICE, None, Tenant("acme")),
        (CUSTOMER, None, Tenant("acme", "cus_1")),
        (CUSTOMER, "acme", Tenant("acme", "cus_1")),
    ],
)
def test_reach_of_a_seller(who: Principal, seller_id: str | None, tenant: Tenant) -> None:
    assert tenant == who.reach_of(seller_id)


@pytest.mark.parametrize("kind", [PrincipalKind.OPERATOR, PrincipalKind.CUSTOMER])
@pytest.mark.parametrize("seller_id", [None, "acme"])
def test_only_a_service_may_be_bound_to_no_seller(kind: PrincipalKind, seller_id: str | None) -> None:
    """
    The verifier refuses such tokens; if it ever did not, they would still open nothing.
    """
    stray = Principal(kind=kind, subject="cus_1", scopes=frozenset(Scope))

    with pytest.raises(Forbidden, match="names no seller"):
        stray.reach()
    with pytest.raises(Forbidden, match="names no seller"):
        stray.reach_of(seller_id)


@pytest.mark.parametrize("who", [OPERATOR, BOUND_SERVICE, CUSTOMER], ids=lambda who: who.actor)
@pytest.mark.parametrize("seller_id", ["other", "", "ACME", "acme "])
def test_another_sellers_door_is_closed(who: Principal, seller_id: str) -> None:
    with pytest.raises(Forbidden, match=r"^Your token belongs to another seller\.$"):
        who.reach_of(seller_id)


def test_a_service_has_to_say_which_seller_it_means() -> None:
    with pytest.raises(BadInput, match="sellerId"):
        SERVICE.reach_of(None)


@EVERYBODY
@pytest.mark.parametrize("scope", Scope)
def test_a_missing_scope_is_named(who: Principal, scope: Scope) -> None:
    if scope in who.scopes:
        who.require(scope)
    else:
        with pytest.raises(Forbidden, match=f"needs the scope {scope.value}"):
            who.require(scope)


def test_nobody_reads_documents_in_full_by_default() -> None:
    assert Scope.DOCUMENTS_READ_FULL not in OPERATOR_SCOPES | SERVICE_SCOPES | CUSTOMER_SCOPES


def test_customers_do_not_import() -> None:
    assert set() == CUSTOMER_SCOPES & {Scope.IMPORTS_READ, Scope.IMPORTS_WRITE}


@EVERYBODY
def test_customers_are_no_staff(who: Principal) -> None:
    if who is CUSTOMER:
        with pytest.raises(Forbidden, match="operator's or a service's"):
            who.require_staff()
    else:
        who.require_staff()


@pytest.mark.parametrize(
    ("who", "actor", "customer_id"),
    [(OPERATOR, "operator:ada", None), (SERVICE, "service:oms", None), (CUSTOMER, "customer:cus_1", "cus_1")],
)
def test_the_name_in_the_history(who: Principal, actor: str, customer_id: str | None) -> None:
    assert (actor, customer_id) == (who.actor, who.customer_id)
