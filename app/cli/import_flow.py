"""The steps of an import, as a front end takes them: create, upload, subscribe, start, follow, read the outcome."""

import asyncio
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from http import HTTPStatus
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread
import httpx

from app.cli.endpoint import Endpoint
from app.cli.graphql_client import GraphQLClient, GraphQLFailed, NotReachable, open_client, open_http, reason_of
from app.cli.import_screen import ProgressScreen, import_detail, upload_detail
from core.vocabulary import BulkImportStatus

CHUNK_BYTES = 1 << 18
UPLOAD_ATTEMPTS = 3
START_ATTEMPTS = 3
REPORT_LOOKS = 20
"""Half a second apart: how long reports are waited for that are written after the end."""
PROBLEMS = 200
"""How many problems are fetched to be shown; they come in pages of 100."""

_STATE = """
  id status totalRows processedRows createdRows updatedRows unchangedRows failedRows warningRows unprocessedRows
  progress rowsPerSecond estimatedCompletionAt dryRun startedAt finishedAt failure { code message }
"""
_ERRORS = "userErrors { code message field }"
CREATE = f"""mutation CreateImport($input: BulkImportInput!, $seller: ID) {{
  createBulkImport(input: $input, sellerId: $seller) {{
    bulkImport {{ id }} upload {{ url method headers {{ name value }} }} {_ERRORS} }} }}"""
START = f"mutation StartImport($id: ID!) {{ startBulkImport(id: $id) {{ bulkImport {{ id }} {_ERRORS} }} }}"
PROGRESS = f"subscription Progress($id: ID!) {{ bulkImportProgress(id: $id) {{ {_STATE} }} }}"
OUTCOME = f"""query Outcome($id: ID!, $after: String) {{ bulkImport(id: $id) {{ {_STATE}
  errorReport {{ url }} resultReport {{ url }}
  errors(first: 100, after: $after) {{ pageInfo {{ hasNextPage endCursor }}
    edges {{ node {{ row column severity code message }} }} }} }} }}"""


class Unusable(Exception):
    """The command cannot do what it was called for; the message says what to do instead."""


class Declined(Exception):
    """The service refused, with sentences that say why."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file, where it goes, how its rows are to be read, and which reports are wanted where.

    Without `report`, the error report lies beside the file.
    """

    file: Path
    size: int
    endpoint: Endpoint
    seller: str | None
    options: Mapping[str, Any]
    results: bool = False
    report: Path | None = None


@dataclass(slots=True)
class Place:
    """How far the command has come: the import's id once there is one, and whether the service has been told to start.

    One that is only `watching` an import of somebody else's begins with the id, and never tells the service to start.
    """

    id: str = ""
    started: bool = False
    watching: bool = False


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of an import: its final state, its first problems, and where its reports lie now."""

    state: Mapping[str, Any]
    problems: Sequence[Mapping[str, Any]]
    more: bool
    report: Path | None
    results: Path | None

    def as_json(self) -> dict[str, Any]:
        """Return everything a script may want, spelled as in the API."""
        report = None if self.report is None else str(self.report)
        results = None if self.results is None else str(self.results)
        reports = {"errorReport": report, "resultReport": results}
        return {**self.state, "errors": list(self.problems), "moreErrors": self.more, **reports}


async def run(job: Job, place: Place, screen: ProgressScreen) -> Outcome:
    """Import a file, or watch an import, and wait for the end; *place* tells meanwhile how far it is.

    Raises:
        Unusable: the file or an option will not do.
        Declined: the service does not take the file that was uploaded.
        GraphQLFailed: the service, or the object store, could not be spoken to.
    """
    async with open_client(job.endpoint.url, job.endpoint.token) as client:
        with screen:
            if not place.watching:
                await announce(client, job, place, screen)
            await _follow(client, place, screen)
        return await _outcome(client, job, place)


async def announce(client: GraphQLClient, job: Job, place: Place, screen: ProgressScreen) -> None:
    """Create the import and send its file.

    Raises:
        Unusable: the file or an option will not do.
        GraphQLFailed: the service, or the object store, could not be spoken to.
    """
    upload = await _create(client, job, place)
    await _upload(job, upload, screen)


async def _create(client: GraphQLClient, job: Job, place: Place) -> Mapping[str, Any]:
    announced = {"fileName": job.file.name, "size": job.size, **job.options}
    data = await client.execute(CREATE, {"input": announced, "seller": job.seller})
    payload = _accepted(data["createBulkImport"], Unusable)
    place.id = payload["bulkImport"]["id"]
    upload: Mapping[str, Any] = payload["upload"]
    return upload


async def _upload(job: Job, upload: Mapping[str, Any], screen: ProgressScreen) -> None:
    """Send the file piece by piece to where the service said, with exactly the headers it said.

    Raises:
        Unusable: the file cannot be read, or changed under way.
        NotReachable: the object store did not take it.
    """
    headers = {header["name"]: header["value"] for header in upload["headers"]}
    async with open_http() as http:
        for attempt in range(1, UPLOAD_ATTEMPTS + 1):
            try:
                response = await http.request(upload["method"], upload["url"], headers=headers, content=_pieces(job, screen))
            except httpx.TransportError as error:
                problem = f"The upload broke off: {reason_of(error)}."
            else:
                if response.is_success:
                    return
                problem = f"The object store refused the file (HTTP status {response.status_code})."
                if response.status_code < HTTPStatus.INTERNAL_SERVER_ERROR:
                    break
            if attempt < UPLOAD_ATTEMPTS:
                await asyncio.sleep(attempt)
    raise NotReachable(f"{problem} Nothing was imported; run the command again.")


async def _pieces(job: Job, screen: ProgressScreen) -> AsyncIterator[bytes]:
    time = asyncio.get_running_loop().time
    began, sent = time(), 0
    try:
        async with await anyio.open_file(job.file, "rb") as file:
            while piece := await file.read(CHUNK_BYTES):
                sent += len(piece)
                if sent > job.size:
                    break
                yield piece
                screen.show("Uploading", sent / job.size, upload_detail(sent, job.size, time() - began))
    except OSError as error:
        raise Unusable(f"{job.file} cannot be read: {error.strerror}.") from error
    if sent != job.size:
        raise Unusable(f"{job.file} changed while it was being uploaded. Nothing was imported; run the command again.")


async def _follow(client: GraphQLClient, place: Place, screen: ProgressScreen) -> None:
    """Subscribe, start the import once the subscription stands, and show every state until the final one."""
    while True:
        async with aclosing(client.follow(PROGRESS, {"id": place.id})) as events:
            async for event in events:
                state = event["bulkImportProgress"]
                if not place.started and not place.watching and state["status"] == BulkImportStatus.AWAITING_UPLOAD:
                    await _start(client, place)
                    continue
                place.started = True
                waiting = state["status"] == BulkImportStatus.QUEUED
                screen.show("Importing", state["progress"], "waits for a worker" if waiting else import_detail(state))
                if BulkImportStatus(state["status"]).final:
                    return
        await asyncio.sleep(0.5)


async def _start(client: GraphQLClient, place: Place) -> None:
    for attempt in range(1, START_ATTEMPTS + 1):
        try:
            place.started = True
            data = await client.execute(START, {"id": place.id})
            break
        except NotReachable:
            if attempt == START_ATTEMPTS:
                raise
            await asyncio.sleep(attempt)
    payload = data["startBulkImport"]
    if attempt > 1 and [error["code"] for error in payload["userErrors"]] == ["STATE"]:
        return  # an attempt whose answer was lost has started it
    place.started = not payload["userErrors"]
    _accepted(payload, Declined)


async def _outcome(client: GraphQLClient, job: Job, place: Place) -> Outcome:
    problems: list[Mapping[str, Any]] = []
    after, more = None, True
    while more and len(problems) < PROBLEMS:
        state = await _reported(client, place, after)
        page, target, results = state.pop("errors"), state.pop("errorReport"), state.pop("resultReport")
        problems += [edge["node"] for edge in page["edges"]]
        after, more = page["pageInfo"]["endCursor"], page["pageInfo"]["hasNextPage"]
    report = None if target is None else await _download(target["url"], job.report or _beside(job.file, "errors"))
    wanted = job.results and results is not None
    told = await _download(results["url"], _beside(job.file, "results")) if wanted else None
    return Outcome(state, problems, more, report, told)


async def _reported(client: GraphQLClient, place: Place, after: str | None) -> dict[str, Any]:
    """Return an import that is over, with its reports; those of one that ended early come some moments later."""
    for _ in range(REPORT_LOOKS):
        state: dict[str, Any] = (await client.execute(OUTCOME, {"id": place.id, "after": after}))["bulkImport"]
        if state["resultReport"] is not None or state["startedAt"] is None:
            break
        await asyncio.sleep(0.5)
    return state


def _beside(file: Path, name: str) -> Path:
    """Return where a report on *file* lies: ``<file>.<name>.csv`` beside it."""
    return file.with_name(f"{file.stem}.{name}.csv")


async def _download(url: str, target: Path) -> Path:
    """Store a report as *target*; an earlier one called ``x.csv`` becomes ``x.old.csv``.

    Raises:
        GraphQLFailed: it could not be fetched or written; the message says where it is.
    """
    arriving = target.with_name(f".{target.name}.part")
    try:
        async with open_http() as http, http.stream("GET", url) as response:
            response.raise_for_status()
            async with await anyio.open_file(arriving, "wb") as file:
                async for piece in response.aiter_bytes():
                    await file.write(piece)
        await anyio.to_thread.run_sync(_put_in_place, arriving, target)
    except (OSError, httpx.HTTPError) as error:
        raise GraphQLFailed(
            f"The import is over, but its report cannot be stored as {target} "
            f"({reason_of(error)}). For a quarter of an hour it is at {url}"
        ) from error
    return target


def _put_in_place(arrived: Path, target: Path) -> None:
    # Somebody may have mended rows in the earlier report; that work is worth more than a tidy folder.
    if target.exists():
        target.replace(target.with_suffix(".old.csv"))
    arrived.replace(target)


def _accepted(payload: dict[str, Any], refusal: type[Unusable | Declined]) -> dict[str, Any]:
    if payload["userErrors"]:
        raise refusal("\n".join(_sentence(error) for error in payload["userErrors"]))
    return payload


def _sentence(error: Mapping[str, Any]) -> str:
    where = "" if error["field"] in (None, ["id"]) else f"{'.'.join(error['field'])}: "
    return f"{where}{error['message']} ({error['code']})"
