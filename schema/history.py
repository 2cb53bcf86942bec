"""What a change of a customer changed, and where it came from, as clients see it."""

from typing import Self

import strawberry

from schema.enums import DocumentPart
from services.history_view import SeenChange, SeenOrigin


@strawberry.type(description="What became of one field.")
class FieldChange:
    field: str = strawberry.field(
        description="The field, as spelled in this API: `email`, `attributes.size`, `addresses.city`, `documents.status`."
    )
    of: strawberry.ID | None = strawberry.field(description="The address or the document that has the field; null of others.")
    before: str | None = strawberry.field(
        description="What it was; null when there was nothing, or you may not see it. Lists, true and false are JSON. "
        "Of a document's number the last four characters."
    )
    after: str | None = strawberry.field(description="What it is since then, in the same way.")

    @classmethod
    def of_seen(cls, seen: SeenChange) -> Self:
        """Return a change as far as a caller sees it."""
        return cls(
            field=seen.field, of=None if seen.of is None else strawberry.ID(seen.of), before=seen.before, after=seen.after
        )


@strawberry.type(description="What somebody was given of a document.")
class DocumentRead:
    document_id: strawberry.ID = strawberry.field(description="The id of the document, `doc_…`. It may be gone by now.")
    part: DocumentPart = strawberry.field(description="What of it.")


@strawberry.type(description="Where something came from: a request, or a row of an import.")
class EventOrigin:
    ip_address: str | None = strawberry.field(
        description="The network address of the caller; of others than itself a customer sees none."
    )
    user_agent: str | None = strawberry.field(description="The caller's program, as it called itself; shown as `ipAddress`.")
    request_id: str | None = strawberry.field(description="The request, as `extensions.requestId` and the logs name it.")
    import_id: strawberry.ID | None = strawberry.field(description="The import that a row of made the change.")
    row: int | None = strawberry.field(description="That row of its file.")

    @classmethod
    def of_seen(cls, seen: SeenOrigin) -> Self:
        """Return an origin as far as a caller sees it."""
        return cls(
            ip_address=seen.ip_address,
            user_agent=seen.user_agent,
            request_id=seen.request_id,
            import_id=None if seen.import_id is None else strawberry.ID(seen.import_id),
            row=seen.row,
        )
