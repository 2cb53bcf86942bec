"""``customer-service import``: does with a file of customers exactly what a front end does."""

import json
import shlex
from collections.abc import Sequence
from enum import StrEnum
from pathlib import Path
from typing import Annotated, NoReturn

import typer
from rich.console import Console
from rich.text import Text

from app.cli.endpoint import As, Nowhere, Seller, Token, Url, find_endpoint
from app.cli.graphql_client import GraphQLFailed, NotAccepted, NotReachable
from app.cli.import_flow import Declined, Job, Place, Unusable, run
from app.cli.import_preview import preview, show_preview
from app.cli.import_screen import ProgressScreen, show_outcome, show_report
from app.cli.teaching import shown_by
from app.until_told import run_until_interrupted
from core.vocabulary import BulkImportStatus


class Mode(StrEnum):
    """What a row does to a customer that exists already."""

    CREATE = "create"
    UPSERT = "upsert"


class MatchBy(StrEnum):
    """By what a row finds its customer."""

    EXTERNAL_ID = "external-id"
    EMAIL = "email"
    PHONE = "phone"


class Validation(StrEnum):
    """How much imperfection is taken."""

    LENIENT = "lenient"
    STRICT = "strict"


class Encoding(StrEnum):
    """How the characters of a file are written."""

    UTF_8 = "utf-8"
    UTF_16 = "utf-16"
    LATIN_1 = "latin-1"
    WINDOWS_1252 = "windows-1252"


@shown_by(
    "import customers.csv",
    "import customers.csv --preview",
    "import customers.csv --mode upsert --match-by email --dry-run",
    "import export.csv --column 'Mail 1=email' --column 'Shoe=attribute.shoe'",
    "import customers.csv --report refused.csv --json",
    "import --watch imp_01kat5x2p3f8m9rj4t6vwy7z0a",
)
def import_file(
    file: Annotated[Path | None, typer.Argument(help="A CSV file of customers.", show_default=False)] = None,
    *,
    watch: Annotated[
        str | None, typer.Option(metavar="ID", help="Follow an import that runs already, instead of a file.")
    ] = None,
    mode: Annotated[Mode, typer.Option(help="What a row does to a customer that is there already.")] = Mode.CREATE,
    match_by: Annotated[MatchBy, typer.Option(help="With upsert: by what a row finds its customer.")] = MatchBy.EXTERNAL_ID,
    validation: Annotated[
        Validation, typer.Option(help="lenient takes an imperfect address or phone, with a warning.")
    ] = Validation.LENIENT,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Check everything, write nothing.")] = False,
    look: Annotated[
        bool, typer.Option("--preview", help="Show the first rows as they would be stored, and import nothing.")
    ] = False,
    results: Annotated[
        bool, typer.Option("--results", help="Store what became of every row as <file>.results.csv, too.")
    ] = False,
    column: Annotated[
        list[str] | None, typer.Option(metavar="FROM=TO", help="Where a column goes: 'Mail=email'. Repeatable.")
    ] = None,
    delimiter: Annotated[str | None, typer.Option(help="What separates cells; found out when absent.")] = None,
    encoding: Annotated[
        Encoding | None, typer.Option(help="How characters are written; found out when absent, if UTF-8 or UTF-16.")
    ] = None,
    report: Annotated[
        Path | None, typer.Option(help="Where to store the refused rows; else as <file>.errors.csv beside the file.")
    ] = None,
    as_: As = "operator",
    seller: Seller = None,
    url: Url = None,
    token: Token = None,
    as_json: Annotated[bool, typer.Option("--json", help="Print the outcome as one JSON object.")] = False,
) -> None:
    """Import a file of customers, and follow it to the end; or only show what would come of it.

    Exit status: 0 every row was taken (with --preview: the file can be imported), 1 rows were refused or the import failed
    (or: cannot be imported), 2 it could not begin, 130 interrupted; the import itself goes on then.
    """
    complaints = Console(stderr=True, soft_wrap=True, highlight=False)
    screen = complaints if as_json else Console(highlight=False)
    if (file is None) == (watch is None):
        raise typer.BadParameter("name a file to import, or with --watch an import to follow")
    place = Place() if watch is None else Place(watch, watching=True)
    try:
        endpoint = find_endpoint(url, token, as_=as_)
        options = {
            "mode": mode.name,
            "matchBy": match_by.name,
            "validation": validation.name,
            "dryRun": dry_run,
            "columns": [_mapping(one) for one in column or ()],
            "delimiter": delimiter,
            "encoding": None if encoding is None else encoding.name,
        }
        # Reports on an import that is watched are called after it.
        size = 0 if file is None else _size(file)
        job = Job(file or Path(f"{watch}.csv"), size, endpoint, seller, options, results, report)
        progress = ProgressScreen(screen, silent=as_json and not screen.is_terminal)
        if look and file is not None:
            _preview(job, progress, screen, as_json=as_json)
        outcome = run_until_interrupted(run(job, place, progress))
    except KeyboardInterrupt:
        _interrupted(complaints, place)
    except (Nowhere, Unusable, Declined, GraphQLFailed) as error:
        _give_up(complaints, error, place, as_json=as_json)
    if as_json:
        typer.echo(json.dumps(outcome.as_json(), ensure_ascii=False))
    else:
        show_outcome(screen, outcome.state, outcome.problems, more=outcome.more)
        if outcome.report is not None:
            show_report(screen, outcome.report, _retry(outcome.report, mode, match_by, validation, column or ()))
        if outcome.results is not None:
            screen.print(Text.assemble("What became of every row is in ", (str(outcome.results), "bold")), soft_wrap=True)
    raise typer.Exit(0 if outcome.state["status"] == BulkImportStatus.COMPLETED else 1)


def _preview(job: Job, progress: ProgressScreen, screen: Console, *, as_json: bool) -> NoReturn:
    found = run_until_interrupted(preview(job, progress))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        show_preview(screen, found)
    raise typer.Exit(1 if found["userErrors"] else 0)


def _size(file: Path) -> int:
    """Return the size of *file* in bytes.

    Raises:
        Unusable: it is not there, no file, not readable, or empty.
    """
    try:
        with file.open("rb") as opened:
            size = opened.seek(0, 2)
    except OSError as error:
        raise Unusable(f"{file} cannot be read: {error.strerror}.") from error
    except ValueError as error:
        raise Unusable(f"{str(file)!r} is no name of a file.") from error
    if size == 0:
        raise Unusable(f"{file} is empty: it needs a line with the names of the columns, and rows below it.")
    return size


def _mapping(text: str) -> dict[str, str]:
    source, _, target = text.rpartition("=")
    if not source or not target:
        raise Unusable(f"--column takes FROM=TO, for example --column 'E-mail 1=email'; {text!r} is neither.")
    return {"from": source, "to": target}


def _retry(report: Path, mode: Mode, match_by: MatchBy, validation: Validation, columns: Sequence[str]) -> str:
    words = ["./customer-service", "import", str(report)]
    if mode is Mode.UPSERT:
        words += ["--mode", mode.value, "--match-by", match_by.value]
    if validation is Validation.STRICT:
        words += ["--validation", validation.value]
    for column in columns:
        words += ["--column", column]
    return shlex.join(words)


def _give_up(complaints: Console, error: Exception, place: Place, *, as_json: bool) -> NoReturn:
    message = str(error)
    if isinstance(error, NotReachable) and not place.id:
        message += " Start it with `make run`, or say where it runs with --url and --token."
    if place.started:
        message += f"\nThe import {place.id} may go on; {_look(place)}"
    complaints.print(Text(message))
    if as_json:
        typer.echo(json.dumps({"id": place.id or None, "error": message}, ensure_ascii=False))
    called_wrongly = isinstance(error, Unusable | NotAccepted) or not place.id
    raise typer.Exit(2 if called_wrongly and not place.started else 1)


def _interrupted(complaints: Console, place: Place) -> NoReturn:
    if place.started:
        complaints.print(Text(f"\nThe import {place.id} goes on without you; {_look(place)}"))
    else:
        complaints.print(Text("\nInterrupted. Nothing was imported."))
    raise typer.Exit(130)


def _look(place: Place) -> str:
    return f"follow it with: customer-service import --watch {place.id}"
