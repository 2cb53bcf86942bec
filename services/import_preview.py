"""What would become of the first rows of a file, before it is imported. Nothing is written and nothing is stored."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, NamedTuple

from auth.principal import Principal, Scope
from core.drafts import CustomerDraft
from core.errors import Problem, Refused
from core.vocabulary import BulkImportColumnUse, BulkImportValidation
from models.bulk_import import BulkImport, RowProblem
from repositories.unit_of_work import Repositories
from services.csv.aliases import is_report_column
from services.csv.columns import ColumnPlan, map_columns
from services.csv.dialect import FileFormat
from services.csv.format import recognise
from services.csv.records import Record, RecordReader
from services.import_files import ImportFiles, draft_of, settings_of
from services.import_rows import CheckedRow, ImportPlan, check
from services.import_states import ImportLimits
from services.masked_rows import masked_draft, masked_message, sees_rows
from services.ports import ObjectStore
from services.records import RecordMaker
from services.seller import SellerPolicies

PREVIEWED_ROWS = 20
_STEP = 16 * 1024
"""Bytes read at once: twenty rows of a usual file are found in the first."""


class PreviewedColumn(NamedTuple):
    """A column of the file, where it goes (None: nowhere), and why."""

    name: str
    target: str | None
    use: BulkImportColumnUse


class PreviewedRow(NamedTuple):
    """A row as it would be stored; no customer when it would be refused."""

    row: int
    customer: CustomerDraft | None
    problems: Sequence[RowProblem]


@dataclass(slots=True)
class ImportPreview:
    """How a file would be read. `problems` say why it could not be started: then what comes after them is missing."""

    format: FileFormat | None = None
    columns: Sequence[PreviewedColumn] = ()
    rows: Sequence[PreviewedRow] = ()
    problems: list[Problem] = field(default_factory=list)


class ImportPreviews:
    """Previews for a verified caller of the imports of its seller."""

    def __init__(self, store: ObjectStore, limits: ImportLimits, policies: SellerPolicies, maker: RecordMaker) -> None:
        self._files = ImportFiles(store, limits.max_bytes)
        self._policies = policies
        self._maker = maker

    async def of(self, viewer: Principal, import_id: str, changes: Mapping[str, Any]) -> ImportPreview | None:
        """Return how the first rows of an uploaded file would be read, with *changes* to the import's draft if there are any.

        The first half megabyte is read, whatever the size of the file. Rows are judged by themselves: whether others hold
        their identifiers, a dry run tells. Callers who may not see customers see them masked. None for an unknown id.

        Raises:
            Unavailable: the store did not answer.
        """
        viewer.require(Scope.IMPORTS_READ)
        viewer.require_staff()
        stored = await Repositories(viewer.reach()).bulk_imports.get(import_id)
        if stored is None:
            return None
        preview = ImportPreview()
        try:
            draft = replace(draft_of(stored), **changes)
            self._files.checked(draft)
            record = stored.model_copy(update=dict(settings_of(draft)))
            found = await self._files.uploaded(record)
            head = await self._files.head(found)
            form = recognise(head, delimiter=record.delimiter, size=found.size, encoding=record.encoding)
            preview.format = form
            await self._policies.learn(record.seller_id)
            plan = self._plan_of(record, form)
            preview.columns = _columns(plan.columns, draft.columns)
            records = _first_records(form, head, whole=len(head) >= found.size)
            rows = [_shown(check(one, plan, self._maker)) for one in records]
            preview.rows = rows if sees_rows(viewer) else [_masked(viewer, one) for one in rows]
        except Refused as refused:
            preview.problems += refused.problems
        return preview

    def _plan_of(self, record: BulkImport, form: FileFormat) -> ImportPlan:
        return ImportPlan(
            import_id=record.id,
            seller_id=record.seller_id,
            created_at=record.created_at,
            mode=record.mode,
            match_by=record.match_by,
            lenient=record.validation is BulkImportValidation.LENIENT,
            dry_run=True,
            columns=map_columns(form.header, [(one.source, one.target) for one in record.columns]),
            policy=self._policies.of(record.seller_id),
        )


def _columns(plan: ColumnPlan, chosen: Sequence[tuple[str, str]]) -> list[PreviewedColumn]:
    named = {source.strip().casefold() for source, _ in chosen}
    uses = dict.fromkeys(plan.unknown, BulkImportColumnUse.UNKNOWN)
    uses |= dict.fromkeys(plan.shadowed, BulkImportColumnUse.SHADOWED)
    uses |= dict.fromkeys(plan.ignored, BulkImportColumnUse.IGNORED)
    uses |= {name: BulkImportColumnUse.IGNORED for name in plan.header if is_report_column(name)}
    uses |= {name: BulkImportColumnUse.CHOSEN for name in plan.header if name.casefold() in named}
    return [
        PreviewedColumn(name, target, uses.get(name, BulkImportColumnUse.RECOGNIZED))
        for name, target in zip(plan.header, plan.targets, strict=True)
    ]


def _first_records(form: FileFormat, head: bytes, *, whole: bool) -> list[Record]:
    reader = RecordReader(form, offset=form.data_offset, row=1)
    records: list[Record] = []
    for position in range(form.data_offset, len(head), _STEP):
        records += reader.feed(head[position : position + _STEP])
        if len(records) >= PREVIEWED_ROWS:
            return records[:PREVIEWED_ROWS]
    return [*records, *(reader.finish() if whole else ())][:PREVIEWED_ROWS]


def _shown(row: CheckedRow) -> PreviewedRow:
    return PreviewedRow(row.row, None if row.errors else row.draft, [*row.errors, *row.warnings])


def _masked(viewer: Principal, row: PreviewedRow) -> PreviewedRow:
    problems = [one.model_copy(update={"message": masked_message(one.code, one.message)}) for one in row.problems]
    return PreviewedRow(row.row, None if row.customer is None else masked_draft(viewer, row.customer), problems)
