"""Writing an object of unknown length to S3 with bounded memory."""

from collections.abc import Callable
from contextlib import AbstractContextManager, suppress
from io import BytesIO
from typing import TYPE_CHECKING

from core.errors import Unavailable

if TYPE_CHECKING:
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import CompletedPartTypeDef

PART_BYTES = 5 << 20
"""Size of a part, the smallest that S3 takes. There may be 10,000, so an object may grow to 48 GiB; less than one part is sent
as a whole."""


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
        self._waiting = BytesIO()
        self._upload_id: str | None = None
        self._parts: list[CompletedPartTypeDef] = []

    async def write(self, data: bytes) -> None:
        """Append *data*, however long; full parts are sent on the way.

        Raises:
            Unavailable: a part could not be sent. The object will not appear.
        """
        view = memoryview(data)
        while view:
            taken = PART_BYTES - self._waiting.tell()
            self._waiting.write(view[:taken])
            view = view[taken:]
            if self._waiting.tell() == PART_BYTES:
                await self._send_part()

    async def finish(self) -> None:
        """Make the object appear.

        Raises:
            Unavailable: it does not.
        """
        if self._upload_id is None:
            with self._reaching(), self._taken() as whole:
                await self._client.put_object(Bucket=self._bucket, Key=self._key, Body=whole, ContentType=self._content_type)
            return
        if self._waiting.tell():
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
            with self._taken() as part:
                sent = await self._client.upload_part(
                    Bucket=self._bucket, Key=self._key, UploadId=self._upload_id, PartNumber=number, Body=part
                )
        self._parts.append({"ETag": sent["ETag"], "PartNumber": number})

    def _taken(self) -> BytesIO:
        """Hand over what waits, as a file: bytes would be copied once more on their way, and sent in one piece.

        To be closed: the client's own circular garbage would hold on to several parts otherwise.
        """
        taken, self._waiting = self._waiting, BytesIO()
        taken.seek(0)
        return taken
