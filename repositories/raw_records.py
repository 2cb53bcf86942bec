"""Every record of every collection, as bytes: for a search that must not depend on what anybody believes is stored."""

from collections.abc import AsyncGenerator

from bson.raw_bson import RawBSONDocument

from models.customer import Customer
from repositories.errors import translated


class RawRecords:
    """The whole database that is open, collections included that no model knows."""

    def __init__(self) -> None:
        self._database = Customer.get_pymongo_collection().database

    async def every(self) -> AsyncGenerator[tuple[str, str, bytes], None]:
        """Yield collection, id and bytes (BSON) of each record."""
        with translated():
            for name in sorted(await self._database.list_collection_names()):
                options = self._database.codec_options.with_options(document_class=RawBSONDocument)
                collection = self._database.get_collection(name, codec_options=options)
                async for record in collection.find({}):
                    yield name, str(record.get("_id")), record.raw
