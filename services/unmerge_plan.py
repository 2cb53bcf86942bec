"""What undoing a merge would do: who gets what back, and why it cannot be done. No I/O."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.errors import ErrorCode, Problem
from models.address import Address
from models.customer import Customer
from models.document import Document
from models.merge import Merge
from services.customer_lookup import SPELLED, holds, taken_problem
from services.merge_plan import Belongings
from services.records import unique

_HELD_ALONE = ("email", "phone", "external_id")


@dataclass(frozen=True)
class UnmergePlan:
    """What becomes of *gone*, who was merged into *into*, by what was kept of it; *held* is what hangs from *into* now."""

    merge: Merge
    into: Customer
    gone: Customer
    held: Belongings

    @cached_property
    def returned(self) -> Belongings:
        """What goes back: what came with the merge and is still there."""
        addresses, documents = {one.id for one in self.merge.addresses}, set(self.merge.documents)
        return Belongings(
            [one for one in self.held.addresses if one.id in addresses],
            [one for one in self.held.documents if one.id in documents],
            [one for one in self.held.consents if one.id in set(self.merge.consents)],
        )

    @cached_property
    def kept(self) -> Belongings:
        """What stays with the survivor: what it had, and what it was given since."""
        return Belongings(
            [one for one in self.held.addresses if one not in self.returned.addresses],
            [one for one in self.held.documents if one not in self.returned.documents],
        )

    @cached_property
    def lost(self) -> dict[str, object]:
        """The stored fields of the survivor that change: what it was lent and still has as it was lent."""
        values: dict[str, object] = {
            field: None for field in self.merge.taken if getattr(self.into, field) == getattr(self.gone, field)
        }
        tags = [self.gone.tags[place] for place in self.merge.tags]
        values["tags"] = [tag for tag in self.into.tags if tag not in tags]
        lent = [self.gone.attributes[place] for place in self.merge.attributes]
        values["attributes"] = [one for one in self.into.attributes if one not in lent]
        return {field: value for field, value in values.items() if value != getattr(self.into, field)}

    @cached_property
    def proved(self) -> dict[str, bool]:
        """What was proved meanwhile of a contact that goes back stays proved."""
        return {
            f"{field}_verified": True
            for field in ("email", "phone")
            if field in self.lost and getattr(self.into, f"{field}_verified")
        }

    @cached_property
    def changed(self) -> list[str]:
        """The names under which the survivor's history tells of it."""
        return [*self.lost, *(name for name in ("addresses", "documents", "consents") if getattr(self.returned, name))]

    @cached_property
    def defaults(self) -> set[str]:
        """The ids of those addresses that go back as the default of their kind: as before, of a kind without one the oldest."""
        were = {one.id for one in self.merge.addresses if one.was_default}
        return {_first(some, were) for some in _by_kind(self.returned.addresses)}

    @cached_property
    def promoted(self) -> list[Address]:
        """The survivor's addresses that become default because that of their kind goes: the oldest of each."""
        return [some[0] for some in _by_kind(self.kept.addresses) if not any(one.is_default for one in some)]

    @cached_property
    def identifiers(self) -> dict[str, list[str]]:
        """What the one that comes back holds alone, by stored field."""
        single = {field: [value] for field in _HELD_ALONE if (value := getattr(self.gone, field))}
        keys = keys_of(self.returned.documents)
        return {**single, **({"document_keys": keys} if keys else {})}

    def problems(self, holders: Iterable[Customer]) -> list[Problem]:
        """Return why it cannot be done, when *holders* hold any of `identifiers` at present."""
        left = {field: self.lost.get(field, getattr(self.into, field)) for field in _HELD_ALONE}
        found = [] if any(left.values()) else [_NOTHING_LEFT]
        others = [one for one in holders if one.id != self.into.id]
        kept_keys = keys_of(self.kept.documents)
        for field, values in self.identifiers.items():
            own = kept_keys if field == "document_keys" else [left[field]]
            if any(value in own or any(holds(one, field, value) for one in others) for value in values):
                found.append(taken_problem(field, "id", SPELLED[field]))
        return found


_NOTHING_LEFT = Problem(
    ErrorCode.REQUIRED,
    "The customer that goes on would be left without e-mail, phone and externalId. Give it one of its own first.",
    ("id",),
)


def keys_of(documents: Iterable[Document]) -> list[str]:
    """Return the blind indexes of the numbers of documents."""
    return unique(key for one in documents for key in one.number_keys)


def _by_kind(addresses: Sequence[Address]) -> list[list[Address]]:
    kinds = dict.fromkeys(one.kind for one in addresses)
    return [[one for one in addresses if one.kind is kind] for kind in kinds]


def _first(addresses: Sequence[Address], preferred: set[str]) -> str:
    return next((one.id for one in addresses if one.id in preferred), addresses[0].id)
