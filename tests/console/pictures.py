"""Takes the pictures in docs/images: every page of the console, the playground and the example, at two widths.

    make run        # in another terminal, on fresh data
    make pictures   # needs Chromium and pngquant, and what `make conformance` installs

RUN_DIR names another stack than the one in ``.run``.
"""

import asyncio
import json
import os
import re
import shutil
import sys
import uuid
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import httpx
from playwright.async_api import Browser, Page, async_playwright

from embedded.processes import ROOT
from tests.api import Api, Json
from tests.conformance.kit import EXAMPLE, lay_out
from tests.conformance.node import run
from tests.console.browser import CHROMIUM, Scheme
from tests.console.test_react_example import preview
from tests.console.test_records import with_passport
from tests.graphql.imports import csv, finished, start
from tests.graphql.operations import DELETE

IMAGES = ROOT / "docs" / "images"
LOOKS: tuple[tuple[int, int, Scheme], ...] = ((1440, 900, "light"), (360, 740, "dark"))
ROWS = 40_000
WHO = "Ada"
A_WHILE = re.compile(r"^(1[2-9]|[2-9]\d) %$")
OF_EXAMPLE = {1440: "northwind-customers.csv", 360: "woocommerce-customers.csv"}
CHINOOK = "chinook-customers.csv"
PATIENCE_MS = 60_000
FORMER = 'query { customerBy(key: {externalId: "walk-1"}) { id } }'


class Camera:
    """A signed-in tab at one width, and where its pictures go."""

    def __init__(self, page: Page, width: int, console: str) -> None:
        self.page = page
        self.width = width
        self._console = console

    async def go(self, path: str, text: str) -> None:
        """Open a page of the console, and wait for a text on it."""
        await self.page.goto(f"{self._console}/{path}")
        await self.page.get_by_text(text).first.wait_for()

    async def take(self, name: str) -> None:
        """Take a picture as ``docs/images/NAME-WIDTH.png``, in few colours."""
        await self.page.wait_for_timeout(400)  # the last transition
        path = IMAGES / f"{name}-{self.width}.png"
        path.parent.mkdir(parents=True, exist_ok=True)
        await self.page.screenshot(path=path)
        arguments = ("--force", "--strip", "--speed", "1", "--quality", "70-95", "--output", str(path), str(path))
        process = await asyncio.create_subprocess_exec("pngquant", *arguments)
        assert 0 == await process.wait()


@asynccontextmanager
async def camera(browser: Browser, stack: Json, *, width: int, height: int, scheme: Scheme) -> AsyncIterator[Camera]:
    """Sign in at the provider of the stack."""
    context = await browser.new_context(viewport={"width": width, "height": height}, color_scheme=scheme, locale="en-GB")
    try:
        page = await context.new_page()
        page.set_default_timeout(PATIENCE_MS)
        taken = Camera(page, width, stack["console"])
        await page.goto(stack["console"])
        await page.get_by_role("button", name="Sign in").wait_for()
        await taken.take("console/sign-in")
        await page.get_by_role("button", name="Sign in").click()
        await page.get_by_text(WHO).first.click()
        await page.get_by_role("heading", name="Imports").wait_for()
        yield taken
    finally:
        await context.close()


async def choose(page: Page, file: Any) -> None:
    await page.get_by_role("link", name="Imports").first.click()
    await page.get_by_role("link", name="New import").first.click()
    await page.get_by_label("Drop a CSV file here").set_input_files(file)
    await page.get_by_role("heading", name="Columns").wait_for()


async def imports(taken: Camera) -> None:
    """From the choice of a file to what came of it, and one that still runs."""
    page = taken.page
    await page.get_by_role("link", name="New import").first.click()
    await page.get_by_label("Drop a CSV file here").wait_for()
    await taken.take("console/new")
    await choose(page, ROOT / "examples" / "shopify-customers.csv")
    await page.get_by_text("Of the first").wait_for()
    await taken.take("console/prepare")
    await choose(page, ROOT / "examples" / "northwind-customers.csv")
    await page.get_by_role("button", name="Dry run").click()
    await page.get_by_text("would be refused").wait_for()
    await taken.take("console/outcome")
    big = csv(ROWS, broken=600).replace(b"\nE-", f"\n{uuid.uuid4().hex[:6]}-".encode())
    await choose(page, {"name": "all-customers.csv", "mimeType": "text/csv", "buffer": big})
    await page.get_by_role("button", name="Import", exact=True).click()
    await page.get_by_text(A_WHILE).wait_for()
    await taken.take("console/progress")
    await page.get_by_role("link", name="Imports").first.click()
    await page.get_by_role("row").nth(2).wait_for()
    await taken.take("console/imports")
    await page.get_by_role("link", name="all-customers.csv").first.click()
    await page.get_by_role("button", name="Cancel the import").click()
    await page.get_by_role("button", name="Cancel it").click()
    await page.get_by_text("This import was cancelled").wait_for()


async def records(taken: Camera, customer: str, document: str) -> None:
    """Customers and documents."""
    await taken.go("customers?q=jo", "customers")
    await taken.take("console/customers")
    await taken.go(f"customers/{customer}", "Onboarding")
    await taken.take("console/customer")
    await taken.go("documents", "Passport")
    await taken.take("console/documents")
    await taken.go(f"documents/{document}", "Approve")
    await taken.page.get_by_role("img", name="Passport").wait_for()
    await taken.take("console/review")


async def playground(taken: Camera, stack: Json) -> None:
    """An import in the playground, from its announcement to the subscription."""
    page = taken.page
    await page.goto(f"{stack['graphql']}#token={stack['tokens']['operator']}")
    await page.locator(".caller [data-state=known]").wait_for()
    panel = page.get_by_role("button", name="Show Operations")
    if await panel.is_visible():
        await panel.click()
    await page.get_by_role("region", name="Operations").wait_for()
    await taken.take("playground/operations")
    await page.get_by_role("button", name="Announce a file of customers").click()
    await page.get_by_role("button", name="Execute query").click()
    await page.get_by_role("button", name="Send northwind-customers.csv").click()
    await page.get_by_text("northwind-customers.csv is there.").wait_for()
    await taken.take("playground/upload")


async def example(taken: Camera, stack: Json) -> None:
    """The example in React as it is now, after an import."""
    lay_out()
    built = await run("npm", "run", "--silent", "build", cwd=EXAMPLE)
    assert 0 == built.code, built.output
    async with preview(stack["rest"]) as address:
        await taken.page.goto(address)
        await taken.page.get_by_label("A CSV file of customers").set_input_files(ROOT / "examples" / OF_EXAMPLE[taken.width])
        await taken.page.get_by_role("button", name="Import").click()
        await taken.page.get_by_role("row").nth(3).wait_for()
        await taken.take("react-import/outcome")


async def main() -> None:
    """Take them all."""
    if CHROMIUM is None or shutil.which("pngquant") is None:
        sys.exit("Pictures need Chromium and pngquant. Type this, then try again: apt-get install -y chromium pngquant")
    file = Path(os.environ.get("RUN_DIR") or ROOT / ".run") / "stack.json"
    if not file.exists():
        sys.exit("Nothing is running here. Start it with `make run`, in another terminal.")
    stack: Json = json.loads(file.read_text(encoding="utf-8"))
    async with async_playwright() as playwright, httpx.AsyncClient(base_url=stack["rest"], trust_env=False) as http:
        execute = Api(http, stack["tokens"]["operator"])
        if former := (await execute.data(FORMER))["customerBy"]:
            await execute.data(DELETE, {"id": former["id"]})
        customer, document = await with_passport(execute)
        await finished(execute, await start(execute, (ROOT / "examples" / CHINOOK).read_bytes(), fileName=CHINOOK))
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        for width, height, scheme in LOOKS:
            async with camera(browser, stack, width=width, height=height, scheme=scheme) as taken:
                await imports(taken)
                await records(taken, customer, document)
                await example(taken, stack)
                await playground(taken, stack)
        await browser.close()


if __name__ == "__main__":
    asyncio.run(main())
