"""How many questions an answer costs the database, however many customers it shows."""

import pytest

from tests.api import Api, Commands, Tokens, codes, some_email
from tests.graphql.operations import ADDRESS, BERLIN, LONDON, PROFILE, create

READS = ("find", "aggregate", "count", "distinct", "getMore")


async def test_page_of_fifty_customers_with_addresses_and_documents_costs_three_finds(execute: Api, commands: Commands) -> None:
    for _ in range(50):
        await create(execute, addresses=[BERLIN, LONDON], documents=[{"type": "PASSPORT"}])
    commands.forget()

    page = await execute.data(
        f"""{{ customers(first: 50) {{ nodes {{
          {PROFILE} addresses {{ {ADDRESS} }} shipping: defaultAddress(kind: SHIPPING) {{ id }}
          documents {{ id type status number file {{ name }} }} }} pageInfo {{ hasNextPage endCursor }} }} }}"""
    )

    nodes = page["customers"]["nodes"]
    assert (50, 100, 50) == (
        len(nodes),
        sum(len(node["addresses"]) for node in nodes),
        sum(len(node["documents"]) for node in nodes),
    )
    assert ["addresses", "customers", "documents"] == sorted(commands.of_requests(*READS))


@pytest.mark.parametrize("beside", ["", "addresses { id } documents { id }"], ids=["alone", "beside what it looks at"])
async def test_onboarding_of_fifty_customers_costs_three_finds(execute: Api, commands: Commands, beside: str) -> None:
    for _ in range(50):
        await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}])
    commands.forget()

    page = await execute.data(f"{{ customers(first: 50) {{ nodes {{ onboarding {{ complete done remaining }} {beside} }} }} }}")

    assert [["ADDRESS_ADDED"]] * 50 == [node["onboarding"]["done"] for node in page["customers"]["nodes"]]
    assert ["addresses", "customers", "documents"] == sorted(commands.of_requests(*READS))


async def test_customer_with_addresses_and_documents_costs_one_command(execute: Api, commands: Commands) -> None:
    customer = await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}])
    commands.forget()

    await execute.data("query($id: ID!) { customer(id: $id) { id addresses { id } documents { id } } }", {"id": customer["id"]})

    assert ["customers"] == commands.of_requests(*READS)


async def test_page_that_asks_for_customers_alone_costs_one_find(execute: Api, commands: Commands) -> None:
    await create(execute)
    commands.forget()

    await execute.data("{ customers { nodes { id fullName } pageInfo { hasNextPage } } }")

    assert ["customers"] == commands.of_requests(*READS)


async def test_total_is_counted_only_when_it_is_asked_for(execute: Api, commands: Commands) -> None:
    await create(execute)
    commands.forget()

    await execute.data("{ customers { totalCount nodes { id } } }")

    assert ["customers", "customers"] == commands.of_requests(*READS)


async def test_addresses_find_all_their_customers_at_once(execute: Api, commands: Commands) -> None:
    for _ in range(5):
        await create(execute, addresses=[BERLIN])
    commands.forget()

    await execute.data("{ addresses { nodes { id customer { id fullName documents { id } } } } }")

    assert ["addresses", "customers", "documents"] == sorted(commands.of_requests(*READS))


async def test_loaders_serve_a_service_that_reads_two_sellers_in_one_operation(execute: Api, tokens: Tokens) -> None:
    customers = [await create(execute, as_=tokens.operator(seller), addresses=[BERLIN]) for seller in ("seller-a", "seller-b")]

    found = await execute.data(
        "query($a: ID!, $b: ID!) { a: customer(id: $a) { addresses { id } } b: customer(id: $b) { addresses { id } } }",
        {"a": customers[0]["id"], "b": customers[1]["id"]},
        as_=tokens.service(),
    )

    assert {
        name: {"addresses": [{"id": customer["addresses"][0]["id"]}]} for name, customer in zip("ab", customers, strict=True)
    } == found


async def test_new_customer_with_an_address_costs_three_inserts_and_a_commit(execute: Api, commands: Commands) -> None:
    await create(execute)
    commands.forget()

    await execute.data(
        """mutation($input: CustomerInput!) { createCustomer(input: $input) {
             customer { id email status createdAt } userErrors { code } } }""",
        {"input": {"email": some_email(), "addresses": [BERLIN]}},
    )

    assert ["customers", "addresses", "customer_events"] == commands.of_requests("insert")
    assert 1 == len(commands.collections("commitTransaction"))
    assert [] == commands.of_requests(*READS)


async def test_everything_that_is_taken_is_told_at_once_and_nothing_is_stored(execute: Api, commands: Commands) -> None:
    ada, bob = await create(execute, externalId="ada"), await create(execute, phone="+493012345678")
    taken = {"email": ada["email"], "phone": bob["phone"], "externalId": "ada", "addresses": [BERLIN]}

    answer = await execute.data(
        "mutation($input: CustomerInput!) { createCustomer(input: $input) { customer { id } userErrors { code field } } }",
        {"input": taken},
    )

    assert answer["createCustomer"]["customer"] is None
    assert {("TAKEN", "email"), ("TAKEN", "phone"), ("TAKEN", "externalId")} == {
        (code, path[-1]) for code, path in codes(answer["createCustomer"]) if path
    }
    assert 2 == (await execute.data("{ customers { totalCount } }"))["customers"]["totalCount"]
