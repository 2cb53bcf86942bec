"""Merges and their undoing, for tests of both."""

from tests.api import Api, Json
from tests.graphql.operations import ADDRESS, DOCUMENT, ERRORS, PROFILE, payload, read

WHOLE = f"{PROFILE} addresses {{ {ADDRESS} }} documents {{ {DOCUMENT} }}"
REFUSED = ERRORS.replace("currentVersion", "currentVersion mergedInto")
MERGE = f"""mutation($into: ID!, $from: ID!, $intoVersion: Int, $fromVersion: Int) {{
  mergeCustomers(into: $into, from: $from, expectedIntoVersion: $intoVersion, expectedFromVersion: $fromVersion) {{
    customer {{ {WHOLE} }} {REFUSED} }} }}"""
UNMERGE = f"""mutation($id: ID!) {{ unmergeCustomers(id: $id) {{
  customer {{ {WHOLE} }} survivor {{ {WHOLE} }} {REFUSED} }} }}"""
PREVIEW = f"""query($into: ID!, $from: ID!) {{ mergePreview(into: $into, from: $from) {{
  possible into {{ {WHOLE} }} from {{ {WHOLE} }} blocks {{ code message field }} takesOver {{ field value }}
  conflicts {{ field key kept givenUp }} tags attributes {{ key value }}
  addresses {{ staysDefault address {{ {ADDRESS} }} }} documents {{ {DOCUMENT} }} }} }}"""

HOLD = f'mutation($id: ID!) {{ setLegalHold(id: $id, reason: "A dispute.") {{ {ERRORS} }} }}'

VOLATILE = {"version", "updatedAt"}
"""What every change of a record changes."""


async def merge(execute: Api, into: Json, gone: Json, **versions: int) -> Json:
    """Merge two customers; return the payload."""
    return await payload(execute, MERGE, {"into": into["id"], "from": gone["id"], **versions})


async def merged(execute: Api, into: Json, gone: Json) -> Json:
    """Merge two customers, which has to go well; return the one that is left."""
    done = await merge(execute, into, gone)
    assert [] == done["userErrors"]
    customer: Json = done["customer"]
    return customer


async def unmerge(execute: Api, gone: Json) -> Json:
    """Undo a merge; return the payload."""
    return await payload(execute, UNMERGE, {"id": gone["id"]})


async def unmerged(execute: Api, gone: Json) -> tuple[Json, Json]:
    """Undo a merge, which has to go well; return who is back, and who it was merged into."""
    done = await unmerge(execute, gone)
    assert [] == done["userErrors"]
    for one in (done["customer"], done["survivor"]):
        assert still(one) == still(await read(execute, one["id"]))
    return done["customer"], done["survivor"]


async def preview(execute: Api, into: Json, gone: Json, as_: str = "") -> Json:
    """Return what a merge would do."""
    found: Json = (await execute.data(PREVIEW, {"into": into["id"], "from": gone["id"]}, as_=as_))["mergePreview"]
    return found


def still(thing: Json) -> Json:
    """Return a customer without what every change changes, at all levels, and without links that hold for a while."""
    plain = {name: value for name, value in thing.items() if name not in VOLATILE}
    for name in ("addresses", "documents"):
        plain[name] = [{key: value for key, value in one.items() if key not in VOLATILE} for one in thing[name]]
    for one in plain["documents"]:
        if one["file"] is not None:
            one["file"] = {name: value for name, value in one["file"].items() if not name.startswith("downloadUrl")}
    return plain
