"""What the rows of an import do to the customers that are there. No I/O: given the same world, the same effects."""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime

from core.drafts import AddressDraft, AttributeDraft, DocumentDraft
from core.errors import ErrorCode, FieldPath, Problem
from core.origin import origin_of_row
from core.vault import CustomerKey
from core.vocabulary import CustomerEventType, RowOutcome, Severity
from models.address import Address
from models.bulk_import import ImportRowOutcome, RowCounts, RowProblem
from models.customer import Customer, RowSource
from models.document import Document
from repositories.base import stored_form
from repositories.customer_event import stored_event
from repositories.import_result import RowResult
from services.changes import joined, of_addresses, of_customer, of_documents
from services.customer_lookup import holds, taken_problem
from services.customer_values import consequences, for_database, given_values, stored_values
from services.import_rows import KEY_PATHS, CheckedRow, ImportPlan, Key, make
from services.new_customers import Stored
from services.records import RecordMaker, changed_fields, moment_after

CUSTOMER = "customer"
"""The field under which a row claims a whole customer: no later row of the file may change it again."""

_SAME = {
    "external_id": "external id",
    "email": "e-mail address",
    "phone": "phone number",
    "document_keys": "document number",
}
_ADDRESS_FIELDS = ("kind", "recipient", "company", "line1", "line2", "city", "region", "postal_code", "country_code", "phone")
_DOCUMENT_FIELDS = ("type", "issuing_country", "expires_on")


@dataclass(slots=True)
class World:
    """What a batch of rows meets: the customers that hold any of its keys, and what earlier rows of the file claimed.

    `keys` are those that these customers' document numbers are sealed with, by customer, where rows bring such numbers.
    """

    holders: Sequence[Customer]
    claimed: Mapping[Key, int] = field(default_factory=dict)
    addresses: Mapping[tuple[str, str], Sequence[Address]] = field(default_factory=dict)
    documents: Mapping[tuple[str, str], Sequence[Document]] = field(default_factory=dict)
    keys: Mapping[str, CustomerKey] = field(default_factory=dict)


@dataclass(slots=True)
class Effects:
    """What a batch of rows does. Updates come before inserts: they may free what a new customer takes.

    What is new stands here as it is stored.
    """

    updates: list[tuple[Customer, datetime, Mapping[str, object]]] = field(default_factory=list)
    customers: list[Stored] = field(default_factory=list)
    addresses: list[Stored] = field(default_factory=list)
    documents: list[Stored] = field(default_factory=list)
    keys: list[Stored] = field(default_factory=list)
    events: list[Stored] = field(default_factory=list)
    outcomes: list[ImportRowOutcome] = field(default_factory=list)
    results: list[RowResult] = field(default_factory=list)
    claims: dict[Key, int] = field(default_factory=dict)
    counts: RowCounts = field(default_factory=RowCounts)


def decide(rows: Sequence[CheckedRow], plan: ImportPlan, world: World, maker: RecordMaker, now: datetime) -> Effects:
    """Say what *rows*, in this order, do to *world*."""
    batch = _Batch(plan, world, maker, now)
    for row in rows:
        batch.add(row)
    batch.effects.counts = RowCounts(processed=len(rows), **batch.counts)
    return batch.effects


def held_keys(customer: Customer) -> list[Key]:
    """Return what a customer holds alone."""
    held = [(name, value) for name in KEY_PATHS if (value := getattr(customer, name))]
    return [*held, *(("document_keys", key) for key in customer.document_keys)]


def freed(key: Key) -> Key:
    """Return the claim that a dry run makes when it takes *key* from its holder, who keeps it in the database."""
    return f"freed {key[0]}", key[1]


class _Batch:
    """The effects of a batch, grown row by row; every row sees what those before it did."""

    def __init__(self, plan: ImportPlan, world: World, maker: RecordMaker, now: datetime) -> None:
        self.effects = Effects()
        self.counts: Counter[str] = Counter()
        self._plan = plan
        self._world = world
        self._maker = maker
        self._now = now
        self._claimed = dict(world.claimed)
        self._held: dict[Key, Customer] = {}
        for holder in world.holders:
            self._held.update({key: holder for key in held_keys(holder) if freed(key) not in world.claimed})

    def add(self, row: CheckedRow) -> None:
        """Decide about one row."""
        matched, problems = (None, []) if row.errors else self._conflicts(row)
        errors = row.errors or [
            RowProblem(
                column=self._plan.columns.column_of(problem.field, row.draft),
                severity=Severity.ERROR,
                code=problem.code,
                message=problem.message,
            )
            for problem in problems
        ]
        if errors:
            self.counts["failed"] += 1
            self.effects.results.append(RowResult(row.row, RowOutcome.FAILED, ""))
            self._note(row, Severity.ERROR, [*errors, *row.warnings])
            return
        if matched is None:
            self.counts["created"] += 1
            result = RowResult(row.row, RowOutcome.CREATED, self._create(row))
        elif self._change(row, matched):
            self.counts["updated"] += 1
            result = RowResult(row.row, RowOutcome.UPDATED, matched.id)
        else:
            self.counts["unchanged"] += 1
            result = RowResult(row.row, RowOutcome.UNCHANGED, matched.id)
        self.effects.results.append(result)
        if row.warnings:
            self.counts["warning"] += 1
            self._note(row, Severity.WARNING, row.warnings)

    def _conflicts(self, row: CheckedRow) -> tuple[Customer | None, list[Problem]]:
        """Return the customer that the row means, and why it cannot have what it asks for."""
        upsert_by = self._plan.upsert_by
        matched: Customer | None = None
        problems: list[Problem] = []
        if upsert_by is not None:
            value = getattr(row.draft, upsert_by)
            if value is None:
                message = f"This import finds customers by their {_SAME[upsert_by]}, and the row has none."
                return None, [Problem(ErrorCode.REQUIRED, message, KEY_PATHS[upsert_by])]
            mine = (upsert_by, value)
            matched = self._held.get(mine)
            earlier = self._claimed.get(mine)
            if earlier is None and matched is not None:
                earlier = self._writer(matched)
            if earlier is not None:
                return None, [_duplicate(mine, earlier, KEY_PATHS[upsert_by])]
        for key, path in row.keys:
            holder = self._held.get(key)
            if (earlier := self._claimed.get(key)) is not None:
                problems.append(_duplicate(key, earlier, path))
            elif holder is None or (matched is not None and holder.id == matched.id):
                continue
            elif (earlier := self._writer(holder)) is not None:
                problems.append(_duplicate(key, earlier, path))
            else:
                problems.append(taken_problem(key[0], *path))
        return matched, problems

    def _writer(self, customer: Customer) -> int | None:
        """Return the row of this import that wrote or met *customer* before."""
        if (earlier := self._claimed.get((CUSTOMER, customer.id))) is not None:
            return earlier
        source = customer.source
        return source.row if source is not None and source.import_id == self._plan.import_id else None

    def _create(self, row: CheckedRow) -> str:
        """Make a customer and return its id; a dry run makes none."""
        plan = self._plan
        for key, _ in row.keys:
            self._claimed[key] = row.row
            if plan.dry_run:
                self.effects.claims[key] = row.row
        if plan.dry_run:
            return ""
        made = row.made or make(row, plan, self._maker, self._now)
        self.effects.customers.append(made.customer)
        self.effects.addresses += made.addresses
        self.effects.documents += made.documents
        self.effects.keys += made.keys
        self.effects.events.append(made.event)
        return made.id

    def _change(self, row: CheckedRow, customer: Customer) -> bool:
        """Bring *customer* to what the row says; False when it is that already."""
        plan = self._plan
        self._claimed[CUSTOMER, customer.id] = row.row
        self.effects.claims[CUSTOMER, customer.id] = row.row
        values = _changed_values(row, customer)
        owner = (customer.seller_id, customer.id)
        addresses = _missing_addresses(row.draft.addresses, self._world.addresses.get(owner, ()))
        documents = self._missing_documents(row.draft.documents, customer, self._world.documents.get(owner, ()))
        if not values and not addresses and not documents:
            return False
        for name in KEY_PATHS.keys() & values.keys():
            if old := getattr(customer, name):
                self._held.pop((name, old), None)
                if plan.dry_run:
                    self.effects.claims[freed((name, old))] = row.row
        for key, _ in row.keys:
            self._claimed[key] = row.row
            if plan.dry_run:
                self.effects.claims[key] = row.row
        if plan.dry_run:
            return True
        at = moment_after(customer, self._now)
        kinds = {one.kind for one in self._world.addresses.get(owner, ())}
        added: list[Address] = []
        for draft in addresses:
            address = self._maker.new_address(
                draft, seller_id=plan.seller_id, customer_id=customer.id, at=at, is_default=draft.kind not in kinds
            )
            added.append(address)
            kinds.add(draft.kind)
        self.effects.addresses += [stored_form(one) for one in added]
        made = self._new_documents(documents, customer, at)
        self.effects.documents += [stored_form(one) for one in made]
        fields = [*values, *(name for name, added in (("addresses", addresses), ("documents", documents)) if added)]
        stored: dict[str, object] = {**values, **(consequences(customer, values) if values else {})}
        stored["source"] = RowSource(import_id=plan.import_id, row=row.row)
        if indexes := [index for one in made for index in one.number_keys]:
            stored["document_keys"] = [*customer.document_keys, *indexes]
        after = customer.model_copy(update={**stored, "version": customer.version + 1, "updated_at": at})
        source = {"import_id": plan.import_id, "row": row.row}
        event = self._maker.event(
            after,
            CustomerEventType.UPDATED,
            actor=plan.actor,
            changed=changed_fields(fields),
            changes=joined(
                of_customer(customer, stored),
                of_addresses(*((None, one) for one in added)),
                of_documents(*((None, one) for one in made)),
            ),
            origin=origin_of_row(plan.import_id, row.row),
        )
        chain = {} if event.seal is None else {"chain": event.seal.head}
        self.effects.updates.append((customer, at, for_database({**stored, "source": source, **chain})))
        self.effects.events.append(stored_event(event))
        return True

    def _new_documents(self, drafts: Sequence[DocumentDraft], customer: Customer, at: datetime) -> list[Document]:
        seller_id, key = self._plan.seller_id, self._world.keys.get(customer.id)
        if key is None:
            key, keys = self._maker.key_for(drafts, seller_id=seller_id, customer_id=customer.id, at=at)
            self.effects.keys += keys
        return [
            self._maker.new_document(draft, seller_id=seller_id, customer_id=customer.id, at=at, key=key) for draft in drafts
        ]

    def _missing_documents(
        self, drafts: Sequence[DocumentDraft], customer: Customer, existing: Sequence[Document]
    ) -> list[DocumentDraft]:
        known = {tuple(getattr(one, name) for name in _DOCUMENT_FIELDS) for one in existing}
        missing = []
        for draft in drafts:
            if draft.number is not None:
                indexes = self._maker.number_indexes(draft.number, seller_id=self._plan.seller_id)
                there = any(holds(customer, "document_keys", index) for index in indexes)
            else:
                expires_on = None if draft.expires_on is None else draft.expires_on.isoformat()
                there = (draft.type, draft.issuing_country, expires_on) in known
            if not there:
                missing.append(draft)
        return missing

    def _note(self, row: CheckedRow, severity: Severity, problems: Sequence[RowProblem]) -> None:
        cells = None if severity is Severity.WARNING or row.cells is None else list(row.cells)
        self.effects.outcomes.append(
            ImportRowOutcome(
                id=f"{self._plan.import_id}:{row.row}",
                seller_id=self._plan.seller_id,
                import_id=self._plan.import_id,
                row=row.row,
                severity=severity,
                problems=list(problems),
                cells=cells,
            )
        )


def _changed_values(row: CheckedRow, customer: Customer) -> dict[str, object]:
    """Return the stored fields that the row gives and the customer has otherwise; attributes that it does not name stay."""
    given = given_values(row.draft)
    if not row.gives_kind:
        given.pop("kind", None)
    named = {one.key for one in row.draft.attributes}
    others = [AttributeDraft(key=one.key, value=one.value) for one in customer.attributes if one.key not in named]
    places = {one.key: place for place, one in enumerate(customer.attributes)}
    merged = sorted([*others, *row.draft.attributes], key=lambda one: places.get(one.key, len(places)))
    if "attributes" in given:
        given["attributes"] = tuple(merged)
    return stored_values(given, customer)


def _missing_addresses(drafts: Sequence[AddressDraft], existing: Sequence[Address]) -> list[AddressDraft]:
    known = {tuple(getattr(one, name) for name in _ADDRESS_FIELDS) for one in existing}
    return [draft for draft in drafts if tuple(getattr(draft, name) for name in _ADDRESS_FIELDS) not in known]


def _duplicate(key: Key, row: int, path: FieldPath) -> Problem:
    return Problem(ErrorCode.DUPLICATE_ROW, f"Row {row} of this file has the same {_SAME[key[0]]}; the first one counts.", path)
