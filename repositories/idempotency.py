"""What callers have already done under an idempotency key."""

from models.idempotency import IdempotencyRecord
from repositories.base import Repository


class IdempotencyRepository(Repository[IdempotencyRecord]):
    """Records of one tenant; ids are digests that include the caller and the operation."""

    model = IdempotencyRecord
    customer_field = "customer_id"

    async def get(self, digest: str) -> IdempotencyRecord | None:
        """Return what was done under a key in the last 24 hours."""
        return await self._find_one({"_id": digest})

    async def insert(self, record: IdempotencyRecord) -> None:
        """Remember a call; two at once conflict, and the second is tried again after the first."""
        await self._insert(record)
