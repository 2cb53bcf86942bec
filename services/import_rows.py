"""Rows of an import, each by itself: what it says, and what is wrong with it. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import cast

from core.drafts import AttributeDraft, CustomerDraft
from core.errors import ErrorCode, FieldPath, Problem
from core.ids import IdKind, derived_id
from core.vocabulary import BulkImportMatch, BulkImportMode, Severity
from models.bulk_import import RowProblem
from services.csv.columns import ColumnPlan
from services.csv.records import Record
from services.csv.rows import RowDraft, to_draft, to_identity
from services.new_customers import NewCustomer, new_customer
from services.records import RecordMaker
from services.rules.document import check_document_draft
from services.rules.policy import RulePolicy
from services.rules.profile import check_profile
from services.rules.row import check_row

Key = tuple[str, str]
"""A stored field that one customer holds alone, and a value of it."""

KEY_PATHS: Mapping[str, FieldPath] = {"external_id": ("externalId",), "email": ("email",), "phone": ("phone",)}
"""The identifiers of a customer, by stored field, and where a draft has them."""

_MATCHED_FIELD = {
    BulkImportMatch.EXTERNAL_ID: "external_id",
    BulkImportMatch.EMAIL: "email",
    BulkImportMatch.PHONE: "phone",
}
_CELLS_KEPT: Mapping[FieldPath, str] = {
    ("phone",): "phone",
    ("dateOfBirth",): "date_of_birth",
    ("kind",): "kind",
    ("status",): "status",
}
"""What a lenient import keeps as an attribute when its cell cannot be turned into the field at all."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ImportPlan:
    """All that is the same for every row of one import."""

    import_id: str
    seller_id: str
    created_at: datetime
    mode: BulkImportMode
    match_by: BulkImportMatch
    lenient: bool
    dry_run: bool
    columns: ColumnPlan
    policy: RulePolicy

    @property
    def upsert_by(self) -> str | None:
        """The stored field by which rows find their customers; None when every row is a new one."""
        return _MATCHED_FIELD[self.match_by] if self.mode is BulkImportMode.UPSERT else None

    @property
    def only_creates(self) -> bool:
        """Whether a row either becomes a new customer or nothing at all."""
        return self.mode is BulkImportMode.CREATE and not self.dry_run

    @property
    def actor(self) -> str:
        """How the history names this import."""
        return f"import:{self.import_id}"


@dataclass(slots=True)
class CheckedRow:
    """A row after the rules: refused already when it has errors. `keys` are what its customer would hold alone.

    `made` is its new customer, where that has been made already, whether or not there will be one.
    """

    row: int
    cells: Sequence[str] | None
    draft: CustomerDraft
    gives_kind: bool
    errors: list[RowProblem]
    warnings: list[RowProblem]
    keys: list[tuple[Key, FieldPath]]
    made: NewCustomer | None = None


def check(record: Record, plan: ImportPlan, maker: RecordMaker) -> CheckedRow:
    """Read one record and judge it by itself; whether others hold its keys is for `decide`."""
    if record.problem is not None or record.cells is None:
        problem = record.problem or Problem(ErrorCode.INVALID_CSV, "The row cannot be read.")
        error = RowProblem(severity=Severity.ERROR, code=problem.code, message=problem.message)
        return CheckedRow(record.row, record.cells, CustomerDraft(), False, [error], [], [])  # noqa: FBT003
    read = to_draft(plan.columns, record.cells, default_country=None if plan.lenient else plan.policy.default_country)
    errors, warnings, draft = _cell_problems(read, plan, record.cells) if read.problems else ([], [], read.draft)
    verdict = check_row(draft, plan.policy, lenient=plan.lenient)
    # A row whose cells make no sense has nothing else that could be judged.
    if not errors or not any(problem.code is ErrorCode.INVALID_CSV for problem in errors):
        errors += verdict.errors
        warnings += verdict.warnings
    return CheckedRow(
        row=record.row,
        cells=record.cells,
        draft=verdict.draft,
        gives_kind=draft.kind is not None,
        errors=[_row_problem(plan, read.draft, problem, Severity.ERROR) for problem in errors] if errors else [],
        warnings=[_row_problem(plan, read.draft, problem, Severity.WARNING) for problem in warnings] if warnings else [],
        keys=[] if errors else _keys(verdict.draft, plan, maker),
    )


def make(row: CheckedRow, plan: ImportPlan, maker: RecordMaker, at: datetime) -> NewCustomer:
    """Return what is to be stored of the customer that *row* makes, created at *at*: each time under the same id."""
    # In the order of the file, so that inserts into the index stay together.
    created = plan.created_at + timedelta(milliseconds=row.row)
    customer_id = derived_id(IdKind.CUSTOMER, created, plan.import_id, str(row.row))
    documents = maker.new_documents(row.draft.documents, seller_id=plan.seller_id, customer_id=customer_id, at=at)
    return new_customer(
        maker,
        row.draft,
        documents,
        seller_id=plan.seller_id,
        at=at,
        customer_id=customer_id,
        actor=plan.actor,
        source=(plan.import_id, row.row),
    )


def row_keys(cells: Sequence[str], plan: ImportPlan, maker: RecordMaker) -> list[Key]:
    """Return what the customer of a row would hold alone, without judging the row: a few microseconds.

    These are at least the keys that `check` finds in a sound row, spelled alike; a row that `check` refuses may have some too.
    """
    read = to_identity(plan.columns, cells, default_country=None if plan.lenient else plan.policy.default_country)
    if read is None:
        return []
    given = {name: value for name in KEY_PATHS if (value := getattr(read, name))}
    checked = check_profile(given, plan.policy, region=read.country).values
    keys = [(name, cast("str", value)) for name, value in checked.items() if value]
    if read.document is not None:
        document, _ = check_document_draft(read.document, plan.policy)
        if document.number is not None:
            keys.append(("document_keys", maker.number_key(document.number, seller_id=plan.seller_id)))
    return keys


def _cell_problems(
    read: RowDraft, plan: ImportPlan, cells: Sequence[str]
) -> tuple[list[Problem], list[Problem], CustomerDraft]:
    """Sort what was wrong with single cells into errors and warnings; a lenient import keeps the latter's text."""
    errors: list[Problem] = []
    warnings: list[Problem] = []
    kept: list[AttributeDraft] = []
    for problem in read.problems:
        name = _CELLS_KEPT.get(problem.field)
        if plan.lenient and (name is not None or problem.field[-1:] in {("phone",), ("expiresOn",)}):
            warnings.append(problem)
            text = plan.columns.text_of(problem.field, read.draft, cells)
            if name is not None and text:
                kept.append(AttributeDraft(key=name, value=text))
        else:
            errors.append(problem)
    draft = replace(read.draft, attributes=(*read.draft.attributes, *kept)) if kept else read.draft
    return errors, warnings, draft


def _row_problem(plan: ImportPlan, draft: CustomerDraft, problem: Problem, severity: Severity) -> RowProblem:
    column = plan.columns.column_of(problem.field, draft)
    return RowProblem(column=column, severity=severity, code=problem.code, message=problem.message)


def _keys(draft: CustomerDraft, plan: ImportPlan, maker: RecordMaker) -> list[tuple[Key, FieldPath]]:
    keys: list[tuple[Key, FieldPath]] = [
        ((name, value), path) for name, path in KEY_PATHS.items() if (value := getattr(draft, name))
    ]
    for index, document in enumerate(draft.documents):
        if document.number:
            key = maker.number_key(document.number, seller_id=plan.seller_id)
            keys.append((("document_keys", key), ("documents", str(index), "number")))
    return keys
