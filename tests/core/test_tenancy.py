"""The conditions that every query gets."""

from typing import Any

import pytest

from core.tenancy import EverySeller, NoTenant, Reach, Tenant


@pytest.mark.parametrize(
    ("tenant", "conditions"),
    [
        (Tenant("acme"), {"seller_id": "acme"}),
        (Tenant("acme", "cus_1"), {"seller_id": "acme", "owner": "cus_1"}),
        (EverySeller("service:oms"), {}),
    ],
)
def test_the_wall(tenant: Reach, conditions: dict[str, str]) -> None:
    assert conditions == tenant.filter(customer_field="owner")


@pytest.mark.parametrize("seller_id", [None, "", 0, ["acme"], {"$ne": None}], ids=repr)
def test_no_tenant_without_a_seller(seller_id: Any) -> None:
    """
    None once meant all sellers, which anybody could have written by mistake.
    """
    with pytest.raises(NoTenant, match="give its id"):
        Tenant(seller_id)


@pytest.mark.parametrize("customer_id", ["", 0, {"$ne": None}], ids=repr)
def test_no_tenant_for_a_customer_without_an_id(customer_id: Any) -> None:
    with pytest.raises(NoTenant, match="the customer's id"):
        Tenant("acme", customer_id)


def test_nobody_gets_all_sellers_by_leaving_something_out() -> None:
    with pytest.raises(TypeError):
        Tenant()  # type: ignore[call-arg]  # the mistake in question
    with pytest.raises(TypeError):
        EverySeller()  # type: ignore[call-arg]  # as above


@pytest.mark.parametrize("actor", [None, ""])
def test_who_reaches_across_has_a_name_and_is_audited(actor: Any) -> None:
    with pytest.raises(NoTenant):
        EverySeller(actor)
    assert EverySeller("service:oms").audited


@pytest.mark.parametrize(
    ("tenant", "spanned"),
    [
        (Tenant("acme"), ["acme"]),
        (Tenant("acme", "cus_1"), []),
        (EverySeller("service:oms"), ["acme", "other"]),
    ],
)
def test_whose_everything_lies_inside(tenant: Reach, spanned: list[str]) -> None:
    assert spanned == [seller_id for seller_id in ("acme", "other", "") if tenant.spans(seller_id)]
