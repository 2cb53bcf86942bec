"""Writes what this version stores, once, before the next one begins: ``python -m tests.stored.capture FILE``."""

import asyncio
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import httpx
from bson import json_util

from app.asgi import create_app
from app.container import Container
from app.keys import token_issuer
from app.settings import Settings
from auth.keys import generate_key_set
from bench.stage import database
from core.clock import SystemClock
from infra.mongo import create_indexes
from tests.api import BASE, Api, Tokens
from tests.graphql.operations import BERLIN, CREATE, CREATE_IMPORT, DELETE, LONDON, UPDATE, payload
from tests.imports import MASTER_KEY

SELLER = "kept"
_AWS = {"region": "us-east-1", "endpoint": "http://127.0.0.1:1", "access_key": "key", "secret_key": "secret"}


def settings_of(uri: str, name: str, key_file: Path) -> Settings:
    """Return settings by which what was stored under the same master key can be read."""
    key_file.write_text(json.dumps(generate_key_set()), encoding="utf-8")
    return Settings.model_validate(
        {
            "mongodb": {"uri": uri, "database": name},
            "aws": {"s3": _AWS, "sqs": _AWS},
            "security": {"key_file": key_file, "master_key": MASTER_KEY, "otp_outbox": key_file.with_name("otp.jsonl")},
            "monitoring": {"prometheus": {"enabled": False}},
        }
    )


async def fill(execute: Api) -> None:
    """Do what is usual with customers."""
    passport = {"type": "PASSPORT", "number": "531985007", "issuingCountry": "GB", "expiresOn": "2035-01-01"}
    person = {
        "externalId": "k-1", "email": "Ada@Example.com", "phone": "+4930901820", "firstName": "Ada", "lastName": "Lovelace",
        "company": "Engines", "dateOfBirth": "1985-12-10", "locale": "en-GB", "tags": ["vip"],
        "attributes": [{"key": "size", "value": "m"}], "addresses": [BERLIN, LONDON], "documents": [passport],
    }  # fmt: skip
    made = await payload(execute, CREATE, {"input": person, "key": "first"})
    await payload(execute, UPDATE, {"id": made["customer"]["id"], "patch": {"lastName": "King"}})
    gone = await payload(execute, CREATE, {"input": {"externalId": "k-2", "firstName": "Charles"}})
    await payload(execute, DELETE, {"id": gone["customer"]["id"]})
    await payload(execute, CREATE_IMPORT, {"input": {"fileName": "c.csv", "size": 100}})


async def _capture(settings: Settings) -> dict[str, list[dict[str, Any]]]:
    app = create_app(settings)
    async with app.router.lifespan_context(app):
        container: Container = app.state.container
        await create_indexes()
        token = Tokens(token_issuer(settings, SystemClock())).operator(SELLER)
        async with httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=BASE) as http:
            await fill(Api(http, token))
        stored = container.mongo.database
        names = sorted(await stored.list_collection_names())
        return {name: found for name in names if (found := await stored[name].find().to_list())}


def main() -> None:
    """Write everything that is stored to the file that is named."""
    with tempfile.TemporaryDirectory() as folder, database(Path(folder)) as at:
        found = asyncio.run(_capture(settings_of(at.uri, at.name, Path(folder) / "keys.json")))
    # Canonical, so that numbers and times come back as they were.
    text = json_util.dumps(found, json_options=json_util.CANONICAL_JSON_OPTIONS)
    shown = json.dumps(json.loads(text), indent=1, ensure_ascii=False, sort_keys=True)
    Path(sys.argv[1]).write_text(f"{shown}\n", encoding="utf-8")


if __name__ == "__main__":
    main()
