"""Keys are replaced: chores of the workers, over all sellers, a few records at a time.

Both may be done twice and in several processes at once: what is written is conditional on what was read.
"""

from collections.abc import Awaitable, Callable

import structlog

from core.clock import Clock
from core.errors import Unavailable
from core.sealing import SealBroken
from core.tenancy import Tenant
from core.vault import FIRST, IndexKey, is_under
from models.document import Document
from models.vault_key import VaultKey, VaultKeyState, VaultKeyUse
from repositories.customer_key import WrappedKeys
from repositories.sealed_number import NumberedDocuments
from repositories.unit_of_work import Repositories, UnitOfWork
from repositories.vault_key import VaultKeys
from services.customer_keys import opened_numbers
from services.key_book import SETTLE
from services.records import RecordMaker, plain_number

_log = structlog.get_logger("keys")

_SOME = 100
"""Keys that are wrapped anew in one step."""


class VaultChores:
    """Brings what is stored under the keys that are current."""

    def __init__(self, units: UnitOfWork, records: RecordMaker, clock: Clock) -> None:
        self._units = units
        self._records = records
        self._vault = records.vault
        self._clock = clock

    # ----------------------------------------------------------------- customers' keys

    async def rewrap(self) -> bool:
        """Wrap some customers' keys by the wrapping key that is current; destroy older ones that wrap nothing any more.

        Says whether there was anything to do. What the keys seal stays as it is.
        """
        name = self._vault.ring.wraps_with
        keys = WrappedKeys()
        found = {} if name == FIRST else await keys.not_wrapped_with(name, _SOME)
        for customer_id, key in found.items():
            await keys.replace(customer_id, key, self._vault.rewrap(key, customer_id))
        if found:
            _log.info("keys of customers were wrapped anew", keys=len(found), by=name)
            return True
        return await self._retire(name)

    async def _retire(self, name: str) -> bool:
        stored = [one for one in await VaultKeys().every() if one.use is VaultKeyUse.WRAPPING]
        # Twice as long as others need to learn of the new one: by then nobody wraps with an old one.
        current = next((one for one in stored if one.id == name), None)
        if current is None or self._clock.now() < current.created_at + 2 * SETTLE:
            return False
        old = [one.id for one in stored if one.id < name]
        await VaultKeys().forget(old)
        if old:
            _log.info("wrapping keys were destroyed", keys=old)
        return bool(old)

    # ------------------------------------------------------------------- blind indexes

    async def reindex(self) -> bool:
        """Go on with the replacement of the index key, if one is under way; say whether there was anything to do."""
        indexes = [one for one in await VaultKeys().every() if one.use is VaultKeyUse.INDEX]
        ring, now = self._vault.ring, self._clock.now()
        for key in reversed(indexes):
            known = next((one for one in (ring.index, ring.next_index) if one is not None and one.name == key.id), None)
            if known is None or key.settled_at is not None:
                continue
            since = key.created_at if key.state is VaultKeyState.NEXT else key.promoted_at
            if since is None or now < since + SETTLE:
                return False
            if key.state is VaultKeyState.NEXT:
                return await self._go_over(key, self._fill(known))
            return await self._go_over(key, self._tidy(known))
        return False

    async def _go_over(self, key: VaultKey, each: "_Each") -> bool:
        """Take the next documents, or end the pass: then the key has become what it was made for, if no number is left."""
        documents = await NumberedDocuments().behind(key.place)
        now = self._clock.now()
        if documents:
            for document in documents:
                try:
                    await each(document)
                except Unavailable:
                    raise
                except SealBroken:
                    # One number that nobody can open keeps no other from being found.
                    _log.error("a document's number cannot be opened", document_id=document.id)
            await VaultKeys().change(key.id, now, place=documents[-1].id)
            return True
        if await NumberedDocuments().count(_left_by(key)):
            # Written by a process that did not know the key yet, or not to be opened: from the start once more, after a pause.
            await VaultKeys().change(key.id, now, place="")
            return False
        if key.state is VaultKeyState.NEXT:
            await VaultKeys().change(key.id, now, place="", state=VaultKeyState.CURRENT.value, promoted_at=now)
            _log.info("numbers of documents are found by a new index key", key=key.id)
        else:
            await VaultKeys().change(key.id, now, settled_at=now)
            older = [one.id for one in await VaultKeys().every() if one.use is VaultKeyUse.INDEX and one.id < key.id]
            await VaultKeys().forget(older)
            _log.info("the index key before was driven out", key=key.id)
        return True

    def _fill(self, coming: IndexKey) -> "_Each":
        """Let a document's number, and its customer, be found by the index that is *coming* as well."""

        async def each(document: Document) -> None:
            if is_under(document.number_key_next or "", coming):
                return

            async def body(work: Repositories) -> None:
                (number,) = await opened_numbers(work, self._records, [document])
                if isinstance(number, Exception):
                    raise number
                index = self._vault.index_by(coming, plain_number(number or ""), seller_id=document.seller_id)
                if document.number_key and await work.numbers.put(document, number_key_next=index):
                    await work.number_holders.add(document.customer_id, index, document.number_key)

            await self._units.run(Tenant(document.seller_id), body)

        return each

    def _tidy(self, current: IndexKey) -> "_Each":
        """Take from a document, and from its customer, the index of the key that was driven out."""

        async def each(document: Document) -> None:
            index = document.number_key_next
            if document.number_key is None or is_under(document.number_key, current) or index is None:
                return

            async def body(work: Repositories) -> None:
                if await work.numbers.put(document, number_key=index, number_key_next=None):
                    await work.number_holders.keep(document.customer_id, lambda one: is_under(one, current))

            await self._units.run(Tenant(document.seller_id), body)

        return each


def _left_by(key: VaultKey) -> dict[str, object]:
    """Return the condition on documents that are yet to be brought under an index key."""
    under = {"$regex": f"^{key.id}:"}
    if key.state is VaultKeyState.NEXT:
        return {"number_key": {"$gt": ""}, "number_key_next": {"$not": under}}
    return {"number_key": {"$gt": "", "$not": under}}


_Each = Callable[[Document], Awaitable[None]]
