"""The README does what it says, word for word."""

import json
import re
import shutil
from hashlib import sha256
from pathlib import Path

import pytest

from embedded.processes import ROOT
from tests.api import Api, Json, codes
from tests.embedded.stacks import StackUnderTest
from tests.journeys.terminals import Terminal, keep_running

README = (ROOT / "README.md").read_text(encoding="utf-8")


def blocks(language: str, text: str = README) -> list[str]:
    """Return the code blocks of a language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", text, re.MULTILINE | re.DOTALL)


def section(title: str) -> str:
    """Return the text of a section."""
    (found,) = re.findall(rf"^## {title}\n(.*?)^## ", README, re.MULTILINE | re.DOTALL)
    return str(found)


@pytest.mark.skipif(shutil.which("curl") is None, reason="the walk-through uploads and downloads with curl")
def test_first_ten_minutes(stack: StackUnderTest, terminal: Terminal, directory: Path) -> None:
    """
    A block more or less in that section needs its place here. The file with broken rows is the one command that may fail.
    """
    (chinook, northwind, shopify, read_back, follow, create, upload, download, sign_in, approve) = blocks(
        "sh", section("The first ten minutes")
    )

    imported = terminal.type(chinook)
    assert {"created": 59, "with warnings": 12, "rows in all": 59} == counted(imported), imported

    status, refused = terminal.type_failing(northwind)
    counts = counted(refused)
    assert (1, 67, 24, 91) == (status, counts["created"], counts["refused"], counts["rows in all"]), refused
    report = (directory / "examples" / "northwind-customers.errors.csv").read_text(encoding="utf-8")
    assert 1 + 24 == len(report.splitlines()), report

    assert "Row 1: 6452789330012 | Grace Okafor" in terminal.type(shopify)
    (found,) = answered(terminal.type(read_back))["customers"]["nodes"]
    assert ("Leonie Köhler", "+497112842222") == (found["fullName"], found["phone"])
    assert ["Theodor-Heuss-Straße 34", "70174 STUTTGART", "GERMANY"] == found["addresses"][0]["formatted"]

    with keep_running(follow, directory, stack.environment, directory / "events.out") as tail:
        created = answered(terminal.type(create))["createCustomer"]
        assert [] == created["userErrors"]
        customer = created["customer"]
        tail.wait_for(lambda printed: customer["id"] in printed and printed.count("customer.created") >= 59 + 67 + 1)
        assert 0 == tail.interrupt()
    assert ("grace@example.com", "+12027075000", 1) == (customer["email"], customer["phone"], customer["version"])
    assert [("AWAITING_UPLOAD", "••••4567")] == [(one["status"], one["number"]) for one in customer["documents"]]

    again = answered(terminal.type(create))["createCustomer"]
    assert again["customer"] is None
    taken = (["email"], ["phone"], ["externalId"], ["documents", "0", "number"])
    assert [("TAKEN", field) for field in taken] == codes(again)

    completed = answered(terminal.type(upload))["completeDocumentUpload"]
    assert [] == completed["userErrors"]
    assert "PENDING_REVIEW" == completed["document"]["status"]
    passport = (directory / "examples" / "passport.png").read_bytes()
    assert (len(passport), sha256(passport).hexdigest()) == (
        completed["document"]["file"]["size"],
        completed["document"]["file"]["sha256"],
    )

    assert "the same file" in terminal.type(download).splitlines()
    assert passport == (directory / "downloaded.png").read_bytes()

    entered = answered(terminal.type(sign_in))["login"]
    assert [] == entered["userErrors"]
    assert {"fullName": "Grace", "emailVerified": True} == entered["customer"]
    assert 600 == entered["tokens"]["expiresIn"]

    approved = answered(terminal.type(approve))["reviewDocument"]
    assert [] == approved["userErrors"]
    done = {"complete": True, "done": ["CONTACT_VERIFIED", "ADDRESS_ADDED", "DOCUMENT_SUBMITTED"], "remaining": []}
    assert {"status": "VERIFIED", "customer": {"onboarding": done}} == approved["document"]


@pytest.mark.skipif(shutil.which("curl") is None, reason="the README fetches its token with curl")
def test_a_program_gets_its_token(stack: StackUnderTest, terminal: Terminal) -> None:
    found = stack.read()
    (fetch,) = blocks("sh", section("For programs"))
    client = found["client"]

    printed = terminal.type(
        f"CLIENT_ID={client['id']} CLIENT_SECRET={client['secret']}\n" + fetch.replace("http://127.0.0.1:8084", found["rest"])
    )

    token = json.loads(printed[printed.index("{") :])
    assert ("Bearer", 600) == (token["token_type"], token["expires_in"])


def answered(printed: str) -> Json:
    """Return what ``query`` printed last, after whatever curl had to say."""
    found: Json = json.loads(printed[printed.index("{\n") :])
    return found


def counted(printed: str) -> dict[str, int]:
    """Return the counts in the outcome of an import."""
    return {what: int(number) for number, what in re.findall(r"^(\d+)  ([a-z ]+?) *$", printed, re.MULTILINE)}


async def test_queries_of_the_readme_run(execute: Api) -> None:
    found = blocks("graphql")

    answers = [await execute(query) for query in found]

    assert len(answers) > 0
    assert [] == [answer["errors"] for answer in answers if "errors" in answer]
