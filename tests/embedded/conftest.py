"""Servers that a test may stop, kill and start again."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import boto3
import pytest
from botocore.config import Config

from embedded import aws
from embedded.servers import Running, Server, start_all
from tests.servers import Servers


@asynccontextmanager
async def running(server: Server) -> AsyncIterator[Running]:
    """Run one server on a free port for the length of a block."""
    one = (await start_all([server], usual=False))[server.name]
    try:
        yield one
    finally:
        await one.child.stop(grace=10)


def client_of(service: str, endpoint: str) -> Any:
    """Return a boto3 client for the embedded server at *endpoint*."""
    return boto3.client(
        service,
        endpoint_url=endpoint,
        region_name=aws.REGION,
        aws_access_key_id=aws.ACCESS_KEY,
        aws_secret_access_key=aws.SECRET_KEY,
        config=Config(
            signature_version="s3v4" if service == "s3" else None, s3={"addressing_style": "path"}, retries={"max_attempts": 1}
        ),
    )


@pytest.fixture(name="s3")
def _s3(servers: Servers) -> Iterator[Any]:
    client = client_of("s3", servers.aws_endpoint)
    yield client
    client.close()


@pytest.fixture(name="sqs")
def _sqs(servers: Servers) -> Iterator[Any]:
    client = client_of("sqs", servers.aws_endpoint)
    yield client
    client.close()


@pytest.fixture(name="server_directory")
def _server_directory(tmp_path: Path) -> Path:
    return tmp_path / "run"
