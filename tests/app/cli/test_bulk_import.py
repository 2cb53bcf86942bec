"""``customer-service import``, called as people call it, against a service that really runs."""

import asyncio
import json
import os
import signal
import sys
from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from typer.testing import CliRunner, Result

from app.cli.import_screen import grouped, import_detail
from app.cli.main import command_line
from tests.api import Api, Tokens, fresh, some_email
from tests.graphql.imports import csv

ROOT = Path(__file__).resolve().parents[3]
EXAMPLES = ROOT / "examples"

Import = Callable[..., Coroutine[Any, Any, Result]]


def invoke(arguments: Sequence[object], environ: Mapping[str, str | None]) -> Result:
    return CliRunner().invoke(command_line(["import"]), ["import", *map(str, arguments)], env=environ)


@pytest.fixture(name="imported")
def _imported(served: str, tokens: Tokens, seller: str, tmp_path: Path, execute: Api) -> Import:
    """Run the command in a thread, as this seller's operator, with nothing else running on this machine."""

    async def run(*arguments: object, url: str | None = served, token: str | None = None) -> Result:
        environ = {
            "RUN_DIR": str(tmp_path / "nothing"),
            "CUSTOMER_SERVICE_URL": url,
            "CUSTOMER_SERVICE_TOKEN": (token or tokens.operator(seller)) if url else None,
            "COLUMNS": "80",
        }
        return await asyncio.to_thread(invoke, arguments, environ)

    return run


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Callable[[bytes], Path]:
    def write(content: bytes) -> Path:
        path = tmp_path / "customers.csv"
        path.write_bytes(content)
        return path

    return write


async def total(execute: Api) -> int:
    return int((await execute.data("{ customers { totalCount } }"))["customers"]["totalCount"])


async def test_sound_file_is_imported_and_followed_to_the_end(
    imported: Import, execute: Api, import_worker: None, file: Callable[[bytes], Path]
) -> None:
    result = await imported(file(csv(120)))

    assert 0 == result.exit_code, result.output
    assert 120 == await total(execute)
    lines = [line.strip() for line in result.stdout.splitlines()]
    assert lines[0].startswith("Uploading: 100%")
    assert any(line.startswith("Importing: 100%  120 rows") for line in lines)
    assert any(line.startswith("The import is complete") and line.endswith("every row was taken.") for line in lines)
    assert {"120  created", "120  rows in all"} <= set(lines)
    assert "\x1b" not in result.stdout


async def test_refused_rows_are_explained_and_their_report_lies_beside_the_file(
    imported: Import, execute: Api, import_worker: None, file: Callable[[bytes], Path]
) -> None:
    path = file(csv(20, broken=12))
    report = path.with_name("customers.errors.csv")

    first = await imported(path, "--validation", "strict", "--column", "first_name=first_name")
    mended = report.read_text("utf-8-sig")
    for n in range(20):
        mended = mended.replace(f"broken {n},", f"{some_email()},")
    report.write_text(mended, encoding="utf-8")
    second = await imported(report)

    assert (1, 0) == (first.exit_code, second.exit_code), second.output
    assert "rows 9, 10, 11, 12, 13, 14, 15, 16, 17, 18, 19, 20, email: " in first.stdout
    assert "(INVALID_EMAIL)" in first.stdout
    assert f"are in {report}" in first.stdout.replace("\n", " ")
    assert f"./customer-service import {report} --validation strict --column first_name=first_name" in first.stdout.replace(
        "\n", " "
    )
    assert 20 == await total(execute)


async def test_earlier_report_is_kept(imported: Import, import_worker: None, file: Callable[[bytes], Path]) -> None:
    path = file(csv(1, broken=1))
    path.with_name("customers.errors.csv").write_text("mended by hand")

    await imported(path)

    assert "mended by hand" == path.with_name("customers.errors.old.csv").read_text()
    assert "INVALID_EMAIL" in path.with_name("customers.errors.csv").read_text("utf-8-sig")
    assert ["customers.csv", "customers.errors.csv", "customers.errors.old.csv"] == sorted(
        one.name for one in path.parent.iterdir() if one.is_file()
    )


async def test_json_is_one_object_and_nothing_else(
    imported: Import, import_worker: None, file: Callable[[bytes], Path]
) -> None:
    path = file(csv(3, broken=1))

    result = await imported(path, "--json")

    assert 1 == result.exit_code
    outcome = json.loads(result.stdout)
    assert {
        "status": "COMPLETED_WITH_ERRORS",
        "totalRows": 3,
        "createdRows": 2,
        "failedRows": 1,
        "errorReport": str(path.with_name("customers.errors.csv")),
    }.items() <= outcome.items()
    assert [(3, "email", "INVALID_EMAIL")] == [(one["row"], one["column"], one["code"]) for one in outcome["errors"]]


async def test_preview_shows_what_would_come_of_a_file_and_imports_nothing(
    imported: Import, execute: Api, file: Callable[[bytes], Path]
) -> None:
    path = file("Mail;Größe;Name\nada@example.com;38;Ada Lovelace\nnobody;39;Bob\n".encode("latin-1"))

    shown = await imported(path, "--preview", "--encoding", "latin-1", "--column", "Mail=email")
    unreadable = await imported(path, "--preview", "--json")

    assert (0, 1) == (shown.exit_code, unreadable.exit_code), shown.output
    lines = [" ".join(line.split()) for line in shown.stdout.splitlines()]
    assert "LATIN_1, cells separated by ;, lines by LF." in lines
    assert {"Mail email chosen", "Größe attribute.Größe unknown", "Name full_name recognized"} <= set(lines)
    assert "Row 1: Ada Lovelace | ada@example.com | Größe=38" in lines
    assert "Row 2: would be refused." in lines
    assert ["UNSUPPORTED_ENCODING"] == [error["code"] for error in json.loads(unreadable.stdout)["userErrors"]]
    assert 0 == await total(execute)
    states = (await execute.data("{ bulkImports { nodes { status } } }"))["bulkImports"]["nodes"]
    assert ["CANCELED"] * 2 == [one["status"] for one in states]


async def test_what_became_of_every_row_is_stored_when_asked_for(
    imported: Import, import_worker: None, file: Callable[[bytes], Path]
) -> None:
    path = file(csv(3, broken=1))

    result = await imported(path, "--results")

    report = path.with_name("customers.results.csv")
    assert ["row", "1", "2", "3"] == [line.partition(",")[0] for line in report.read_text().splitlines()]
    assert ["CREATED", "CREATED", "FAILED"] == [line.split(",")[1] for line in report.read_text().splitlines()[1:]]
    assert f"every row is in {report}" in result.stdout.replace("\n", " ")


async def test_the_refused_rows_go_where_they_are_wanted(
    imported: Import, import_worker: None, file: Callable[[bytes], Path], tmp_path: Path
) -> None:
    report = tmp_path / "mend.csv"

    result = await imported(file(csv(2, broken=1)), "--report", report)

    assert (1, True) == (result.exit_code, "INVALID_EMAIL" in report.read_text("utf-8-sig")), result.output
    assert not report.with_name("customers.errors.csv").exists()


async def test_an_import_of_somebody_else_is_watched_to_its_end(
    imported: Import, import_worker: None, file: Callable[[bytes], Path], tmp_path: Path
) -> None:
    begun = json.loads((await imported(file(csv(3, broken=1)), "--json")).stdout)

    watched = await imported("--watch", begun["id"], "--json", "--report", tmp_path / "again.csv")
    unknown = await imported("--watch", "imp_01kat5x2p3f8m9rj4t6vwy7z0a")

    assert (1, 1) == (watched.exit_code, unknown.exit_code), unknown.output
    told = json.loads(watched.stdout)
    assert (begun["id"], 2, 1) == (told["id"], told["createdRows"], told["failedRows"])
    assert str(tmp_path / "again.csv") == told["errorReport"]
    assert "Traceback" not in unknown.output


@pytest.mark.parametrize(
    "arguments", [(), ("customers.csv", "--watch", "imp_01kat5x2p3f8m9rj4t6vwy7z0a")], ids=["none", "both"]
)
async def test_one_of_a_file_and_an_import_has_to_be_named(imported: Import, arguments: tuple[str, ...]) -> None:
    result = await imported(*arguments)

    assert (2, True) == (result.exit_code, "name a file" in result.stderr)


async def test_options_reach_the_import(
    imported: Import, execute: Api, import_worker: None, file: Callable[[bytes], Path]
) -> None:
    path = file(b"Mail;E=mc\nada@example.com;x\n")
    arguments = (path, "--mode", "upsert", "--match-by", "email", "--column", "Mail=email", "--column", "E=mc=attribute.e")

    dry = await imported(*arguments, "--delimiter", ";", "--dry-run")
    nobody = await total(execute)
    wet = await imported(*arguments, "--json")
    again = await imported(*arguments, "--json")

    assert 0 == dry.exit_code, dry.output
    assert "dry run (nothing was written)" in dry.stdout
    assert 0 == nobody
    assert [1, 1] == [json.loads(wet.stdout)["createdRows"], json.loads(again.stdout)["unchangedRows"]]


async def test_chinook_goes_in_whole(imported: Import, execute: Api, import_worker: None) -> None:
    result = await imported(EXAMPLES / "chinook-customers.csv")

    assert 0 == result.exit_code, result.output
    assert "59  created" in result.stdout
    assert "Taken, with a warning:" in result.stdout
    assert 59 == await total(execute)


async def test_service_may_import_for_any_seller_it_names(
    imported: Import, execute: Api, tokens: Tokens, import_worker: None, seller: str, file: Callable[[bytes], Path]
) -> None:
    named = await imported(file(csv(1)), "--seller", seller, token=tokens.service())
    unnamed = await imported(file(csv(1)), token=tokens.service())

    assert (0, 2) == (named.exit_code, unnamed.exit_code)
    assert "sellerId" in unnamed.stderr
    assert 1 == await total(execute)


# ---------------------------------------------------------------------------- what cannot work


@pytest.mark.parametrize(
    ("content", "arguments", "status", "words"),
    [
        (None, (), 2, "No such file"),
        (b"", (), 2, "is empty"),
        (b"shoe size\n42\n", (), 1, "MISSING_COLUMN"),
        (b"PK\x03\x04" + bytes(60), (), 1, "INVALID_CSV"),
        (b"email\n", ("--column", "email"), 2, "FROM=TO"),
        (b"email\n", ("--delimiter", "ab"), 2, "delimiter"),
        (b"email\n", ("--mode", "replace"), 2, "replace"),
        (b"email\n", ("--seller", "another"), 2, "another seller"),
    ],
    ids=["missing", "empty", "no customers", "zip", "mapping", "delimiter", "mode", "seller"],
)
async def test_what_cannot_be_imported_is_explained(
    imported: Import, tmp_path: Path, content: bytes | None, arguments: tuple[str, ...], status: int, words: str
) -> None:
    path = tmp_path / "customers.csv"
    if content is not None:
        path.write_bytes(content)

    result = await imported(path, *arguments)

    assert status == result.exit_code
    assert words in result.stderr
    assert "Importing" not in result.stdout


async def test_folder_is_no_file(imported: Import, tmp_path: Path) -> None:
    result = await imported(tmp_path)

    assert (2, True) == (result.exit_code, "cannot be read" in result.stderr)


async def test_nothing_running_says_how_to_start(imported: Import, file: Callable[[bytes], Path]) -> None:
    nothing = await imported(file(csv(1)), url=None)
    gone = await imported(file(csv(1)), url="http://127.0.0.1:9")
    asked = await imported(file(csv(1)), "--json", url="http://127.0.0.1:9")

    assert (2, 2, 2) == (nothing.exit_code, gone.exit_code, asked.exit_code)
    assert "`make run`" in nothing.stderr
    assert "Nothing answers at http://127.0.0.1:9/graphql" in gone.stderr
    assert "`make run`" in gone.stderr
    assert {"id": None, "error": gone.stderr.strip()} == json.loads(asked.stdout)


async def test_token_that_does_not_hold_is_told(imported: Import, file: Callable[[bytes], Path]) -> None:
    result = await imported(file(csv(1)), token="nonsense")

    assert 2 == result.exit_code
    assert "token" in result.stderr


async def test_url_needs_a_token(served: str, tmp_path: Path, file: Callable[[bytes], Path]) -> None:
    result = await asyncio.to_thread(
        invoke, (file(csv(1)), "--url", served), {"RUN_DIR": str(tmp_path), "CUSTOMER_SERVICE_TOKEN": None}
    )

    assert (2, True) == (result.exit_code, "--token" in result.stderr)


async def test_running_stack_is_found_with_its_operator(
    served: str, tokens: Tokens, tmp_path: Path, import_worker: None, execute: Api, file: Callable[[bytes], Path]
) -> None:
    seller = fresh("seller")
    stack = {"graphql": served, "tokens": {"operator": tokens.operator(seller)}}
    (tmp_path / "stack.json").write_text(json.dumps(stack))

    result = await asyncio.to_thread(invoke, (file(csv(2)), "--json"), {"RUN_DIR": str(tmp_path)})

    assert 0 == result.exit_code, result.output
    assert 2 == json.loads(result.stdout)["createdRows"]


async def test_interrupted_command_says_that_the_import_goes_on(
    served: str, tokens: Tokens, seller: str, execute: Api, file: Callable[[bytes], Path]
) -> None:
    """
    No worker runs, so the import waits; Ctrl-C must not cancel it.
    """
    process = await asyncio.create_subprocess_exec(
        sys.executable,
        *("-m", "app", "import", str(file(csv(1)))),
        cwd=ROOT,
        env={
            **os.environ,
            "CUSTOMER_SERVICE_URL": served,
            "CUSTOMER_SERVICE_TOKEN": tokens.operator(seller),
            "PYTHONUNBUFFERED": "1",
        },
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    assert process.stdout is not None
    while b"Importing" not in await asyncio.wait_for(process.stdout.readline(), 90):
        pass
    process.send_signal(signal.SIGINT)
    _, complaints = await asyncio.wait_for(process.communicate(), 90)

    (waiting,) = (await execute.data("{ bulkImports { nodes { id status } } }"))["bulkImports"]["nodes"]
    assert 130 == process.returncode
    assert "QUEUED" == waiting["status"]
    assert f"The import {waiting['id']} goes on without you" in complaints.decode()
    assert "Traceback" not in complaints.decode()


# ---------------------------------------------------------------------------- what it looks like


def test_problems_are_grouped_by_what_they_say_errors_first() -> None:
    def problem(row: int, severity: str, column: str | None) -> dict[str, Any]:
        return {"row": row, "severity": severity, "column": column, "code": "INVALID", "message": "No."}

    groups = grouped([problem(1, "WARNING", "a"), problem(2, "ERROR", None), problem(3, "WARNING", "a")])

    assert [("ERROR", "row 2: No. (INVALID)"), ("WARNING", "rows 1, 3, a: No. (INVALID)")] == groups


def test_group_of_many_rows_names_the_first_thirty() -> None:
    problems = [{"row": n, "severity": "ERROR", "column": None, "code": "INVALID", "message": "No."} for n in range(1, 101)]

    ((_, text),) = grouped(problems)

    assert text.startswith("rows 1, 2, 3, ")
    assert text.endswith(", 29, 30 and 70 more: No. (INVALID)")


def test_running_import_shows_rows_pace_and_time_left() -> None:
    state = {"processedRows": 1234, "rowsPerSecond": 5000.4, "failedRows": 2, "estimatedCompletionAt": None}

    assert "1,234 rows, 5,000 rows/s, 2 refused" == import_detail(state)
