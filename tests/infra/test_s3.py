"""The object store: what it promises when all is well, and when the network is not."""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import aclosing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from core.errors import Unavailable
from core.files import ObjectChanged, ObjectMissing, ObjectTruncated, StoredObject
from infra import s3
from infra.aws import AwsAccess
from infra.multipart import PART_BYTES
from infra.s3 import CHUNK_BYTES, READ_ATTEMPTS, S3ObjectStore, content_disposition, open_object_store
from services.ports import ObjectStore
from tests.infra.servers import proxy_to

LIFETIME = timedelta(minutes=15)
MEBIBYTE = 1 << 20


async def put(store: S3ObjectStore, key: str, data: bytes, content_type: str = "text/csv") -> StoredObject:
    async with store.write(key, content_type=content_type) as upload:
        await upload.write(data)
    described = await store.describe(key)
    assert described is not None
    return described


async def all_of(chunks: AsyncIterator[bytes]) -> bytes:
    return b"".join([chunk async for chunk in chunks])


def test_it_is_what_services_ask_for(store: S3ObjectStore) -> None:
    """
    mypy checks the signatures: infra may not import services, so nothing else would.
    """
    port: ObjectStore = store

    assert port is store


async def test_an_object_is_described_with_a_bare_etag(store: S3ObjectStore) -> None:
    described = await put(store, "described", b"abc")

    assert StoredObject(key="described", size=3, etag="900150983cd24fb0d6963f7d28e17f72", content_type="text/csv") == described


async def test_there_is_nothing_to_describe(store: S3ObjectStore) -> None:
    assert await store.describe("never-there") is None


class TestPresigning:
    async def test_an_upload_signs_type_and_size(self, store: S3ObjectStore) -> None:
        """
        Signed headers are what the store itself refuses to differ from.
        """
        ticket = await store.presign_upload("signed", content_type="image/png", size=5, max_bytes=10, lifetime=LIFETIME)
        query = parse_qs(urlsplit(ticket.url).query)

        assert (("Content-Type", "image/png"), ("Content-Length", "5")) == ticket.headers
        assert ["content-length;content-type;host"] == query["X-Amz-SignedHeaders"]
        assert ["900"] == query["X-Amz-Expires"]
        assert not any("checksum" in name.lower() for name in query)

    async def test_an_upload_of_unknown_size_signs_the_type(self, store: S3ObjectStore) -> None:
        ticket = await store.presign_upload("unsized", content_type="image/png", size=None, max_bytes=10, lifetime=LIFETIME)

        assert (("Content-Type", "image/png"),) == ticket.headers
        assert "X-Amz-SignedHeaders=content-type%3Bhost" in ticket.url

    async def test_what_is_uploaded_can_be_downloaded(self, store: S3ObjectStore) -> None:
        upload = await store.presign_upload(
            "docs/ausweis äöü.html", content_type="text/html", size=5, max_bytes=5, lifetime=LIFETIME
        )
        async with httpx.AsyncClient() as client:
            sent = await client.put(upload.url, content=b"hello", headers=dict(upload.headers))
            download = await store.presign_download(
                "docs/ausweis äöü.html", file_name="Ausweis Müller.html", content_type="text/html", lifetime=LIFETIME
            )
            received = await client.get(download.url)

        assert (200, 200, b"hello") == (sent.status_code, received.status_code, received.content)
        assert "application/octet-stream" == received.headers["content-type"]
        assert content_disposition("Ausweis Müller.html") == received.headers["content-disposition"]

    async def test_a_ticket_never_promises_more_time_than_the_signature_has(self, store: S3ObjectStore) -> None:
        ticket = await store.presign_download("any", file_name="a.pdf", content_type="application/pdf", lifetime=LIFETIME)
        query = parse_qs(urlsplit(ticket.url).query)
        signed_at = datetime.strptime(query["X-Amz-Date"][0], "%Y%m%dT%H%M%SZ").replace(tzinfo=UTC)

        assert ticket.expires_at <= signed_at + LIFETIME
        assert signed_at + LIFETIME - ticket.expires_at <= timedelta(seconds=1)

    async def test_clients_outside_see_the_public_address(self, aws: AwsAccess) -> None:
        async with open_object_store(aws, bucket="b", public_endpoint="https://files.example.com") as store:
            ticket = await store.presign_download("k", file_name="k", content_type="text/csv", lifetime=LIFETIME)

        assert ticket.url.startswith("https://files.example.com/b/k?")


@pytest.mark.parametrize(
    ("file_name", "expected"),
    [
        ("plain.pdf", "attachment; filename=\"plain.pdf\"; filename*=UTF-8''plain.pdf"),
        ("Señor 100%.pdf", "attachment; filename=\"Se_or 100_.pdf\"; filename*=UTF-8''Se%C3%B1or%20100%25.pdf"),
        ('a"b\r\nSet-Cookie: x', "attachment; filename=\"a_bSet-Cookie: x\"; filename*=UTF-8''a%22bSet-Cookie%3A%20x"),
        ("..\\..\\evil/x.exe", "attachment; filename=\"x.exe\"; filename*=UTF-8''x.exe"),
        ("dir/", "attachment; filename=\"file\"; filename*=UTF-8''file"),
    ],
)
def test_a_file_name_cannot_leave_its_header(file_name: str, expected: str) -> None:
    assert expected == content_disposition(file_name)


class TestReading:
    @pytest.mark.parametrize(
        ("start", "end", "expected"),
        [
            (0, None, b"0123456789"),
            (3, None, b"3456789"),
            (3, 5, b"34"),
            (0, 1, b"0"),
            (8, 99, b"89"),
            (4, 4, b""),
            (10, None, b""),
        ],
    )
    async def test_a_range_is_a_slice(self, store: S3ObjectStore, start: int, end: int | None, expected: bytes) -> None:
        described = await put(store, "digits", b"0123456789")

        assert expected == await all_of(store.read("digits", etag=described.etag, start=start, end=end))

    async def test_an_empty_object_is_read(self, store: S3ObjectStore) -> None:
        described = await put(store, "empty", b"")

        assert b"" == await all_of(store.read("empty", etag=described.etag))

    async def test_chunks_are_of_one_mebibyte(self, store: S3ObjectStore) -> None:
        described = await put(store, "chunks", bytes(2 * MEBIBYTE + 5))
        sizes = [len(chunk) async for chunk in store.read("chunks", etag=described.etag)]

        assert [CHUNK_BYTES, CHUNK_BYTES, 5] == sizes

    async def test_another_object_in_its_place_is_noticed(self, store: S3ObjectStore) -> None:
        pinned = await put(store, "replaced", b"one")
        await put(store, "replaced", b"two")

        with pytest.raises(ObjectChanged):
            await all_of(store.read("replaced", etag=pinned.etag))

    async def test_a_missing_object_is_said_to_be_missing(self, store: S3ObjectStore) -> None:
        with pytest.raises(ObjectMissing):
            await all_of(store.read("never-there", etag="0" * 32))

    async def test_a_missing_bucket_is_no_missing_object(self, aws: AwsAccess) -> None:
        async with open_object_store(aws, bucket="no-such-bucket") as store:
            with pytest.raises(Unavailable):
                await all_of(store.read("any", etag="0" * 32))


class TestBrokenConnections:
    @pytest.fixture(name="described")
    async def _described(self, store: S3ObjectStore) -> StoredObject:
        return await put(store, "large", os.urandom(5 * MEBIBYTE))

    async def test_a_cut_read_goes_on_where_it_was_cut(
        self, aws: AwsAccess, store: S3ObjectStore, described: StoredObject
    ) -> None:
        expected = await all_of(store.read("large", etag=described.etag))
        assert aws.endpoint is not None
        async with (
            proxy_to(aws.endpoint.removeprefix("http://")) as proxy,
            open_object_store(replace(aws, endpoint=f"http://{proxy.address}"), bucket="customer-documents") as cut_store,
        ):
            proxy.cuts = [MEBIBYTE // 2, 2 * MEBIBYTE, MEBIBYTE + 7]
            actual = await all_of(cut_store.read("large", etag=described.etag))

        assert [] == proxy.cuts
        assert expected == actual

    async def test_a_cut_read_does_not_go_on_in_another_object(
        self, aws: AwsAccess, store: S3ObjectStore, described: StoredObject
    ) -> None:
        assert aws.endpoint is not None
        async with (
            proxy_to(aws.endpoint.removeprefix("http://")) as proxy,
            open_object_store(replace(aws, endpoint=f"http://{proxy.address}"), bucket="customer-documents") as cut_store,
        ):
            proxy.cuts = [2 * MEBIBYTE]
            async with aclosing(cut_store.read("large", etag=described.etag)) as chunks:
                await anext(chunks)
                await put(store, "large", b"something else")
                with pytest.raises(ObjectChanged):
                    await all_of(chunks)

    async def test_a_store_that_always_breaks_off_never_looks_finished(self, aws: AwsAccess, described: StoredObject) -> None:
        assert aws.endpoint is not None
        async with (
            proxy_to(aws.endpoint.removeprefix("http://")) as proxy,
            open_object_store(replace(aws, endpoint=f"http://{proxy.address}"), bucket="customer-documents") as cut_store,
        ):
            # Enough for the header of an answer and a few bytes of it.
            proxy.cuts = [600] * (READ_ATTEMPTS + 1)
            with pytest.raises(ObjectTruncated):
                await all_of(cut_store.read("large", etag=described.etag))

    async def test_a_store_that_is_gone_is_unavailable_within_seconds(self, aws: AwsAccess) -> None:
        async with open_object_store(replace(aws, endpoint="http://127.0.0.1:1"), bucket="b") as gone:
            async with asyncio.timeout(10):
                with pytest.raises(Unavailable) as refused:
                    await gone.describe("any")

        assert "127.0.0.1" not in str(refused.value)

    async def test_leaving_a_read_early_gives_its_connection_back(self, store: S3ObjectStore, described: StoredObject) -> None:
        """
        More abandoned reads than the pool has connections (50), and it still answers.
        """
        for _ in range(60):
            async with aclosing(store.read("large", etag=described.etag)) as chunks:
                await anext(chunks)

        assert await store.describe("large") is not None


class TestWriting:
    async def test_a_large_object_goes_up_in_parts(self, store: S3ObjectStore) -> None:
        data = os.urandom(2 * PART_BYTES + 100)
        async with store.write("parts", content_type="text/csv") as upload:
            for start in range(0, len(data), 3 * MEBIBYTE):
                await upload.write(data[start : start + 3 * MEBIBYTE])
                assert await store.describe("parts") is None
        described = await store.describe("parts")

        assert described is not None
        assert (len(data), "text/csv", "-3") == (described.size, described.content_type, described.etag[-2:])
        assert data == await all_of(store.read("parts", etag=described.etag))

    @pytest.mark.parametrize("size", [10, PART_BYTES + 10])
    async def test_an_error_leaves_nothing_behind(self, store: S3ObjectStore, size: int) -> None:
        with pytest.raises(ZeroDivisionError):  # noqa: PT012 - the context is what is tested
            async with store.write("failed", content_type="text/csv") as upload:
                await upload.write(bytes(size))
                raise ZeroDivisionError
        uploads = await store._client.list_multipart_uploads(Bucket="customer-documents")

        assert await store.describe("failed") is None
        assert [] == [each["Key"] for each in uploads.get("Uploads", []) if each["Key"] == "failed"]


class TestListing:
    async def test_everything_under_a_prefix_comes_in_pages(
        self, store: S3ObjectStore, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        """
        Also when each page is removed before the next one is asked for.
        """
        monkeypatch.setattr(s3, "PAGE_KEYS", 2)
        for number in range(5):
            await put(store, f"listed/{number}", b"abc")
        await put(store, "listed-not/5", b"abc")
        pages = []

        async for page in store.pages("listed/"):
            pages.append(page)
            for key in page:
                await store.delete(key)

        assert [["listed/0", "listed/1"], ["listed/2", "listed/3"], ["listed/4"]] == pages
        assert await store.describe("listed-not/5") is not None

    async def test_under_a_prefix_of_nothing_there_is_no_page(self, store: S3ObjectStore) -> None:
        assert [] == [page async for page in store.pages("never-there/")]


class TestCopyAndDelete:
    async def test_a_copy_keeps_bytes_and_type(self, store: S3ObjectStore) -> None:
        source = await put(store, "source", b"abc", "image/png")
        await store.copy("source", "target", etag=source.etag)

        assert replace(source, key="target") == await store.describe("target")

    async def test_a_changed_source_is_not_copied(self, store: S3ObjectStore) -> None:
        pinned = await put(store, "moving", b"one")
        await put(store, "moving", b"two")

        with pytest.raises(ObjectChanged):
            await store.copy("moving", "not-copied", etag=pinned.etag)
        assert await store.describe("not-copied") is None

    async def test_a_missing_source_is_said_to_be_missing(self, store: S3ObjectStore) -> None:
        with pytest.raises(ObjectMissing):
            await store.copy("never-there", "target", etag="0" * 32)

    async def test_deleting_twice_is_no_error(self, store: S3ObjectStore) -> None:
        await put(store, "deleted", b"abc")
        await store.delete("deleted")
        await store.delete("deleted")

        assert await store.describe("deleted") is None


async def test_a_bucket_is_ensured_twice_and_serves_browsers(store: S3ObjectStore) -> None:
    await store.ensure_bucket()
    cors = await store._client.get_bucket_cors(Bucket="customer-documents")

    assert ["GET", "HEAD", "PUT"] == sorted(cors["CORSRules"][0]["AllowedMethods"])
