"""GraphQL over HTTP, as the audits of graphql-http see it: no error, and a reason for everything that is not ok."""

import pytest

from tests.api import Tokens
from tests.conformance.node import script

AUDITS = 61

_NO_GET = "A GET without a token is refused with 405: it could be a link on anybody's page, and there is nothing to ask."

REASONS: dict[str, dict[str, str]] = {
    "operator": {},
    "nobody": {"5A70": _NO_GET, "D6D5": _NO_GET, "6A70": _NO_GET},
}
"""The audits that do not pass, by caller and id, and why we want it so. One that passes after all has to go."""


@pytest.mark.parametrize("caller", sorted(REASONS))
async def test_every_audit_passes_or_has_its_reason(served: str, tokens: Tokens, seller: str, caller: str) -> None:
    token = tokens.operator(seller) if caller == "operator" else None

    audits = await script("graphql_http", url=served, token=token)

    assert AUDITS == len(audits)
    assert [] == [audit for audit in audits if audit["status"] == "error"]
    others = {audit["id"]: audit for audit in audits if audit["status"] != "ok"}
    assert {} == {id_: audit for id_, audit in others.items() if id_ not in REASONS[caller]}
    assert REASONS[caller].keys() == others.keys()
