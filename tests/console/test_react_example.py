"""The example for front ends, built and in a real browser: sign-in, a file, the import live, what was refused, tried again."""

import asyncio
import os
import re
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from urllib.parse import urlsplit

import httpx
import pytest
from fastapi import FastAPI
from playwright.async_api import Browser, Page, expect

from app.container import Container
from app.settings import Settings
from embedded.ports import choose
from tests.api import fresh
from tests.conformance.kit import EXAMPLE, MISSING, lay_out
from tests.conformance.node import run, surroundings
from tests.console.browser import open_tab
from tests.console.test_imports import file
from tests.console.test_sign_in import served_with_sign_in, settings_with
from tests.graphql.imports import csv
from tests.identity_provider import open_identity_provider

PATIENCE = 60
PACE = re.compile(r"of 8,000 rows, [\d,]+ a second, about \d+ s left")

pytestmark = pytest.mark.skipif(MISSING, reason="needs the packages of examples/react-import (make conformance)")


@asynccontextmanager
async def preview(service: str) -> AsyncIterator[str]:
    """Serve the built example in front of *service*; return its address."""
    port = choose(0, reserved={0})
    process = await asyncio.create_subprocess_exec(
        EXAMPLE / "node_modules" / ".bin" / "vite", "preview", "--port", str(port), "--strictPort",
        cwd=EXAMPLE, env=surroundings({"SERVICE": service}), start_new_session=True,
        stdin=asyncio.subprocess.DEVNULL, stdout=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    address = f"http://127.0.0.1:{port}"
    try:
        async with asyncio.timeout(PATIENCE), httpx.AsyncClient(trust_env=False) as http:
            while not await answers(http, address):
                assert process.returncode is None
                await asyncio.sleep(0.1)
        yield address
    finally:
        if process.returncode is None:
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def answers(http: httpx.AsyncClient, address: str) -> bool:
    try:
        return (await http.get(address)).is_success
    except httpx.TransportError:
        return False


async def sign_in(page: Page) -> None:
    """Sign in in the tab that opens; before that, nobody is let in."""
    await page.get_by_role("button", name="I have signed in").click()
    await page.get_by_text("Nobody is signed in yet.").wait_for()
    async with page.expect_popup() as opened:
        await page.get_by_role("link", name="Sign in").click()
    await (await opened.value).get_by_role("heading", name="Imports").wait_for()
    await page.get_by_role("button", name="I have signed in").click()


async def send(page: Page, content: bytes) -> None:
    await page.get_by_label("A CSV file of customers").set_input_files(file(content))
    await page.get_by_role("button", name="Import").click()


async def test_operator_signs_in_and_watches_an_import(
    browser: Browser, app: FastAPI, container: Container, tmp_path: Path, settings: Settings, import_worker: None
) -> None:
    """
    It is compiled and built first: what does not fit the schema ends there.
    """
    lay_out()
    built = await run("npm", "run", "--silent", "build", cwd=EXAMPLE)
    assert 0 == built.code, built.output
    with socket.create_server(("127.0.0.1", 0)) as listener:
        service = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with open_identity_provider() as provider, open_tab(browser, width=360) as tab:
            provider.claims = {"sub": "ada", "seller_id": (seller := fresh("seller"))}
            ours = settings_with(tmp_path, service, provider, settings.security.master_key.get_secret_value())
            async with served_with_sign_in(app, container, ours, listener), preview(service) as address:
                page = tab.page
                await page.goto(address)
                await sign_in(page)
                await page.get_by_text(seller).wait_for()

                await send(page, csv(8000))
                await page.get_by_text(PACE).wait_for()
                await page.get_by_role("button", name="Cancel").click()
                await page.get_by_text("Cancelled; rows taken by then stay").wait_for()
                await page.get_by_role("button", name="Another file").click()

                await send(page, csv(400, broken=30).replace(b"\nE-", b"\nF-"))
                await page.get_by_text("Done, 30 refused").wait_for()
                await expect(page.get_by_role("row")).to_have_count(1 + 20 + 1)
                await expect(page.get_by_role("row").nth(1)).to_contain_text("371")
                await page.get_by_role("button", name="Show more").click()
                await expect(page.get_by_role("row")).to_have_count(1 + 30)
                await expect(page.locator("dl > div").filter(has_text="Created")).to_contain_text("370")

                await page.get_by_role("button", name="Try the refused again").click()
                await expect(page.locator("dl > div").filter(has_text="Created")).to_have_text("Created0")
                await page.get_by_text("Done, 30 refused").wait_for()
                assert [] == await tab.look_over()
                assert 0 == await tab.overflow()
                assert '[{},{},""]' == await tab.stored()
                await page.get_by_role("button", name="Sign out").click()
                await page.get_by_role("link", name="Sign in").wait_for()

        assert [] == tab.complaints
        assert {urlsplit(address).netloc, urlsplit(str(settings.aws.s3.endpoint)).netloc} == tab.hosts
