"""The database of the settings."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import Any

from app.settings import Settings
from infra.mongo import PATIENCE, Mongo, open_mongo


def open_database(
    settings: Settings, listeners: Sequence[Any] = (), *, patience: float | None = PATIENCE
) -> AbstractAsyncContextManager[Mongo]:
    """Open the database; see `open_mongo` for *listeners* and *patience*.

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
        listeners=listeners,
        patience=patience,
    )
