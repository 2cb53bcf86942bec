"""Root fields about exports of everything about a customer: unpack, call one service method, repack."""

import strawberry

from resolvers.outcome import attempt
from schema.arguments import CustomerId, DataExportId
from schema.context import Info
from schema.data_export import DataExport, DataExportPayload


@strawberry.type
class DataExportQuery:
    @strawberry.field(
        description="One export of everything about a customer; null when you can see none with this id. "
        "Needs `privacy:export`."
    )
    async def customer_data_export(self, info: Info, id: DataExportId) -> DataExport | None:
        """Return one export by id."""
        record = await info.context.services.data_exports.get(info.context.viewer, id)
        return None if record is None else DataExport.from_model(record)


@strawberry.type
class DataExportMutation:
    @strawberry.mutation(
        description="Have everything that is stored about a customer written into one archive, by a worker: ask for its state "
        "with `customerDataExport`. One is made at a time; while it is, it is the answer to whoever asks again. Customers that "
        "were deleted are reachable, erased ones are NOT_FOUND. At most five a day for each customer. Needs `privacy:export`."
    )
    async def export_customer_data(self, info: Info, id: CustomerId) -> DataExportPayload:
        """Ask for an export."""
        asked, errors = await attempt(info.context.services.data_exports.ask(info.context.viewer, id))
        if asked is None:
            return DataExportPayload(data_export=None, created=False, user_errors=errors)
        return DataExportPayload(data_export=DataExport.from_model(asked.export), created=asked.created, user_errors=errors)
