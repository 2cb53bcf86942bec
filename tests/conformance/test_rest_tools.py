"""What redocly says of the description of the REST interface: nothing."""

import json
from pathlib import Path

import pytest

from tests.api import Json
from tests.conformance.node import HERE, tool
from tests.house import ROOT

DESCRIPTION = ROOT / "rest" / "openapi.json"
CONFIG = HERE / "redocly.yaml"
QUIET = {"REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true"}

CANNOT_BE_REFUSED = {"/healthz", "/readyz", "/.well-known/jwks.json", "/.well-known/oauth-authorization-server"}
"""Operations that take nothing and need no token, so that they have no refusal to describe."""


async def findings(file: Path) -> list[tuple[str, str]]:
    """Return what redocly finds in a description: rule and place of each."""
    found = await tool("redocly", "lint", file, "--config", CONFIG, "--format", "json", environment=QUIET)
    report: Json = json.loads(found.output[found.output.index("{\n") : found.output.rindex("}") + 1])
    return [(one["ruleId"], one["location"][0]["pointer"]) for one in report["problems"]]


def excepted(rule: str, place: str) -> bool:
    """Say whether a finding has its reason above."""
    return rule == "operation-4xx-response" and place.split("/")[2].replace("~1", "/") in CANNOT_BE_REFUSED


async def test_redocly_finds_nothing() -> None:
    found = await findings(DESCRIPTION)

    assert [] == [one for one in found if not excepted(*one)]
    assert len(CANNOT_BE_REFUSED) == len(found)


@pytest.mark.parametrize(
    ("written", "instead", "rule"),
    [
        ('"operationId": "createAddress"', '"operationId": "updateAddress"', "operation-operationId-unique"),
        ('"#/components/schemas/AddressPatch"', '"#/components/schemas/AddressPath"', "no-unresolved-refs"),
        ('"type": "object"', '"type": "objekt"', "struct"),
    ],
)
async def test_redocly_finds_what_is_wrong(tmp_path: Path, written: str, instead: str, rule: str) -> None:
    """
    The test above could not fail if the tool looked at nothing.
    """
    text = DESCRIPTION.read_text(encoding="utf-8")
    assert written in text
    broken = tmp_path / "openapi.json"
    broken.write_text(text.replace(written, instead, 1), encoding="utf-8")

    assert rule in {found for found, _ in await findings(broken)}
