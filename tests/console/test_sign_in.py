"""Signing in to the console: with the company's provider, into a session that no script can read."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import uvicorn
import yaml
from fastapi import FastAPI
from playwright.async_api import Browser
from starlette.applications import Starlette
from starlette.routing import Mount

from app.console import console_routes
from app.container import Container
from app.operator_sign_in import open_operator_sign_in
from app.settings import Settings, load_settings
from tests.api import Tokens, fresh
from tests.console.browser import Tab, open_tab
from tests.identity_provider import CLIENT_ID, CLIENT_SECRET, IdentityProvider, open_identity_provider


def settings_with(tmp_path: Path, address: str, provider: IdentityProvider, master_key: str) -> Settings:
    """Return settings of a service at *address* whose operators sign in with *provider*; no tokens made by hand."""
    sign_in = {"discoveryUrl": provider.discovery_url, "clientId": CLIENT_ID, "clientSecret": CLIENT_SECRET}
    content = {
        "mongodb": {"uri": "mongodb://localhost"},
        "server": {"publicUrl": address},
        "security": {"keyFile": "keys.json", "masterKey": master_key, "operatorSignIn": sign_in},
    }
    path = tmp_path / "config.yaml"
    path.write_text(yaml.safe_dump(content), encoding="utf-8")
    return load_settings(path, {})


@asynccontextmanager
async def served_with_sign_in(
    app: FastAPI, container: Container, settings: Settings, listener: socket.socket
) -> AsyncIterator[None]:
    """Serve the application on *listener*, with the routes of its sign-in in front."""
    production = settings.model_copy(update={"environment": "production"})
    pages = console_routes(production, container.store.origin)
    async with open_operator_sign_in(settings, container.rules.sealer, container.services.sessions) as sign_in:
        routes = [*sign_in, *pages, Mount("/", app=app)]
        config = uvicorn.Config(Starlette(routes=routes), lifespan="off", ws="websockets-sansio", log_config=None)
        server = uvicorn.Server(config)
        # Signals stay with pytest.
        serving = asyncio.create_task(server._serve(sockets=[listener]))
        while not server.started:  # noqa: ASYNC110  uvicorn has no event for it
            await asyncio.sleep(0.01)
        yield
        server.should_exit = server.force_exit = True
        await serving


async def test_operator_signs_in_stays_over_a_reload_and_signs_out(
    browser: Browser, app: FastAPI, container: Container, tmp_path: Path, settings: Settings
) -> None:
    """
    Nothing of either token is anywhere that a script could read it again, and the page one wanted is the page one gets.
    """
    seller = fresh("seller")
    with socket.create_server(("127.0.0.1", 0)) as listener:
        address = f"http://127.0.0.1:{listener.getsockname()[1]}"
        async with open_identity_provider() as provider, open_tab(browser) as tab:
            provider.claims = {"sub": "ada", "seller_id": seller}
            ours = settings_with(tmp_path, address, provider, settings.security.master_key.get_secret_value())
            async with served_with_sign_in(app, container, ours, listener):
                page = tab.page
                await page.goto(f"{address}/console/customers?q=lovelace")
                assert 0 == await page.get_by_label("Access token").count()
                await page.get_by_role("button", name="Sign in").click()
                await page.get_by_role("heading", name="Customers").wait_for()
                assert f"{address}/console/customers?q=lovelace" == page.url
                await page.get_by_text(seller).wait_for()

                await page.reload()
                await page.get_by_text(seller).wait_for()
                assert '[{},{},""]' == await tab.stored()

                await page.get_by_role("button", name="Sign out").click()
                await page.get_by_text("You are signed out.").wait_for()
                await page.reload()
                await page.get_by_role("button", name="Sign in").wait_for()

        assert [] == tab.complaints


async def test_token_behind_the_address_is_taken_out_of_it_and_kept_nowhere(tab: Tab, console: str) -> None:
    assert console == tab.page.url
    assert '[{},{},""]' == await tab.stored()

    await tab.page.reload()
    await tab.page.get_by_label("Access token").wait_for()


async def test_token_that_does_not_hold_leads_back_to_signing_in(browser: Browser, console: str) -> None:
    async with open_tab(browser) as tab:
        await tab.page.goto(f"{console}#token=made.up.token")

        await tab.page.get_by_text("The token does not hold any more").wait_for()
        assert 0 == await tab.page.get_by_role("navigation").count()


async def test_who_may_not_see_imports_is_told_so(browser: Browser, console: str, tokens: Tokens, seller: str) -> None:
    async with open_tab(browser) as tab:
        await tab.page.goto(f"{console}#token={tokens.customer('cus_01jz0000000000000000000000', seller)}")

        await tab.page.get_by_role("alert").filter(has_text="You may not see or do this").wait_for()
