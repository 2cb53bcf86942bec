"""Customers and documents in the console."""

import hashlib

import httpx
import pytest
from playwright.async_api import Browser, expect

from tests.api import Api, Tokens, some_email
from tests.console.browser import Tab, open_tab
from tests.graphql.operations import BERLIN, COMPLETE, CREATE, REVIEW, payload
from tests.house import ROOT

PNG = (ROOT / "examples" / "passport.png").read_bytes()
PDF = b"""%PDF-1.4
1 0 obj<</Type/Catalog/Pages 2 0 R>>endobj
2 0 obj<</Type/Pages/Kids[3 0 R]/Count 1>>endobj
3 0 obj<</Type/Page/Parent 2 0 R/MediaBox[0 0 200 100]>>endobj
trailer<</Root 1 0 R>>
%%EOF
"""
DOCUMENT = "query($id: ID!) { document(id: $id) { status rejectionReason version } }"


async def with_passport(execute: Api, content: bytes = PNG, kind: str = "image/png") -> tuple[str, str]:
    """Create a customer whose passport waits for review; return the ids of both."""
    about = {"name": "passport", "contentType": kind, "size": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    given = {
        "email": some_email(),
        "firstName": "Grace",
        "lastName": "Hopper",
        "externalId": "walk-1",
        "addresses": [BERLIN],
        "documents": [{"type": "PASSPORT", "number": "P1234567", "issuingCountry": "US", "file": about}],
    }
    made = await payload(execute, CREATE, {"input": given})
    assert [] == made["userErrors"]
    (target,) = made["documentUploads"]
    async with httpx.AsyncClient() as store:
        headers = {header["name"]: header["value"] for header in target["upload"]["headers"]}
        answer = await store.request(target["upload"]["method"], target["upload"]["url"], headers=headers, content=content)
        answer.raise_for_status()
    completed = await payload(execute, COMPLETE, {"id": target["documentId"]})
    assert [] == completed["userErrors"]
    return made["customer"]["id"], target["documentId"]


@pytest.mark.parametrize("words", ["hop gra", "WALK-1".lower()])
async def test_customer_is_found_by_words_or_reference_and_shown_with_everything(tab: Tab, execute: Api, words: str) -> None:
    page = tab.page
    await with_passport(execute)
    await payload(execute, CREATE, {"input": {"email": some_email(), "firstName": "Somebody", "lastName": "Else"}})

    await page.get_by_role("link", name="Customers").click()
    await page.get_by_role("searchbox").fill(words)
    await expect(page.get_by_text("1 customer", exact=True)).to_be_visible()
    await page.get_by_role("link", name="Grace Hopper").click()

    await page.get_by_role("heading", name="Grace Hopper").wait_for()
    await expect(page.get_by_role("region", name="Addresses")).to_contain_text("Torstraße 1")
    await expect(page.get_by_role("region", name="Documents")).to_contain_text("To be reviewed")
    await expect(page.get_by_role("region", name="History")).to_contain_text("Created")
    await page.go_back()
    assert words == await page.get_by_role("searchbox").input_value()


async def test_nobody_found_is_said(tab: Tab) -> None:
    await tab.page.get_by_role("link", name="Customers").click()
    await tab.page.get_by_text("No customers yet").wait_for()
    await tab.page.get_by_role("searchbox").fill("nobody like this")

    await tab.page.get_by_text("Nobody fits").wait_for()


async def test_customer_of_another_seller_is_no_customer(browser: Browser, console: str, execute: Api, tokens: Tokens) -> None:
    id_, _ = await with_passport(execute)
    async with open_tab(browser) as tab:
        await tab.page.goto(f"{console}/customers/{id_}#token={tokens.operator('another-seller')}")

        await tab.page.get_by_text("There is no such customer").wait_for()


async def test_document_is_seen_and_approved(tab: Tab, execute: Api) -> None:
    page = tab.page
    _, document = await with_passport(execute)
    await page.get_by_role("link", name="Documents").click()
    await page.get_by_role("link", name="Passport").click()
    picture = page.get_by_role("img", name="Passport of Grace Hopper")
    await picture.wait_for()
    assert 0 < await picture.evaluate("(image) => image.decode().then(() => image.naturalWidth)")

    await page.get_by_role("button", name="Approve").click()

    await expect(page.locator(".notice")).to_contain_text("Approved")
    # The button that had the focus is gone.
    await expect(page.get_by_role("heading", name="Passport")).to_be_focused()
    assert "VERIFIED" == (await execute.data(DOCUMENT, {"id": document}))["document"]["status"]
    assert [] == tab.complaints


async def test_document_is_rejected_with_a_reason_and_not_without(tab: Tab, execute: Api) -> None:
    page = tab.page
    _, document = await with_passport(execute)
    await page.get_by_role("link", name="Documents").click()
    await page.get_by_role("link", name="Passport").click()
    await page.get_by_role("button", name="Reject …").click()
    await page.get_by_role("button", name="Reject", exact=True).click()
    await page.get_by_text("Say why").wait_for()
    assert "PENDING_REVIEW" == (await execute.data(DOCUMENT, {"id": document}))["document"]["status"]

    await page.get_by_label("Why is it rejected?").fill("The picture is blurred.")
    await page.get_by_role("button", name="Reject", exact=True).click()

    await expect(page.locator(".notice")).to_contain_text("The picture is blurred.")
    found = (await execute.data(DOCUMENT, {"id": document}))["document"]
    assert ("REJECTED", "The picture is blurred.") == (found["status"], found["rejectionReason"])


async def test_nobody_decides_about_what_has_changed_since(tab: Tab, execute: Api) -> None:
    page = tab.page
    _, document = await with_passport(execute)
    await page.get_by_role("link", name="Documents").click()
    await page.get_by_role("link", name="Passport").click()
    await page.get_by_role("button", name="Approve").wait_for()
    await payload(execute, REVIEW, {"id": document, "approve": False, "reason": "Too dark."})

    await page.get_by_role("button", name="Approve").click()

    await page.get_by_text("It has changed while you looked").wait_for()
    assert "REJECTED" == (await execute.data(DOCUMENT, {"id": document}))["document"]["status"]
    await page.get_by_role("button", name="Show what it is now").click()
    await expect(page.locator(".notice")).to_contain_text("Too dark.")


async def test_pdf_is_shown_from_memory(tab: Tab, execute: Api) -> None:
    await with_passport(execute, PDF, "application/pdf")
    await tab.page.get_by_role("link", name="Documents").click()
    await tab.page.get_by_role("link", name="Passport").click()

    frame = tab.page.locator("iframe")
    await frame.wait_for()

    assert str(await frame.get_attribute("src")).startswith("blob:")
    assert [] == tab.complaints
