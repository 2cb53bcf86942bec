"""Root fields about bulk imports: unpack, call one service method, repack."""

from typing import Annotated

import strawberry

from core.files import UploadTicket
from core.paging import Position, encode_cursor, page_request
from models import bulk_import as models
from resolvers.outcome import attempt
from schema.arguments import BulkImportId, SellerId
from schema.bulk_import import BulkImport, BulkImportInput, BulkImportPayload
from schema.context import Info
from schema.document import UploadTarget
from schema.enums import BulkImportStatus
from schema.import_preview import BulkImportPatch, BulkImportPreview
from schema.paging import After, Connection, First
from schema.user_error import UserError

_ORDER = "bulkImports"


@strawberry.type
class BulkImportQuery:
    @strawberry.field(
        description="One import; null when you can see none with this id. Needs `imports:read`; not for customers."
    )
    async def bulk_import(self, info: Info, id: BulkImportId) -> BulkImport | None:
        """Return one import by id."""
        record = await info.context.services.bulk_imports.get(info.context.viewer, id)
        return None if record is None else BulkImport.from_model(record)

    @strawberry.field(
        description="How the uploaded file of an import would be read, row by row; reads its first half megabyte and changes "
        "nothing. Null when you can see no import with this id. Callers without `customers:read` see its rows masked. Needs "
        "`imports:read`; not for customers."
    )
    async def preview_bulk_import(
        self,
        info: Info,
        id: BulkImportId,
        patch: Annotated[
            BulkImportPatch | None, strawberry.argument(description="What to try; `updateBulkImport` would store it.")
        ] = None,
    ) -> BulkImportPreview | None:
        """Return how a file would be read."""
        changes = {} if patch is None else patch.to_changes()
        preview = await info.context.services.import_previews.of(info.context.viewer, id, changes)
        return None if preview is None else BulkImportPreview.from_preview(preview)

    @strawberry.field(description="A page of imports, newest first. Needs `imports:read`; not for customers.")
    async def bulk_imports(
        self,
        info: Info,
        status: Annotated[BulkImportStatus | None, strawberry.argument(description="Only those in this state.")] = None,
        first: First = 20,
        after: After = None,
        seller_id: SellerId = None,
    ) -> Connection[BulkImport]:
        """Return one page of imports."""
        request = page_request(_ORDER, first=first, after=after)
        page = await info.context.services.bulk_imports.list(info.context.viewer, status, seller_id, request)
        return Connection.from_page(page, BulkImport.from_model, _cursor)


@strawberry.type
class BulkImportMutation:
    @strawberry.mutation(
        description="Announce a file of customers; the answer says where to send it. Needs `imports:write`; not for customers."
    )
    async def create_bulk_import(
        self,
        info: Info,
        input: Annotated[BulkImportInput, strawberry.argument(description="The import.")],
        seller_id: SellerId = None,
    ) -> BulkImportPayload:
        """Create an import."""
        call = info.context.services.bulk_imports.create(info.context.viewer, input.to_draft(), seller_id)
        return _with_upload(*await attempt(call))

    @strawberry.mutation(
        description="Change how the rows of an import are read, and what they do, before it is started; "
        "`previewBulkImport` shows what comes of it. Needs `imports:write`; not for customers."
    )
    async def update_bulk_import(
        self,
        info: Info,
        id: BulkImportId,
        patch: Annotated[BulkImportPatch, strawberry.argument(description="What is to be different.")],
    ) -> BulkImportPayload:
        """Change an import that waits for its file or its start."""
        call = info.context.services.bulk_imports.update(info.context.viewer, id, patch.to_changes())
        return _payload(*await attempt(call))

    @strawberry.mutation(
        description="Say that the file has been sent: it is looked at, pinned and queued. When it cannot be used the import "
        "still waits, so that another file can be sent. Needs `imports:write`; not for customers."
    )
    async def start_bulk_import(self, info: Info, id: BulkImportId) -> BulkImportPayload:
        """Start an import."""
        return _payload(*await attempt(info.context.services.bulk_imports.start(info.context.viewer, id)))

    @strawberry.mutation(description="Stop an import; rows already taken stay. Needs `imports:write`; not for customers.")
    async def cancel_bulk_import(self, info: Info, id: BulkImportId) -> BulkImportPayload:
        """Cancel an import."""
        return _payload(*await attempt(info.context.services.bulk_imports.cancel(info.context.viewer, id)))

    @strawberry.mutation(
        description="Start a new import of the rows that were refused and, after a cancel or a failure, of those that were "
        "never attempted. Needs `imports:write`; not for customers."
    )
    async def retry_bulk_import(self, info: Info, id: BulkImportId) -> BulkImportPayload:
        """Import the rejected rows again."""
        return _with_upload(*await attempt(info.context.services.bulk_imports.retry(info.context.viewer, id)))


def _payload(record: models.BulkImport | None, errors: list[UserError]) -> BulkImportPayload:
    return BulkImportPayload(
        bulk_import=None if record is None else BulkImport.from_model(record), upload=None, user_errors=errors
    )


def _with_upload(saved: tuple[models.BulkImport, UploadTicket | None] | None, errors: list[UserError]) -> BulkImportPayload:
    if saved is None:
        return _payload(None, errors)
    record, ticket = saved
    return BulkImportPayload(
        bulk_import=BulkImport.from_model(record),
        upload=None if ticket is None else UploadTarget.from_ticket(ticket),
        user_errors=errors,
    )


def _cursor(record: models.BulkImport) -> str:
    return encode_cursor(_ORDER, Position(record.created_at, record.id))
