"""What merging two customers would do: the merge and its preview both go by this. No I/O."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from core.errors import ErrorCode, Problem
from core.merging import MergeBlockCode
from core.vocabulary import AddressKind
from models.address import Address
from models.consent import Consent
from models.customer import Customer, StoredAttribute
from models.document import Document
from models.merge import MovedAddress
from services.address import MAX_ADDRESSES
from services.document import MAX_DOCUMENTS
from services.rules.profile import MAX_ATTRIBUTES, MAX_TAGS

LENT = ("external_id", "email", "phone", "first_name", "last_name", "company", "date_of_birth", "locale")
"""Stored fields that the survivor takes from the other one where it has nothing itself."""

_COMPARED = (*LENT, "kind", "status")

_TOO_MANY = {
    "tags": (MergeBlockCode.TOO_MANY_TAGS, MAX_TAGS),
    "attributes": (MergeBlockCode.TOO_MANY_ATTRIBUTES, MAX_ATTRIBUTES),
    "addresses": (MergeBlockCode.TOO_MANY_ADDRESSES, MAX_ADDRESSES),
    "documents": (MergeBlockCode.TOO_MANY_DOCUMENTS, MAX_DOCUMENTS),
}


@dataclass(frozen=True, slots=True)
class Belongings:
    """What hangs from one of the two."""

    addresses: Sequence[Address] = ()
    documents: Sequence[Document] = ()
    consents: Sequence[Consent] = ()


@dataclass(frozen=True, slots=True)
class Conflict:
    """Where both have different values: the stored field, and of attributes the key."""

    field: str
    kept: str
    given_up: str
    key: str | None = None


@dataclass(frozen=True, slots=True)
class Block:
    """What keeps two customers from becoming one: in one word, and as a mutation is told."""

    code: MergeBlockCode
    problem: Problem


@dataclass(frozen=True)
class MergePlan:
    """What becomes of two customers of one seller, *into* and *gone*, with what each has."""

    into: Customer
    gone: Customer
    held: Belongings
    brought: Belongings

    @cached_property
    def lent(self) -> dict[str, str]:
        """The values that the survivor takes because it has none itself, by stored field."""
        return {
            field: value
            for field in LENT
            if getattr(self.into, field) is None and (value := getattr(self.gone, field)) is not None
        }

    @cached_property
    def tags(self) -> list[str]:
        """The tags that the survivor gets."""
        return [tag for tag in self.gone.tags if tag not in self.into.tags]

    @cached_property
    def attributes(self) -> list[StoredAttribute]:
        """The attributes that the survivor gets: those under keys of which it has none."""
        known = {one.key for one in self.into.attributes}
        return [one for one in self.gone.attributes if one.key not in known]

    @cached_property
    def conflicts(self) -> list[Conflict]:
        """What the survivor keeps although the other one has something else, which is given up."""
        differing = [(field, getattr(self.into, field), getattr(self.gone, field)) for field in _COMPARED]
        found = [Conflict(field, kept, lost) for field, kept, lost in differing if kept and lost and kept != lost]
        theirs = {one.key: one.value for one in self.gone.attributes}
        return found + [
            Conflict("attributes", one.value, theirs[one.key], one.key)
            for one in self.into.attributes
            if one.key in theirs and one.value != theirs[one.key]
        ]

    @cached_property
    def settled(self) -> list[AddressKind]:
        """The kinds of which the survivor has a default address, which it keeps."""
        return sorted({address.kind for address in self.held.addresses if address.is_default})

    def stays_default(self, address: Address) -> bool:
        """Say whether an address that is brought is the survivor's default of its kind afterwards."""
        return address.is_default and address.kind not in self.settled

    @cached_property
    def values(self) -> dict[str, object]:
        """The stored fields of the survivor that change, without what follows from them."""
        values: dict[str, object] = dict(self.lent)
        if self.tags:
            values["tags"] = [*self.into.tags, *self.tags]
        if self.attributes:
            values["attributes"] = [*self.into.attributes, *self.attributes]
        return values

    @cached_property
    def verified(self) -> dict[str, bool]:
        """What was proved of the contacts that are taken over: it was the same person."""
        return {
            f"{field}_verified": getattr(self.gone, f"{field}_verified") for field in ("email", "phone") if field in self.lent
        }

    @cached_property
    def changed(self) -> list[str]:
        """The names under which the survivor's history tells of it."""
        return [*self.values, *(name for name in ("addresses", "documents", "consents") if getattr(self.brought, name))]

    @cached_property
    def moved(self) -> Mapping[str, object]:
        """What is kept of it, so that it can be undone: fields of `models.merge.Merge`."""
        return {
            "taken": list(self.lent),
            "tags": [place for place, tag in enumerate(self.gone.tags) if tag in self.tags],
            "attributes": [place for place, one in enumerate(self.gone.attributes) if one in self.attributes],
            "addresses": [MovedAddress(id=one.id, was_default=one.is_default) for one in self.brought.addresses],
            "documents": [one.id for one in self.brought.documents],
            "consents": [one.id for one in self.brought.consents],
        }

    @cached_property
    def blocks(self) -> list[Block]:
        """Why it cannot be done; empty when it can."""
        return [*self._erasures(), *self._holds(), *self._crowds()]

    def _erasures(self) -> list[Block]:
        """What somebody has asked to be forgotten must not live on under another id, nor take somebody else along."""
        message = "This customer is going to be erased. Take that back first (cancelErasure), or wait until it has happened."
        return [
            Block(MergeBlockCode.ERASURE_PLANNED, Problem(ErrorCode.STATE, message, (name,)))
            for one, name in ((self.into, "into"), (self.gone, "from"))
            if one.erasure_due_at
        ]

    def _holds(self) -> list[Block]:
        """What is held stays with whom the hold is on: a period of the other one would not know of it."""
        if self.gone.legal_hold_at is None:
            return []
        message = "This customer is on legal hold. Merge the other one into it, or lift the hold first (liftLegalHold)."
        return [Block(MergeBlockCode.ON_LEGAL_HOLD, Problem(ErrorCode.LEGAL_HOLD, message, ("from",)))]

    def _crowds(self) -> list[Block]:
        together = {
            "tags": len(self.into.tags) + len(self.tags),
            "attributes": len(self.into.attributes) + len(self.attributes),
            "addresses": len(self.held.addresses) + len(self.brought.addresses),
            "documents": len(self.held.documents) + len(self.brought.documents),
        }
        found = []
        for what, count in together.items():
            code, most = _TOO_MANY[what]
            if count > most:
                message = f"Together they have {count} {what}; a customer has at most {most}. Delete some of either first."
                found.append(Block(code, Problem(ErrorCode.TOO_MANY, message, ("from", what))))
        return found
