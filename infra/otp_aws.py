"""What carrying codes over SNS and SES has in common: one attempt per call, and what its failure says about the code."""

import socket
from collections.abc import Iterator
from contextlib import contextmanager

import aiohttp
from aiobotocore.config import AioConfig
from botocore.exceptions import (
    BotoCoreError,
    ClientError,
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ParamValidationError,
    PartialCredentialsError,
    ProxyConnectionError,
    SSLError,
)
from botocore.parsers import ResponseParserError

from core.delivery import MaybeSent, NotSent
from infra.aws import error_code, http_status

_BEFORE_THE_REQUEST = (ConnectTimeoutError, NoCredentialsError, PartialCredentialsError, ProxyConnectionError, SSLError)
"""Failures that come before the first byte of a request is written: no connection, no certificate, nobody to sign as."""

_NO_CONNECTION = (aiohttp.ClientConnectorError, socket.gaierror)

_UNKNOWN_OUTCOME = frozenset({502, 504})
"""Answers of a gateway about somebody behind it, who may well have taken the request (RFC 9110, 15.6.3 and 15.6.5)."""

_REFUSED_FOR_GOOD = frozenset(
    {
        "BadRequestException",
        "InvalidParameter",
        "InvalidParameterException",
        "InvalidParameterValue",
        "MessageRejected",
        "OptedOut",
        "ValidationError",
        "ValidationException",
    }
)
"""Codes of SNS and SES about the message itself. All others, such as a spent quota, may pass while the code still holds."""


def one_attempt() -> AioConfig:
    """Return how long a client waits: 2 s to connect, 5 s for an answer, and never a second attempt of its own.

    botocore repeats after a read timeout, which is exactly when the first attempt may have been sent. Connections are not
    kept: writing into one that the provider has just closed cannot be told from a lost answer either.
    """
    return AioConfig(
        connect_timeout=2,
        read_timeout=5,
        max_pool_connections=50,
        retries={"mode": "standard", "total_max_attempts": 1},
        # aiohttp refuses a time to keep connections that are not kept, and aiobotocore would set one.
        connector_args={"force_close": True, "keepalive_timeout": None},
    )


@contextmanager
def sending(provider: str) -> Iterator[None]:
    """Translate every failure of a call to *provider* ("SNS") into what it says about the code.

    The provider's own words are left out, and so is the cause: they quote the destination.

    Raises:
        NotSent: there was no connection, or the provider refused.
        MaybeSent: the request may have arrived, and its answer is missing or cannot be read.
    """
    try:
        yield
    except ClientError as error:
        raise _refused(provider, error) from None
    except ParamValidationError:
        raise NotSent(f"{provider} cannot take such a message.", final=True) from None
    except _BEFORE_THE_REQUEST as error:
        raise NotSent(f"{provider} could not be reached: {type(error).__name__}.") from None
    except EndpointConnectionError as error:
        # aiobotocore's name for every trouble with a connection, those in the middle of a request included.
        cause = error.kwargs.get("error")
        if isinstance(cause, _NO_CONNECTION):
            raise NotSent(f"{provider} could not be reached: {type(cause).__name__}.") from None
        raise MaybeSent(f"The connection to {provider} was lost: {type(cause).__name__}.") from None
    except (BotoCoreError, ResponseParserError, aiohttp.ClientError, TimeoutError, OSError) as error:
        raise MaybeSent(f"{provider} did not answer: {type(error).__name__}.") from None


def require_receipt(provider: str, message_id: str | None) -> None:
    """Check that the answer of *provider* names the message it has accepted.

    Raises:
        MaybeSent: it does not, so somebody else has answered.
    """
    if not message_id:
        raise MaybeSent(f"{provider} answered without saying what it has accepted.")


def _refused(provider: str, error: ClientError) -> NotSent | MaybeSent:
    code, status = error_code(error), http_status(error)
    if status in _UNKNOWN_OUTCOME:
        return MaybeSent(f"A gateway before {provider} answered {status}.")
    return NotSent(f"{provider} refused: {code} ({status}).", final=code in _REFUSED_FOR_GOOD)
