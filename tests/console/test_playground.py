"""The GraphQL IDE at GET /graphql in a real browser: ready operations run, files go where answers say, subscriptions follow."""

import json
import re
from typing import Any
from urllib.parse import urlsplit

import pytest
from playwright.async_api import Browser, Page, expect

from app.settings import Settings
from tests.api import Api, Json, Tokens, some_email
from tests.console.browser import Scheme, Tab, open_tab
from tests.graphql.operations import create
from tests.outbox import Outbox

ANSWER = ".result-window .CodeMirror"
CONTENT = "(at) => document.querySelector(at).CodeMirror.getValue()"
HAS = "([at, wanted]) => document.querySelector(at)?.CodeMirror.getValue().includes(wanted)"
CHANGE = """([from, to]) => {
  const { CodeMirror } = document.querySelector('.graphiql-editor-tool .CodeMirror');
  CodeMirror.setValue(CodeMirror.getValue().replace(from, to));
}"""
LOOK_AT_OURS = """axe.run({ include: [['.caller'], ['.operations'], ['.next-step']] })
  .then((found) => found.violations.map(({ id, nodes }) => [id, nodes[0].html]))"""
RENAME = 'mutation($id: ID!) { updateCustomer(id: $id, patch: {lastName: "Byron"}) { userErrors { code } } }'
WIDTHS = pytest.mark.parametrize("width", [1440, 360])


class Playground:
    """The page, as somebody uses it."""

    def __init__(self, tab: Tab) -> None:
        self.tab = tab
        self.page: Page = tab.page

    async def open(self, url: str, token: str) -> None:
        """Open it by the link that `make run` has behind its address."""
        await self.page.goto(f"{url}#token={token}")
        await self.page.locator(".caller [data-state=known]").wait_for()

    async def choose(self, title: str) -> None:
        """Choose a ready operation in the panel, which has to be opened first where there is no room for it."""
        panel = self.page.get_by_role("region", name="Operations")
        await self.page.get_by_role("button", name=re.compile("(Show|Hide) Operations")).wait_for()
        if not await panel.is_visible() and await self.page.get_by_role("button", name="Show Operations").is_visible():
            await self.page.get_by_role("button", name="Show Operations").click()
        await panel.get_by_role("button", name=title, exact=True).click()

    async def run(self, wanted: str) -> Json:
        """Run what is in the editor, and return the data of the answer once *wanted* is in it."""
        await self.page.get_by_role("button", name="Execute query").click()
        return await self.answered(wanted)

    async def answered(self, wanted: str) -> Json:
        """Wait for an answer with *wanted* in it, and return its data."""
        await self.page.wait_for_function(HAS, arg=[ANSWER, f'"{wanted}"'])
        answer: Json = json.loads(await self.page.evaluate(CONTENT, ANSWER))
        data: Json = answer["data"]
        return data

    async def next(self, title: str) -> None:
        """Go on to the next operation of the flow."""
        await self.page.get_by_role("button", name=f"Next: {title}").click()

    async def type_variable(self, placeholder: str, value: str) -> None:
        """Put *value* where a variable is still open."""
        await self.page.evaluate(CHANGE, [placeholder, value])


@WIDTHS
async def test_operation_is_picked_run_and_followed_and_the_policy_had_nothing_to_stop(
    browser: Browser, served: str, operator: str, seller: str, execute: Api, settings: Settings, width: int
) -> None:
    """
    The token came behind the address, and is gone from there and from everything that outlives the tab.
    """
    customer = await create(execute, firstName="Ada")
    async with open_tab(browser, width=width) as tab:
        playground = Playground(tab)
        await playground.open(served, operator)
        await expect(tab.page.locator(".caller p")).to_have_text(f"operator ada of seller {seller}")
        await playground.choose("Who am I, and what may I do?")
        viewer = (await playground.run("viewer"))["viewer"]
        await playground.choose("Search customers")
        found = (await playground.run("customers"))["customers"]
        await playground.choose("Follow every change of a customer")
        event = (await playground.run("customerEvents"))["customerEvents"]
        assert ("OPERATOR", seller) == (viewer["kind"], viewer["sellerId"])
        assert [customer["id"]] == [one["id"] for one in found["nodes"]]
        assert ("CREATED", customer["id"]) == (event["type"], event["customerId"])

        await execute.data(RENAME, {"id": customer["id"]})
        later = (await playground.answered("UPDATED"))["customerEvents"]
        assert "lastName" in later["changed"]
        await tab.page.get_by_role("button", name="Stop query").click()

        assert served == tab.page.url
        assert operator not in str(await tab.page.evaluate("JSON.stringify({ ...localStorage })"))
        assert 0 == await tab.overflow()
        assert [] == tab.complaints
        assert {urlsplit(served).netloc} == tab.hosts


@WIDTHS
async def test_import_goes_from_the_file_to_the_refused_rows(
    browser: Browser, served: str, operator: str, settings: Settings, import_worker: None, width: int
) -> None:
    """
    Each step begins with what the answers before it have named; the file goes to the store without leaving the page.
    """
    async with open_tab(browser, width=width) as tab:
        playground = Playground(tab)
        await playground.open(served, operator)
        await playground.choose("Announce a file of customers")
        created = (await playground.run("createBulkImport"))["createBulkImport"]
        await tab.page.get_by_role("button", name="Send northwind-customers.csv").click()
        await tab.page.get_by_text("northwind-customers.csv is there.").wait_for()
        await playground.next("See what would come of it")
        preview = (await playground.run("previewBulkImport"))["previewBulkImport"]
        await playground.next("Read it another way")
        await playground.run("updateBulkImport")
        await playground.next("Start the import")
        await playground.run("startBulkImport")
        await playground.next("Follow the import")
        followed = (await playground.run("COMPLETED_WITH_ERRORS"))["bulkImportProgress"]
        await playground.choose("What was wrong with which row")
        refused = (await playground.run("errors"))["bulkImport"]

        assert "customerID" == preview["columns"][0]["name"]
        assert (created["bulkImport"]["id"], 67, 24) == tuple(followed[key] for key in ("id", "createdRows", "failedRows"))
        assert 24 == refused["failedRows"]
        assert 0 == await tab.overflow()
        assert [] == tab.complaints
        assert {urlsplit(served).netloc, urlsplit(str(settings.aws.s3.endpoint)).netloc} == tab.hosts


async def test_customer_signs_in_and_the_page_goes_on_as_the_customer(
    browser: Browser, served: str, operator: str, outbox: Outbox, execute: Api, seller: str
) -> None:
    email = some_email()
    customer = await create(execute, email=email, firstName="Grace")
    async with open_tab(browser) as tab:
        playground = Playground(tab)
        await playground.open(served, operator)
        await playground.choose("Send the customer a code")
        await playground.type_variable("katherine@example.com", email)
        challenge = (await playground.run("requestOtp"))["requestOtp"]["challengeId"]
        await playground.next("Sign in with the code")
        await playground.type_variable("<code>", await outbox.code(challenge))
        await playground.run("login")
        await tab.page.get_by_role("button", name="Go on as who has signed in").click()
        await expect(tab.page.locator(".caller p")).to_have_text(f"customer {customer['id']} of seller {seller}")
        await playground.choose("The customer that is signed in")
        me = (await playground.run("me"))["me"]
        await tab.page.get_by_role("button", name="Back to who I was").click()

        await expect(tab.page.locator(".caller p")).to_have_text(f"operator ada of seller {seller}")
        assert (customer["id"], True) == (me["id"], me["emailVerified"])
        assert [] == tab.complaints


@pytest.mark.parametrize(("width", "scheme"), [(1440, "light"), (360, "dark")])
async def test_what_is_ours_on_the_page_is_for_everybody(
    browser: Browser, served: str, operator: str, width: int, scheme: Scheme
) -> None:
    """
    Editors, menus and panels are GraphiQL's own; axe looks at what this service has put around them.
    """
    async with open_tab(browser, width=width, scheme=scheme) as tab:
        playground = Playground(tab)
        await playground.open(served, operator)
        await playground.choose("Announce a file of customers")
        await playground.run("createBulkImport")
        if width < 720:
            await tab.page.get_by_role("button", name="Show Operations").click()
            await tab.page.get_by_role("region", name="Operations").wait_for()

        found: list[Any] = await tab.look_over(LOOK_AT_OURS)
        assert [] == found


async def test_token_that_does_not_hold_is_said_and_another_one_taken(
    browser: Browser, served: str, tokens: Tokens, seller: str
) -> None:
    async with open_tab(browser) as tab:
        await tab.page.goto(f"{served}#token=made.up.token")
        await tab.page.locator(".caller [data-state=refused]").wait_for()
        await tab.page.get_by_role("button", name="Other token").click()
        await tab.page.get_by_label("Access token").fill(tokens.operator(seller))
        await tab.page.keyboard.press("Enter")

        await expect(tab.page.locator(".caller p")).to_have_text(f"operator ada of seller {seller}")
