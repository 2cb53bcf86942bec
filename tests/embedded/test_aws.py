"""S3 and SQS: what clients rely on, and what survives a restart."""

import base64
import hashlib
import os
import signal
import socket
import time
import uuid
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import httpx
import pytest
from botocore.exceptions import ClientError

from embedded.aws import Aws
from embedded.orphans import identity_of
from embedded.servers import BUCKET, QUEUE, ServerSet
from tests.embedded.conftest import client_of, running
from tests.servers import Servers

MEGABYTE = 1 << 20


@pytest.fixture(name="key")
def _key() -> str:
    return f"tests/{uuid.uuid4().hex}/ünï code+name.csv"


def link(s3: Any, method: str, key: str, **more: Any) -> str:
    return str(s3.generate_presigned_url(method, Params={"Bucket": BUCKET, "Key": key, **more}, ExpiresIn=60))


def code_of(error: pytest.ExceptionInfo[ClientError]) -> str:
    return str(error.value.response["Error"]["Code"])


@pytest.mark.parametrize(
    ("wanted", "expected"),
    [("bytes=0-3", b"0123"), ("bytes=4-", b"456789"), ("bytes=-2", b"89"), ("bytes=8-99", b"89"), ("bytes=9-9", b"9")],
)
def test_a_range_is_that_range(s3: Any, key: str, wanted: str, expected: bytes) -> None:
    etag = s3.put_object(Bucket=BUCKET, Key=key, Body=b"0123456789")["ETag"]

    found = s3.get_object(Bucket=BUCKET, Key=key, Range=wanted, IfMatch=etag)

    assert expected == found["Body"].read()
    assert 206 == found["ResponseMetadata"]["HTTPStatusCode"]
    assert len(expected) == found["ContentLength"]
    assert found["ContentRange"].endswith("/10")


def test_a_range_behind_the_end_is_refused(s3: Any, key: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"0123456789")

    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=10-")

    assert "InvalidRange" == code_of(refused)


def test_an_object_that_was_replaced_no_longer_matches(s3: Any, key: str) -> None:
    """
    A running import pins its file by ETag; a second upload must not change what it reads.
    """
    first = s3.put_object(Bucket=BUCKET, Key=key, Body=b"one")["ETag"]
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"two")

    with pytest.raises(ClientError) as refused:
        s3.get_object(Bucket=BUCKET, Key=key, Range="bytes=0-1", IfMatch=first)

    assert "PreconditionFailed" == code_of(refused)


def test_an_upload_by_link_is_found_with_its_type_length_and_etag(s3: Any, key: str) -> None:
    url = link(s3, "put_object", key, ContentType="text/csv")

    put = httpx.put(url, content=b"email\nada@example.com\n", headers={"Content-Type": "text/csv"})
    head = s3.head_object(Bucket=BUCKET, Key=key)

    assert 200 == put.status_code
    assert hashlib.md5(b"email\nada@example.com\n").hexdigest() == put.headers["etag"].strip('"')
    assert ("text/csv", 22, put.headers["etag"]) == (head["ContentType"], head["ContentLength"], head["ETag"])


def test_a_download_by_link_carries_the_name_it_was_given(s3: Any, key: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"%PDF-", ContentType="application/pdf")

    got = httpx.get(link(s3, "get_object", key, ResponseContentDisposition='attachment; filename="passport.pdf"'))

    assert b"%PDF-" == got.content
    assert 'attachment; filename="passport.pdf"' == got.headers["content-disposition"]
    assert "application/pdf" == got.headers["content-type"]


@pytest.mark.parametrize("method", ["put_object", "get_object"])
def test_a_link_that_has_expired_is_refused(s3: Any, key: str, method: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"kept")
    url = s3.generate_presigned_url(method, Params={"Bucket": BUCKET, "Key": key}, ExpiresIn=1)
    time.sleep(2.5)

    refused = httpx.request(method.partition("_")[0].upper(), url, content=b"late" if method == "put_object" else None)

    assert 403 == refused.status_code
    assert b"kept" == s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


@pytest.mark.parametrize("origin", ["http://localhost:5173", "http://127.0.0.1:8084"])
def test_a_page_of_this_machine_may_upload_and_read_the_etag(s3: Any, key: str, origin: str) -> None:
    url = link(s3, "put_object", key)
    asks = {"Origin": origin, "Access-Control-Request-Method": "PUT", "Access-Control-Request-Headers": "content-type"}

    preflight = httpx.options(url, headers=asks)
    put = httpx.put(url, content=b"x", headers={"Origin": origin})

    assert 200 == preflight.status_code
    assert origin == preflight.headers["access-control-allow-origin"]
    assert "PUT" in preflight.headers["access-control-allow-methods"]
    assert [origin] == put.headers.get_list("access-control-allow-origin")
    assert "ETag" in put.headers["access-control-expose-headers"]


def test_a_page_from_elsewhere_may_not(s3: Any, key: str) -> None:
    asks = {"Origin": "https://evil.example", "Access-Control-Request-Method": "PUT"}

    preflight = httpx.options(link(s3, "put_object", key), headers=asks)

    assert 403 == preflight.status_code
    assert "access-control-allow-origin" not in preflight.headers


@pytest.mark.parametrize("checksum", ["Content-MD5", "x-amz-checksum-sha256"])
def test_bytes_that_do_not_match_their_checksum_are_not_stored(s3: Any, key: str, checksum: str) -> None:
    digest = hashlib.md5 if checksum == "Content-MD5" else hashlib.sha256
    url = link(s3, "put_object", key)

    refused = httpx.put(url, content=b"tampered", headers={checksum: base64.b64encode(digest(b"true").digest()).decode()})

    assert 400 == refused.status_code
    assert "BadDigest" in refused.text
    assert 0 == s3.list_objects_v2(Bucket=BUCKET, Prefix=key)["KeyCount"]


def test_an_upload_that_breaks_off_leaves_the_old_object(servers: Servers, s3: Any, key: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"old")
    url = httpx.URL(link(s3, "put_object", key))
    with socket.create_connection((url.host, url.port)) as half:
        half.sendall(b"PUT " + url.raw_path + b" HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\nonly this")
        half.shutdown(socket.SHUT_WR)
        half.recv(1000)

    assert b"old" == s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def test_parts_become_one_object(s3: Any, key: str) -> None:
    pieces = [os.urandom(5 * MEGABYTE), os.urandom(5 * MEGABYTE), b"the end"]
    upload = s3.create_multipart_upload(Bucket=BUCKET, Key=key, ContentType="text/csv")["UploadId"]
    parts = [
        {
            "PartNumber": number,
            "ETag": s3.upload_part(Bucket=BUCKET, Key=key, UploadId=upload, PartNumber=number, Body=piece)["ETag"],
        }
        for number, piece in enumerate(pieces, start=1)
    ]
    s3.complete_multipart_upload(Bucket=BUCKET, Key=key, UploadId=upload, MultipartUpload={"Parts": parts})

    found = s3.get_object(Bucket=BUCKET, Key=key)

    assert b"".join(pieces) == found["Body"].read()
    assert "text/csv" == found["ContentType"]
    assert found["ETag"].endswith('-3"')


def test_an_object_sent_in_signed_chunks_is_unwrapped(s3: Any, key: str) -> None:
    trailer = b"x-amz-checksum-crc32:DUoRhQ==\r\n\r\n"
    body = b"5;chunk-signature=0\r\nhello\r\n6;chunk-signature=0\r\n world\r\n0;chunk-signature=0\r\n" + trailer
    headers = {"x-amz-content-sha256": "STREAMING-AWS4-HMAC-SHA256-PAYLOAD-TRAILER", "x-amz-trailer": "x-amz-checksum-crc32"}

    put = httpx.put(link(s3, "put_object", key), content=body, headers=headers)

    assert 200 == put.status_code
    assert b"hello world" == s3.get_object(Bucket=BUCKET, Key=key)["Body"].read()


def test_a_copy_is_an_object_of_its_own(s3: Any, key: str) -> None:
    s3.put_object(Bucket=BUCKET, Key=key, Body=b"original")
    s3.copy_object(Bucket=BUCKET, Key=f"{key}.copy", CopySource={"Bucket": BUCKET, "Key": key})
    s3.delete_object(Bucket=BUCKET, Key=key)

    assert b"original" == s3.get_object(Bucket=BUCKET, Key=f"{key}.copy")["Body"].read()
    with pytest.raises(ClientError) as gone:
        s3.head_object(Bucket=BUCKET, Key=key)
    assert "404" == code_of(gone)


def test_many_clients_are_served_at_once(s3: Any, key: str) -> None:
    body = os.urandom(MEGABYTE)

    def both_ways(number: int) -> bool:
        s3.put_object(Bucket=BUCKET, Key=f"{key}.{number}", Body=body)
        return bool(body == s3.get_object(Bucket=BUCKET, Key=f"{key}.{number}")["Body"].read())

    with ThreadPoolExecutor(16) as pool:
        assert [True] * 32 == list(pool.map(both_ways, range(32)))


async def test_a_large_object_does_not_pass_through_memory(server_directory: Path) -> None:
    """
    200 MB up and down again; the process may not grow by a quarter of that.
    """
    pieces = 200
    async with running(ServerSet.under(server_directory).aws) as aws, httpx.AsyncClient(timeout=60) as client:
        s3 = client_of("s3", f"http://127.0.0.1:{aws.port}")
        before = peak_memory(aws.child.pid)

        async def upload() -> Any:
            for number in range(pieces):
                yield bytes([number]) * MEGABYTE

        put = await client.put(
            link(s3, "put_object", "large"), content=upload(), headers={"Content-Length": str(pieces * MEGABYTE)}
        )
        size = 0
        async with client.stream("GET", link(s3, "get_object", "large")) as response:
            async for chunk in response.aiter_bytes():
                size += len(chunk)
        middle = await client.get(
            link(s3, "get_object", "large"), headers={"Range": f"bytes={100 * MEGABYTE - 1}-{100 * MEGABYTE}"}
        )

        assert 200 == put.status_code
        assert pieces * MEGABYTE == size
        assert bytes([99, 100]) == middle.content
        assert peak_memory(aws.child.pid) - before < pieces * MEGABYTE // 4


def peak_memory(pid: int) -> int:
    lines = Path(f"/proc/{pid}/status").read_text(encoding="utf-8").splitlines()
    return int(next(line for line in lines if line.startswith("VmHWM")).split()[1]) * 1024


async def test_objects_and_messages_survive_kill_9(server_directory: Path, key: str) -> None:
    server = ServerSet.under(server_directory).aws
    async with running(server) as aws:
        endpoint = server.endpoint(aws.port)
        s3, sqs = client_of("s3", endpoint), client_of("sqs", endpoint)
        before = s3.put_object(Bucket=BUCKET, Key=key, Body=b"v1", ContentType="text/csv", Metadata={"import": "imp_1"})
        before = s3.put_object(Bucket=BUCKET, Key=key, Body=b"v2", ContentType="text/csv", Metadata={"import": "imp_1"})
        s3.put_object(Bucket=BUCKET, Key="deleted", Body=b"x")
        s3.put_object(Bucket=BUCKET, Key="deleted-too", Body=b"x")
        s3.delete_object(Bucket=BUCKET, Key="deleted")
        s3.delete_objects(Bucket=BUCKET, Delete={"Objects": [{"Key": "deleted-too"}]})
        queue = server.queue_url(aws.port)
        for body in ("taken", "done", "waiting"):
            sqs.send_message(QueueUrl=queue, MessageBody=body)
        received = sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=2)["Messages"]
        handles = {message["Body"]: message["ReceiptHandle"] for message in received}
        sqs.delete_message(QueueUrl=queue, ReceiptHandle=handles["done"])

        os.kill(aws.child.pid, signal.SIGKILL)
        await aws.child.wait()
        await aws.start_again()

        found = s3.get_object(Bucket=BUCKET, Key=key)
        assert (b"v2", before["ETag"], "text/csv") == (found["Body"].read(), found["ETag"], found["ContentType"])
        assert {"import": "imp_1"} == found["Metadata"]
        assert [key] == [item["Key"] for item in s3.list_objects_v2(Bucket=BUCKET)["Contents"]]
        assert ["waiting"] == [m["Body"] for m in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]]
        sqs.change_message_visibility(QueueUrl=queue, ReceiptHandle=handles["taken"], VisibilityTimeout=0)
        assert ["taken"] == [m["Body"] for m in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10)["Messages"]]
        assert 1 == len(list((server_directory / "aws" / "objects" / "bodies").iterdir()))


async def test_queues_send_a_message_aside_after_five_tries(server_directory: Path) -> None:
    server = ServerSet.under(server_directory).aws
    async with running(server) as aws:
        sqs = client_of("sqs", server.endpoint(aws.port))
        queue = sqs.get_queue_url(QueueName=QUEUE)["QueueUrl"]
        sqs.send_message(QueueUrl=queue, MessageBody="poison")
        for _ in range(5):
            assert 1 == len(sqs.receive_message(QueueUrl=queue, VisibilityTimeout=0)["Messages"])

        assert "Messages" not in sqs.receive_message(QueueUrl=queue)
        assert server.queue_url(aws.port) == queue
        assert ["poison"] == [m["Body"] for m in sqs.receive_message(QueueUrl=f"{queue}-dlq")["Messages"]]


@pytest.fixture(name="queue")
def _queue(sqs: Any) -> Any:
    name = f"test-{uuid.uuid4().hex}"
    url = sqs.create_queue(QueueName=name, Attributes={"VisibilityTimeout": "1"})["QueueUrl"]
    yield url
    sqs.delete_queue(QueueUrl=url)


def test_a_message_that_becomes_visible_again_ends_a_long_poll(sqs: Any, queue: str) -> None:
    sqs.send_message(QueueUrl=queue, MessageBody="work")
    sqs.receive_message(QueueUrl=queue)
    started = time.monotonic()

    again = sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=10)

    assert ["work"] == [message["Body"] for message in again["Messages"]]
    assert time.monotonic() - started < 9


def test_a_message_is_not_handed_to_a_client_that_went_away(servers: Servers, sqs: Any, queue: str) -> None:
    """
    A worker that is killed during a long poll must not take the next message with it.
    """
    host, port = servers.aws_endpoint.removeprefix("http://").split(":")
    body = b'{"QueueUrl": "%s", "WaitTimeSeconds": 20, "VisibilityTimeout": 600}' % queue.encode()
    head = (
        "POST / HTTP/1.1\r\nHost: x\r\nX-Amz-Target: AmazonSQS.ReceiveMessage\r\nContent-Type: application/x-amz-json-1.0\r\n"
    )
    credentials = (
        "Authorization: AWS4-HMAC-SHA256 Credential=x/20260101/us-east-1/sqs/aws4_request, SignedHeaders=host, Signature=0\r\n"
    )
    with socket.create_connection((host, int(port))) as worker:
        worker.sendall(f"{head}{credentials}Content-Length: {len(body)}\r\n\r\n".encode() + body)
        time.sleep(0.5)
    sqs.send_message(QueueUrl=queue, MessageBody="work")
    time.sleep(0.5)

    assert ["work"] == [message["Body"] for message in sqs.receive_message(QueueUrl=queue, WaitTimeSeconds=2)["Messages"]]


def test_no_message_is_handed_out_twice(sqs: Any, servers: Servers) -> None:
    queue = sqs.create_queue(QueueName=f"test-{uuid.uuid4().hex}")["QueueUrl"]
    for start in range(0, 100, 10):
        sqs.send_message_batch(
            QueueUrl=queue, Entries=[{"Id": str(number), "MessageBody": str(number)} for number in range(start, start + 10)]
        )

    def take(_: int) -> list[str]:
        return [m["Body"] for m in sqs.receive_message(QueueUrl=queue, MaxNumberOfMessages=10).get("Messages", [])]

    with ThreadPoolExecutor(8) as pool:
        taken = [body for batch in pool.map(take, range(20)) for body in batch]

    assert sorted(map(str, range(100))) == sorted(taken)
    sqs.delete_queue(QueueUrl=queue)


async def test_it_stops_at_once_when_it_is_told_to(server_directory: Path) -> None:
    async with running(ServerSet.under(server_directory).aws) as aws:
        started = time.monotonic()
        await aws.child.stop(grace=10)

        assert time.monotonic() - started < 9
        assert identity_of(aws.child.pid) is None
        assert isinstance(aws.server, Aws)
