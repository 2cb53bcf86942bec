"""JSON documents that others publish, fetched with bounds on time, size and place."""

import asyncio

import httpx
import orjson

LONGEST_DOCUMENT = 1 << 20
"""In bytes; the key sets and discovery documents of large providers have some ten thousand."""

_TIMEOUT = httpx.Timeout(5, connect=2)
_WHOLE_SECONDS = 10.0
"""For the whole document: a server that sends a byte now and then never runs into the other timeouts."""


class Unreadable(Exception):
    """The document could not be fetched. The message says why, in words for the log of whoever configured it."""


def open_client() -> httpx.AsyncClient:
    """Return a client for `fetch_json`; close it by leaving it as a context. It follows no redirect to anywhere."""
    return httpx.AsyncClient(timeout=_TIMEOUT, follow_redirects=False, headers={"accept": "application/json"})


async def fetch_json(client: httpx.AsyncClient, url: str) -> object:
    """Return what *url* holds: connected within 2 s, each read within 5 s, altogether within 10 s, 1 MB at most.

    Raises:
        Unreadable: for everything else, a redirect included.
    """
    try:
        async with asyncio.timeout(_WHOLE_SECONDS):
            # Uncompressed, so that what arrives is as large as what is kept.
            async with client.stream("GET", url, headers={"accept-encoding": "identity"}) as answer:
                return orjson.loads(await _body(answer))
    except TimeoutError as error:
        raise Unreadable("it did not answer in time") from error
    except httpx.TimeoutException as error:
        raise Unreadable("it did not answer in time") from error
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        raise Unreadable(f"it cannot be reached ({type(error).__name__})") from error
    except orjson.JSONDecodeError as error:
        raise Unreadable("it answered with something that is not JSON") from error


async def _body(answer: httpx.Response) -> bytes:
    if answer.status_code != httpx.codes.OK:
        raise Unreadable(f"it answered with the status {answer.status_code}")
    if answer.headers.get("content-encoding", "identity") != "identity":
        raise Unreadable("it answered compressed, which was not asked for")
    body = bytearray()
    async for chunk in answer.aiter_raw():
        body += chunk
        if len(body) > LONGEST_DOCUMENT:
            raise Unreadable("it answered with more than 1 MB")
    return bytes(body)
