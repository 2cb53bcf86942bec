"""``customer-service privacy``: what is stored of somebody, and the proof that nothing is any more."""

import asyncio
import logging
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing, asynccontextmanager
from pathlib import Path
from typing import Annotated, BinaryIO

import orjson
import typer

from app.cli.answers import AsJson, show_json
from app.cli.event_source import find_source
from app.cli.stack_settings import settings_of_the_stack
from app.cli.teaching import shown_by
from app.container import Rules, build_rules
from app.database import open_database
from app.scanner import is_scanned
from app.settings import Settings
from app.stores import open_store
from app.vault import open_vault
from core.clock import rfc3339
from infra.kafka_log import KafkaLog
from infra.s3 import S3ObjectStore
from models.erasure_receipt import ErasureReceipt
from repositories.erasure import ErasureNotes
from services.data_archive import Archived, DataArchives
from services.erasure_receipts import is_genuine
from services.leftovers import SHORTEST, Leftover, LeftoverSearch, Looked, Needles
from services.personal_values import PersonalValues
from services.uploads import DocumentFiles

privacy = typer.Typer(
    name="privacy", help="See what is stored of somebody, and prove that nothing is any more.", no_args_is_help=True
)

_SHOWN = 50
"""Places that are listed one by one."""


@privacy.command()
@shown_by("privacy values cus_01jz0000000000000000000000 > before.json")
def values(customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER")]) -> None:
    """Print, as JSON, what names a customer by itself, before it is erased; it is what `scan` looks for afterwards.

    E-mail addresses, phones, names, first lines of addresses, document numbers in clear: keep it in a file that nobody else
    can read, and destroy it once the scan is done.
    """
    found = asyncio.run(_values(settings_of_the_stack(), customer_id))
    if found is None:
        typer.echo(f"There is no customer {customer_id!r}, or it was erased already.", err=True)
        raise typer.Exit(1)
    typer.echo(orjson.dumps(found, option=orjson.OPT_INDENT_2))


@privacy.command()
@shown_by(
    "privacy scan before.json",
    "privacy scan before.json --json",
    "privacy scan values.txt --seller demo",
)
def scan(
    file: Annotated[
        Path, typer.Argument(help="What `values` has printed, or lines of values; - reads them from the standard input.")
    ],
    *,
    seller: Annotated[
        list[str] | None, typer.Option(help="Sellers whose keyed digests are looked for as well; `values` names its own.")
    ] = None,
    brokers: Annotated[str | None, typer.Option(help="host:port, separated by commas; else the running stack's.")] = None,
    as_json: AsJson = False,
) -> None:
    """Look for values in every record of the database, every file in the bucket and every event on Kafka.

    Values are never printed, only their numbers in the file and where they were found. Exit status: 0 none found, 1 some.
    """
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    looked_for, sellers = _read(file)
    source = find_source(brokers)
    settings = settings_of_the_stack()
    log = KafkaLog(source.brokers, source.names)
    found, looked, needles = asyncio.run(_scan(settings, looked_for, [*sellers, *(seller or ())], log))
    if not needles:
        typer.echo(f"There is nothing to look for: give values of {SHORTEST} characters at least.", err=True)
        raise typer.Exit(2)
    if as_json:
        show_json(
            {
                "values": needles,
                "looked": {"records": looked.records, "files": looked.files, "events": looked.events},
                "found": [{"value": one.value + 1, "where": one.where, "what": one.what} for one in found],
            }
        )
        raise typer.Exit(1 if found else 0)
    for one in found[:_SHOWN]:
        typer.echo(f"value {one.value + 1}: {one.where} {one.what}")
    if len(found) > _SHOWN:
        for (where, value), count in sorted(Counter((one.where, one.value) for one in found[_SHOWN:]).items()):
            typer.echo(f"value {value + 1}: {where}, {count:,} more")
    typer.echo(
        f"{needles} of {len(looked_for)} values were looked for in {looked.records:,} records, {looked.files:,} files and "
        f"{looked.events:,} events: {len(found):,} found."
    )
    raise typer.Exit(1 if found else 0)


@privacy.command()
@shown_by("privacy receipt cus_01jz0000000000000000000000")
def receipt(customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER")]) -> None:
    """Print the receipt of an erasure as JSON, and check its signature. Exit status: 0 genuine, 1 not, or none there."""
    found, genuine = asyncio.run(_receipt(settings_of_the_stack(), customer_id))
    if found is None:
        typer.echo(f"There is no receipt: {customer_id!r} was not erased.", err=True)
        raise typer.Exit(1)
    said = {
        "customerId": found.id,
        "sellerId": found.seller_id,
        "actor": found.actor,
        "erasedAt": rfc3339(found.erased_at),
        "swept": {one.collection: one.records for one in found.swept},
        "keyDestroyed": found.key_destroyed,
        "files": found.files,
        "filesGoneAt": None if found.files_gone_at is None else rfc3339(found.files_gone_at),
        "signature": found.seal.hex(),
        "genuine": genuine,
    }
    typer.echo(orjson.dumps(said, option=orjson.OPT_INDENT_2))
    raise typer.Exit(0 if genuine else 1)


@privacy.command()
@shown_by(
    "privacy export cus_01jz0000000000000000000000 --output ada.zip",
    "privacy export cus_01jz0000000000000000000000 --output ada.zip --json",
)
def export(
    customer_id: Annotated[str, typer.Argument(metavar="CUSTOMER")],
    *,
    output: Annotated[Path, typer.Option(help="Where to write the archive; there must be nothing yet.")],
    as_json: AsJson = False,
) -> None:
    """Write everything that is stored about a customer, deleted or not, into one ZIP archive; no worker is needed.

    It is what `exportCustomerData` makes: records, numbers of documents in clear, files. Only you can read it: keep it so.
    """
    archived = None
    file = _new_file(output)
    try:
        with file:
            archived = asyncio.run(_export(settings_of_the_stack(), customer_id, _FileWriter(file)))
    finally:
        if archived is None:
            # Of no use without its end, and perhaps full of somebody's data.
            output.unlink()
    if archived is None:
        typer.echo(f"There is no customer {customer_id!r}, or it was erased already.", err=True)
        raise typer.Exit(1)
    if as_json:
        show_json(
            {
                "file": str(output),
                "size": archived.whole.size,
                "sha256": archived.whole.sha256,
                "parts": [one.path for one in archived.parts],
                "withheld": [one.document_id for one in archived.withheld],
            }
        )
        return
    typer.echo(f"{output}: {len(archived.parts)} files, {archived.whole.size:,} bytes, SHA-256 {archived.whole.sha256}")
    for one in archived.withheld:
        typer.echo(f"not in it: the file of {one.document_id}. {one.reason}")


class _FileWriter:
    """Writes an archive into a file of this machine."""

    def __init__(self, file: BinaryIO) -> None:
        self._file = file

    async def write(self, data: bytes) -> None:
        """Append *data*; nobody else is kept waiting by it."""
        self._file.write(data)


def _new_file(path: Path) -> BinaryIO:
    """Open a file that is not there yet, for nobody else to read."""
    try:
        path.touch(mode=0o600, exist_ok=False)
        return path.open("wb")
    except OSError as error:
        message = f"{str(path)!r} cannot be written: {error.strerror}"
        raise typer.BadParameter(message) from error


async def _export(settings: Settings, customer_id: str, to: _FileWriter) -> Archived | None:
    async with _open(settings) as (rules, store):
        customer = await PersonalValues(rules.records).customer(customer_id)
        if customer is None or customer.erased_at is not None:
            return None
        files = DocumentFiles(store, scanning=is_scanned(settings))
        return await DataArchives(rules.records, store, files, rules.clock).write(customer.seller_id, customer.id, to)


async def _values(settings: Settings, customer_id: str) -> dict[str, object] | None:
    async with _open(settings) as (rules, _):
        people = PersonalValues(rules.records)
        customer = await people.customer(customer_id)
        if customer is None or customer.erased_at is not None:
            return None
        return {"sellerId": customer.seller_id, "values": await people.telling(customer)}


async def _scan(
    settings: Settings, looked_for: list[str], sellers: list[str], log: KafkaLog
) -> tuple[list[Leftover], Looked, int]:
    async with _open(settings) as (rules, store):
        needles = Needles(looked_for, sellers, rules.sealer, rules.records)
        if not len(needles):
            return [], Looked(0, 0, 0), 0
        search = LeftoverSearch(needles, store, log)
        async with aclosing(search.run()) as found:
            return [one async for one in found], search.looked, len(needles)


async def _receipt(settings: Settings, customer_id: str) -> tuple[ErasureReceipt | None, bool]:
    rules = build_rules(settings)
    async with open_database(settings):
        found = await ErasureNotes().receipt(customer_id)
    return found, found is not None and is_genuine(found, rules.sealer)


@asynccontextmanager
async def _open(settings: Settings) -> AsyncIterator[tuple[Rules, S3ObjectStore]]:
    rules = build_rules(settings)
    async with (
        open_database(settings, patience=None),
        open_vault(settings, rules.clock, rules.sealer, rules.records.vault),
        open_store(settings) as store,
    ):
        yield rules, store


def _read(file: Path) -> tuple[list[str], list[str]]:
    """Return the values and the sellers that a file names."""
    try:
        text = typer.get_text_stream("stdin").read() if str(file) == "-" else file.read_text(encoding="utf-8")
    except OSError as error:
        message = f"{str(file)!r} cannot be read: {error.strerror}"
        raise typer.BadParameter(message) from error
    try:
        said = orjson.loads(text)
    except orjson.JSONDecodeError:
        return [line.strip() for line in text.splitlines() if line.strip()], []
    if isinstance(said, dict) and isinstance(said.get("values"), list):
        return [str(value) for value in said["values"]], [str(said["sellerId"])] if "sellerId" in said else []
    message = "this JSON is not what `customer-service privacy values` prints"
    raise typer.BadParameter(message)
