"""Real servers for the clients of `infra`, shared by all tests of this folder."""

from collections.abc import AsyncIterator, Iterator

import pytest
import pytest_asyncio

from infra.aws import AwsAccess
from infra.s3 import S3ObjectStore, open_object_store
from tests.infra.servers import MockKafka, aws_server, kafka_server


@pytest.fixture(name="aws", scope="session")
def _aws() -> Iterator[AwsAccess]:
    with aws_server() as access:
        yield access


@pytest.fixture(name="kafka", scope="session")
def _kafka() -> Iterator[MockKafka]:
    with kafka_server() as server:
        yield server


@pytest_asyncio.fixture(name="store", scope="session")
async def _store(aws: AwsAccess) -> AsyncIterator[S3ObjectStore]:
    async with open_object_store(aws, bucket="customer-documents") as store:
        await store.ensure_bucket()
        yield store
