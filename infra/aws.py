"""What the clients of S3 and SQS share: who calls, how patiently, and how failures are translated."""

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from dataclasses import dataclass, field

import aioboto3
import aiohttp
from aiobotocore.config import AioConfig
from botocore.exceptions import BotoCoreError, ClientError, ParamValidationError

from core.errors import Unavailable
from infra.breaker import Breaker

_SERVER_ERRORS = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class AwsAccess:
    """Where a service is and who calls it.

    `endpoint` None means AWS itself; without keys, the machine's own role is used.
    """

    region: str
    endpoint: str | None = None
    access_key: str | None = field(default=None, repr=False)
    secret_key: str | None = field(default=None, repr=False)

    def session(self) -> aioboto3.Session:
        """Return a session of this caller. Expensive (it reads service models from disk): one per process and service."""
        return aioboto3.Session(
            aws_access_key_id=self.access_key, aws_secret_access_key=self.secret_key, region_name=self.region
        )


def patience(*, read_timeout: float) -> AioConfig:
    """Return how long a client waits and how often it tries, in seconds.

    botocore's own defaults (60 s to connect, 60 s to read, 10 connections) would let one dead server stall a process.
    Retries happen here and in no layer above.
    """
    return AioConfig(
        connect_timeout=2,
        read_timeout=read_timeout,
        max_pool_connections=50,
        retries={"mode": "standard", "total_max_attempts": 3},
    )


def breaker_of(system: str, *answers: type[Exception]) -> Breaker:
    """Return a breaker for *system*. By *answers*, and by what it says of a request of ours, it shows that it is well."""
    return Breaker(
        system,
        # Short: it is for those who wait at the moment; workers have pauses of their own.
        open_seconds=5,
        harmless=[*answers, ParamValidationError, (ClientError, _is_an_answer)],
    )


@contextmanager
def reaching(system: str, breaker: Breaker | None = None) -> Iterator[None]:
    """Translate every failure of a call to *system* ("The object store") into `Unavailable`.

    The message names no host and quotes no answer, for it may reach a client; the cause is chained for the log. A *breaker*
    leaves a system alone that does not answer.
    """
    try:
        with nullcontext() if breaker is None else breaker.guarding():
            yield
    except (ClientError, BotoCoreError, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise Unavailable(f"{system} did not answer as it should. Try again in a moment.") from error


def error_code(error: ClientError) -> str:
    """Return the service's own name for what went wrong, such as ``NoSuchBucket``."""
    return error.response.get("Error", {}).get("Code", "")


def http_status(error: ClientError) -> int:
    """Return the HTTP status the service answered with, 0 if it said none."""
    return error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)


def _is_an_answer(error: BaseException) -> bool:
    return isinstance(error, ClientError) and 0 < http_status(error) < _SERVER_ERRORS
