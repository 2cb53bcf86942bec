"""The object store and the queue of the settings."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from app.aws import aws_access
from app.settings import Settings
from infra.aws import FOR_A_WORKER, Patience
from infra.s3 import S3ObjectStore, open_object_store
from infra.sqs import SqsWorkQueue, open_work_queue


@asynccontextmanager
async def open_store(settings: Settings, patience: Patience = FOR_A_WORKER) -> AsyncIterator[S3ObjectStore]:
    """Open the object store."""
    s3 = settings.aws.s3
    async with open_object_store(
        aws_access(s3), bucket=s3.bucket, public_endpoint=s3.public_endpoint, patience=patience
    ) as store:
        yield store


@asynccontextmanager
async def open_queue(settings: Settings, patience: Patience = FOR_A_WORKER) -> AsyncIterator[SqsWorkQueue]:
    """Open the queue of import work."""
    sqs = settings.aws.sqs
    async with open_work_queue(
        aws_access(sqs),
        name=sqs.queues.customer_queue,
        visibility_timeout=sqs.visibility_timeout,
        max_receive_count=sqs.max_receive_count,
        patience=patience,
    ) as queue:
        yield queue
