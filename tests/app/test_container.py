"""What the settings say arrives where it has its effect."""

from app.container import Container, open_connections
from app.settings import Settings
from tests.api import fresh


async def test_the_database_is_opened_as_configured(container: Container, settings: Settings) -> None:
    name = fresh("elsewhere")
    mongodb = settings.mongodb.model_copy(update={"database": name, "max_pool_size": 7, "min_pool_size": 3})

    async with open_connections(settings.model_copy(update={"mongodb": mongodb})) as connections:
        database = connections.mongo.database
        pool = database.client.options.pool_options
        assert await connections.mongo.answers()

    assert (name, 7, 3) == (database.name, pool.max_pool_size, pool.min_pool_size)


async def test_imports_are_worked_through_as_configured(container: Container, settings: Settings) -> None:
    customer = settings.bulk.customer.model_copy(update={"batch_size": 17, "max_workers": 2})
    bulk = settings.bulk.model_copy(update={"customer": customer})

    async with open_connections(settings.model_copy(update={"bulk": bulk})) as connections:
        limits = connections.limits

    assert (17, 2) == (limits.batch_size, limits.max_workers)
