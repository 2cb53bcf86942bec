"""Imports in the console: from choosing a file to trying again what was refused."""

import re
from pathlib import Path

import pytest
from playwright.async_api import Browser, FilePayload, WebSocketRoute, expect

from app.container import Container
from tests.api import Api, some_email
from tests.console.browser import Tab, open_tab
from tests.graphql.imports import csv, finished, start

CUSTOMERS = "query { customers(first: 100) { nodes { fullName email company attributes { key value } } } }"
IMPORTS = "query { bulkImports { nodes { id status mode matchBy validation dryRun failedRows } } }"


def file(content: str | bytes, name: str = "customers.csv") -> FilePayload:
    return {"name": name, "mimeType": "text/csv", "buffer": content.encode() if isinstance(content, str) else content}


async def choose(tab: Tab, content: str | bytes, name: str = "customers.csv") -> None:
    """Choose a file, and wait until it is seen what was recognised."""
    await tab.page.get_by_role("link", name="New import").first.click()
    await tab.page.get_by_label("Drop a CSV file here").set_input_files(file(content, name))
    await tab.page.get_by_role("heading", name="Start", exact=True).wait_for()


async def test_file_is_recognised_corrected_tried_and_imported(tab: Tab, execute: Api, import_worker: None) -> None:
    """
    The whole way: mapping, dry run, real run, live progress, rejected rows, reports, retry.
    """
    page = tab.page
    await choose(tab, f"Kennung;Vorname;Firma\n{some_email()};Ada;Engines\nnobody;Bob;\n{some_email()};Eve;Walls\n")
    await expect(page.get_by_role("alert")).to_contain_text("It cannot be started like this")
    assert "true" == await page.get_by_role("button", name="Import", exact=True).get_attribute("aria-disabled")

    await page.get_by_label("Kennung").select_option("email")
    await page.get_by_text("Of the first 3 rows: 2 fine, 0 with remarks, 1 refused.").wait_for()
    await page.get_by_label("Vorname").select_option("first_name")
    await page.get_by_label("Firma").select_option("company")
    await expect(page.get_by_role("row").filter(has_text="Ada")).to_contain_text("Engines")
    await expect(page.get_by_role("row").filter(has_text="Refused")).to_contain_text("Kennung")

    await page.get_by_role("button", name="Dry run").click()
    await page.get_by_text("1 of 3 rows would be refused").wait_for()
    assert [] == (await execute.data(CUSTOMERS))["customers"]["nodes"]

    await page.get_by_role("button", name="Import customers.csv").click()
    await page.get_by_text("1 of 3 rows was refused").wait_for()
    stored = (await execute.data(CUSTOMERS))["customers"]["nodes"]
    assert [("Ada", "Engines"), ("Eve", "Walls")] == sorted((one["fullName"], one["company"]) for one in stored)
    row = page.get_by_role("row").filter(has_text="Refused")
    assert ["2", "Refused", "Kennung"] == (await row.get_by_role("cell").all_inner_texts())[:3]

    await page.get_by_role("button", name=re.compile("Try 1 refused row again")).click()
    await page.get_by_role("heading", name="customers").wait_for()
    await page.get_by_text("1 of 1 rows was refused").wait_for()
    assert [] == tab.complaints


async def test_choices_are_kept_with_the_import(tab: Tab, execute: Api, operator: str) -> None:
    page = tab.page
    await choose(tab, f"id;mail\n1;{some_email()}\n")
    await page.get_by_role("radio", name="Update").check()
    await page.get_by_label("Find them by").select_option("EMAIL")
    await page.get_by_role("radio", name="Refuse Any").check()
    await page.get_by_label("id", exact=True).select_option("attribute.id")
    await expect(page.get_by_role("listitem").filter(has_text="Chosen")).to_contain_text("id")
    address = page.url

    await page.goto(f"{address}#token={operator}")
    await page.reload()
    await page.get_by_label("Access token").fill(operator)
    await page.keyboard.press("Enter")
    await page.get_by_role("heading", name="Columns").wait_for()

    (found,) = (await execute.data(IMPORTS))["bulkImports"]["nodes"]
    assert ("UPSERT", "EMAIL", "STRICT", False) == (found["mode"], found["matchBy"], found["validation"], found["dryRun"])
    assert "attribute.id" == await page.get_by_label("id", exact=True).input_value()
    assert await page.get_by_role("radio", name="Refuse Any").is_checked()


async def test_file_in_another_encoding_is_read_when_it_is_said(tab: Tab) -> None:
    await choose(tab, f"email,last_name\n{some_email()},Müller\n".encode("cp1252"))

    await tab.page.get_by_role("row").filter(has_text="Refused").or_(tab.page.get_by_role("alert")).first.wait_for()
    await tab.page.get_by_label("Characters").select_option("WINDOWS_1252")

    await expect(tab.page.get_by_role("row").filter(has_text="Müller")).to_contain_text("Fine")


async def test_file_is_taken_by_dropping_it(tab: Tab) -> None:
    await tab.page.get_by_role("link", name="New import").first.click()
    dropped = await tab.page.evaluate_handle(
        """(text) => { const all = new DataTransfer(); all.items.add(new File([text], 'dropped.csv')); return all; }""",
        f"email\n{some_email()}\n",
    )

    await tab.page.dispatch_event(".drop", "drop", {"dataTransfer": dropped})

    await tab.page.get_by_role("heading", name="dropped.csv").wait_for()


@pytest.mark.parametrize(("content", "told"), [("", "is empty"), ("PK\x03\x04" + "x" * 100, "cannot be started")])
async def test_file_that_is_none_is_refused_with_the_reason(tab: Tab, execute: Api, content: str, told: str) -> None:
    await tab.page.get_by_role("link", name="New import").first.click()
    await tab.page.get_by_label("Drop a CSV file here").set_input_files(file(content))

    await tab.page.get_by_role("alert").filter(has_text=told).wait_for()
    await tab.page.get_by_role("link", name="Choose another file").or_(tab.page.get_by_label("Drop a CSV file here")).wait_for()
    assert 0 == await tab.page.get_by_role("heading", name="Columns").count()
    assert {"AWAITING_UPLOAD"} >= {one["status"] for one in (await execute.data(IMPORTS))["bulkImports"]["nodes"]}


async def test_import_is_watched_live_and_can_be_cancelled(tab: Tab, execute: Api, container: Container) -> None:
    """
    Without a worker it waits; the list shows the change that the page of the import has made.
    """
    page = tab.page
    await choose(tab, csv(3))
    await page.get_by_role("button", name="Import", exact=True).click()
    await page.get_by_text("Waiting for a worker").wait_for()
    await expect(page.get_by_role("heading", name="customers.csv")).to_be_focused()
    await page.locator(".line-state.live").wait_for()

    await page.get_by_role("button", name="Cancel the import").click()
    await page.get_by_role("dialog").wait_for()
    await page.keyboard.press("Escape")
    await page.get_by_role("dialog").wait_for(state="detached")
    assert "QUEUED" == (await execute.data(IMPORTS))["bulkImports"]["nodes"][0]["status"]
    await page.get_by_role("button", name="Cancel the import").click()
    await page.get_by_role("button", name="Cancel it").click()

    await page.get_by_text("This import was cancelled").wait_for()
    await page.get_by_role("link", name="Imports").first.click()
    await expect(page.get_by_role("row").filter(has_text="customers.csv")).to_contain_text("Cancelled")


async def test_list_shows_what_others_import_as_it_happens(tab: Tab, execute: Api, import_worker: None) -> None:
    await tab.page.get_by_text("No imports yet").wait_for()
    # A subscription takes hold within a second of its start, and repeats what is unfinished then.
    id_ = await start(execute, csv(40, broken=2))
    await finished(execute, id_)

    row = tab.page.get_by_role("row").filter(has_text="customers.csv")
    await expect(row).to_contain_text("Done, some refused", timeout=20_000)
    assert "2" in await row.get_by_role("cell").nth(3).inner_text()


async def test_progress_goes_on_after_the_line_broke(browser: Browser, console: str, execute: Api, operator: str) -> None:
    """
    The socket is cut while the import waits; what happened meanwhile is there when it has come back.
    """
    id_ = await start(execute, csv(5))
    async with open_tab(browser) as tab:
        lines: list[WebSocketRoute] = []

        def through(line: WebSocketRoute) -> None:
            line.connect_to_server()
            lines.append(line)

        await tab.page.route_web_socket("**/graphql", through)
        await tab.page.goto(f"{console}/imports/{id_}#token={operator}")
        await tab.page.locator(".line-state.live").wait_for()
        await lines[0].close(code=1012)
        await tab.page.locator(".line-state.broken").wait_for()
        await execute.data("mutation($id: ID!) { cancelBulkImport(id: $id) { bulkImport { id } } }", {"id": id_})

        await tab.page.get_by_text("This import was cancelled").wait_for()
        assert 2 == len(lines)


async def test_reports_are_downloaded(
    browser: Browser, console: str, execute: Api, operator: str, tmp_path: Path, import_worker: None
) -> None:
    id_ = await start(execute, csv(4, broken=1))
    await finished(execute, id_)
    async with open_tab(browser, downloads=tmp_path) as tab:
        await tab.page.goto(f"{console}/imports/{id_}#token={operator}")
        contents = {}
        for name in ("Refused rows", "Result of each row"):
            async with tab.page.expect_download() as coming:
                await tab.page.get_by_role("button", name=name).click()
            await (await coming.value).save_as(tmp_path / name)
            contents[name] = (tmp_path / name).read_text(encoding="utf-8-sig").splitlines()

        assert contents["Refused rows"][0].startswith("_row,_column,_code,_message,")
        assert (2, 5) == tuple(len(lines) for lines in contents.values())
        await tab.page.get_by_role("heading", name="customers.csv").wait_for()
