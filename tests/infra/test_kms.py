"""A master key in KMS: wraps, opens by name, and is not to be had otherwise. Against moto's KMS."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from dataclasses import replace
from typing import Any

import boto3
import pytest
import pytest_asyncio

from core.errors import Unavailable
from infra.aws import AwsAccess
from infra.kms import KmsMasterKey, open_kms
from tests.infra.servers import aws_server

SECRET = bytes(range(32))


@pytest.fixture(scope="module", name="access")
def _access() -> Iterator[AwsAccess]:
    """A key service."""
    with aws_server() as access:
        yield access


@pytest.fixture(scope="module", name="key_id")
def _key_id(access: AwsAccess) -> str:
    """A symmetric key there."""
    client: Any = boto3.client(
        "kms",
        region_name=access.region,
        endpoint_url=access.endpoint,
        aws_access_key_id=access.access_key,
        aws_secret_access_key=access.secret_key,
    )
    return str(client.create_key()["KeyMetadata"]["KeyId"])


@pytest_asyncio.fixture(name="master")
async def _master(access: AwsAccess, key_id: str) -> AsyncIterator[KmsMasterKey]:
    """That key."""
    async with open_kms(access, key_id=key_id) as master:
        yield master


async def test_what_it_wraps_it_opens_under_the_same_name(master: KmsMasterKey, key_id: str) -> None:
    wrapped = await master.wrap(SECRET, name="w-1")

    assert SECRET not in wrapped
    assert SECRET == await master.unwrap(wrapped, name="w-1")
    assert f"kms:{key_id}" == master.name


async def test_under_another_name_it_opens_nothing(master: KmsMasterKey) -> None:
    wrapped = await master.wrap(SECRET, name="w-1")

    with pytest.raises(Unavailable):
        await master.unwrap(wrapped, name="w-2")


async def test_a_key_that_does_not_exist_wraps_nothing(access: AwsAccess) -> None:
    async with open_kms(access, key_id="00000000-0000-0000-0000-000000000000") as master:
        with pytest.raises(Unavailable):
            await master.wrap(SECRET, name="w-1")


async def test_a_service_that_cannot_be_reached_says_so_without_quoting_anything(access: AwsAccess, key_id: str) -> None:
    async with open_kms(replace(access, endpoint="http://127.0.0.1:9"), key_id=key_id) as master:
        with pytest.raises(Unavailable) as refused:
            await asyncio.wait_for(master.unwrap(b"x", name="w-1"), 60)

    assert "127.0.0.1" not in str(refused.value)
