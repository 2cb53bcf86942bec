"""Service clients: their secrets, and what is left of them when they are disabled."""

import pytest

from app.container import Container
from auth.principal import SERVICE_SCOPES, Scope
from core.errors import BadInput, NotFound
from models.service_client import ServiceClient
from repositories.revocation import RevocationLog


async def test_a_secret_is_stored_as_a_digest_only(container: Container) -> None:
    made = await container.clients.create("oms")

    stored = await ServiceClient.get_pymongo_collection().find_one({"_id": made.client.id})

    assert made.secret not in str(stored)
    assert made.secret not in repr(made)
    assert 43 == len(made.secret)  # 256 bits in base 64
    assert (await container.clients.known(made.client.id)).holds(made.secret)


async def test_a_client_may_do_what_services_may_unless_told_otherwise(container: Container) -> None:
    usual = await container.clients.create("oms")
    narrow = await container.clients.create("crm", scopes=[Scope.CUSTOMERS_READ], seller_id="acme")

    assert SERVICE_SCOPES == (await container.clients.known(usual.client.id)).scopes
    known = await container.clients.known(narrow.client.id)
    assert (frozenset({Scope.CUSTOMERS_READ}), "acme") == (known.scopes, known.seller_id)


async def test_a_secret_is_replaced_without_a_moment_in_which_none_holds(container: Container) -> None:
    first = await container.clients.create("oms")
    id_ = first.client.id

    async def holding(*secrets: str) -> list[bool]:
        known = await container.clients.known(id_)
        return [known.holds(secret) for secret in secrets]

    second = (await container.clients.new_secret(id_)).secret
    assert [True, True] == await holding(first.secret, second)
    third = (await container.clients.new_secret(id_)).secret
    assert [False, True, True] == await holding(first.secret, second, third)


async def test_a_disabled_client_stays_disabled(container: Container) -> None:
    made = await container.clients.create("oms")

    disabled = await container.clients.disable(made.client.id)
    again = await container.clients.disable(made.client.id)

    assert disabled.disabled_at is not None
    assert (disabled.disabled_at, []) == (again.disabled_at, again.secrets)
    assert not (await container.clients.known(made.client.id)).holds(made.secret)
    assert made.client.id in await RevocationLog().among([made.client.id])
    with pytest.raises(NotFound):
        await container.clients.new_secret(made.client.id)


async def test_a_client_that_kept_its_secrets_is_refused_once_disabled(container: Container) -> None:
    """
    The mark alone is enough, whoever set it.
    """
    made = await container.clients.create("oms")
    await ServiceClient.get_pymongo_collection().update_one(
        {"_id": made.client.id}, {"$set": {"disabled_at": container.rules.clock.now()}}
    )

    assert not (await container.clients.known(made.client.id)).holds(made.secret)


async def test_a_client_that_is_not_there_cannot_be_changed(container: Container) -> None:
    with pytest.raises(NotFound, match="clients list"):
        await container.clients.new_secret("cli_0")
    with pytest.raises(NotFound, match="clients list"):
        await container.clients.disable("cli_0")
    assert [] == [client for client in await container.clients.every() if client.id == "cli_0"]


async def test_a_scope_of_another_version_allows_nothing(container: Container) -> None:
    made = await container.clients.create("oms", scopes=[Scope.CUSTOMERS_READ])
    await ServiceClient.get_pymongo_collection().update_one({"_id": made.client.id}, {"$push": {"scopes": "orders:read"}})

    assert {Scope.CUSTOMERS_READ} == (await container.clients.known(made.client.id)).scopes


@pytest.mark.parametrize(
    ("name", "seller"), [("", None), ("  ", None), ("x" * 101, None), ("a\nb", None), ("oms", ""), ("oms", "a b"), ("oms", "*")]
)
async def test_a_client_needs_a_name_and_a_seller_that_can_be_one(container: Container, name: str, seller: str | None) -> None:
    before = await ServiceClient.get_pymongo_collection().count_documents({})

    with pytest.raises(BadInput):
        await container.clients.create(name, seller_id=seller)

    assert before == await ServiceClient.get_pymongo_collection().count_documents({})
