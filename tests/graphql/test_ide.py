"""GET /graphql in a browser: a page that loads nothing from elsewhere, in development only, built from what is committed."""

import json
import re

import httpx
import pytest
from fastapi import FastAPI
from starlette.applications import Starlette

from app.container import Container
from app.graphql.ide import DIST, ide_routes
from app.graphql.ready_operations import load_ready_operations
from core.errors import Unavailable
from tests.api import BASE, Api
from tests.built_pages import checksum_of_sources, checksums_of_build, policy
from tests.house import ROOT

BROWSER = {"accept": "text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8"}
MANIFEST = json.loads((DIST / "manifest.json").read_text(encoding="utf-8"))
TYPES = {"main.js": "text/javascript", "main.css": "text/css", "licences.txt": "text/plain"}


async def store_origin() -> str:
    return "https://files.test"


# ---------------------------------------------------------------------------- who gets the page


@pytest.mark.parametrize(
    "accept", [BROWSER["accept"], "text/html", "Text/HTML;charset=utf-8", "application/json, text/html;q=0.1"]
)
async def test_browser_gets_the_page(http: httpx.AsyncClient, accept: str) -> None:
    answer = await http.get("/graphql", headers={"accept": accept})

    assert (200, "text/html; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert "/graphql/ide/main.js" in answer.text


@pytest.mark.parametrize("accept", ["*/*", "application/json", "text/html;q=0", "text/html-like", "text/*", "text/plain", ""])
async def test_program_gets_what_it_would_get_without_the_page(http: httpx.AsyncClient, accept: str) -> None:
    answer = await http.get("/graphql", headers={"accept": accept})

    assert (405, "POST") == (answer.status_code, answer.headers["allow"])


async def test_head_tells_as_much_as_get(http: httpx.AsyncClient) -> None:
    answer = await http.head("/graphql", headers=BROWSER)

    assert (200, "text/html; charset=utf-8", b"") == (answer.status_code, answer.headers["content-type"], answer.content)


async def test_browser_that_posts_is_answered_by_graphql(execute: Api) -> None:
    answer = await execute.http.post("/graphql", json={"query": "{ __typename }"}, headers={**execute.headers(), **BROWSER})

    assert {"__typename": "Query"} == answer.json()["data"]


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH", "TRACE"])
async def test_other_methods_are_refused_to_browsers_too(http: httpx.AsyncClient, method: str) -> None:
    assert 405 == (await http.request(method, "/graphql", headers=BROWSER)).status_code


async def test_production_has_no_page_and_no_files(app: FastAPI) -> None:
    """
    The routes of the application with those of the IDE as production has them: none.
    """
    ours = {getattr(route, "path", None) for route in ide_routes("development", store_origin)}
    kinds = {type(route) for route in ide_routes("development", store_origin)}
    others = [route for route in app.routes if not (type(route) in kinds and getattr(route, "path", None) in ours)]
    graphql = [route for route in app.routes if getattr(route, "path", None) == "/graphql" and route not in others]
    production = Starlette(routes=[*ide_routes("production", store_origin), *graphql[1:], *others])

    async with httpx.AsyncClient(transport=httpx.ASGITransport(app=production), base_url=BASE) as client:
        page = await client.get("/graphql", headers=BROWSER)
        files = [await client.get(f"/graphql/ide/{name}", headers=BROWSER) for name in TYPES]

    assert [] == ide_routes("production", store_origin)
    assert (405, "POST") == (page.status_code, page.headers["allow"])
    assert [404, 404, 404] == [answer.status_code for answer in files]


# ---------------------------------------------------------------------------- what the page may do


async def test_page_may_call_nothing_but_this_service_and_the_store_of_its_files(
    http: httpx.AsyncClient, container: Container
) -> None:
    answer = await http.get("/graphql", headers=BROWSER)

    found = policy(answer)
    nonce = found.pop("style-src")
    assert {
        "default-src": ["'none'"],
        "script-src": ["'self'"],
        "connect-src": ["'self'", "ws://api.test", await container.store.origin()],
        "img-src": ["'self'", "data:"],
        "base-uri": ["'none'"],
        "form-action": ["'none'"],
        "frame-ancestors": ["'none'"],
    } == found
    assert "'self'" == nonce[0]
    assert re.fullmatch(r"'nonce-[A-Za-z0-9_-]{22}'", nonce[1])
    assert f'nonce="{nonce[1][7:-1]}"' in answer.text


async def test_page_is_framed_cached_and_guessed_by_nobody(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql", headers=BROWSER)

    assert {
        "x-frame-options": "DENY",
        "x-content-type-options": "nosniff",
        "referrer-policy": "no-referrer",
        "cross-origin-opener-policy": "same-origin",
        "cross-origin-resource-policy": "same-origin",
        "cache-control": "no-store",
    }.items() <= answer.headers.items()
    assert "accept" in answer.headers["vary"].lower()


async def test_every_page_has_a_nonce_of_its_own(http: httpx.AsyncClient) -> None:
    first, second = [await http.get("/graphql", headers=BROWSER) for _ in range(2)]

    assert policy(first)["style-src"] != policy(second)["style-src"]
    assert "{{" not in first.text


@pytest.mark.parametrize(
    ("host", "source"),
    [
        ("127.0.0.1:8084", ["ws://127.0.0.1:8084"]),
        ("[::1]:8084", ["ws://[::1]:8084"]),
        ("evil.test; script-src *", []),
        ("evil.test 'unsafe-inline'", []),
        ("*", []),
        ("", []),
    ],
)
async def test_host_of_the_request_adds_itself_to_the_policy_and_nothing_more(
    http: httpx.AsyncClient, container: Container, host: str, source: list[str]
) -> None:
    answer = await http.get("/graphql", headers={**BROWSER, "host": host})

    assert ["'self'", *source, await container.store.origin()] == policy(answer)["connect-src"]
    assert ["'self'"] == policy(answer)["script-src"]


def test_page_has_no_script_style_or_address_but_its_own() -> None:
    page = (DIST / "index.html").read_text(encoding="utf-8")

    assert ["data:,", "/graphql/ide/main.css", "/graphql/ide/main.js"] == re.findall(r'(?:src|href)="([^"]*)"', page)
    assert re.search(r"<style|\son\w+=|\sstyle=", page) is None
    assert [""] == re.findall(r"<script[^>]*>(.*?)</script>", page, re.DOTALL)


def test_style_sheet_loads_nothing() -> None:
    style = (DIST / "main.css").read_text(encoding="utf-8")

    assert [] == re.findall(r"@import|@font-face|url\((?!\"?data:image/)[^)]*", style)


# ---------------------------------------------------------------------------- files


@pytest.mark.parametrize("name", TYPES)
async def test_file_comes_with_its_type_and_is_not_loaded_twice(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"/graphql/ide/{name}")
    again = await http.get(f"/graphql/ide/{name}", headers={"if-none-match": answer.headers["etag"]})

    assert (200, f"{TYPES[name]}; charset=utf-8") == (answer.status_code, answer.headers["content-type"])
    assert (DIST / name).read_bytes() == answer.content
    assert {"x-content-type-options": "nosniff", "cache-control": "no-cache"}.items() <= answer.headers.items()
    assert "default-src 'none'" == answer.headers["content-security-policy"]
    assert (304, b"") == (again.status_code, again.content)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "index.html",
        "manifest.json",
        "nothing.js",
        "MAIN.JS",
        "../main.js",
        "%2e%2e/package.json",
        "..%2fpackage.json",
        "..%5cpackage.json",
        "%2fetc%2fpasswd",
        "main.js%00",
        "src/main.jsx",
    ],
)
async def test_there_are_no_files_but_those_on_the_list(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"/graphql/ide/{name}")

    assert 404 == answer.status_code
    assert "import" not in answer.text


async def test_files_are_there_to_read(http: httpx.AsyncClient) -> None:
    assert 405 == (await http.post("/graphql/ide/main.js")).status_code


# ---------------------------------------------------------------------------- the build


def test_build_belongs_to_the_sources() -> None:
    """
    When this fails: `make ide`. The checksum is the one of console/bundle.mjs.
    """
    home = DIST.parent
    sources = [home / name for name in ("build.mjs", "index.html", "mit.txt", "package-lock.json", "package.json")]

    assert MANIFEST["sources"] == checksum_of_sources(home, [*sources, *(home / "src").iterdir()])


def test_nobody_edited_the_build() -> None:
    assert MANIFEST["files"] == checksums_of_build(DIST)


def test_build_is_small_enough_to_live_in_the_repository() -> None:
    assert sum((DIST / name).stat().st_size for name in ("index.html", "main.js", "main.css")) < 1_500_000


def test_every_package_inside_comes_with_its_licence() -> None:
    licences = (DIST / "licences.txt").read_text(encoding="utf-8").split(f"\n{'-' * 80}\n\n")

    names = {text.partition(" ")[0] for text in licences}
    assert {"graphiql", "@graphiql/react", "codemirror", "react", "react-dom", "graphql", "graphql-ws"} <= names
    assert [] == [text.partition("\n")[0] for text in licences if "copyright" not in text.lower()]


def test_lock_does_not_say_where_somebodys_registry_is() -> None:
    lock = json.loads((DIST.parent / "package-lock.json").read_text(encoding="utf-8"))

    packages = {name: package for name, package in lock["packages"].items() if name}
    assert {} == {name: package["resolved"] for name, package in packages.items() if "resolved" in package}
    assert [] == [name for name, package in packages.items() if "integrity" not in package]


# ---------------------------------------------------------------------------- what it is given to show


async def test_page_is_given_every_ready_operation(http: httpx.AsyncClient) -> None:
    answer = await http.get("/graphql/ide/ready/operations.json")

    assert "application/json" == answer.headers["content-type"]
    assert [operation.as_json() for operation in load_ready_operations()] == answer.json()


@pytest.mark.parametrize("name", ["passport.png", "northwind-customers.csv"])
async def test_page_is_given_the_files_that_operations_announce(http: httpx.AsyncClient, name: str) -> None:
    answer = await http.get(f"/graphql/ide/ready/{name}")

    assert (ROOT / "examples" / name).read_bytes() == answer.content


async def test_page_works_without_a_store_and_sends_nothing_then() -> None:
    async def away() -> str:
        raise Unavailable("The object store does not answer.")

    inside = httpx.ASGITransport(app=Starlette(routes=ide_routes("development", away)))
    async with httpx.AsyncClient(transport=inside, base_url=BASE) as browser:
        answer = await browser.get("/graphql", headers=BROWSER)

    assert ["'self'", "ws://api.test"] == policy(answer)["connect-src"]
