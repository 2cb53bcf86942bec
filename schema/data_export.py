"""Exports of everything about a customer, as clients see them."""

from collections.abc import Sequence
from datetime import datetime
from typing import Protocol

import strawberry

from auth.principal import Scope
from compiled_graphql.contract import Promised
from models import data_export as models
from models.row import Row
from schema.context import Info
from schema.enums import DataExportStatus
from schema.node import Node, Shown, presents
from schema.rows import all_shown
from schema.user_error import UserError


class Owner(Protocol):
    """A customer, as an object of the API or as a row."""

    @property
    def owner(self) -> tuple[str, str]:
        """The key of what belongs to it."""


def _size(archive: models.StoredArchive | None) -> float | None:
    return None if archive is None else float(archive.size)


def _sha256(archive: models.StoredArchive | None) -> str | None:
    return None if archive is None else archive.sha256


@presents(models.DataExport, size=Shown("archive", _size), sha256=Shown("archive", _sha256))
@strawberry.type(
    description="Everything that is stored about a customer, in one ZIP archive: its records as JSON, its documents with their "
    "numbers in full, their files. Needs `privacy:export`."
)
class DataExport(Node):
    record: strawberry.Private[models.DataExport]
    seller_id: strawberry.ID = strawberry.field(description="The seller whose customer it is.")
    customer_id: strawberry.ID = strawberry.field(description="Whom it is about.")
    status: DataExportStatus = strawberry.field(description="Where it stands.")
    requested_by: str = strawberry.field(description="Who asked for it: `customer:cus_…`, `operator:ada`.")
    created_at: datetime = strawberry.field(description="When it was asked for.")
    started_at: datetime | None = strawberry.field(description="When a worker took it up first.")
    finished_at: datetime | None = strawberry.field(description="When the archive was complete, or given up.")
    expires_at: datetime | None = strawberry.field(
        description="When the archive is removed, or was; a later export of the customer removes it sooner."
    )
    size: float | None = strawberry.field(
        description="The archive's size in bytes: a whole number, which may be beyond an Int."
    )
    sha256: str | None = strawberry.field(description="The SHA-256 of the archive, in hexadecimal.")

    @strawberry.field(
        description="A link that downloads the archive, made for this answer: it holds for a quarter of an hour, for whoever "
        "has it. Null unless READY. Needs `privacy:export`; of operators and services `documents:read_full` as well."
    )
    async def url(self, info: Info) -> str | None:
        """Return a presigned link."""
        ticket = await info.context.services.data_exports.link(info.context.viewer, self.record)
        return None if ticket is None else ticket.url


def data_exports_of(customers: Sequence[Owner], info: Info) -> Promised[list[list[DataExport]]]:
    """Return the exports of customers, newest first."""
    info.context.viewer.require(Scope.PRIVACY_EXPORT)
    loader = info.context.loaders.data_exports_of(None)

    def newest_first(found: Sequence[list[Row[models.DataExport]] | None]) -> list[list[DataExport]]:
        return [all_shown((some or [])[::-1], info) for some in found]

    return Promised(loader.load_many([one.owner for one in customers]), newest_first)


@strawberry.type(description="What became of the wish for an export.")
class DataExportPayload:
    data_export: DataExport | None = strawberry.field(description="The export that is in flight; null when there is none.")
    created: bool = strawberry.field(description="Whether this call began it; false when it was under way already.")
    user_errors: list[UserError] = strawberry.field(description="Why none was begun; empty on success.")
