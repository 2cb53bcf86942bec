"""Merging customers, as clients see it: what it would do, what keeps it from being done, and who may be the same person."""

from typing import Any, Self

import strawberry

from models.address import Address as StoredAddress
from models.customer import Customer as StoredCustomer
from models.document import Document as StoredDocument
from schema.address import Address
from schema.context import Info
from schema.customer import Attribute, Customer
from schema.document import Document
from schema.enums import MergeBlockCode
from schema.user_error import UserError
from services.customer_merge import MergePreview as Preview
from services.merge_plan import Block, Conflict, MergePlan
from services.records import changed_fields


@strawberry.type(description="A value that the customer that stays takes over, because it has none itself.")
class MergeTakeOver:
    field: str = strawberry.field(description="The field, as `Customer` spells it: `externalId`.")
    value: str = strawberry.field(description="The value, as text.")


@strawberry.type(description="Where both customers have something else: what stays, and what is given up.")
class MergeConflict:
    field: str = strawberry.field(description="The field, as `Customer` spells it; `attributes` for one of these.")
    key: str | None = strawberry.field(description="Of an attribute its key.")
    kept: str = strawberry.field(description="What the customer that stays has, and keeps.")
    given_up: str = strawberry.field(
        description="What the other one has. An identifier is free for others afterwards; its deleted record keeps all of it."
    )

    @classmethod
    def of(cls, conflict: Conflict) -> Self:
        """Return a conflict as clients see it."""
        (field,) = changed_fields([conflict.field])
        return cls(field=field, key=conflict.key, kept=conflict.kept, given_up=conflict.given_up)


@strawberry.type(description="An address that changes hands.")
class MergeAddress:
    address: Address = strawberry.field(description="The address, as it is now.")
    stays_default: bool = strawberry.field(
        description="Whether it is the default of its kind afterwards: not where the customer that stays has one of its own."
    )


@strawberry.type(description="What keeps two customers from becoming one.")
class MergeBlock:
    code: MergeBlockCode = strawberry.field(description="What it is, for programs.")
    message: str = strawberry.field(description="What it is, and what to do about it, for people.")
    field: list[str] | None = strawberry.field(description='Which argument it is about: `["from", "tags"]`.')

    @classmethod
    def of(cls, block: Block) -> Self:
        """Return what blocks a merge as clients see it."""
        return cls(code=block.code, message=block.problem.message, field=list(block.problem.field) or None)


@strawberry.type(
    description="What `mergeCustomers` would do at this moment, without doing it. Needs `customers:read`; not for customers."
)
class MergePreview:
    into: Customer | None = strawberry.field(
        description="The customer that would stay, as it is now; its version goes into `expectedIntoVersion`. Null when you "
        "can see none."
    )
    from_: Customer | None = strawberry.field(
        name="from",
        description="The customer that would go, as it is now; its version goes into `expectedFromVersion`. Null when you can "
        "see none.",
    )
    possible: bool = strawberry.field(description="Whether nothing blocks it.")
    blocks: list[MergeBlock] = strawberry.field(
        description="What keeps it from being done, all at once; empty when it can be. Scopes that you lack are not told."
    )
    takes_over: list[MergeTakeOver] = strawberry.field(description="What `into` takes because it has none itself.")
    conflicts: list[MergeConflict] = strawberry.field(description="What `into` keeps although `from` has something else.")
    tags: list[str] = strawberry.field(description="The tags that `into` gets.")
    attributes: list[Attribute] = strawberry.field(description="The attributes that `into` gets.")
    addresses: list[MergeAddress] = strawberry.field(description="The addresses that `into` gets, oldest first.")
    brought: strawberry.Private[list[StoredDocument]]

    @strawberry.field(description="The documents that `into` gets, oldest first. Needs `documents:read`.")
    def documents(self, info: Info) -> list[Document]:
        """Return the documents that change hands."""
        info.context.may_read_documents()
        return [Document.from_model(one) for one in self.brought]

    @classmethod
    def of(cls, preview: Preview) -> Self:
        """Return a preview as clients see it."""
        planned = _planned(preview.plan) if preview.plan is not None else {name: [] for name in _PLANNED}
        return cls(
            into=_shown(preview.into),
            from_=_shown(preview.gone),
            possible=not preview.blocks,
            blocks=[MergeBlock.of(one) for one in preview.blocks],
            **planned,
        )


_PLANNED = ("takes_over", "conflicts", "tags", "attributes", "addresses", "brought")


def _planned(plan: MergePlan) -> dict[str, Any]:
    return {
        "takes_over": [
            MergeTakeOver(field=field, value=value)
            for field, value in zip(changed_fields(plan.lent), plan.lent.values(), strict=True)
        ],
        "conflicts": [MergeConflict.of(one) for one in plan.conflicts],
        "tags": plan.tags,
        "attributes": [Attribute(key=one.key, value=one.value) for one in plan.attributes],
        "addresses": [_moved(one, plan) for one in plan.brought.addresses],
        "brought": list(plan.brought.documents),
    }


def _moved(address: StoredAddress, plan: MergePlan) -> MergeAddress:
    return MergeAddress(address=Address.from_model(address), stays_default=plan.stays_default(address))


def _shown(customer: StoredCustomer | None) -> Customer | None:
    return None if customer is None else Customer.from_model(customer)


@strawberry.type(description="What became of a merge that was to be undone.")
class UnmergePayload:
    customer: Customer | None = strawberry.field(
        description="The customer that was merged away, live again; null when nothing was changed. One that was not merged is "
        "answered as it is."
    )
    survivor: Customer | None = strawberry.field(
        description="The customer it had been merged into, as it is now; null when nothing was changed or had to be."
    )
    user_errors: list[UserError] = strawberry.field(description="Why nothing was changed; empty on success.")
