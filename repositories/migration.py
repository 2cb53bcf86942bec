"""What brings stored data from the shape of an earlier version into that of this one."""

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

from core.clock import Clock
from core.vault import Vault
from models.migration import AppliedMigration
from repositories.errors import translated
from repositories.number_migration import seal_with_customers_keys


@dataclass(frozen=True, slots=True)
class Migration:
    """One step. It may be run twice, twice at once, and again after it got halfway: it looks for what is left to be done.

    Processes of the version before run beside it, so that what it writes has to be readable for both.
    """

    name: str
    """With its date in front, so that names sort as they are to be run: ``2026-11-28-fold-names``."""
    run: Callable[[Vault, datetime], Awaitable[None]]
    """Is given what opens and seals what is encrypted, and the moment."""


MIGRATIONS: tuple[Migration, ...] = (Migration("2026-11-28-keys-of-customers", seal_with_customers_keys),)
"""Every step there ever was since the first release, oldest first."""


class Migrations:
    """The steps of one database."""

    def __init__(self, clock: Clock, steps: Sequence[Migration] = MIGRATIONS) -> None:
        self._clock = clock
        self._steps = steps

    async def pending(self) -> list[str]:
        """Return the names of the steps that this database has not been through, in their order."""
        with translated():
            applied = {one["_id"] async for one in AppliedMigration.get_pymongo_collection().find({}, {"_id": 1})}
        return [step.name for step in self._steps if step.name not in applied]

    async def apply(self, vault: Vault) -> list[str]:
        """Run what is pending, one step after the other, and return the names. One that fails is pending still."""
        done = []
        waiting = set(await self.pending())
        for step in self._steps:
            if step.name not in waiting:
                continue
            await step.run(vault, self._clock.now())
            with translated():
                await AppliedMigration.get_pymongo_collection().update_one(
                    {"_id": step.name}, {"$setOnInsert": {"applied_at": self._clock.now()}}, upsert=True
                )
            done.append(step.name)
        return done
