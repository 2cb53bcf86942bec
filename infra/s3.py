"""Files in S3, or in a server that speaks like it. Implements `services.ports.ObjectStore`."""

import asyncio
import random
from collections.abc import AsyncGenerator, AsyncIterator, Iterator, Sequence
from contextlib import AbstractContextManager, AsyncExitStack, aclosing, asynccontextmanager, contextmanager, suppress
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, cast
from urllib.parse import quote, urlsplit

import structlog
from aiobotocore.config import AioConfig
from botocore.exceptions import ClientError

from core.errors import Unavailable
from core.files import DownloadTicket, ObjectChanged, ObjectMissing, ObjectTruncated, StoredObject, UploadTicket
from infra.aws import FOR_A_WORKER, AwsAccess, Patience, breaker_of, error_code, http_status, reaching, repeating
from infra.multipart import ObjectUpload
from infra.retry_budget import RetryBudget

if TYPE_CHECKING:
    from aiobotocore.response import StreamingBody
    from types_aiobotocore_s3 import S3Client
    from types_aiobotocore_s3.type_defs import GetObjectOutputTypeDef

_log = structlog.get_logger(__name__)

SYSTEM = "The object store"
CHUNK_BYTES = 1 << 20
READ_ATTEMPTS = 5
"""How often in a row a read may be cut off before a whole chunk has come through."""

PAGE_KEYS = 1000
"""How many keys a store lists at once, at most."""

MAX_LIFETIME = timedelta(days=7)
"""What a signature of version 4 allows at most."""

HARMLESS_TYPES = frozenset({"application/pdf", "image/jpeg", "image/png", "image/webp", "text/csv", "text/plain"})
"""Types in which a browser runs nothing. All others are served as plain bytes, whatever the uploader called them."""

_NOT_FOUND = 404
_PRECONDITION_FAILED = 412
_RANGE_NOT_SATISFIABLE = 416


@asynccontextmanager
async def open_object_store(
    access: AwsAccess, *, bucket: str, public_endpoint: str | None = None, patience: Patience = FOR_A_WORKER
) -> AsyncIterator["S3ObjectStore"]:
    """Open the store of *bucket*. Nothing is sent before it is used; presigned URLs point at *public_endpoint* if given."""
    config = patience.config().merge(
        AioConfig(
            signature_version="s3v4",
            # Servers other than AWS have no DNS name per bucket.
            s3={"addressing_style": "path"},
            # The newer default adds checksum trailers, which many S3-compatible servers refuse.
            request_checksum_calculation="when_required",
            response_checksum_validation="when_required",
        )
    )
    session = access.session()
    async with AsyncExitStack() as stack:
        client = await stack.enter_async_context(session.client("s3", endpoint_url=access.endpoint, config=config))
        repeating(client, RetryBudget(SYSTEM), attempts=patience.attempts)
        signer = client
        if public_endpoint is not None:
            signer = await stack.enter_async_context(session.client("s3", endpoint_url=public_endpoint, config=config))
        yield S3ObjectStore(client, signer, bucket)


class S3ObjectStore:
    """One bucket. Every failure to reach it raises `core.errors.Unavailable`."""

    def __init__(self, client: "S3Client", signer: "S3Client", bucket: str) -> None:
        self._client = client
        self._signer = signer
        self._bucket = bucket
        self._breaker = breaker_of(SYSTEM, ObjectMissing, ObjectChanged)

    async def presign_upload(
        self, key: str, *, content_type: str, size: int | None, max_bytes: int, lifetime: timedelta
    ) -> UploadTicket:
        """Let somebody PUT exactly this file.

        Content type and, when known, size are signed headers: the client has to send the `headers` of the ticket as they
        are, and the store refuses anything else. Without a *size*, nothing stops a larger file than *max_bytes*; who
        takes the object into use has to check.
        """
        params = {"Bucket": self._bucket, "Key": key, "ContentType": content_type}
        headers = [("Content-Type", content_type)]
        if size is not None:
            headers.append(("Content-Length", str(size)))
        seconds, expires_at = _expiry(lifetime)
        with reaching(SYSTEM):
            url = await self._signer.generate_presigned_url(
                "put_object", Params=params if size is None else params | {"ContentLength": size}, ExpiresIn=seconds
            )
        return UploadTicket(url=url, method="PUT", headers=tuple(headers), expires_at=expires_at, max_bytes=max_bytes)

    async def presign_download(self, key: str, *, file_name: str, content_type: str, lifetime: timedelta) -> DownloadTicket:
        """Let somebody GET an object, always as an attachment; a type that is not harmless becomes plain bytes."""
        seconds, expires_at = _expiry(lifetime)
        with reaching(SYSTEM):
            url = await self._signer.generate_presigned_url(
                "get_object",
                Params={
                    "Bucket": self._bucket,
                    "Key": key,
                    "ResponseContentDisposition": content_disposition(file_name),
                    "ResponseContentType": content_type if content_type in HARMLESS_TYPES else "application/octet-stream",
                },
                ExpiresIn=seconds,
            )
        return DownloadTicket(url=url, expires_at=expires_at)

    async def origin(self) -> str:
        """Return the origin of presigned URLs, ``https://s3.amazonaws.com``: where browsers send files and fetch them.

        Read off such a URL, because where AWS has its hosts is the client's knowledge. Nothing is sent.
        """
        with reaching(SYSTEM):
            params = {"Bucket": self._bucket, "Key": "origin"}
            url = urlsplit(await self._signer.generate_presigned_url("get_object", Params=params, ExpiresIn=1))
        return f"{url.scheme}://{url.netloc}"

    async def describe(self, key: str) -> StoredObject | None:
        """Return what is known of an object, or None when there is none."""
        try:
            with self._about(key):
                head = await self._client.head_object(Bucket=self._bucket, Key=key)
        except ObjectMissing:
            return None
        return StoredObject(
            key=key,
            size=head["ContentLength"],
            etag=head["ETag"].strip('"'),
            content_type=head.get("ContentType", "application/octet-stream"),
        )

    async def read(self, key: str, *, etag: str, start: int = 0, end: int | None = None) -> AsyncGenerator[bytes]:
        """Yield the bytes from *start* up to, not including, *end*, in chunks of about 1 MiB; *end* may lie behind the last.

        A connection that breaks is taken up again where it broke, on the same version of the object. Close the iterator
        (``contextlib.aclosing``) when leaving it early.

        Raises:
            ObjectMissing: there is no such object.
            ObjectChanged: it is not the one with this *etag*.
            ObjectTruncated: the store kept breaking off.
            Unavailable: the store could not be reached.
        """
        position, failures = start, 0
        while end is None or position < end:
            if failures:
                _log.info("s3.read_resumed", key=key, position=position, failures=failures)
                await asyncio.sleep(random.uniform(0.5, 1.0) * 0.05 * 2**failures)  # noqa: S311 - no secret, only jitter
            try:
                response = await self._get(key, etag=etag, start=position, end=end)
            except Unavailable:
                # The first request has been retried by the client already; later ones come while a server restarts.
                if failures in {0, READ_ATTEMPTS}:
                    raise
                failures += 1
                continue
            if response is None:
                return
            before, end = position, position + response["ContentLength"]
            async with aclosing(_chunks(response["Body"])) as chunks:
                async for chunk in chunks:
                    position += len(chunk)
                    yield chunk
            failures = 1 if position - before >= CHUNK_BYTES else failures + 1
            if failures > READ_ATTEMPTS:
                raise ObjectTruncated(f"Object {key!r} broke off at byte {position} of {end}, {failures} times in a row.")

    async def copy(self, source: str, target: str, *, etag: str) -> None:
        """Copy an object of at most 5 GB inside the store, if it still is the one with this *etag*.

        Raises:
            ObjectMissing: there is no *source*.
            ObjectChanged: it is another one by now.
        """
        with self._about(source):
            # Asked first, because several S3-compatible servers ignore the condition on the copy itself.
            await self._client.head_object(Bucket=self._bucket, Key=source, IfMatch=f'"{etag}"')
            await self._client.copy_object(
                Bucket=self._bucket,
                Key=target,
                CopySource={"Bucket": self._bucket, "Key": source},
                CopySourceIfMatch=f'"{etag}"',
            )

    @asynccontextmanager
    async def write(self, key: str, *, content_type: str) -> AsyncIterator[ObjectUpload]:
        """Write an object of any length, holding at most a part of it; it appears when the context ends without an error."""
        upload = ObjectUpload(self._client, bucket=self._bucket, key=key, content_type=content_type, reaching=self._reaching)
        try:
            yield upload
            await upload.finish()
        except BaseException:
            await upload.abandon()
            raise

    async def delete(self, key: str) -> None:
        """Remove an object; none there is no error."""
        with self._about(key):
            await self._client.delete_object(Bucket=self._bucket, Key=key)

    async def forget_unfinished(self, prefix: str) -> None:
        """Remove the parts of objects that begin with *prefix* and whose writer was killed before the end.

        Whoever writes one of them at the moment fails.

        Raises:
            Unavailable: the store could not be reached.
        """
        with self._reaching():
            answer = await self._client.list_multipart_uploads(Bucket=self._bucket, Prefix=prefix)
            for one in answer.get("Uploads", ()):
                with suppress(self._client.exceptions.NoSuchUpload):  # it has just been ended
                    await self._client.abort_multipart_upload(Bucket=self._bucket, Key=one["Key"], UploadId=one["UploadId"])

    async def pages(self, prefix: str) -> AsyncGenerator[list[str]]:
        """Yield the keys of all objects that begin with *prefix*, at most 1,000 at a time; they may be removed meanwhile.

        Raises:
            Unavailable: the store could not be reached.
        """
        after = ""
        while True:
            with reaching(SYSTEM, self._breaker):
                # By the last key and not by the store's own token: it still holds when that very object is gone.
                answer = await self._client.list_objects_v2(
                    Bucket=self._bucket, Prefix=prefix, StartAfter=after, MaxKeys=PAGE_KEYS
                )
            keys = [one["Key"] for one in answer.get("Contents", ())]
            if keys:
                yield keys
            if not keys or not answer.get("IsTruncated"):
                return
            after = keys[-1]

    async def ensure_bucket(self, *, origins: Sequence[str] = ("*",)) -> None:
        """Create the bucket if it is missing, and let browsers from *origins* upload and download by presigned URL.

        For development and tests; in production the bucket, its encryption and its lifecycle belong to the platform.
        """
        with reaching(SYSTEM):
            try:
                await self._client.head_bucket(Bucket=self._bucket)
            except ClientError as error:
                if http_status(error) != _NOT_FOUND:
                    raise
                await self._create_bucket()
            await self._client.put_bucket_cors(
                Bucket=self._bucket,
                CORSConfiguration={
                    "CORSRules": [
                        {
                            "AllowedMethods": ["GET", "HEAD", "PUT"],
                            "AllowedOrigins": list(origins),
                            "AllowedHeaders": ["*"],
                            "ExposeHeaders": ["ETag"],
                            "MaxAgeSeconds": 3600,
                        }
                    ]
                },
            )

    async def _create_bucket(self) -> None:
        region = self._client.meta.region_name
        try:
            if region == "us-east-1":
                # The one region that refuses to be named as a location.
                await self._client.create_bucket(Bucket=self._bucket)
            else:
                await self._client.create_bucket(
                    Bucket=self._bucket, CreateBucketConfiguration={"LocationConstraint": cast("Any", region)}
                )
        except ClientError as error:
            # Somebody else was faster.
            if error_code(error) != "BucketAlreadyOwnedByYou":
                raise

    async def _get(self, key: str, *, etag: str, start: int, end: int | None) -> "GetObjectOutputTypeDef | None":
        """Ask for a range of an object; None means that it ends before *start*."""
        with self._about(key):
            try:
                if start == 0 and end is None:
                    # No range: an empty object has no byte 0, and the store would refuse to satisfy it.
                    return await self._client.get_object(Bucket=self._bucket, Key=key, IfMatch=f'"{etag}"')
                last = "" if end is None else end - 1
                return await self._client.get_object(
                    Bucket=self._bucket, Key=key, IfMatch=f'"{etag}"', Range=f"bytes={start}-{last}"
                )
            except ClientError as error:
                if http_status(error) == _RANGE_NOT_SATISFIABLE:
                    return None
                raise

    def _reaching(self) -> AbstractContextManager[None]:
        return reaching(SYSTEM, self._breaker)

    @contextmanager
    def _about(self, key: str) -> Iterator[None]:
        """Translate what a call about one object may answer."""
        with self._reaching():
            try:
                yield
            except ClientError as error:
                status = http_status(error)
                if status == _NOT_FOUND and error_code(error) != "NoSuchBucket":
                    raise ObjectMissing(f"There is no object {key!r}.") from error
                if status == _PRECONDITION_FAILED:
                    raise ObjectChanged(f"Object {key!r} has been replaced by another one.") from error
                raise


def content_disposition(file_name: str) -> str:
    """Return the header that makes a browser save a file under *file_name*: RFC 6266, with RFC 5987 for what is not ASCII."""
    name = "".join(char for char in file_name.replace("\\", "/").rpartition("/")[2] if char.isprintable()) or "file"
    ascii_name = "".join(char if char.isascii() and char not in '"\\%;' else "_" for char in name)
    return f"attachment; filename=\"{ascii_name}\"; filename*=UTF-8''{quote(name, safe='')}"


def _expiry(lifetime: timedelta) -> tuple[int, datetime]:
    """Return *lifetime* in whole seconds, and a moment at which the signature still holds (signatures count from a second)."""
    seconds = max(1, int(min(lifetime, MAX_LIFETIME).total_seconds()))
    return seconds, datetime.now(UTC).replace(microsecond=0) + timedelta(seconds=seconds)


async def _chunks(body: "StreamingBody") -> AsyncGenerator[bytes]:
    """Yield what a body holds in pieces of 1 MiB, the last one shorter; end early when the connection breaks."""
    buffer = bytearray()
    try:
        while piece := await _piece(body, CHUNK_BYTES - len(buffer)):
            buffer += piece
            if len(buffer) == CHUNK_BYTES:
                yield bytes(buffer)
                buffer.clear()
    finally:
        # A body that is neither read to its end nor closed keeps its connection out of the pool for ever.
        body.close()
    if buffer:
        yield bytes(buffer)


async def _piece(body: "StreamingBody", limit: int) -> bytes:
    try:
        with reaching(SYSTEM):
            return await body.read(limit)
    except Unavailable:
        return b""
