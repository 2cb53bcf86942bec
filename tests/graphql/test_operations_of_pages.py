"""The operations that pages show are answered, each as the caller that its page speaks of."""

import pytest
from graphql import OperationDefinitionNode, parse

from tests.api import Api, Tokens
from tests.graphql.operations import BERLIN, create
from tests.house import ROOT
from tests.pages import Block, every_block

# The README's run in a journey, against the stack that it starts.
SHOWN = [
    block
    for block in every_block()
    if block.language == "graphql"
    and block.page != ROOT / "README.md"
    and any(isinstance(one, OperationDefinitionNode) for one in parse(block.text).definitions)
]


@pytest.mark.parametrize("block", SHOWN, ids=str)
async def test_an_operation_of_a_page_is_answered(execute: Api, tokens: Tokens, seller: str, block: Block) -> None:
    customer = await create(execute, addresses=[BERLIN], documents=[{"type": "PASSPORT"}])
    itself = tokens.customer(customer["id"], seller)
    callers = {
        "query ForAService": tokens.service(),
        "me {": itself,
        "exportCustomerData": itself,
        "customerDataExport": itself,
    }
    document = customer["documents"][0]["id"]
    variables = {
        "id": document if "reviewDocument" in block.text else customer["id"],
        "ids": [customer["id"]],
        "n": 50,
        "customer": customer["id"],
        "into": customer["id"],
        "from": (await create(execute))["id"] if "$from" in block.text else None,
    }
    caller = next((token for words, token in callers.items() if words in block.text), "")

    answer = await execute(block.text, variables, as_=caller)

    assert "errors" not in answer, answer
    assert answer["data"]


def test_there_are_operations_on_pages() -> None:
    assert SHOWN
