"""Imports of files that other systems have put into the object store: named, not uploaded."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import structlog

from auth.principal import Principal, Scope
from core.clock import Clock
from core.drafts import BulkImportDraft, FileReference
from core.errors import ErrorCode, Problem, Refused, Unavailable
from core.files import StoredObject
from core.ids import IdKind, derived_id, new_id
from core.tenancy import Tenant
from core.vocabulary import BulkImportStatus
from models.bulk_import import BulkImport, SourceObject
from repositories.errors import KeyTaken
from repositories.unit_of_work import Repositories
from services.customer_creating import require_idempotency_key
from services.import_files import ImportFiles, settings_of
from services.import_states import ImportLimits, stored_format
from services.ports import ObjectStore, WorkQueue

_log = structlog.get_logger(__name__)

_LONGEST_PATH = 1024
"""Bytes that a key may have in S3."""

_ANY_TIME = datetime.fromtimestamp(0, UTC)
"""The id of an import that is asked for again has to be the same, so no time can be part of it."""

_SEND_MARGIN = timedelta(seconds=30)
"""Between the moment an import is stored and its message is certainly sent; after that the sweep sends another."""


def folder_of(seller_id: str) -> str:
    """Return what the paths of a seller's import files begin with."""
    return f"imports/{seller_id}/"


class ImportReferences:
    """Starts imports of files in *bucket*, each seller's in its own folder: ``imports/<seller id>/``."""

    def __init__(self, store: ObjectStore, queue: WorkQueue, clock: Clock, limits: ImportLimits, bucket: str) -> None:
        self._store = store
        self._queue = queue
        self._clock = clock
        self._limits = limits
        self._bucket = bucket
        self._files = ImportFiles(store, limits.max_bytes)

    async def start(
        self,
        viewer: Principal,
        reference: FileReference,
        draft: BulkImportDraft,
        *,
        seller_id: str | None,
        idempotency_key: str | None = None,
    ) -> BulkImport:
        """Pin the file, look at its first bytes, and hand it to the workers. The name in *draft* is that of the file.

        Repeated with the same key, the call answers with the import that the first one started.

        Raises:
            Refused: FORBIDDEN for another bucket, or outside the seller's folder; UPLOAD_MISSING; the file cannot be
                imported; IDEMPOTENCY_KEY_REUSED.
        """
        viewer.require(Scope.IMPORTS_WRITE)
        viewer.require_staff()
        tenant = viewer.reach_of(seller_id)
        require_idempotency_key(idempotency_key)
        self._require_inside(reference, tenant)
        draft = replace(draft, file_name=reference.path.rpartition("/")[2])
        file_name = self._files.checked(draft)
        imports = Repositories(tenant).bulk_imports
        id_ = _id_of(tenant, viewer, idempotency_key)
        if idempotency_key is not None and (earlier := await imports.get(id_)) is not None:
            return _same(earlier, reference, draft)
        found = await self._described(reference)
        now = self._clock.now()
        record = BulkImport(
            id=id_,
            seller_id=tenant.seller_id,
            status=BulkImportStatus.QUEUED,
            file_name=file_name,
            declared_size=found.size,
            **settings_of(draft),
            source=SourceObject(key=found.key, etag=found.etag, size=found.size),
            requested_by=viewer.actor,
            nudge_at=now + _SEND_MARGIN,
            upload_expires_at=now,
            created_at=now,
            updated_at=now,
        )
        form = await self._files.recognised(found, record)
        try:
            await imports.insert(record.model_copy(update={"format": stored_format(form)}))
        except KeyTaken:
            # Two calls with one key at once: the other one was faster.
            return _same(await self._stored(tenant, id_), reference, draft)
        await self._hand_over(record)
        return await self._stored(tenant, id_)

    def _require_inside(self, reference: FileReference, tenant: Tenant) -> None:
        """Refuse what lies anywhere but in the seller's own folder; whether it is there is told to nobody."""
        if reference.bucket != self._bucket:
            message = "Files are imported from the bucket that this service is configured with, and from no other."
            raise Refused.because(ErrorCode.FORBIDDEN, message, "bucket")
        folder, path = folder_of(tenant.seller_id), reference.path
        steps = path.removeprefix(folder).split("/")
        # Some servers that speak like S3 take ".." for what it is in a file system.
        if not path.startswith(folder) or any(step in {"", ".", ".."} for step in steps):
            message = f"A seller's files lie below {folder} in the bucket. Name one of them."
            raise Refused.because(ErrorCode.FORBIDDEN, message, "filePath")
        if not path.isprintable() or len(path.encode("utf-8", "surrogatepass")) > _LONGEST_PATH:
            message = f"A path has at most {_LONGEST_PATH:,} bytes, all of them printable characters."
            raise Refused.because(ErrorCode.INVALID, message, "filePath")

    async def _described(self, reference: FileReference) -> StoredObject:
        found = await self._store.describe(reference.path)
        if found is None:
            message = "There is no such file in the bucket. Put it there, then ask for the import again."
            raise Refused.because(ErrorCode.UPLOAD_MISSING, message, "filePath")
        if found.size > self._limits.max_bytes:
            message = f"The file has {found.size:,} bytes; at most {self._limits.max_bytes:,} are allowed. Split it."
            raise Refused([Problem(ErrorCode.TOO_LONG, message, ("filePath",))])
        return found

    async def _hand_over(self, record: BulkImport) -> None:
        try:
            await self._queue.send({"type": "plan", "importId": record.id})
        except Unavailable as error:
            # Stored is stored: the sweep of any worker sends what is missing.
            _log.warning("import.not_sent", import_id=record.id, reason=str(error))

    async def _stored(self, tenant: Tenant, import_id: str) -> BulkImport:
        record = await Repositories(tenant).bulk_imports.get(import_id)
        if record is None:
            raise Refused.because(ErrorCode.NOT_FOUND, "There is nothing with this id.", "id")
        return record


def _id_of(tenant: Tenant, viewer: Principal, key: str | None) -> str:
    if key is None:
        return new_id(IdKind.BULK_IMPORT)
    return derived_id(IdKind.BULK_IMPORT, _ANY_TIME, tenant.seller_id, viewer.actor, key)


def _same(earlier: BulkImport, reference: FileReference, draft: BulkImportDraft) -> BulkImport:
    """Return the import that a key stands for, if it was of the same file in the same way."""
    if earlier.source.key != reference.path or any(
        getattr(earlier, name) != value for name, value in settings_of(draft).items()
    ):
        message = "This idempotency key was used for another import. Use a new key for a new request."
        raise Refused.because(ErrorCode.IDEMPOTENCY_KEY_REUSED, message, "idempotencyKey")
    return earlier
