"""Live fields about bulk imports."""

from collections.abc import AsyncGenerator
from contextlib import aclosing

import strawberry

from core.by_identity import ByIdentity
from models import bulk_import as models
from schema.arguments import BulkImportId, SellerId
from schema.bulk_import import BulkImport
from schema.context import Info

# Everybody who watches an import is handed the same record, and is shown the same object: what is made of it is made once.
_SHOWN: ByIdentity[BulkImport] = ByIdentity(256)


def _shown(record: models.BulkImport) -> BulkImport:
    return _SHOWN.get(record) or _SHOWN.put(BulkImport.from_model(record), record)


@strawberry.type
class BulkImportSubscription:
    @strawberry.subscription(
        description="One import: its state now, then every change, at most four a second, then the final state and the end. "
        "Needs `imports:read`; not for customers."
    )
    async def bulk_import_progress(self, info: Info, id: BulkImportId) -> AsyncGenerator[BulkImport, None]:
        """Follow one import."""
        async with aclosing(info.context.services.bulk_imports.watch(info.context.viewer, id)) as changes:
            async for record in changes:
                info.context.forget_loaded()
                yield _shown(record)

    @strawberry.subscription(
        description="Every change of every import of the seller, until you stop. Needs `imports:read`; not for customers."
    )
    async def bulk_imports_progress(self, info: Info, seller_id: SellerId = None) -> AsyncGenerator[BulkImport, None]:
        """Follow all imports of a seller."""
        async with aclosing(info.context.services.bulk_imports.watch_all(info.context.viewer, seller_id)) as changes:
            async for record in changes:
                info.context.forget_loaded()
                yield _shown(record)
