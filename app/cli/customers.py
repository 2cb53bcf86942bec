"""``customer-service customers``: what support and operators look up, and what they carry away."""

import json
import os
import shlex
import sys
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from app.cli.answers import AsJson, ask, asking, show_json, show_table
from app.cli.customer_export import Export, Format, Interrupted, Unwritable, export_customers
from app.cli.endpoint import As, Seller, Token, Url, find_endpoint
from app.cli.import_screen import ProgressScreen
from app.cli.teaching import shown_by
from app.until_told import run_until_interrupted
from core.ids import IdKind, is_id

customers = typer.Typer(name="customers", help="Find, show and export customers.", no_args_is_help=True)

_FIND = """query Find($filter: CustomerFilter, $first: Int, $seller: ID) {
  customers(filter: $filter, first: $first, sellerId: $seller) {
    nodes { id externalId kind status fullName company email phone createdAt } pageInfo { hasNextPage } } }"""
_WHOLE = """{ id sellerId externalId kind status fullName firstName lastName company email emailVerified phone phoneVerified
  dateOfBirth locale tags attributes { key value } version createdAt updatedAt onboarding { complete done remaining }
  addresses { id kind isDefault formatted phone } documents { id type status number issuingCountry expiresOn file { name } }
  history(first: 5) { nodes { type version actor changed occurredAt } } }"""
_BY_ID = f"query Show($id: ID!) {{ found: customer(id: $id) {_WHOLE} }}"
_BY_KEY = f"query Show($key: CustomerKey!, $seller: ID) {{ found: customerBy(key: $key, sellerId: $seller) {_WHOLE} }}"
_LARGEST_PAGE = 100


class Status(StrEnum):
    """Where a customer stands with the seller."""

    PENDING = "pending"
    ACTIVE = "active"
    SUSPENDED = "suspended"


Tags = Annotated[list[str] | None, typer.Option("--tag", help="Only with this tag; repeatable, all of them have to be there.")]
OfStatus = Annotated[Status | None, typer.Option("--status", help="Only in this state.")]


@customers.command()
@shown_by("customers find köhler", "customers find ada lovelace --status active --json", "customers find --tag vip --first 50")
def find(
    words: Annotated[
        list[str] | None, typer.Argument(help="Each begins a word of names, company, e-mail or phone.", show_default=False)
    ] = None,
    *,
    tag: Tags = None,
    status: OfStatus = None,
    first: Annotated[int, typer.Option(min=1, max=_LARGEST_PAGE, help="How many at most, the newest.")] = 20,
    as_: As = "operator",
    seller: Seller = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Find customers by words, tags and state.

    Exit status: 0 some were found, 1 none was, 2 nobody could be asked.
    """
    variables = {"filter": _filter(words, tag, status), "first": first, "seller": seller}
    with asking():
        page = ask(find_endpoint(url, token, as_=as_), _FIND, variables)["customers"]
    found, more = page["nodes"], page["pageInfo"]["hasNextPage"]
    if as_json:
        show_json({"customers": found, "more": more})
    elif found:
        show_table(
            ("id", "name", "e-mail", "phone", "reference", "state"),
            [
                (one["id"], one["fullName"], one["email"] or "", one["phone"] or "", one["externalId"] or "", one["status"])
                for one in found
            ],
        )
        if more:
            typer.echo(f"There are more than {first}: say it more exactly, or use --first.", err=True)
    else:
        typer.echo("No customer is like that.", err=True)
    raise typer.Exit(0 if found else 1)


@customers.command()
@shown_by(
    "customers show cus_01kat5x2p3f8m9rj4t6vwy7z0a", "customers show ada@example.com --json", "customers show +4930901820",
    "customers show shop-4711",
)  # fmt: skip
def show(
    which: Annotated[str, typer.Argument(help="An id (cus_…), an e-mail address, a phone number (+…), or your reference.")],
    *,
    as_: As = "operator",
    seller: Seller = None,
    url: Url = None,
    token: Token = None,
    as_json: AsJson = False,
) -> None:
    """Show one customer with addresses, documents, onboarding and the latest of its history.

    Exit status: 0 shown, 1 there is none, 2 nobody could be asked.
    """
    variables: dict[str, Any]
    if is_id(IdKind.CUSTOMER, which):
        document, variables = _BY_ID, {"id": which}
    else:
        document, variables = _BY_KEY, {"key": _key(which), "seller": seller}
    with asking():
        found = ask(find_endpoint(url, token, as_=as_), document, variables)["found"]
    if found is None:
        typer.echo(f"There is no customer {which} that this token can see.", err=True)
        raise typer.Exit(1)
    if as_json:
        show_json(found)
    else:
        _show(found)


@customers.command()
@shown_by(
    "customers export > customers.ndjson",
    "customers export --format csv --output customers.csv",
    "customers export --format csv --attribute size --attribute shoe --tag vip",
)
def export(
    *,
    form: Annotated[Format, typer.Option("--format", help="A JSON object a line, or a CSV that can be imported.")] = (
        Format.NDJSON
    ),
    output: Annotated[
        Path | None, typer.Option(help="Write to this file, which is there once it is whole; else to standard output.")
    ] = None,
    attribute: Annotated[
        list[str] | None,
        typer.Option(help="With CSV: a column for this attribute; repeatable. Else all are looked for first."),
    ] = None,
    tag: Tags = None,
    status: OfStatus = None,
    after: Annotated[str | None, typer.Option(help="Go on where an unfinished export says.")] = None,
    as_: As = "operator",
    seller: Seller = None,
    url: Url = None,
    token: Token = None,
    as_json: Annotated[bool, typer.Option("--json", help="With --output: print what was written as a JSON object.")] = False,
) -> None:
    """Write all customers, oldest first, a page at a time: memory does not grow with their number.

    CSV has the default address of each kind, and neither documents nor what was verified. Cells that a spreadsheet would run
    as a formula have an apostrophe in front, which an import takes back.

    Exit status: 0 all were written, 1 not all, 2 it could not begin, 130 interrupted; then it says how to go on.
    """
    if as_json and output is None:
        raise typer.BadParameter("--json tells of a file: give --output too")
    if attribute and form is not Format.CSV:
        raise typer.BadParameter("--attribute is for --format csv: NDJSON has all attributes")
    notes = Console(stderr=True, soft_wrap=True, highlight=False)
    screen = ProgressScreen(notes, silent=not notes.is_terminal)
    with asking():
        endpoint = find_endpoint(url, token, as_=as_)
        task = Export(endpoint, _filter(None, tag, status), seller, form, output, tuple(attribute or ()), after)
        try:
            run_until_interrupted(export_customers(task, screen))
        except (Interrupted, Unwritable) as error:
            _unfinished(notes, task, str(error), status=1)
        except KeyboardInterrupt:
            _unfinished(notes, task, "Interrupted.", status=130)
        except BrokenPipeError:
            # Whoever read it has seen enough; without this, Python would complain of what it still holds for them.
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
            raise typer.Exit(1) from None
    if as_json:
        typer.echo(json.dumps(task.told(), ensure_ascii=False))
    else:
        notes.print(Text(f"Customers written: {task.written:,}."))
    for remark in task.remarks():
        notes.print(Text(remark, "yellow"))


def _unfinished(notes: Console, task: Export, reason: str, *, status: int) -> NoReturn:
    notes.print(Text(f"Not finished. Customers written: {task.written:,}. {reason}"))
    if task.place is not None:
        columns = [word for key in task.attributes for word in ("--attribute", key)]
        notes.print(Text(f"Go on with the same command and: {shlex.join(['--after', task.place, *columns])}"))
    raise typer.Exit(status)


def _filter(words: list[str] | None, tags: list[str] | None, status: Status | None) -> dict[str, Any]:
    conditions = {"search": " ".join(words or ()) or None, "tags": tags, "status": None if status is None else [status.name]}
    return {name: value for name, value in conditions.items() if value}


def _key(text: str) -> dict[str, str]:
    """Return the identifier that *text* looks like."""
    if "@" in text:
        return {"email": text}
    return {"phone": text} if text.startswith("+") else {"externalId": text}


def _show(found: Mapping[str, Any]) -> None:
    console = Console(highlight=False, markup=False, soft_wrap=True)
    console.print(Text(f"{found['fullName']}  {found['id']}", "bold"))
    onboarding = found["onboarding"]
    steps = "complete" if onboarding["complete"] else f"lacks {', '.join(onboarding['remaining'])}"
    for name, value in (
        ("seller", found["sellerId"]),
        ("reference", found["externalId"]),
        ("state", f"{found['status']}, {found['kind']}, version {found['version']}"),
        ("e-mail", _verified(found["email"], verified=found["emailVerified"])),
        ("phone", _verified(found["phone"], verified=found["phoneVerified"])),
        ("company", found["company"]),
        ("born", found["dateOfBirth"]),
        ("locale", found["locale"]),
        ("tags", ", ".join(found["tags"])),
        ("attributes", ", ".join(f"{one['key']}={one['value']}" for one in found["attributes"])),
        ("onboarding", steps),
        ("created", found["createdAt"]),
        ("changed", found["updatedAt"]),
    ):
        if value:
            console.print(Text(f"  {name:<11}", "dim") + Text(str(value)))
    for one in found["addresses"]:
        default = ", default" if one["isDefault"] else ""
        console.print(Text(f"  {one['kind'].lower()}{default}: ", "dim") + Text(", ".join(one["formatted"])))
    for one in found["documents"]:
        facts = (one["type"], one["number"], one["issuingCountry"], one["status"], one["file"] and one["file"]["name"])
        console.print(Text("  document: ", "dim") + Text(", ".join(fact for fact in facts if fact)))
    for one in found["history"]["nodes"]:
        changed = f" ({', '.join(one['changed'])})" if one["changed"] else ""
        console.print(Text(f"  {one['occurredAt']}  {one['type']} by {one['actor']}{changed}", "dim"))


def _verified(value: str | None, *, verified: bool) -> str | None:
    return f"{value} (verified)" if value and verified else value
