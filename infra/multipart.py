"""Writing an object of unknown length to S3 with bounded memory."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from typing import TYPE_CHECKING

from core.errors import Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 8 << 20
"""Size of a part. S3 takes 10,000 of them, so an object may grow to 80 GiB; less than one part is sent as a whole."""


class ObjectUpload:
    """One object on its way up. Holds at most one part in memory; nothing is visible before `finish`.

    *reaching* translates the failures of each call; see `infra.aws.reaching`.
    """

    def __init__(
        self,
        client: "S3Client",
        *,
        bucket: str,
        key: str,
        content_type: str,
        reaching: Callable[[], AbstractContextManager[None]],
    ) -> None:
        self._client = client
        self._bucket = bucket
        self._key = key
        self._content_type = content_type
        self._reaching = reaching
        self._buffer = bytearray()
        self._upload_id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []

    async def write(self, data: bytes) -> None:
        """Append *data*, however long; full parts are sent on the way.

        Raises:
            Unavailable: a part could not be sent. The object will not appear.
        """
        view = memoryview(data)
        while view:
            taken = PART_BYTES - len(self._buffer)
            self._buffer += view[:taken]
            view = view[taken:]
            if len(self._buffer) == PART_BYTES:
                await self._send_part()

    async def finish(self) -> None:
        """Make the object appear.

        Raises:
            Unavailable: it does not.
        """
        if self._upload_id is None:
            with self._reaching():
                await self._client.put_object(
                    Bucket=self._bucket, Key=self._key, Body=bytes(self._buffer), ContentType=self._content_type
                )
            return
        if self._buffer:
            await self._send_part()
        with self._reaching():
            await self._client.complete_multipart_upload(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id, MultipartUpload={"Parts": self._parts}
            )

    async def abandon(self) -> None:
        """Throw away what was sent. A store that cannot be reached keeps the parts; a lifecycle rule has to remove them."""
        if self._upload_id is not None:
            with suppress(Unavailable), self._reaching():
                await self._client.abort_multipart_upload(Bucket=self._bucket, Key=self._key, UploadId=self._upload_id)

    async def _send_part(self) -> None:
        with self._reaching():
            if self._upload_id is None:
                created = await self._client.create_multipart_upload(
                    Bucket=self._bucket, Key=self._key, ContentType=self._content_type
                )
                self._upload_id = created["UploadId"]
            number = len(self._parts) + 1
            sent = await self._client.upload_part(
                Bucket=self._bucket, Key=self._key, UploadId=self._upload_id, PartNumber=number, Body=bytes(self._buffer)
            )
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})
        self._buffer.clear()
