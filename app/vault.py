"""The vault of the settings: whose keys wrap which."""

from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager

from app.aws import aws_access
from app.settings import Settings
from core.clock import Clock
from core.sealing import Sealer
from core.vault import Vault
from infra.kms import open_kms
from services.key_book import KeyBook, SettingsMasterKey, open_key_book
from services.ports import MasterKey


@asynccontextmanager
async def open_vault(settings: Settings, clock: Clock, sealer: Sealer, vault: Vault) -> AsyncIterator[KeyBook]:
    """Keep *vault* in step with the keys that are stored, of which the master key of the settings is the first.

    Raises:
        Unavailable: the database or the key service does not answer.
    """
    kms = settings.aws.kms
    masters: list[MasterKey] = [SettingsMasterKey(sealer)]
    async with AsyncExitStack() as stack:
        if kms.key_id is not None:
            masters.insert(0, await stack.enter_async_context(open_kms(aws_access(kms), key_id=kms.key_id)))
        yield await stack.enter_async_context(open_key_book(clock, vault, masters))
