"""Many customers at once over REST: in the call, each with an outcome of its own, and in a file that lies in the store."""

import asyncio
from typing import Any

import pytest

from app.container import Container
from auth.principal import Scope
from core.errors import Unavailable
from services.customer import CustomerService
from tests.api import Json, Tokens, fresh, some_email
from tests.rest.calls import ADDRESS, Calls, problem, reasons, stored

PASSPORT = {"type": "PASSPORT", "number": "P1111111", "issuingCountry": "US"}


@pytest.fixture(name="bulk")
def _bulk(customers: str) -> str:
    return f"{customers}/bulk"


async def put(container: Container, key: str, rows: int = 2) -> None:
    """Put a file of customers into the object store, as another system does."""
    lines = ["external_id,first_name", *(f"{key}-{number},Ada" for number in range(rows))]
    async with container.store.write(key, content_type="text/csv") as file:
        await file.write("\n".join(lines).encode())


async def test_each_customer_has_an_outcome_of_its_own(rest: Calls, bulk: str, seller: str, ada: Json) -> None:
    email = some_email()
    file = {"name": "passport.png", "contentType": "image/png", "size": 1000}
    bodies: list[Any] = [
        {"email": email, "addresses": [ADDRESS], "documents": [{**PASSPORT, "file": file}]},
        {"email": ada["email"]},
        {"email": "nobody", "phone": "1"},
        {"addresses": [{"kind": "SHIPPING"}]},
        "nobody",
        {"email": email},
        {"externalId": "last"},
    ]

    answer = await rest.post(bulk, {"customers": bodies})

    assert 200 == answer.status_code, answer.text
    told = answer.json()
    assert (2, 5, list(range(7))) == (told["created"], told["failed"], [one["index"] for one in told["outcomes"]])
    assert ["CREATED", *["FAILED"] * 5, "CREATED"] == [one["outcome"] for one in told["outcomes"]]
    assert [
        [],
        [("TAKEN", ["email"])],
        [("INVALID_EMAIL", ["email"]), ("INVALID_PHONE", ["phone"])],
        [("REQUIRED", ["addresses", "0", "line1"]), ("REQUIRED", ["addresses", "0", "countryCode"])],
        [("INVALID", None)],
        [("TAKEN", ["email"])],
        [],
    ] == [reasons(one) for one in told["outcomes"]]
    first = told["outcomes"][0]["customer"]
    assert (email, 1, 1) == (first["email"], len(first["addresses"]), len(first["documentUploads"]))
    assert 3 == len((await stored(seller))["Customer"])


async def test_the_same_key_creates_only_what_is_missing(rest: Calls, bulk: str, seller: str, ada: Json) -> None:
    key = {"headers": {"idempotency-key": "batch-1"}}
    bodies = [{"email": some_email()}, {"email": ada["email"]}, {"email": some_email()}]

    first = (await rest.post(bulk, {"customers": bodies}, **key)).json()
    await rest.delete(f"/api/v1/sellers/{seller}/customers/{ada['id']}")
    again = (await rest.post(bulk, {"customers": bodies}, **key)).json()
    other = (await rest.post(bulk, {"customers": [*bodies[1:], bodies[0]]}, **key)).json()

    assert (2, 3) == (first["created"], again["created"])
    for place in (0, 2):
        assert first["outcomes"][place] == again["outcomes"][place]
    assert [[("IDEMPOTENCY_KEY_REUSED", ["idempotencyKey"])]] * 3 == [reasons(one) for one in other["outcomes"]]
    assert 3 == len([one for one in (await stored(seller))["Customer"] if one["live"]])


@pytest.mark.parametrize(
    ("body", "status"),
    [
        ({"customers": []}, 400),
        ({"customers": [{"externalId": "a"}] * 101}, 400),
        ({"customers": "all"}, 400),
        ({}, 400),
        ([], 400),
    ],
)
async def test_a_call_without_customers_or_with_too_many_is_refused(
    rest: Calls, bulk: str, seller: str, body: object, status: int
) -> None:
    problem(await rest.post(bulk, body), status, "BAD_USER_INPUT")

    assert [] == (await stored(seller))["Customer"]


async def test_a_hundred_customers_fit_in_one_call(rest: Calls, bulk: str, seller: str) -> None:
    bodies = [{"externalId": f"n-{number}", "company": "A" * 150, "addresses": [ADDRESS] * 3} for number in range(100)]

    told = (await rest.post(bulk, {"customers": bodies})).json()

    assert (100, 0) == (told["created"], told["failed"])
    assert [f"n-{number}" for number in range(100)] == [one["customer"]["externalId"] for one in told["outcomes"]]


async def test_a_bulk_call_may_be_larger_than_others_and_not_without_end(rest: Calls, bulk: str, seller: str) -> None:
    large = {"customers": [{"externalId": "a", "attributes": [{"key": "k", "value": "v" * 200_000}]}]}

    told = await rest.post(bulk, large)

    assert [("TOO_LONG", ["attributes", "0", "value"])] == reasons(told.json()["outcomes"][0])
    problem(await rest.post(bulk, {"customers": [{"externalId": "a" * (1 << 20)}]}), 413, "BAD_USER_INPUT")
    assert [] == (await stored(seller))["Customer"]


async def test_when_the_database_goes_the_rest_is_told_to_come_again(
    rest: Calls, bulk: str, seller: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    create = CustomerService.create
    asked: list[str | None] = []

    async def until_the_third(self: CustomerService, viewer: Any, draft: Any, **options: Any) -> Any:
        asked.append(draft.external_id)
        if len(asked) > 2:
            raise Unavailable("The database did not answer in time. Try again.")
        return await create(self, viewer, draft, **options)

    monkeypatch.setattr(CustomerService, "create", until_the_third)

    told = (await rest.post(bulk, {"customers": [{"externalId": f"n-{number}"} for number in range(5)]})).json()
    nothing = await rest.post(bulk, {"customers": [{"externalId": "one"}]})

    assert (2, 3, ["n-0", "n-1", "n-2"]) == (told["created"], told["failed"], asked[:3])
    assert [[("UNPROCESSED", None)]] * 3 == [reasons(one) for one in told["outcomes"][2:]]
    problem(nothing, 503, "UNAVAILABLE")
    assert nothing.headers["retry-after"]


async def test_documents_without_the_scope_for_them_refuse_the_whole_call(
    rest: Calls, tokens: Tokens, bulk: str, seller: str
) -> None:
    writer = rest.as_(tokens.operator(seller, [Scope.CUSTOMERS_WRITE]))

    problem(await writer.post(bulk, {"customers": [{"externalId": "a"}, {"documents": [PASSPORT]}]}), 403, "FORBIDDEN")

    assert [] == (await stored(seller))["Customer"]


async def test_who_may_create_nobody_is_told_so_even_of_nonsense(rest: Calls, tokens: Tokens, bulk: str, seller: str) -> None:
    reader = rest.as_(tokens.operator(seller, [Scope.CUSTOMERS_READ]))

    problem(await reader.post(bulk, {"customers": ["nobody"]}), 403, "FORBIDDEN")


async def test_a_file_in_the_store_is_imported(
    rest: Calls, container: Container, bulk: str, customers: str, seller: str, import_worker: None
) -> None:
    path = f"imports/{seller}/2026/customers.csv"
    await put(container, path)

    answer = await rest.post(bulk, {"bucket": container.settings.aws.s3.bucket, "filePath": path})

    assert 202 == answer.status_code, answer.text
    told = answer.json()
    assert ("QUEUED", "customers.csv", "CREATE", False, seller, "operator:ada") == tuple(
        told[name] for name in ("status", "fileName", "mode", "dryRun", "sellerId", "requestedBy")
    )
    async with asyncio.timeout(30):
        while 2 > len((await rest.get(customers)).json()["nodes"]):  # noqa: ASYNC110  a worker imports them
            await asyncio.sleep(0.05)


async def test_the_same_key_starts_one_import(rest: Calls, container: Container, bulk: str, seller: str) -> None:
    path = f"imports/{seller}/customers.csv"
    await put(container, path)
    body = {"bucket": container.settings.aws.s3.bucket, "filePath": path, "dryRun": True}
    key = {"headers": {"idempotency-key": "file-1"}}

    first, again = await asyncio.gather(rest.post(bulk, body, **key), rest.post(bulk, body, **key))
    other = await rest.post(bulk, {**body, "mode": "UPSERT"}, **key)

    assert (202, 202) == (first.status_code, again.status_code)
    assert first.json()["id"] == again.json()["id"]
    problem(other, 422, "IDEMPOTENCY_KEY_REUSED")
    assert 1 == len((await stored(seller))["BulkImport"])


@pytest.mark.parametrize(
    ("change", "status", "expected"),
    [
        ({"bucket": "somebody-elses"}, 403, ("FORBIDDEN", ["bucket"])),
        ({"filePath": "imports/OTHER/customers.csv"}, 403, ("FORBIDDEN", ["filePath"])),
        ({"filePath": "imports/SELLER/../OTHER/customers.csv"}, 403, ("FORBIDDEN", ["filePath"])),
        ({"filePath": "imports/SELLER"}, 403, ("FORBIDDEN", ["filePath"])),
        ({"filePath": "imports/SELLER/"}, 403, ("FORBIDDEN", ["filePath"])),
        ({"filePath": "imports/SELLERS/customers.csv"}, 403, ("FORBIDDEN", ["filePath"])),
        ({"filePath": "/imports/SELLER/customers.csv"}, 403, ("FORBIDDEN", ["filePath"])),
        ({"filePath": "documents/SELLER/customers.csv"}, 403, ("FORBIDDEN", ["filePath"])),
        ({"filePath": "imports/SELLER/\u0000.csv"}, 422, ("INVALID", ["filePath"])),
        ({"filePath": f"imports/SELLER/{'a' * 200}/{'b' * 900}"}, 422, ("INVALID", ["filePath"])),
        ({"filePath": "imports/SELLER/none.csv"}, 422, ("UPLOAD_MISSING", ["filePath"])),
        ({"delimiter": "x"}, 422, ("INVALID", ["delimiter"])),
        ({"columns": [{"from": "none", "to": "email"}]}, 422, ("MISSING_COLUMN", ["columns", "0", "from"])),
        ({"mode": "MERGE"}, 400, ("INVALID", ["mode"])),
        ({"bucket": None}, 400, ("INVALID", ["bucket"])),
    ],
)
async def test_a_file_that_may_not_or_cannot_be_imported_starts_nothing(
    rest: Calls, container: Container, bulk: str, seller: str, change: Json, status: int, expected: tuple[str, list[str]]
) -> None:
    """
    The files of others are there in each case; the answer is the same when they are not.
    """
    other = fresh("seller")
    for key in (f"imports/{seller}/customers.csv", f"imports/{other}/customers.csv", f"documents/{seller}/customers.csv"):
        await put(container, key)
    body = {"bucket": container.settings.aws.s3.bucket, "filePath": f"imports/{seller}/customers.csv", **change}
    body = {
        name: value.replace("SELLER", seller).replace("OTHER", other) if isinstance(value, str) else value
        for name, value in body.items()
    }

    answer = await rest.post(bulk, body)

    told = problem(answer, status, "BAD_USER_INPUT" if status == 400 else expected[0])
    assert [expected] == reasons(told)
    assert [] == (await stored(seller))["BulkImport"]


async def test_imports_need_a_scope_of_their_own(
    rest: Calls, container: Container, tokens: Tokens, bulk: str, seller: str
) -> None:
    path = f"imports/{seller}/customers.csv"
    await put(container, path)

    writer = rest.as_(tokens.operator(seller, [Scope.CUSTOMERS_WRITE]))

    body = {"bucket": container.settings.aws.s3.bucket, "filePath": path}
    problem(await writer.post(bulk, body), 403, "FORBIDDEN")
    assert [] == (await stored(seller))["BulkImport"]
