"""The guide to REST does what it says, word for word."""

import json
import re
import shutil

import pytest

from embedded.processes import ROOT
from tests.api import Json
from tests.journeys.terminals import Terminal
from tests.journeys.test_readme import blocks

GUIDE = (ROOT / "docs" / "rest.md").read_text(encoding="utf-8")


def answered(printed: str) -> Json:
    """Return the JSON at the end of what a command printed."""
    found: Json = json.loads(printed[printed.index("{") :])
    return found


@pytest.mark.skipif(shutil.which("curl") is None, reason="the guide calls with curl")
def test_the_walk_of_the_guide(terminal: Terminal) -> None:
    create, find, change, repeat = blocks("sh", GUIDE)

    created = answered(terminal.type(create))
    assert created == answered(terminal.type(create))
    found = terminal.type(find)
    assert 'rel="first"' in found
    assert [created["id"]] == [one["id"] for one in answered(found)["nodes"]]
    changed = answered(terminal.type(change))
    assert ("Katherine Johnson", 2) == (changed["fullName"], changed["version"])
    problem = answered(terminal.type(repeat))
    assert (412, "CONFLICT", 2) == (problem["status"], problem["code"], problem["errors"][0]["currentVersion"])


def test_the_table_has_every_endpoint() -> None:
    """
    Those that services share with everybody are named once.
    """
    listed = {f"{method} {path}" for method, path in re.findall(r"^\| `([A-Z]+) ([^`]+)` \|", GUIDE, re.MULTILINE)}
    paths = json.loads((ROOT / "rest" / "openapi.json").read_text(encoding="utf-8"))["paths"]
    served = {f"{method.upper()} {path}" for path, methods in paths.items() for method in methods if "/api/v1/" in path}
    shared = {one for one in served if "/internal" in one and one.replace("/internal", "") in served}

    assert listed == served - shared
