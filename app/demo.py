"""A few customers to look at in a fresh development stack."""

from app.container import open_container
from app.settings import Settings
from auth.principal import OPERATOR_SCOPES, Principal
from core.drafts import AddressDraft, CustomerDraft, DocumentDraft
from core.filters import CustomerKey, CustomerKeyKind
from core.vocabulary import AddressKind, CustomerStatus, DocumentType, PrincipalKind

SELLER = "demo"

_ADA = CustomerDraft(
    external_id="demo-ada",
    email="ada.lovelace@example.com",
    phone="+44 20 7946 0958",
    first_name="Ada",
    last_name="Lovelace",
    locale="en-GB",
    tags=("vip",),
    addresses=(
        AddressDraft(
            kind=AddressKind.SHIPPING, line1="12 St James's Square", city="London", postal_code="SW1Y 4JH", country_code="GB"
        ),
        AddressDraft(
            kind=AddressKind.BILLING,
            company="Analytical Engines Ltd",
            line1="12 St James's Square",
            city="London",
            postal_code="SW1Y 4JH",
            country_code="GB",
        ),
    ),
    documents=(DocumentDraft(type=DocumentType.PASSPORT, number="531985007", issuing_country="GB"),),
)
_OTHERS = (
    CustomerDraft(
        external_id="demo-grace",
        email="grace.hopper@example.com",
        phone="+1 202 456 1111",
        first_name="Grace",
        last_name="Hopper",
        locale="en-US",
        addresses=(
            AddressDraft(
                kind=AddressKind.SHIPPING,
                line1="1600 Pennsylvania Avenue NW",
                city="Washington",
                region="DC",
                postal_code="20500",
                country_code="US",
            ),
        ),
    ),
    CustomerDraft(
        external_id="demo-acme",
        email="orders@acme.example",
        company="Acme GmbH",
        status=CustomerStatus.PENDING,
        addresses=(
            AddressDraft(kind=AddressKind.BILLING, line1="Torstraße 1", city="Berlin", postal_code="10119", country_code="DE"),
        ),
    ),
)


async def seed(settings: Settings) -> dict[str, str]:
    """Store the demo customers of the seller ``demo``, once or again; return the id of the one whose token is handed out."""
    operator = Principal(kind=PrincipalKind.OPERATOR, subject="demo", scopes=OPERATOR_SCOPES, seller_id=SELLER)
    async with open_container(settings) as container:
        ids = []
        for draft in (_ADA, *_OTHERS):
            key = CustomerKey(CustomerKeyKind.EXTERNAL_ID, str(draft.external_id))
            saved = await container.services.customers.upsert(operator, key, draft, seller_id=SELLER)
            ids.append(saved.customer.id)
    return {"customer_id": ids[0]}
