"""The conditions that every query gets."""

import pytest

from core.tenancy import Tenant


@pytest.mark.parametrize(
    ("tenant", "conditions"),
    [
        (Tenant("acme"), {"seller_id": "acme"}),
        (Tenant("acme", "cus_1"), {"seller_id": "acme", "owner": "cus_1"}),
        (Tenant(None), {}),
        (Tenant(None, "cus_1"), {"owner": "cus_1"}),
        (Tenant(""), {"seller_id": ""}),  # an empty name is a name, not "all sellers"
        (Tenant("acme", ""), {"seller_id": "acme", "owner": ""}),
    ],
)
def test_the_wall(tenant: Tenant, conditions: dict[str, str]) -> None:
    assert conditions == tenant.filter(customer_field="owner")


def test_nobody_gets_all_sellers_by_leaving_something_out() -> None:
    with pytest.raises(TypeError):
        Tenant()  # type: ignore[call-arg]  # the mistake in question
