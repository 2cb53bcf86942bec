"""The database of the settings."""

from contextlib import AbstractAsyncContextManager

from app.settings import Settings
from infra.mongo import Mongo, open_mongo


def open_database(settings: Settings) -> AbstractAsyncContextManager[Mongo]:
    """Open the database.

    Raises (when entered):
        StandaloneDatabase: MongoDB is no replica set.
        Unavailable: MongoDB does not answer.
    """
    mongodb = settings.mongodb
    return open_mongo(
        mongodb.uri.get_secret_value(),
        mongodb.database,
        max_pool_size=mongodb.max_pool_size,
        min_pool_size=min(mongodb.min_pool_size, mongodb.max_pool_size),
    )
