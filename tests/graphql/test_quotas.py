"""Points per seller: spent, coming back, and refused with a time; nobody pays for another."""

import pytest

import app.graphql.quotas as module
from app.graphql.execution import Schema
from app.graphql.quotas import Quotas, bucket_of
from app.graphql.rules import OperationRules
from app.graphql.schema import build_schema
from auth.principal import SCOPES, Principal
from core.errors import RateLimited
from core.vocabulary import PrincipalKind
from tests.graphql.alone import CUSTOMER, OPERATOR, SERVICE, codes, context, errors, run

ACME = ("seller", "acme")
CUSTOMERS = "{ customers(first: 100) { nodes { id } } viewer { kind } }"
FIELD = "{ viewer { kind } }"


class Clock:
    """Stands still until it is told otherwise."""

    def __init__(self) -> None:
        self.seconds = 1000.0

    def __call__(self) -> float:
        return self.seconds


@pytest.fixture(name="clock")
def _clock() -> Clock:
    return Clock()


@pytest.fixture(name="quotas")
def _quotas(clock: Clock) -> Quotas:
    return Quotas(1000, 50, clock)


def test_what_is_spent_is_gone_and_comes_back_with_time(quotas: Quotas, clock: Clock) -> None:
    quotas.spend(ACME, 1000)
    assert 0 == quotas.available(ACME)

    clock.seconds += 2
    assert 100 == quotas.available(ACME)

    clock.seconds += 1_000_000
    assert 1000 == quotas.available(ACME)


@pytest.mark.parametrize(("cost", "seconds"), [(1, 1), (50, 1), (51, 2), (500, 10), (1000, 20)])
def test_a_refusal_says_when_it_will_be_enough(quotas: Quotas, clock: Clock, cost: int, seconds: int) -> None:
    quotas.spend(ACME, 1000)

    with pytest.raises(RateLimited, match=f"Try again in {seconds} seconds") as refused:
        quotas.spend(ACME, cost)

    assert seconds == refused.value.retry_after
    clock.seconds += seconds
    quotas.spend(ACME, cost)


def test_a_refusal_costs_nothing(quotas: Quotas) -> None:
    quotas.spend(ACME, 400)

    for _ in range(3):
        with pytest.raises(RateLimited):
            quotas.spend(ACME, 601)

    quotas.spend(ACME, 600)


def test_full_buckets_are_forgotten(quotas: Quotas, clock: Clock) -> None:
    for number in range(100):
        quotas.spend(("seller", str(number)), 50)
    assert 100 == len(quotas)

    clock.seconds += 1
    quotas.spend(ACME, 1)

    assert 1 == len(quotas)


def test_there_are_never_more_buckets_than_there_is_room_for(quotas: Quotas, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "MAX_BUCKETS", 10)

    for number in range(1000):
        quotas.spend(("network", str(number)), 1000)

    assert 10 == len(quotas)
    with pytest.raises(RateLimited):
        quotas.spend(("network", "999"), 1)


def test_what_costs_nothing_leaves_no_bucket(quotas: Quotas) -> None:
    quotas.spend(ACME, 0)

    assert 0 == len(quotas)


def test_whose_points_a_call_spends() -> None:
    bound = Principal(PrincipalKind.SERVICE, "erp", SCOPES[PrincipalKind.SERVICE], "acme")

    assert [ACME, ACME, ACME, ("service", "oms"), ("network", "192.0.2.1"), ("network", "2001:db8::/64")] == [
        bucket_of(context(CUSTOMER)),
        bucket_of(context(OPERATOR)),
        bucket_of(context(bound)),
        bucket_of(context(SERVICE)),
        bucket_of(context()),
        bucket_of(context(address="2001:db8::17")),
    ]


# ---------------------------------------------------------------------------- operations


@pytest.fixture(name="schema")
def _schema(quotas: Quotas) -> Schema:
    schema = build_schema(OperationRules(seller_points=1000, seller_points_per_second=50))
    assert (1000, 50) == (schema.quotas.points, schema.quotas.per_second)
    schema.quotas = quotas
    return schema


async def test_an_operation_beyond_the_quota_is_not_executed(schema: Schema, quotas: Quotas, clock: Clock) -> None:
    quotas.spend(ACME, 1000)

    result = await run(FIELD, schema=schema, principal=OPERATOR)

    assert result.data is None
    assert [("RATE_LIMITED", "There were too many of these calls. Try again in 1 seconds.")] == errors(result)
    assert 1 == ((result.errors or [])[0].extensions or {})["retryAfter"]
    assert not result.extensions

    clock.seconds += 1
    assert {"viewer": {"kind": "OPERATOR"}} == (await run(FIELD, schema=schema, principal=OPERATOR)).data
    assert 49 == quotas.available(ACME)


async def test_everybody_of_a_seller_spends_from_one_bucket_and_nobody_else(schema: Schema, quotas: Quotas) -> None:
    quotas.spend(ACME, 1000)

    assert ["RATE_LIMITED"] == codes(await run(FIELD, schema=schema, principal=CUSTOMER))
    assert [] == codes(await run(FIELD, schema=schema, principal=SERVICE))
    assert ["UNAUTHENTICATED"] == codes(await run(FIELD, schema=schema))


async def test_strangers_spend_from_their_networks_bucket(schema: Schema, quotas: Quotas) -> None:
    quotas.spend(("network", "192.0.2.1"), 1000)

    assert ["RATE_LIMITED"] == codes(await run(FIELD, schema=schema))
    assert ["UNAUTHENTICATED"] == codes(await run(FIELD, schema=schema, address="192.0.2.2"))


async def test_what_is_refused_for_another_reason_costs_nothing(schema: Schema, quotas: Quotas) -> None:
    for document in ("{ nothing }", "{ a a a a a a a a a a a }", "{ customers(first: 0) { totalCount } }", "{"):
        assert (await run(document, schema=schema, principal=OPERATOR)).errors

    assert 1000 == quotas.available(ACME)
