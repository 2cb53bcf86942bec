"""What became of people who were erased, as clients see it."""

from datetime import datetime
from typing import Self

import strawberry

from models import erasure_receipt as models


@strawberry.type(description="How many records of one collection of the database an erasure removed, replaced or emptied.")
class ErasureSwept:
    collection: str = strawberry.field(description="Its name in the database, as docs/reference/personal-data.md lists it.")
    records: int = strawberry.field(description="How many records it had of the customer.")


@strawberry.type(
    description="The proof that a customer was erased: what was done, without anything of the person. Needs `erasure`; not for "
    "customers."
)
class ErasureReceipt:
    customer_id: strawberry.ID = strawberry.field(description="Who was erased.")
    seller_id: strawberry.ID = strawberry.field(description="Whose customer it was.")
    actor: str = strawberry.field(description="Who asked for it: `operator:ada`.")
    erased_at: datetime = strawberry.field(description="When its data was destroyed.")
    swept: list[ErasureSwept] = strawberry.field(description="What was destroyed in the database.")
    key_destroyed: bool = strawberry.field(
        description="Whether it had a key of its own, which was destroyed: what that key sealed cannot be opened any more, in "
        "copies of the database neither."
    )
    files: int = strawberry.field(description="How many files were removed so far.")
    files_gone_at: datetime | None = strawberry.field(
        description="When the last look for files found none; null until then, a quarter of an hour at least."
    )
    signature: str = strawberry.field(
        description="A keyed digest of all of the above, in hexadecimal: `customer-service privacy receipt` checks it."
    )

    @classmethod
    def from_model(cls, receipt: models.ErasureReceipt) -> Self:
        """Return a stored receipt as clients see it."""
        return cls(
            customer_id=strawberry.ID(receipt.id),
            seller_id=strawberry.ID(receipt.seller_id),
            actor=receipt.actor,
            erased_at=receipt.erased_at,
            swept=[ErasureSwept(collection=one.collection, records=one.records) for one in receipt.swept],
            key_destroyed=receipt.key_destroyed,
            files=receipt.files,
            files_gone_at=receipt.files_gone_at,
            signature=receipt.seal.hex(),
        )
