"""A few customers to look at in a fresh development stack."""

from typing import Any

from app.container import build_customers, open_connections
from app.settings import Settings
from auth.principal import OPERATOR_SCOPES, Principal
from core.drafts import AddressDraft, CustomerDraft, DocumentDraft
from core.filters import CustomerKey, CustomerKeyKind
from core.vocabulary import AddressKind, CustomerStatus, DocumentType, PrincipalKind
from services.service_client import NewSecret, ServiceClients

SELLER = "demo"
CLIENT = "demo"

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


async def seed(settings: Settings) -> dict[str, Any]:
    """Store the demo customers of the seller ``demo`` and a service client, once or again.

    Returns:
        ``customer_id``, whose token is handed out, and ``client`` with ``id`` and ``secret``.
    """
    operator = Principal(kind=PrincipalKind.OPERATOR, subject="demo", scopes=OPERATOR_SCOPES, seller_id=SELLER)
    async with open_connections(settings) as connections:
        customers = build_customers(connections)
        ids = []
        for draft in (_ADA, *_OTHERS):
            key = CustomerKey(CustomerKeyKind.EXTERNAL_ID, str(draft.external_id))
            saved = await customers.upsert(operator, key, draft, seller_id=SELLER)
            ids.append(saved.customer.id)
        made = await _client(ServiceClients(connections.rules.clock, token_lifetime=settings.security.access_token_lifetime))
    return {"customer_id": ids[0], "client": {"id": made.client.id, "secret": made.secret}}


async def _client(clients: ServiceClients) -> NewSecret:
    """Return the demo's service client; one that is there already gets another secret, since nobody knows its first."""
    there = [client for client in await clients.every() if client.name == CLIENT and client.disabled_at is None]
    return await clients.new_secret(there[0].id) if there else await clients.create(CLIENT)
