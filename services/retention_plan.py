"""What a seller's rules of retention say of what is stored today: found page by page, and nothing is changed here.

Activity is what is stored of it: that a customer came into existence; that it signed in, or used a session that is still there;
and what it changed itself, or a program of sales or orders changed of it (the actors ``customer:`` and ``service:`` of its
history). What the seller's staff, an import and the chores of the service change is none. Who was merged into a customer is the
same person.
"""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, cast

from core.paging import Position
from core.retention import FILE_STAGES, RetentionPolicy
from core.tenancy import Tenant
from core.vocabulary import RetentionAction, RetentionStage
from models.customer import Customer
from models.document import Document
from models.row import Row
from repositories.retention import JUDGED_BY, Retained
from repositories.unit_of_work import Repositories

PAGE = 500
"""Records that are looked at in one go: some tens of milliseconds."""


@dataclass(frozen=True, slots=True)
class Due:
    """Something that is to be done, to what, and since when that has been as it is. `place` is where it stands in its stage."""

    action: RetentionAction
    id: str
    customer_id: str | None
    since: datetime
    place: Position


@dataclass(slots=True)
class Found:
    """What one page of a stage says; `place` is behind it, None when it was the last.

    `kept` says where what stands that its period alone would have removed.
    """

    due: list[Due] = field(default_factory=list)
    kept: list[Position] = field(default_factory=list)
    place: Position | None = None

    def first(self, most: int) -> "Found":
        """Return the first *most* things that are due, and what is kept before the last of them."""
        if len(self.due) <= most:
            return self
        last = self.due[most - 1].place
        kept = [one for one in self.kept if _order(one) < _order(last)]
        return Found(self.due[:most], kept, last)


@dataclass(frozen=True, slots=True)
class Quiet:
    """What of a customer tells whether it may have been inactive."""

    id: str
    seller_id: str
    created_at: datetime
    updated_at: datetime
    signed_in_at: datetime | None = None
    retention_flagged_at: datetime | None = None
    retention_due_at: datetime | None = None
    erasure_due_at: datetime | None = None
    legal_hold_at: datetime | None = None

    @classmethod
    def of(cls, customer: Customer) -> "Quiet":
        """Return it of a record."""
        return cls(customer.id, customer.seller_id, **{name: getattr(customer, name) for name in JUDGED_BY})

    @classmethod
    def of_row(cls, row: Row[Customer]) -> "Quiet":
        """Return it of what was read."""
        said: dict[str, Any] = {name: row.get(name) for name in JUDGED_BY}
        return cls(row.id, row.seller_id, **said)

    @property
    def seen_at(self) -> datetime:
        """When it was active last, by its record alone."""
        return max(self.created_at, self.signed_in_at or self.created_at)

    @property
    def unflagged(self) -> bool:
        """Whether nothing is planned for it yet."""
        return self.retention_due_at is None and self.erasure_due_at is None


async def active_among(retained: Retained, customers: Iterable[Quiet], since: Mapping[str, datetime]) -> set[str]:
    """Return who of these customers of one seller was active since the moment that *since* has for it."""
    unsure = [one for one in customers if one.seen_at < since[one.id]]
    active = {one.id for one in customers if one.seen_at >= since[one.id]}
    if not unsure:
        return active
    seller_id, earliest = unsure[0].seller_id, min(since[one.id] for one in unsure)
    # Nothing of whom was changed by nobody: no program, and not the customer either.
    changed = [one.id for one in unsure if one.updated_at >= since[one.id]]
    last = await retained.last_acts(seller_id, changed, [one.id for one in unsure], earliest)
    active |= {id_ for id_, at in last.items() if at >= since[id_]}
    left = [one.id for one in unsure if one.id not in active]
    merged = await retained.merged_into(seller_id, left)
    if merged:
        ids = list(merged)
        last = await retained.last_acts(seller_id, ids, ids, earliest)
        last |= {id_: max(at, last.get(id_, at)) for id_, (_, at) in merged.items() if at is not None}
        active |= {into for id_, (into, _) in merged.items() if id_ in last and last[id_] >= since[into]}
    return active


async def is_active(retained: Retained, customer: Customer, since: datetime) -> bool:
    """Say whether a customer was active since *since*."""
    return bool(await active_among(retained, [Quiet.of(customer)], {customer.id: since}))


async def look(
    seller_id: str,
    policy: RetentionPolicy,
    stage: RetentionStage,
    after: Position | None,
    now: datetime,
    page: int = PAGE,
) -> Found:
    """Return what the next page of a stage, behind *after*, says at the moment *now*.

    Raises:
        Unavailable: the database did not answer.
    """
    work = Repositories(Tenant(seller_id))
    if stage is RetentionStage.CUSTOMERS:
        return await _customers(work, seller_id, policy, after, now, page) if policy.inactive_months else Found()
    if stage is RetentionStage.FLAGGED:
        return await _flagged(work, seller_id, policy, after, now, page)
    if not policy.days_of(stage):
        return Found()
    if stage in FILE_STAGES:
        over = policy.over_before(stage, now)
        documents = await work.retained.files(seller_id, FILE_STAGES[stage], over, after, page)
        return await _files(work, documents, page)
    return await _imports(work, seller_id, policy.over_before(stage, now), after, page)


async def _customers(
    work: Repositories, seller_id: str, policy: RetentionPolicy, after: Position | None, now: datetime, page: int
) -> Found:
    since = policy.inactive_before(now)
    rows = [Quiet.of_row(row) for row in await work.retained.created_before(seller_id, since, after, page)]
    quiet = [one for one in rows if one.unflagged]
    active = await active_among(work.retained, quiet, {one.id: since for one in quiet})
    found = Found(place=_behind([(one.created_at, one.id) for one in rows], page))
    for one in quiet:
        if one.id in active:
            continue
        place = Position(one.created_at, one.id)
        if one.legal_hold_at is not None:
            found.kept.append(place)
            continue
        found.due.append(Due(RetentionAction.FLAG, one.id, one.id, one.seen_at, place))
    return found


async def _flagged(
    work: Repositories, seller_id: str, policy: RetentionPolicy, after: Position | None, now: datetime, page: int
) -> Found:
    rows = [Quiet.of_row(row) for row in await work.retained.flagged(seller_id, after, page)]
    since = {one.id: one.retention_flagged_at or now for one in rows}
    active = {one.id for one in rows}
    if policy.inactive_months:
        active = await active_among(work.retained, rows, since)
    found = Found(place=_behind([(one.retention_due_at or now, one.id) for one in rows], page))
    for one in rows:
        due_at = one.retention_due_at or now
        if one.id in active:
            action = RetentionAction.UNFLAG
        elif one.legal_hold_at is not None:
            found.kept.append(Position(due_at, one.id))
            continue
        elif due_at <= now and one.erasure_due_at is None:
            action = RetentionAction.ANONYMISE
        else:
            continue
        found.due.append(Due(action, one.id, one.id, since[one.id], Position(due_at, one.id)))
    return found


async def _files(work: Repositories, documents: Sequence[Document], page: int) -> Found:
    owners = await work.customers.read_many({one.customer_id for one in documents}, fields=frozenset({"legal_hold_at"}))
    found = Found(place=_behind([(one.updated_at, one.id) for one in documents], page))
    for one in documents:
        if one.upload is not None or one.customer_id not in owners:
            # Somebody is about to put another file in its place, or has just deleted the customer.
            continue
        place = Position(one.updated_at, one.id)
        if owners[one.customer_id].get("legal_hold_at") is not None:
            found.kept.append(place)
            continue
        found.due.append(Due(RetentionAction.REMOVE_FILE, one.id, one.customer_id, one.updated_at, place))
    return found


async def _imports(work: Repositories, seller_id: str, over: datetime, after: Position | None, page: int) -> Found:
    records = await work.retained.imports(seller_id, over, after, page)
    found = Found(place=_behind([(one.finished_at or over, one.id) for one in records], page))
    for one in records:
        if one.content_removed_at is not None:
            continue
        ended = one.finished_at or over
        if one.nudge_at is not None or await work.retained.is_read(one):
            found.kept.append(Position(ended, one.id))
            continue
        found.due.append(Due(RetentionAction.REMOVE_IMPORT, one.id, None, ended, Position(ended, one.id)))
    return found


def _order(place: Position) -> tuple[datetime, str]:
    return cast("datetime", place.value), place.id


def _behind(places: Sequence[tuple[datetime, str]], page: int) -> Position | None:
    return Position(*places[-1]) if len(places) == page else None
