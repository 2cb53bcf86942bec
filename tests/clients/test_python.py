"""The Python client, with `asyncio` and without, against the running service, and against one that misbehaves."""

import asyncio
import inspect
import tomllib
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

import httpx
import pytest

from app.container import Container
from customer_service_client import (
    AsyncCustomerService,
    ClientCredentials,
    Conflict,
    Customer,
    CustomerService,
    NotFound,
    Refused,
    Unreachable,
    by_document_number,
    by_email,
    by_external_id,
    by_id,
    by_phone,
)
from customer_service_client.sending import Sending
from tests.api import Json, some_email
from tests.house import ROOT
from tests.rest.calls import ADDRESS, NOBODY

URL = "http://customers.test"


@pytest.fixture(name="credentials")
async def _credentials(container: Container) -> ClientCredentials:
    """Those of a new service, which may act for every seller."""
    made = await container.clients.create("oms")
    return ClientCredentials(made.client.id, made.secret)


@pytest.fixture(name="url")
def _url(served: str) -> str:
    """Where the service is."""
    return served.removesuffix("/graphql")


async def test_what_other_services_need_with_asyncio(url: str, credentials: ClientCredentials, seller: str) -> None:
    email = some_email()
    async with AsyncCustomerService(url, credentials) as customers:
        ada = await customers.create(
            seller, {"email": email, "phone": "+12027075000", "externalId": "a", "addresses": [ADDRESS]}
        )
        grace = await customers.upsert(seller, by_external_id("g"), {"firstName": "Grace"})
        again = await customers.upsert(seller, by_external_id("g"), {"lastName": "Hopper"})
        keys = [by_email(email), by_phone("(202) 707-5000"), by_id(grace.id), by_external_id("no"), by_document_number("X1")]
        found = await customers.look_up(seller, keys)
        where = await customers.default_addresses([ada.id, grace.id, NOBODY])
        changed = await customers.update(again, {"firstName": None, "tags": ["vip"]})
        with pytest.raises(Conflict) as conflict:
            await customers.update(again, {"firstName": "Eve"})
        everybody = [one.id async for one in customers.all(seller)]
        await customers.delete(seller, grace.id)
        with pytest.raises(NotFound):
            await customers.get(seller, grace.id)
        left = await customers.page(seller)

    assert (grace.id, "Grace Hopper", 2) == (again.id, again.full_name, again.version)
    assert [ada.id, ada.id, grace.id, None, None] == [one and one.id for one in found]
    assert [ADDRESS["line1"], None, None] == [one and one.line1 for one in map(where.get, (ada.id, grace.id, NOBODY))]
    assert where[ada.id] == ada.default_shipping_address
    assert ("Hopper", ("vip",), 3) == (changed.full_name, changed.tags, changed.version)
    assert ("CONFLICT", 412) == (conflict.value.code, conflict.value.status)
    assert {ada.id, grace.id} == set(everybody)
    assert ((ada.id,), None) == (tuple(one.id for one in left.customers), left.next)


async def test_the_same_without_asyncio(url: str, credentials: ClientCredentials, seller: str) -> None:
    def work() -> tuple[Any, ...]:
        with CustomerService(url, credentials) as customers:
            made = [customers.create(seller, {"externalId": str(number)}) for number in range(3)]
            found = customers.look_up(seller, [by_external_id("1"), by_external_id("9")])
            where = customers.default_addresses([made[0].id])
            changed = customers.update(
                customers.upsert(seller, by_external_id("2"), {"firstName": "Ada"}), {"lastName": "King"}
            )
            customers.delete(seller, made[0].id)
            with pytest.raises(Refused) as refused:
                customers.create(seller, {"externalId": "1", "email": "none"})
            pages = [one.external_id for one in customers.all(seller, {"externalId": "1"})]
            return made, found, where, changed, refused.value, pages, customers.get(seller, made[1].id), customers.page(seller)

    made, found, where, changed, refused, pages, read, page = await asyncio.to_thread(work)

    assert [made[1].id, None] == [one and one.id for one in found]
    assert {made[0].id: None} == where
    assert ("Ada King", 3) == (changed.full_name, changed.version)
    assert {("INVALID_EMAIL", ("email",)), ("TAKEN", ("externalId",))} == {(one.code, one.field) for one in refused.errors}
    assert refused.request_id
    assert ["1"] == pages
    assert made[1] == read
    assert 2 == len(page.customers)


async def test_a_create_that_is_repeated_makes_one_customer(url: str, credentials: ClientCredentials, seller: str) -> None:
    async with AsyncCustomerService(url, credentials) as customers:
        first, second = [
            await customers.create(seller, {"firstName": "Ada", "externalId": "a"}, idempotency_key="k") for _ in "12"
        ]

    assert first == second


async def test_more_than_fits_into_one_call_is_asked_for_in_several(
    url: str, credentials: ClientCredentials, seller: str
) -> None:
    async with AsyncCustomerService(url, credentials) as customers:
        ada = await customers.create(seller, {"externalId": "ada", "addresses": [ADDRESS]})
        found = await customers.look_up(
            seller, [*[by_external_id(f"no-{number}") for number in range(250)], by_external_id("ada")]
        )
        ids = [f"cus_{number:026d}" for number in range(600)]
        where = await customers.default_addresses([*ids, ada.id])

    assert [ada.id] == [one.id for one in found if one is not None]
    assert 251 == len(found)
    assert 601 == len(where)
    assert where[ada.id] is not None


async def test_a_secret_that_is_wrong_is_refused(url: str, credentials: ClientCredentials, seller: str) -> None:
    wrong = ClientCredentials(credentials.client_id, "wrong")
    async with AsyncCustomerService(url, wrong) as customers:
        with pytest.raises(Refused) as refused:
            await customers.get(seller, NOBODY)

    assert 401 == refused.value.status
    assert "wrong" not in repr(wrong)


class Answer:
    """An answer to be given, of which each one is new."""

    def __init__(self, status: int, **options: Any) -> None:
        self._status = status
        self._options = options

    def __repr__(self) -> str:
        return f"{self._status} {self._options}"

    def new(self) -> httpx.Response:
        return httpx.Response(self._status, **self._options)


class Fake:
    """A service that answers what a test tells it to, and remembers what it was asked."""

    def __init__(self, *answers: Answer | Exception) -> None:
        self._answers = iter(answers)
        self.asked: list[httpx.Request] = []
        self.tokens = 0

    def __call__(self, request: httpx.Request) -> httpx.Response:
        if request.url.path.endswith("/access_token"):
            self.tokens += 1
            return httpx.Response(200, json={"access_token": f"t{self.tokens}", "expires_in": 600})
        self.asked.append(request)
        answer = next(self._answers)
        if isinstance(answer, Exception):
            raise answer
        return answer.new()


@pytest.fixture(autouse=True, name="slept")
def _slept(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    """How long the client would have waited; it takes no time here."""
    slept: list[float] = []
    real = Sending.pause

    def pause(self: Sending, *args: Any) -> float | None:
        seconds = real(self, *args)
        if seconds:
            slept.append(seconds)
        return None if seconds is None else 0.0

    monkeypatch.setattr(Sending, "pause", pause)
    return slept


Ask = Callable[[Fake, str], Awaitable[Any]]


async def with_asyncio(fake: Fake, call: str) -> Any:
    credentials = ClientCredentials("id", "secret")
    async with AsyncCustomerService(URL, credentials, transport=httpx.MockTransport(fake)) as customers:
        return await CALLS[call](customers)


async def without(fake: Fake, call: str) -> Any:
    with CustomerService(URL, ClientCredentials("id", "secret"), transport=httpx.MockTransport(fake)) as customers:
        return CALLS[call](customers)


ADA: Json = {
    "id": "cus_1",
    "sellerId": "demo",
    "kind": "INDIVIDUAL",
    "status": "ACTIVE",
    "emailVerified": False,
    "phoneVerified": False,
    "fullName": "Ada",
    "version": 1,
    "createdAt": "2026-11-28T06:00:00.000Z",
    "updatedAt": "2026-11-28T06:00:00.000Z",
    "somethingNew": {"in": "a later version"},
}
CALLS: dict[str, Callable[[Any], Any]] = {
    "get": lambda customers: customers.get("demo", "cus_1"),
    "create": lambda customers: customers.create("demo", {}),
    "update": lambda customers: customers.update(Customer.from_json(ADA), {}),
}
KINDS = pytest.mark.parametrize("ask", [with_asyncio, without])


def ok() -> Answer:
    return Answer(200, json=ADA)


@KINDS
async def test_members_of_later_versions_are_kept_aside(ask: Ask) -> None:
    ada = await ask(Fake(ok()), "get")

    assert {"in": "a later version"} == ada.raw["somethingNew"]
    assert ("Ada", None, ()) == (ada.full_name, ada.addresses, ada.tags)


@KINDS
@pytest.mark.parametrize(
    ("call", "failures", "attempts"),
    [
        ("get", [Answer(503, headers={"retry-after": "2"})], 2),
        ("get", [httpx.ReadTimeout("slow"), httpx.ConnectError("gone")], 3),
        ("create", [httpx.ReadTimeout("slow"), Answer(503)], 3),
        ("update", [Answer(429, headers={"retry-after": "1"})], 2),
        ("update", [httpx.ConnectError("gone")], 2),
    ],
)
async def test_what_may_be_repeated_is(ask: Ask, call: str, failures: list[Any], attempts: int, slept: list[float]) -> None:
    fake = Fake(*failures, ok())

    assert "Ada" == (await ask(fake, call)).full_name
    assert attempts == len(fake.asked)
    assert len(failures) == len(slept)
    assert 1 == len({request.headers.get("idempotency-key") for request in fake.asked})


@KINDS
@pytest.mark.parametrize(
    ("call", "answers", "error", "attempts"),
    [
        ("get", [httpx.ReadTimeout("slow")] * 3, Unreachable, 3),
        ("get", [Answer(503, json={"code": "UNAVAILABLE"})] * 3, Refused, 3),
        ("update", [httpx.ReadTimeout("slow")], Unreachable, 1),
        ("update", [Answer(503, json={"code": "UNAVAILABLE"})], Refused, 1),
        ("get", [Answer(404, json={"code": "NOT_FOUND"})], NotFound, 1),
        ("get", [Answer(404, text="nginx")], Refused, 1),
        ("get", [Answer(200, text="<html>")], Unreachable, 1),
        ("get", [Answer(500, json=["odd"])], Refused, 1),
        ("update", [Answer(412, json={"code": "CONFLICT"})], Conflict, 1),
    ],
)
async def test_what_may_not_or_does_not_help_is_told(
    ask: Ask, call: str, answers: list[Any], error: type[Exception], attempts: int
) -> None:
    fake = Fake(*answers)

    with pytest.raises(error) as raised:
        await ask(fake, call)

    assert error is type(raised.value)
    assert attempts == len(fake.asked)


@KINDS
async def test_a_wait_follows_what_the_service_asks_for_within_reason(ask: Ask, slept: list[float]) -> None:
    busy = [Answer(429, headers={"retry-after": seconds}) for seconds in ("2", "9999")]

    await ask(Fake(*busy, ok()), "get")

    assert 2 <= slept[0] <= 2.3
    assert 30 <= slept[1] <= 33.1


@KINDS
async def test_a_token_that_was_taken_back_is_replaced_once(ask: Ask) -> None:
    fake = Fake(Answer(401), ok())
    await ask(fake, "get")

    assert ["Bearer t1", "Bearer t2"] == [request.headers["authorization"] for request in fake.asked]

    fake = Fake(Answer(401), Answer(401))
    with pytest.raises(Refused):
        await ask(fake, "get")
    assert 2 == fake.tokens


async def test_calls_share_a_token_and_carry_headers_of_their_own() -> None:
    fake = Fake(*[ok() for _ in range(20)])
    traces = iter(range(100))
    async with AsyncCustomerService(
        URL,
        ClientCredentials("id", "secret"),
        transport=httpx.MockTransport(fake),
        headers=lambda: {"traceparent": f"trace {next(traces)}"},
    ) as customers:
        await asyncio.gather(*(customers.get("demo", "cus_1") for _ in range(20)))

    assert 1 == fake.tokens
    assert 20 == len({request.headers["traceparent"] for request in fake.asked})


async def test_ids_are_no_paths() -> None:
    fake = Fake(ok())
    async with AsyncCustomerService(URL, "a-token", transport=httpx.MockTransport(fake)) as customers:
        await customers.get("demo/../other", "cus_1?x#y")

    assert b"/internal/api/v1/sellers/demo%2F..%2Fother/customers/cus_1%3Fx%23y" == fake.asked[0].url.raw_path
    assert "Bearer a-token" == fake.asked[0].headers["authorization"]


def operations(client: type) -> Iterator[tuple[str, list[str]]]:
    for name, function in inspect.getmembers(client, inspect.isfunction):
        if not name.startswith("_"):
            yield name, list(inspect.signature(function).parameters)


def test_both_clients_do_the_same() -> None:
    assert dict(operations(CustomerService)) == dict(operations(AsyncCustomerService))


def test_it_is_a_package_of_its_own_with_types() -> None:
    folder = ROOT / "clients/python"
    project = tomllib.loads((folder / "pyproject.toml").read_text(encoding="utf-8"))["project"]

    assert ["httpx>=0.28"] == project["dependencies"]
    assert (folder / "src/customer_service_client/py.typed").exists()
    assert (folder / project["readme"]).exists()
