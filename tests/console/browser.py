"""A browser tab that notices what nobody should overlook: errors, violations of the policy, calls to strangers."""

import os
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal
from urllib.parse import urlsplit

from playwright.async_api import Browser, ConsoleMessage, Page

from tests.conformance.node import MODULES

CHROMIUM = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
AXE = MODULES / "axe-core" / "axe.min.js"

Scheme = Literal["dark", "light"]

_PATIENCE_MS = 20_000
_VIOLATIONS = """document.addEventListener('securitypolicyviolation', (event) =>
  console.error(`policy: ${event.violatedDirective} ${event.blockedURI}`))"""
_LOOK_OVER = "axe.run().then((found) => found.violations.map(({ id, impact, nodes }) => [impact, id, nodes[0].html]))"
# What the browser itself says when an answer is not 2xx: how one is told that nobody is signed in.
_ASKED_WHO = "the server responded with a status of 40"


@dataclass
class Tab:
    """One tab of a browser, and what went wrong in it."""

    page: Page
    complaints: list[str] = field(default_factory=list)
    hosts: set[str] = field(default_factory=set)

    def watch(self) -> None:
        """Begin to notice."""
        self.page.on("console", self._said)
        self.page.on("pageerror", lambda error: self.complaints.append(str(error)))
        self.page.on("request", lambda request: self._asked(request.url))
        self.page.on("websocket", lambda socket: self._asked(socket.url))

    async def look_over(self, look: str = _LOOK_OVER) -> list[Any]:
        """Return what axe-core finds: how grave, which rule, and the first element; or what *look* makes of it."""
        # As a debugger does it: as an element of the page, its policy would stop it.
        await self.page.evaluate(AXE.read_text(encoding="utf-8") + "; undefined")
        found: list[Any] = await self.page.evaluate(look)
        return found

    async def overflow(self) -> int:
        """Return by how many pixels the page is wider than its window."""
        return int(await self.page.evaluate("document.documentElement.scrollWidth - document.documentElement.clientWidth"))

    async def stored(self) -> str:
        """Return everything that scripts can read again later: both storages and the cookies."""
        return str(await self.page.evaluate("JSON.stringify([{ ...localStorage }, { ...sessionStorage }, document.cookie])"))

    def _said(self, message: ConsoleMessage) -> None:
        if message.type == "error" and _ASKED_WHO not in message.text:
            self.complaints.append(message.text)

    def _asked(self, url: str) -> None:
        if urlsplit(url).netloc:
            self.hosts.add(urlsplit(url).netloc)


@asynccontextmanager
async def open_tab(
    browser: Browser, *, width: int = 1440, scheme: Scheme = "light", downloads: Path | None = None
) -> AsyncIterator[Tab]:
    """Open a tab of a browser that knows nothing yet."""
    context = await browser.new_context(
        viewport={"width": width, "height": 800}, color_scheme=scheme, locale="en-GB", accept_downloads=downloads is not None
    )
    try:
        tab = Tab(await context.new_page())
        tab.watch()
        tab.page.set_default_timeout(_PATIENCE_MS)
        await tab.page.add_init_script(_VIOLATIONS)
        yield tab
    finally:
        await context.close()
