"""Proves that histories are as they were written, and says where they are not.

A chain is read backwards, from the head that its customer keeps to its first record, holding two records at a time.
"""

import hmac
from collections.abc import AsyncGenerator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any

from core.audit_chain import AuditChain
from repositories.audit import KINDS, SOME, AuditRecords, Sealed, Stored, group_of

_LOOKS = 5
"""How often a customer is looked at again whose record changed meanwhile."""


class Flaw(StrEnum):
    """What is wrong with a chain."""

    MISSING = "MISSING"
    ALTERED = "ALTERED"
    CONTENTS_ALTERED = "CONTENTS_ALTERED"
    CONTENTS_MISSING = "CONTENTS_MISSING"
    NOT_SEALED = "NOT_SEALED"
    WRONG_END = "WRONG_END"
    NO_CUSTOMER = "NO_CUSTOMER"


MEANING = {
    Flaw.MISSING: "there is no record with this number",
    Flaw.ALTERED: "the record was altered or added, or the one before it was replaced",
    Flaw.CONTENTS_ALTERED: "the values, or where they came from, were altered",
    Flaw.CONTENTS_MISSING: "the values, and where they came from, are gone, though the customer was not erased",
    Flaw.NOT_SEALED: "the record has no seal: it was added, or a process of an earlier version wrote it",
    Flaw.WRONG_END: "the customer's own record does not end with it: what came behind was removed, or one of the two put back",
    Flaw.NO_CUSTOMER: "there are records, and the customer's own record is gone",
}
"""Each flaw in words."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A flaw, and where it is: *number* is a customer's version, or of reads their count; None where it is about all."""

    seller_id: str
    customer_id: str
    chain: str
    number: int | None
    flaw: Flaw


@dataclass(slots=True)
class Verified:
    """How much was looked at: *before* are records that earlier versions wrote, about which nothing can be proved."""

    customers: int = 0
    records: int = 0
    before: int = 0


class AuditVerification:
    """Looks at the chains of one customer, of a seller's customers, or of all."""

    def __init__(self, chain: AuditChain) -> None:
        self._chain = chain
        self._records = AuditRecords()
        self.verified = Verified()

    async def customer(self, customer_id: str) -> list[Broken] | None:
        """Return what is wrong with the history of one customer; None when there is no such customer."""
        found = await self._records.customer(customer_id)
        if found is None:
            orphans = [
                Broken(seller_id, customer_id, kind.name, None, Flaw.NO_CUSTOMER)
                for kind in KINDS
                for seller_id in await self._records.sellers_of(kind, customer_id)
            ]
            return orphans or None
        return [broken async for broken in self._of([found])]

    async def every(self, seller_id: str | None) -> AsyncGenerator[Broken]:
        """Yield what is wrong with the histories of a seller's customers, or of all."""
        async with aclosing(self._records.customers(seller_id)) as pages:
            async for some in pages:
                async with aclosing(self._of(some)) as found:
                    async for broken in found:
                        yield broken
        for kind in KINDS:
            owners: list[tuple[str, str]] = []
            async for owner in self._records.owners(kind, seller_id):
                owners.append(owner)
                if len(owners) == SOME:
                    for broken in await self._orphans(kind, owners):
                        yield broken
                    owners = []
            for broken in await self._orphans(kind, owners):
                yield broken

    async def _orphans(self, kind: Sealed, owners: Sequence[tuple[str, str]]) -> list[Broken]:
        missing = await self._records.missing(owners) if owners else []
        return [Broken(seller_id, id_, kind.name, None, Flaw.NO_CUSTOMER) for seller_id, id_ in missing]

    async def _of(self, customers: Sequence[Stored]) -> AsyncGenerator[Broken]:
        self.verified.customers += len(customers)
        for kind in KINDS:
            for check in [check async for check in self._checks(kind, customers)]:
                self.verified.records += check.records
                self.verified.before += check.before
                # Records are read after what they are held against, and customers change meanwhile.
                for broken in check.broken and await self._settled(kind, check.customer):
                    yield broken

    async def _settled(self, kind: Sealed, customer: Stored) -> list[Broken]:
        """Look again at a customer with whom something seems to be wrong, until it stays as it is for so long."""
        broken: list[Broken] = []
        for _ in range(_LOOKS):
            before = await self._records.customer(customer["_id"])
            if before is None:
                return [Broken(customer["seller_id"], customer["_id"], kind.name, None, Flaw.NO_CUSTOMER)]
            broken = [broken async for check in self._checks(kind, [before]) for broken in check.broken]
            if not broken or before == await self._records.customer(customer["_id"]):
                break
        return broken

    async def _checks(self, kind: Sealed, customers: Sequence[Stored]) -> AsyncGenerator["_Check"]:
        """Yield the check of each customer's chain, done."""
        waiting = {(one["seller_id"], one["_id"]): _Check(kind, self._chain, one) for one in customers}
        current: _Check | None = None
        async with aclosing(self._records.records(kind, customers)) as records:
            async for stored in records:
                owner = group_of(stored)
                if current is None or owner != current.owner:
                    if current is not None:
                        yield current.done()
                    current = waiting.pop(owner, None)
                if current is not None:
                    current.add(stored)
        if current is not None:
            yield current.done()
        for check in waiting.values():
            yield check.done()


@dataclass(slots=True)
class _Check:
    """One customer's chain, the newest record first."""

    kind: Sealed
    chain: AuditChain
    customer: Stored
    broken: list[Broken] = field(default_factory=list)
    records: int = 0
    before: int = 0
    _later: Stored | None = None
    """The sealed record that was read last: what is behind it says whether it fits."""
    _next: int | None = None

    def __post_init__(self) -> None:
        self._next = self.customer.get(self.kind.last) or 0

    @property
    def owner(self) -> tuple[str, str]:
        return self.customer["seller_id"], self.customer["_id"]

    def add(self, stored: Stored) -> None:
        """Take the next record, which is older than the last one."""
        self.records += 1
        number = stored[self.kind.number]
        self._expect(number)
        if stored.get("hash") is None:
            if self._later is None and self.customer.get(self.kind.head) is not None:
                self._note(number, Flaw.NOT_SEALED)
            else:
                self.before += 1
            return
        head = self.chain.head(stored["hash"])
        if self._later is not None:
            self._fits(self._later, head)
        elif not _same(head, self.customer.get(self.kind.head)):
            self._note(number, Flaw.WRONG_END)
        self._look_into(stored)
        self._later = stored

    def done(self) -> "_Check":
        """Return the check once the last record was added."""
        self._expect(0)
        if self._later is not None:
            self._fits(self._later, None)
        elif self.customer.get(self.kind.head) is not None:
            self._note(None, Flaw.WRONG_END)
        return self

    def _expect(self, number: int) -> None:
        """Note what is not there between the last record and this one."""
        if self._next is not None and number < self._next:
            self._note(self._next, Flaw.MISSING)
        elif self._next is not None and number > self._next:
            self._note(number, Flaw.WRONG_END)
        self._next = number - 1

    def _fits(self, stored: Stored, head: bytes | None) -> None:
        if not _same(self.chain.hash(head, self.kind.facts(stored), stored["digest"]), stored["hash"]):
            self._note(stored[self.kind.number], Flaw.ALTERED)

    def _look_into(self, stored: Stored) -> None:
        number = stored[self.kind.number]
        if stored.get("salt") is not None:
            if not _same(self.chain.digest(stored["salt"], self.kind.contents(stored)), stored["digest"]):
                self._note(number, Flaw.CONTENTS_ALTERED)
        elif self.customer.get("erased_at") is None:
            self._note(number, Flaw.CONTENTS_MISSING)

    def _note(self, number: int | None, flaw: Flaw) -> None:
        seller_id, customer_id = self.owner
        self.broken.append(Broken(seller_id, customer_id, self.kind.name, number, flaw))


def _same(one: Any, other: Any) -> bool:
    return isinstance(one, bytes) and isinstance(other, bytes) and hmac.compare_digest(one, other)
