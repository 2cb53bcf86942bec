"""What callers may do with imports: create, start, cancel, retry, read."""

from collections.abc import AsyncGenerator, Mapping
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, cast

import structlog

from auth.principal import Principal, Scope
from core.clock import Clock
from core.drafts import BulkImportDraft
from core.errors import BadInput, ErrorCode, Refused, Unavailable
from core.files import DownloadTicket, UploadTicket
from core.ids import IdKind, new_id
from core.paging import Page, PageRequest, Position, encode_cursor, page_request
from core.tenancy import Reach, Tenant
from core.vocabulary import BulkImportStatus, Severity
from models.bulk_import import BulkImport, RowProblem, SourceObject
from repositories.unit_of_work import Repositories, UnitOfWork
from services.import_files import ImportFiles, draft_of, settings_of
from services.import_states import UNFINISHED, UPLOAD_MARGIN, ImportLimits, end_early, stored_format
from services.import_watching import LiveImports, watch_all, watch_one
from services.masked_rows import masked_message, sees_rows
from services.ports import ObjectStore, WorkQueue

_log = structlog.get_logger(__name__)

UPLOAD_LIFETIME = timedelta(hours=1)
DOWNLOAD_LIFETIME = timedelta(minutes=15)
CONTENT_TYPE = "text/csv"
DEFAULT_PROBLEMS = 50

_CURSOR = "row"
_SEND_MARGIN = timedelta(seconds=30)
"""Between the moment a start is stored and its message is certainly sent; after that the sweep sends another."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportProblem:
    """One reason why a row was refused, or a remark about it. Row 1 is the first row after the header."""

    row: int
    index: int
    column: str | None
    severity: Severity
    code: ErrorCode
    message: str

    @property
    def cursor(self) -> str:
        """Where this problem stands in the list of all."""
        return encode_cursor(_CURSOR, Position(self.row, str(self.index)))


class BulkImportService:
    """Imports of a verified caller's seller. Customers cannot see or touch any."""

    def __init__(
        self,
        units: UnitOfWork,
        store: ObjectStore,
        queue: WorkQueue,
        clock: Clock,
        limits: ImportLimits,
        live: LiveImports,
    ) -> None:
        self._units = units
        self._store = store
        self._queue = queue
        self._clock = clock
        self._limits = limits
        self._live = live
        self._files = ImportFiles(store, limits.max_bytes)

    # ------------------------------------------------------------------ changing

    async def create(self, viewer: Principal, draft: BulkImportDraft, seller_id: str | None) -> tuple[BulkImport, UploadTicket]:
        """Announce an import. Its file is to be sent to the upload target within an hour, then the import started.

        Raises:
            Refused: with every problem of the draft at once.
        """
        tenant = _writing(viewer).reach_of(seller_id)
        file_name = self._files.checked(draft)
        seller = str(tenant.seller_id)
        id_ = new_id(IdKind.BULK_IMPORT)
        key = f"imports/{seller}/{id_}/source.csv"
        ticket = await self._store.presign_upload(
            key,
            content_type=CONTENT_TYPE,
            size=draft.size,
            max_bytes=self._limits.max_bytes,
            lifetime=UPLOAD_LIFETIME,
        )
        now = self._clock.now()
        record = BulkImport(
            id=id_,
            seller_id=seller,
            status=BulkImportStatus.AWAITING_UPLOAD,
            file_name=file_name,
            declared_size=draft.size,
            **settings_of(draft),
            source=SourceObject(key=key),
            requested_by=viewer.actor,
            upload_expires_at=now + UPLOAD_LIFETIME,
            created_at=now,
            updated_at=now,
        )
        return await Repositories(tenant).bulk_imports.insert(record), ticket

    async def update(self, viewer: Principal, import_id: str, changes: Mapping[str, Any]) -> BulkImport:
        """Change how the rows of an import are to be read, and what they do, before it is started.

        *changes* are fields of a `BulkImportDraft`; those of the file itself stay as they were announced.

        Raises:
            Refused: with every problem at once; STATE when it was started before, NOT_FOUND for an unknown id.
        """
        tenant = _writing(viewer).reach()
        record = await _require(tenant, import_id)
        if record.status is not BulkImportStatus.AWAITING_UPLOAD:
            raise _wrong_state(record, "changed")
        draft = replace(draft_of(record), **changes)
        self._files.checked(draft)
        values = {**settings_of(draft), "columns": [{"source": source, "target": target} for source, target in draft.columns]}
        awaiting = [BulkImportStatus.AWAITING_UPLOAD]
        changed = await Repositories(tenant).bulk_imports.move(import_id, awaiting, self._clock.now(), values)
        if changed is None:
            raise _wrong_state(await _require(tenant, import_id), "changed")
        return changed

    async def start(self, viewer: Principal, import_id: str) -> BulkImport:
        """Pin the uploaded file, look at its first bytes, and hand the import to the workers.

        Raises:
            Refused: the file cannot be imported; it may be uploaded again, and started again. STATE when it was started
                before, NOT_FOUND for an unknown id.
        """
        tenant = _writing(viewer).reach()
        record = await _require(tenant, import_id)
        if record.status is not BulkImportStatus.AWAITING_UPLOAD:
            raise _wrong_state(record, "started")
        if self._clock.now() > record.upload_expires_at + UPLOAD_MARGIN:
            raise Refused.because(ErrorCode.STATE, "The time for the upload is over. Create a new import.", "id")
        found = await self._files.uploaded(record)
        form = await self._files.recognised(found, record)
        source = SourceObject(key=found.key, etag=found.etag, size=found.size)
        now = self._clock.now()
        values: Mapping[str, object] = {
            "status": BulkImportStatus.QUEUED,
            "source": source.model_dump(),
            "format": stored_format(form).model_dump(),
            "nudge_at": now + _SEND_MARGIN,
        }
        started = await Repositories(tenant).bulk_imports.move(import_id, [BulkImportStatus.AWAITING_UPLOAD], now, values)
        if started is None:
            raise _wrong_state(await _require(tenant, import_id), "started")
        await self._hand_over(started)
        return started

    async def cancel(self, viewer: Principal, import_id: str) -> BulkImport:
        """End an import. What was written stays, and is counted; nothing is written afterwards.

        Raises:
            Refused: STATE when it is over already, NOT_FOUND for an unknown id.
        """
        tenant = _writing(viewer).reach()
        record = await _require(tenant, import_id)

        ended = None
        if not record.status.final:
            ended = await end_early(self._units, record, BulkImportStatus.CANCELED, self._clock)
        if ended is None:
            raise _wrong_state(await _require(tenant, import_id), "cancelled")
        await self._hand_over(ended, "finish")
        return ended

    async def retry(self, viewer: Principal, import_id: str) -> tuple[BulkImport, UploadTicket | None]:
        """Import what is left of an import that is over, as a new import that is started at once.

        That is the rejected rows, and behind a cancel or a failure those that were never attempted.

        Raises:
            Refused: STATE when nothing is left, or its report is not written yet; NOT_FOUND for an unknown id.
        """
        tenant = _writing(viewer).reach()
        old = await _require(tenant, import_id)
        found = None if old.error_report_key is None else await self._store.describe(old.error_report_key)
        if found is None:
            message = "There is nothing to retry: this import has no report of rejected rows."
            if old.status in UNFINISHED:
                message = f"This import is {old.status.value}. Wait until it is over, then retry it."
            elif old.nudge_at is not None:
                message = "The report of what is left is being written. Retry the import in a moment."
            raise Refused.because(ErrorCode.STATE, message, "id")
        now = self._clock.now()
        record = old.model_copy(
            update={
                "id": new_id(IdKind.BULK_IMPORT),
                "version": 1,
                "status": BulkImportStatus.QUEUED,
                "declared_size": found.size,
                # The report is UTF-8 with commas whatever the file was.
                "delimiter": ",",
                "encoding": None,
                "source": SourceObject(key=found.key, etag=found.etag, size=found.size),
                "counts": type(old.counts)(),
                "bytes_done": 0,
                "requested_by": viewer.actor,
                "nudge_at": now + _SEND_MARGIN,
                "upload_expires_at": now,
                "created_at": now,
                "updated_at": now,
                **dict.fromkeys(
                    (
                        "total_rows",
                        "plan",
                        "ending",
                        "error_report_key",
                        "masked_report_key",
                        "result_report_key",
                        "failure",
                        "started_at",
                        "finished_at",
                    )
                ),
            }
        )
        form = await self._files.recognised(found, record)
        record = record.model_copy(update={"format": stored_format(form)})
        await Repositories(Tenant(record.seller_id)).bulk_imports.insert(record)
        await self._hand_over(record)
        return record, None

    # ------------------------------------------------------------------- reading

    async def get(self, viewer: Principal, import_id: str) -> BulkImport | None:
        """Return an import; an unknown id and another seller's are both None."""
        return await Repositories(_reading(viewer).reach()).bulk_imports.get(import_id)

    async def list(
        self, viewer: Principal, status: BulkImportStatus | None, seller_id: str | None, request: PageRequest
    ) -> Page[BulkImport]:
        """Return one page of a seller's imports, newest first."""
        return await Repositories(_reading(viewer).reach_of(seller_id)).bulk_imports.list(status, request)

    async def errors(
        self, viewer: Principal, record: BulkImport, first: int | None = None, after: str | None = None
    ) -> Page[ImportProblem]:
        """Return one page of what is wrong with the rows of an import, in the order of the file. 50 unless *first* says.

        To who may not see customers, no message quotes a row.

        Raises:
            BadInput: for a page larger than 100, for a cursor that is none.
        """
        tenant = _reading(viewer).reach()
        request = page_request(_CURSOR, first=DEFAULT_PROBLEMS if first is None else first, after=after)
        row, index = (0, -1) if request.after is None else _place(request.after)
        # Every row has at least one problem, and those of the first may all have been shown.
        sees = sees_rows(viewer)
        outcomes = await Repositories(tenant).bulk_imports.outcomes.of_import(record.id, from_row=row, limit=request.size + 2)
        problems = [
            _problem(outcome.row, number, problem, sees=sees)
            for outcome in outcomes
            for number, problem in enumerate(outcome.problems)
            if (outcome.row, number) > (row, index)
        ]
        return Page(problems[: request.size], has_next=len(problems) > request.size, has_previous=after is not None)

    async def error_report(self, viewer: Principal, record: BulkImport) -> DownloadTicket | None:
        """Return a link to the refused rows of an import, masked for who may not see customers; None when there are none.

        Raises:
            Forbidden: naming ``customers:read``, where there is no masked report because an earlier version has written it.
        """
        _reading(viewer)
        key = record.error_report_key
        if key is not None and not sees_rows(viewer):
            key = record.masked_report_key
            if key is None:
                viewer.require(Scope.CUSTOMERS_READ)
        return None if key is None else await self.download(viewer, record, key)

    async def download(self, viewer: Principal, record: BulkImport, key: str) -> DownloadTicket:
        """Return a link to a report of an import, by its key; it holds for a quarter of an hour."""
        _reading(viewer)
        stem = record.file_name.removesuffix(".csv")
        name = key.rpartition("/")[2]
        return await self._store.presign_download(
            key, file_name=f"{stem}-{name}", content_type=CONTENT_TYPE, lifetime=DOWNLOAD_LIFETIME
        )

    def watch(self, viewer: Principal, import_id: str) -> AsyncGenerator[BulkImport, None]:
        """Yield an import as it is now, then as it changes, at most four times a second, and its final state last.

        Raises (when iterated):
            NotFound: an unknown id, or another seller's.
        """
        return watch_one(self._live, _reading(viewer).reach(), import_id)

    def watch_all(self, viewer: Principal, seller_id: str | None) -> AsyncGenerator[BulkImport, None]:
        """Yield every unfinished import of a seller, then each that changes, at most four times a second, without end."""
        return watch_all(self._live, _reading(viewer).reach_of(seller_id))

    # ------------------------------------------------------------------- details

    async def _hand_over(self, record: BulkImport, step: str = "plan") -> None:
        try:
            await self._queue.send({"type": step, "importId": record.id})
        except Unavailable as error:
            # Stored is stored: the sweep of any worker sends what is missing.
            _log.warning("import.not_sent", import_id=record.id, reason=str(error))
            await Repositories(Tenant(record.seller_id)).bulk_imports.nudge(record.id, self._clock.now())


def _writing(viewer: Principal) -> Principal:
    viewer.require(Scope.IMPORTS_WRITE)
    viewer.require_staff()
    return viewer


def _reading(viewer: Principal) -> Principal:
    viewer.require(Scope.IMPORTS_READ)
    viewer.require_staff()
    return viewer


async def _require(tenant: Reach, import_id: str) -> BulkImport:
    record = await Repositories(tenant).bulk_imports.get(import_id)
    if record is None:
        raise Refused.because(ErrorCode.NOT_FOUND, "There is nothing with this id.", "id")
    return record


def _wrong_state(record: BulkImport, done: str) -> Refused:
    return Refused.because(ErrorCode.STATE, f"This import is {record.status.value} and cannot be {done}.", "id")


def _place(position: Position) -> tuple[int, int]:
    try:
        return int(cast("int", position.value)), int(position.id)
    except (TypeError, ValueError):
        raise BadInput("This cursor does not belong to this list. Use a cursor from pageInfo or edges.") from None


def _problem(row: int, index: int, problem: RowProblem, *, sees: bool) -> ImportProblem:
    return ImportProblem(
        row=row,
        index=index,
        column=problem.column,
        severity=problem.severity,
        code=problem.code,
        message=problem.message if sees else masked_message(problem.code, problem.message),
    )
