"""Exports of everything about a customer, for a verified caller: asked for, followed and fetched. Workers make them."""

from dataclasses import dataclass
from datetime import timedelta

from auth.principal import Principal, Scope
from core.clock import Clock
from core.errors import ErrorCode, Refused, Unavailable
from core.files import DownloadTicket
from core.ids import IdKind, new_id
from core.vocabulary import DataExportStatus, DocumentPart, PrincipalKind
from models.data_export import DataExport
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories, UnitOfWork
from services.customer_lookup import not_found
from services.document_access import DocumentAccesses
from services.ports import ObjectStore
from services.session_ends import LONGEST_TOKEN

LINK_LIFETIME = timedelta(minutes=15)
MOST_A_DAY = 5
"""Archives of one customer that may be asked for within a day: each may be of a gigabyte."""

_DAY = timedelta(days=1)


@dataclass(frozen=True, slots=True)
class ExportAsked:
    """The export of a customer that is in flight, and whether it is this call's."""

    export: DataExport
    created: bool


class DataExportService:
    """Asks for exports, and hands them out."""

    def __init__(self, units: UnitOfWork, store: ObjectStore, accesses: DocumentAccesses, clock: Clock) -> None:
        self._units = units
        self._store = store
        self._accesses = accesses
        self._clock = clock

    async def ask(self, viewer: Principal, customer_id: str) -> ExportAsked:
        """Ask for everything about a customer, deleted or not. While one is being made, that one is the answer.

        Raises:
            Refused: NOT_FOUND, the same for an unknown, an erased and another seller's customer; TOO_MANY for the sixth within
                a day.
        """
        viewer.require(Scope.PRIVACY_EXPORT)
        for _ in range(3):
            try:
                return await self._units.run(
                    viewer.reach(), lambda work: self._ask(work, viewer.actor, customer_id), turn=customer_id
                )
            except KeyTaken:
                # Another process was faster, and its export is the answer: unless that one, too, is done by now.
                continue
        raise Unavailable("Others ask for the same at the same moment. Try again.")

    async def get(self, viewer: Principal, export_id: str) -> DataExport | None:
        """Return an export; None for an id that names none the caller can see."""
        viewer.require(Scope.PRIVACY_EXPORT)
        return await Repositories(viewer.reach()).data_exports.get(export_id)

    async def link(self, viewer: Principal, export: DataExport) -> DownloadTicket | None:
        """Return a link to an archive, which holds for a quarter of an hour; None before there is one, and when it is gone.

        Before it is made, the history has that the numbers and files of the customer's documents were given.

        Raises:
            Forbidden: staff without ``documents:read_full``, which is what the numbers in the archive are.
            NotFound, Unavailable: it could not be recorded, or the store does not answer.
        """
        viewer.require(Scope.PRIVACY_EXPORT)
        if viewer.kind is not PrincipalKind.CUSTOMER:
            viewer.require(Scope.DOCUMENTS_READ_FULL)
        if export.status is not DataExportStatus.READY or export.archive is None or export.expires_at is None:
            return None
        left = export.expires_at - self._clock.now()
        if left <= timedelta():
            return None
        documents = await Repositories(viewer.reach()).documents.of_customer(export.seller_id, export.customer_id)
        numbered, filed = [[one for one in documents if getattr(one, part)] for part in ("number_last_four", "file")]
        await self._accesses.record(viewer, numbered, DocumentPart.NUMBER)
        await self._accesses.record(viewer, filed, DocumentPart.FILE)
        return await self._store.presign_download(
            export.archive.key,
            file_name=f"{export.customer_id}.zip",
            content_type="application/zip",
            lifetime=min(LINK_LIFETIME, left),
        )

    async def _ask(self, work: Repositories, actor: str, customer_id: str) -> ExportAsked:
        customer = await work.remains.customer(customer_id)
        if customer is None or customer.erased_at is not None:
            raise not_found("id")
        owner = (customer.seller_id, customer.id)
        if (running := await work.data_exports.in_flight(*owner)) is not None:
            return ExportAsked(running, created=False)
        now = self._clock.now()
        if await work.data_exports.count_since(*owner, now - _DAY) >= MOST_A_DAY:
            message = f"At most {MOST_A_DAY} exports of a customer can be asked for within a day. Fetch the last one."
            raise Refused.because(ErrorCode.TOO_MANY, message, "id")
        # An erasure of another process may be under way, and this only reads the customer: here the two meet.
        await work.sessions.take_turn(customer.id, now + LONGEST_TOKEN)
        export = DataExport(
            id=new_id(IdKind.DATA_EXPORT),
            seller_id=customer.seller_id,
            customer_id=customer.id,
            status=DataExportStatus.QUEUED,
            requested_by=actor,
            due_at=now,
            created_at=now,
            updated_at=now,
        )
        return ExportAsked(await work.data_exports.insert(export), created=True)
