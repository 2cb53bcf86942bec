"""Keeps what a process knows of keys in step with the database, and asks the master key: see `core.vault`.

    vault_keys in MongoDB ──look──▶ master key opens what is new ──▶ ring of the process's vault

A key is there for `SETTLE` before anything depends on it, so that every process knows it by then.
"""

import os
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from datetime import datetime, timedelta

import structlog

from core.clock import Clock
from core.errors import ErrorCode, Refused, Unavailable
from core.ids import IdKind, new_id
from core.sealing import SealBroken, Sealer, decrypt, encrypt
from core.vault import FIRST, IndexKey, KeyRing, Vault
from models.vault_key import VaultKey, VaultKeyState, VaultKeyUse
from repositories.vault_key import VaultKeys
from services.ports import MasterKey
from services.repeating import beside, repeat

_log = structlog.get_logger("keys")

LOOK_SECONDS = 5.0
"""How often a process looks for keys that others have made."""

SETTLE = timedelta(minutes=1)
"""How long a key is there before it wraps, or before what it drives out is removed: twelve looks, whatever the clocks say."""

_KEY_BYTES = 32
_PREFIX = {VaultKeyUse.WRAPPING: "w", VaultKeyUse.INDEX: "x"}


class SettingsMasterKey:
    """The master key of the settings: for development, and for who keeps it in a secret store of their own."""

    name = "settings"

    def __init__(self, sealer: Sealer) -> None:
        self._secret = sealer.derive("master")

    async def wrap(self, secret: bytes, *, name: str) -> bytes:
        """Encrypt a key, bound to its *name*."""
        return encrypt(self._secret, secret, name)

    async def unwrap(self, wrapped: bytes, *, name: str) -> bytes:
        """Return the key of this *name* in clear.

        Raises:
            Unavailable: another master key wrapped it.
        """
        try:
            return decrypt(self._secret, wrapped, name)
        except SealBroken as error:
            message = f"The key {name} was wrapped by another master key than security.masterKey."
            raise Unavailable(message) from error


class KeyBook:
    """Fills the ring of a vault. The first of *masters* wraps new keys, all of them open what they have wrapped."""

    def __init__(self, clock: Clock, vault: Vault, masters: Sequence[MasterKey]) -> None:
        self._clock = clock
        self._vault = vault
        self._masters = {one.name: one for one in masters}
        self._master = masters[0]
        self._keys = VaultKeys()
        self._secrets: dict[str, bytes] = {}

    async def look(self) -> list[VaultKey]:
        """Learn what is stored, oldest first.

        Raises:
            Unavailable: the database or the master key does not answer; what was known is still known.
        """
        stored = await self._keys.every()
        for key in stored:
            if key.id not in self._secrets:
                master = self._masters.get(key.wrapped_by)
                if master is None:
                    message = (
                        f"The key {key.id} is wrapped by {key.wrapped_by}, which the settings do not name (aws.kms.keyId)."
                    )
                    raise Unavailable(message)
                self._secrets[key.id] = await master.unwrap(key.wrapped, name=key.id)
        self._secrets = {key.id: self._secrets[key.id] for key in stored}
        self._vault.ring = ring_of(stored, self._secrets, self._clock.now())
        return stored

    async def depend_on_master(self) -> None:
        """See to it that customers' keys are wrapped by a key of the first master, where that is not the settings' own."""
        stored = await self.look()
        wrapping = [key for key in stored if key.use is VaultKeyUse.WRAPPING]
        if self._master.name != SettingsMasterKey.name and (not wrapping or wrapping[-1].wrapped_by != self._master.name):
            await self.add(VaultKeyUse.WRAPPING)

    async def add(self, use: VaultKeyUse) -> VaultKey:
        """Make a key: one that wraps customers' keys from `SETTLE` on, or one that numbers will be found by.

        Raises:
            Refused: STATE, while an index key is being replaced already.
            Unavailable: the database or the master key does not answer.
        """
        stored = await self.look()
        if use is VaultKeyUse.INDEX and any(one.use is use and not _at_rest(one) for one in stored):
            message = "The index key is being replaced already. Wait until customer-service vault status shows one only."
            raise Refused.because(ErrorCode.STATE, message)
        now = self._clock.now()
        name = f"{_PREFIX[use]}-{new_id(IdKind.EVENT).partition('_')[2]}"
        secret = os.urandom(_KEY_BYTES)
        key = VaultKey(
            id=name,
            use=use,
            state=VaultKeyState.CURRENT if use is VaultKeyUse.WRAPPING else VaultKeyState.NEXT,
            wrapped=await self._master.wrap(secret, name=name),
            wrapped_by=self._master.name,
            created_at=now,
            updated_at=now,
        )
        await self._keys.add(key)
        _log.info("a key was made", key=name, use=use.value, wrapped_by=self._master.name)
        await self.look()
        return key

    async def _learn(self) -> None:
        await self.look()

    async def follow(self) -> None:
        """Look again and again, until cancelled."""
        await repeat(self._learn, every=LOOK_SECONDS, complaint="keys cannot be read")


def ring_of(stored: Sequence[VaultKey], secrets: Mapping[str, bytes], now: datetime) -> KeyRing:
    """Return the ring of a moment; *stored* are all keys, oldest first, and *secrets* are they in clear."""
    wrapping = [key for key in stored if key.use is VaultKeyUse.WRAPPING]
    indexes = [key for key in stored if key.use is VaultKeyUse.INDEX]
    settled = [key.id for key in wrapping if key.created_at <= now - SETTLE]
    current = [IndexKey(key.id, secrets[key.id]) for key in indexes if key.state is VaultKeyState.CURRENT]
    coming = [IndexKey(key.id, secrets[key.id]) for key in indexes if key.state is VaultKeyState.NEXT]
    return KeyRing(
        wrapping={key.id: secrets[key.id] for key in wrapping},
        wraps_with=settled[-1] if settled else FIRST,
        index=current[-1] if current else IndexKey(FIRST),
        next_index=coming[-1] if coming else None,
    )


def _at_rest(key: VaultKey) -> bool:
    return key.state is VaultKeyState.CURRENT and key.settled_at is not None


@asynccontextmanager
async def open_key_book(clock: Clock, vault: Vault, masters: Sequence[MasterKey]) -> AsyncIterator[KeyBook]:
    """Keep *vault* in step with what is stored until the context ends; it is when the context begins.

    Raises:
        Unavailable: the database or a master key does not answer, or a key is wrapped by one that is not among *masters*.
    """
    book = KeyBook(clock, vault, masters)
    await book.depend_on_master()
    async with beside(book.follow(), name="keys"):
        yield book
