"""A master key in AWS KMS, or in a server that speaks like it. Implements `services.ports.MasterKey`.

The key never leaves KMS: what is wrapped by it can be opened by asking KMS, by whoever its policy lets, and each time leaves a
line in CloudTrail.
"""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any, Protocol

from infra.aws import AwsAccess, Patience, reaching, repeating
from infra.retry_budget import RetryBudget

SYSTEM = "The key service"
_PATIENCE = Patience(connect=2, read=5, attempts=3)


class _Client(Protocol):
    """What of the client is used here."""

    async def encrypt(self, *, KeyId: str, Plaintext: bytes, EncryptionContext: dict[str, str]) -> dict[str, Any]: ...  # noqa: N803

    async def decrypt(self, *, KeyId: str, CiphertextBlob: bytes, EncryptionContext: dict[str, str]) -> dict[str, Any]: ...  # noqa: N803


class KmsMasterKey:
    """One symmetric key of KMS. Every failure to reach it, and every refusal, raises `core.errors.Unavailable`."""

    def __init__(self, client: _Client, key_id: str) -> None:
        self._client = client
        self._key_id = key_id
        self.name = f"kms:{key_id}"

    async def wrap(self, secret: bytes, *, name: str) -> bytes:
        """Encrypt a key, bound to its *name*."""
        with reaching(SYSTEM):
            answer = await self._client.encrypt(KeyId=self._key_id, Plaintext=secret, EncryptionContext=_context(name))
        wrapped: bytes = answer["CiphertextBlob"]
        return wrapped

    async def unwrap(self, wrapped: bytes, *, name: str) -> bytes:
        """Return the key of this *name* in clear."""
        with reaching(SYSTEM):
            answer = await self._client.decrypt(KeyId=self._key_id, CiphertextBlob=wrapped, EncryptionContext=_context(name))
        secret: bytes = answer["Plaintext"]
        return secret


@asynccontextmanager
async def open_kms(access: AwsAccess, *, key_id: str) -> AsyncIterator[KmsMasterKey]:
    """Open KMS; *key_id* is a key's id, its ARN or ``alias/…``. Nothing is asked before it is used."""
    async with access.session().client("kms", endpoint_url=access.endpoint, config=_PATIENCE.config()) as client:
        repeating(client, RetryBudget(SYSTEM), attempts=_PATIENCE.attempts)
        yield KmsMasterKey(client, key_id)


def _context(name: str) -> dict[str, str]:
    return {"service": "customer-service", "key": name}
