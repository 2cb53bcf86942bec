"""The heads of the chains of customers' histories. Moving one is no change of a customer, so that its version stays."""

from models.customer import Customer
from repositories.base import Repository


class OutOfOrder(Exception):
    """An event was recorded that does not belong to the present version of its customer. A mistake in the program."""


class ChainHeads(Repository[Customer]):
    """Where the chains of one tenant's customers end, deleted customers included."""

    model = Customer
    customer_field = "_id"

    async def move(self, customer_id: str, version: int, head: bytes) -> None:
        """Let a chain end behind the record that tells how its customer got *version*.

        Raises:
            OutOfOrder: the customer has another version: the change comes first, then its record.
        """
        moved = await self._change_many({"_id": customer_id, "version": version}, {"$set": {"chain": head}})
        if not moved:
            message = f"An event of version {version} of {customer_id} is recorded, which is not the customer's version."
            raise OutOfOrder(message)
