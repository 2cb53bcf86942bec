"""The GraphQL IDE in a real browser, on a screen and on a telephone."""

import os
import shutil
from urllib.parse import urlsplit

import pytest

from tests.api import Tokens
from tests.conformance.node import MODULES, script

BROWSER = os.environ.get("CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
CREATE = "mutation($input: CustomerInput!) { createCustomer(input: $input) { customer { id } } }"

pytestmark = pytest.mark.skipif(
    BROWSER is None or not (MODULES / "playwright-core").exists(),
    reason="needs Chromium (CHROMIUM says where it is) and playwright-core",
)


@pytest.mark.parametrize("width", [1440, 360])
async def test_page_works_and_its_policy_had_nothing_to_stop(served: str, tokens: Tokens, seller: str, width: int) -> None:
    (found,) = await script("ide", url=served, token=tokens.operator(seller), create=CREATE, browser=BROWSER, width=width)

    assert [] == found["complaints"]
    assert [urlsplit(served).netloc] == found["hosts"]
    # The token came behind the address, and is gone from there and from everything that outlives the tab.
    assert (served, False) == (found["address"], found["stored"])
    assert f"operator ada of seller {seller}" == found["caller"]
    assert ("OPERATOR", seller) == (found["viewer"]["kind"], found["viewer"]["sellerId"])
    assert "CREATED" == found["followed"]["type"]
    assert (True, width) == (found["visible"], found["wide"])
