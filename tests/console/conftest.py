"""Fixtures for tests in a browser."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from playwright.async_api import Browser, async_playwright

from tests.api import Tokens
from tests.console.browser import AXE, CHROMIUM, Tab, open_tab


@pytest_asyncio.fixture(scope="session", name="browser")
async def _browser() -> AsyncIterator[Browser]:
    """A real Chromium; Playwright's own build is not asked for."""
    if CHROMIUM is None or not AXE.exists():
        pytest.skip("needs Chromium (CHROMIUM says where it is) and axe-core (make conformance)")
    async with async_playwright() as playwright:
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=["--no-sandbox"])
        yield browser
        await browser.close()


@pytest.fixture(name="console")
def _console(served: str) -> str:
    """The address of the console."""
    return served.removesuffix("/graphql") + "/console"


@pytest.fixture(name="operator")
def _operator(tokens: Tokens, seller: str) -> str:
    """The token of an operator of the test's seller."""
    return tokens.operator(seller)


@pytest_asyncio.fixture(name="tab")
async def _tab(browser: Browser, console: str, operator: str) -> AsyncIterator[Tab]:
    """A wide tab in which the operator is signed in."""
    async with open_tab(browser) as tab:
        await tab.page.goto(f"{console}#token={operator}")
        await tab.page.get_by_role("heading", name="Imports").wait_for()
        yield tab
