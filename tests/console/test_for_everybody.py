"""Every page of the console, on a telephone and on a desk, light and dark, as axe-core and the keyboard see it."""

from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, expect

from app.settings import Settings
from tests.api import Api
from tests.console.browser import Scheme, Tab, open_tab
from tests.console.test_imports import choose
from tests.console.test_records import with_passport
from tests.graphql.imports import csv, finished, start

# As a link of the console does it; loading the page anew would forget the token.
MOVE = "(to) => { history.pushState(null, '', to); dispatchEvent(new PopStateEvent('popstate')); }"


async def prepared(execute: Api) -> dict[str, str]:
    """Make something of everything, and return the pages to look at with a text of each."""
    customer, document = await with_passport(execute)
    done = await start(execute, csv(12, broken=3), dryRun=True)
    await finished(execute, done)
    return {
        f"imports/{done}": "would be refused",
        "imports/new": "Drop a CSV file here",
        "imports/imp_none": "There is no such import",
        "customers": "1 customer",
        f"customers/{customer}": "Onboarding",
        "documents": "Passport",
        f"documents/{document}": "Approve",
        "nothing": "Nothing is at this address",
    }


@pytest.mark.parametrize("scheme", ["light", "dark"])
@pytest.mark.parametrize("width", [1440, 360])
@pytest.mark.usefixtures("import_worker")
async def test_every_page_fits_and_axe_finds_nothing(
    browser: Browser, console: str, execute: Api, operator: str, settings: Settings, width: int, scheme: Scheme
) -> None:
    pages = await prepared(execute)
    async with open_tab(browser, width=width, scheme=scheme) as tab:
        found: dict[str, object] = {}

        async def look(name: str) -> None:
            found[name] = (await tab.look_over(), await tab.overflow())

        await tab.page.goto(console)
        await tab.page.get_by_label("Access token").wait_for()
        await look("sign in")
        await tab.page.goto(f"{console}#token={operator}")
        await tab.page.get_by_role("row").nth(1).wait_for()
        await look("imports")
        await choose(tab, csv(30, broken=2) + b"E-99,also broken,Bob,,,,\n")
        await look("prepare")
        for path, text in pages.items():
            await tab.page.evaluate(MOVE, f"/console/{path}")
            await tab.page.get_by_text(text).first.wait_for()
            await look(path)

        assert {name: ([], 0) for name in found} == found
        assert [] == tab.complaints
        assert {urlsplit(console).netloc, urlsplit(str(settings.aws.s3.endpoint)).netloc} == tab.hosts


async def test_colours_follow_the_system_until_somebody_chooses(browser: Browser, console: str) -> None:
    ground = "getComputedStyle(document.documentElement).backgroundColor"
    async with open_tab(browser, scheme="dark") as tab:
        await tab.page.goto(console)
        switch = tab.page.get_by_role("button", name="Colours")
        dark = await tab.page.evaluate(ground)
        await switch.click()
        light = await tab.page.evaluate(ground)
        await tab.page.reload()
        await switch.wait_for()

        assert dark != light
        assert light == await tab.page.evaluate(ground)
        await expect(switch).to_have_accessible_name("Colours: light. Change to dark")


async def test_everything_is_reached_with_the_keyboard(tab: Tab) -> None:
    """
    The first key leads past the navigation; moving to another page moves the reader along.
    """
    page = tab.page
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="Skip to the content")).to_be_focused()
    await page.keyboard.press("Enter")
    await page.keyboard.press("Tab")
    await expect(page.get_by_role("link", name="New import").first).to_be_focused()
    await page.keyboard.press("Enter")

    await expect(page.get_by_role("heading", name="New import")).to_be_focused()
    assert "New import · Customer Service" == await page.title()
    await page.keyboard.press("Tab")
    async with page.expect_file_chooser():
        await page.keyboard.press("Enter")
