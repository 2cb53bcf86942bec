"""GET /console: a page that loads nothing from elsewhere and may do little, built from what is committed."""

import json
import re
from pathlib import Path
from typing import Any

import httpx
import pytest
from graphql import build_schema, parse, validate
from starlette.applications import Starlette

from app.console import DIST, console_routes
from app.container import Container
from app.settings import Settings
from core.errors import Unavailable
from services.csv.aliases import TARGETS
from tests.api import BASE
from tests.built_pages import checksum_of_sources, checksums_of_build, policy
from tests.house import ROOT

HOME = DIST.parent
MANIFEST = json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))
SIGN_IN = {
    "discovery_url": "https://login.example.com/.well-known/openid-configuration",
    "client_id": "console",
    "client_secret": "made up",
}
TYPES = {
    "main.js": "text/javascript; charset=utf-8",
    "theme.js": "text/javascript; charset=utf-8",
    "main.css": "text/css; charset=utf-8",
    "icon.svg": "image/svg+xml",
    "licences.txt": "text/plain; charset=utf-8",
}


def configured(settings: Settings, environment: str, *, public_url: str | None = None, provider: bool = False) -> Settings:
    """Return settings that differ in what the console looks at."""
    security = settings.security.model_copy(
        update={"operator_sign_in": type(settings.security).model_validate(
            {**settings.security.model_dump(), "operator_sign_in": SIGN_IN}
        ).operator_sign_in if provider else None}
    )  # fmt: skip
    server = settings.server.model_copy(update={"public_url": public_url})
    return settings.model_copy(update={"environment": environment, "security": security, "server": server})


async def store_origin() -> str:
    return "https://files.test"


def served(settings: Settings, origin: Any = store_origin) -> httpx.AsyncClient:
    inside = httpx.ASGITransport(app=Starlette(routes=console_routes(settings, origin)))
    return httpx.AsyncClient(transport=inside, base_url=BASE)


# ---------------------------------------------------------------------------- the page


@pytest.mark.parametrize("address", ["/console", "/console/", "/console/imports/imp_1", "/console/customers?q=ada"])
async def test_every_address_of_the_console_is_the_same_page(http: httpx.AsyncClient, address: str) -> None:
    answer = await http.get(address)

    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert '<div id="console"></div>' in answer.text
    assert "{{" not in answer.text


async def test_page_may_reach_this_service_and_the_store_of_its_files_and_nothing_else(
    http: httpx.AsyncClient, container: Container
) -> None:
    answer = await http.get("/console")

    assert {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "style-src": ["'self'"],
        "connect-src": ["'self'", "ws://api.test", await container.store.origin()],
        "img-src": ["'self'", "blob:"],
        "frame-src": ["blob:"],
        "require-trusted-types-for": ["'script'"],
        "trusted-types": ["'none'"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    } == policy(answer)


async def test_page_is_framed_cached_and_guessed_by_nobody(http: httpx.AsyncClient) -> None:
    answer = await http.get("/console")

    assert {
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }.items() <= answer.headers.items()


async def test_store_is_where_presigned_links_lead(container: Container, settings: Settings) -> None:
    assert settings.aws.s3.endpoint == await container.store.origin()


async def test_without_a_store_the_page_says_when_to_come_back(settings: Settings) -> None:
    async def away() -> str:
        raise Unavailable("The object store does not answer.")

    async with served(settings, away) as browser:
        answer = await browser.get("/console")

    assert (503, "5", "The object store does not answer.") == (answer.status_code, answer.headers["retry-after"], answer.text)


# ---------------------------------------------------------------------------- who may sign in how


async def test_tokens_made_by_hand_are_for_development_only(settings: Settings) -> None:
    answers = {}
    for environment in ("development", "production"):
        async with served(configured(settings, environment, provider=True)) as browser:
            answers[environment] = (await browser.get("/console")).text

    assert '<meta name="console:tokens" content="accepted">' in answers["development"]
    assert '<meta name="console:tokens" content="refused">' in answers["production"]


async def test_production_without_a_provider_has_no_console(settings: Settings) -> None:
    assert [] == console_routes(configured(settings, "production"), store_origin)


async def test_page_knows_the_address_that_signing_in_holds_for(settings: Settings) -> None:
    async with served(configured(settings, "development", public_url="https://a.test/?<b>")) as browser:
        page = (await browser.get("/console")).text

    assert '<meta name="console:address" content="https://a.test/?&lt;b&gt;">' in page


# ---------------------------------------------------------------------------- files


@pytest.mark.parametrize("name", TYPES)
async def test_file_comes_with_its_type_and_is_not_loaded_twice(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"/console/assets/{name}")
    again = await http.get(f"/console/assets/{name}", headers={"if-none-match": answer.headers["etag"]})

    assert (200, TYPES[name]) == (answer.status_code, answer.headers["content-type"])
    assert (DIST / name).read_bytes() == answer.content
    assert {"x-content-type-options": "nosniff", "cache-control": "no-cache"}.items() <= answer.headers.items()
    assert "default-src 'none'" == answer.headers["content-security-policy"]
    assert (304, b"") == (again.status_code, again.content)


@pytest.mark.parametrize("name", ["index.html", "manifest.json", "nothing.js", "MAIN.JS", "..%5cpackage.json", "main.js%00"])
async def test_there_are_no_files_but_those_on_the_list(http: httpx.AsyncClient, name: str) -> None:
    assert 404 == (await http.get(f"/console/assets/{name}")).status_code


def test_page_has_no_script_style_or_address_but_its_own() -> None:
    page = (DIST / "index.html").read_text(encoding="utf-8")

    assert {f"/console/assets/{name}" for name in ("icon.svg", "main.css", "main.js", "theme.js")} == set(
        re.findall(r'(?:src|href)="([^"]*)"', page)
    )
    assert re.search(r"<style|\son\w+=|\sstyle=", page) is None
    assert {""} == set(re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL))


def test_style_sheet_loads_nothing() -> None:
    assert [] == re.findall(r"@import|@font-face|url\(", (DIST / "main.css").read_text(encoding="utf-8"))


# ---------------------------------------------------------------------------- the build


def sources() -> list[Path]:
    beside = ("build.mjs", "icon.svg", "index.html", "package-lock.json", "package.json", "tsconfig.json", "types.mjs")
    return [*(HOME / name for name in beside), *(path for path in (HOME / "src").rglob("*") if path.is_file())]


def test_build_belongs_to_the_sources() -> None:
    """
    When this fails: `make console`. The checksum is the one of console/bundle.mjs.
    """

    assert MANIFEST["sources"] == checksum_of_sources(HOME, sources())


def test_nobody_edited_the_build() -> None:
    assert MANIFEST["files"] == checksums_of_build(DIST)


def test_script_is_small_enough_for_a_slow_line() -> None:
    assert (DIST / "main.js").stat().st_size < 120_000


def test_every_package_inside_comes_with_its_licence() -> None:
    licences = (DIST / "licences.txt").read_text(encoding="utf-8").split(f"\n{'-' * 80}\n\n")

    assert {"graphql-ws", "preact"} == {text.partition(" ")[0] for text in licences}


def test_operations_are_those_of_the_schema() -> None:
    schema = build_schema((ROOT / "schema" / "schema.graphql").read_text(encoding="utf-8"))
    document = parse((HOME / "src" / "operations.graphql").read_text(encoding="utf-8"))

    assert [] == validate(schema, document)


def test_targets_of_columns_are_those_of_the_importer() -> None:
    source = (HOME / "src" / "imports" / "targets.ts").read_text(encoding="utf-8")
    address = re.findall(r"\['(\w+)', '[^']+'\],", source.partition("const address")[0])
    others = re.findall(r"\['(\w+)', '[^']+'\],", source.partition("const address")[2])

    assert TARGETS == {*others, *(f"{kind}_{field}" for kind in ("shipping", "billing") for field in address)}
