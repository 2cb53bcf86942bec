"""Shortest ways to an import."""

import asyncio
from typing import Any

import pytest

from tests.api import Api, Json, some_email
from tests.graphql.operations import CREATE_IMPORT, READ_IMPORT, START_IMPORT, payload, send

FINAL = {"COMPLETED", "COMPLETED_WITH_ERRORS", "FAILED", "CANCELED", "EXPIRED"}


def csv(rows: int, *, broken: int = 0) -> bytes:
    """Return a file of customers, the last *broken* of which have a malformed e-mail address."""
    lines = ["external_id,email,first_name,shipping_line1,shipping_city,shipping_postal_code,shipping_country"]
    for n in range(rows):
        email = some_email() if n < rows - broken else f"broken {n}"
        lines.append(f"E-{n},{email},Ada {n},Torstraße {n + 1},Berlin,10119,DE")
    return ("\n".join(lines) + "\n").encode()


async def announce(execute: Api, content: bytes, as_: str = "", **options: Any) -> tuple[str, Json]:
    """Create an import of a file; return its id and where the file is to be sent."""
    asked = {"fileName": "customers.csv", "size": len(content), **options}
    made = await payload(execute, CREATE_IMPORT, {"input": asked}, as_=as_)
    assert [] == made["userErrors"]
    return made["bulkImport"]["id"], made["upload"]


async def upload(execute: Api, content: bytes, as_: str = "", **options: Any) -> str:
    """Create an import and send its file; return its id."""
    id_, target = await announce(execute, content, as_, **options)
    assert 200 == await send(target, content)
    return id_


async def start(execute: Api, content: bytes, as_: str = "", **options: Any) -> str:
    """Create an import, send its file and start it; return its id."""
    id_ = await upload(execute, content, as_, **options)
    started = await payload(execute, START_IMPORT, {"id": id_}, as_=as_)
    assert [] == started["userErrors"]
    return id_


async def state(execute: Api, id_: str) -> Json:
    """Return an import that is there."""
    found: Json = (await execute.data(READ_IMPORT, {"id": id_}))["bulkImport"]
    return found


async def finished(execute: Api, id_: str) -> Json:
    """Wait for the final state of an import and return it."""
    for _ in range(600):
        found = await state(execute, id_)
        if found["status"] in FINAL:
            return found
        await asyncio.sleep(0.1)
    pytest.fail(f"The import is not over after a minute: {found['status']}.")


def problems(found: Json) -> list[Json]:
    """Return what was wrong with the rows of an import."""
    return [edge["node"] for edge in found["errors"]["edges"]]
