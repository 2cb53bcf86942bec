"""``customer-service import --preview``: what a file would become, shown without importing it."""

from collections.abc import Mapping, Sequence
from typing import Any

from rich.console import Console
from rich.table import Table
from rich.text import Text

from app.cli.graphql_client import open_client
from app.cli.import_flow import Job, Place, announce
from app.cli.import_screen import ProgressScreen

_PREVIEW = """query Preview($id: ID!) { previewBulkImport(id: $id) {
  format { encoding byteOrderMark delimiter newline }
  columns { name target use }
  rows { row problems { column severity code message } customer {
    externalId email phone fullName company tags attributes { key value }
    shippingAddress { line1 line2 city region postalCode countryCode }
    billingAddress { line1 line2 city region postalCode countryCode }
    document { type number issuingCountry expiresOn } } }
  userErrors { code message field } } }"""
_CANCEL = "mutation Cancel($id: ID!) { cancelBulkImport(id: $id) { userErrors { code } } }"
_ADDRESS = ("line1", "line2", "postalCode", "city", "region", "countryCode")


async def preview(job: Job, screen: ProgressScreen) -> Mapping[str, Any]:
    """Send a file, have it looked at, and withdraw the import, which was never started.

    Raises:
        Unusable: the file or an option will not do.
        GraphQLFailed: the service, or the object store, could not be spoken to.
    """
    place = Place()
    async with open_client(job.endpoint.url, job.endpoint.token) as client:
        with screen:
            await announce(client, job, place, screen)
        found: Mapping[str, Any] = (await client.execute(_PREVIEW, {"id": place.id}))["previewBulkImport"]
        await client.execute(_CANCEL, {"id": place.id})
    return found


def show_preview(console: Console, found: Mapping[str, Any]) -> None:
    """Print how the file is written, where its columns go, and its first rows as they would be stored."""
    if (written := found["format"]) is not None:
        mark = " with a byte order mark" if written["byteOrderMark"] else ""
        delimiter = {"\t": "tab"}.get(written["delimiter"], written["delimiter"])
        text = f"{written['encoding']}{mark}, cells separated by {delimiter}, lines by {written['newline']}."
        console.print(Text(text, "bold"), soft_wrap=True)
    if found["columns"]:
        table = Table("Column", "goes to", "because it is", box=None, padding=(0, 2, 0, 0))
        for one in found["columns"]:
            table.add_row(Text(one["name"]), Text(one["target"] or "nowhere"), Text(one["use"].lower()))
        console.print(table)
    for row in found["rows"]:
        console.print(Text(f"Row {row['row']}: {_customer(row['customer'])}"), soft_wrap=True)
        for one in row["problems"]:
            column = f"{one['column']}: " if one["column"] else ""
            style = "red" if one["severity"] == "ERROR" else "yellow"
            console.print(Text(f"  {column}{one['message']} ({one['code']})", style), soft_wrap=True)
    for error in found["userErrors"]:
        console.print(Text(f"It cannot be imported like this: {error['message']} ({error['code']})", "red"), soft_wrap=True)


def _customer(found: Mapping[str, Any] | None) -> str:
    if found is None:
        return "would be refused."
    parts = [found[name] for name in ("externalId", "fullName", "email", "phone", "company") if found[name]]
    parts += [
        f"{name.removesuffix('Address')}: {_joined([address[part] for part in _ADDRESS])}"
        for name in ("shippingAddress", "billingAddress")
        if (address := found[name]) is not None
    ]
    if (document := found["document"]) is not None:
        parts.append(_joined([document["type"], document["number"], document["issuingCountry"], document["expiresOn"]]))
    parts += [f"tags: {', '.join(found['tags'])}"] if found["tags"] else []
    parts += [f"{one['key']}={one['value']}" for one in found["attributes"]]
    return " | ".join(dict.fromkeys(parts))


def _joined(parts: Sequence[str | None]) -> str:
    return ", ".join(part for part in parts if part)
