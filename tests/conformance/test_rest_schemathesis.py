"""schemathesis: made-up calls of every REST operation, sound and unsound; no answer is a server error, or one untold of."""

import asyncio
import json
import logging
import os
import random
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from schemathesis.checks import load_all_checks
from schemathesis.generation import GenerationMode

from tests.api import Api, Json, Tokens, some_email
from tests.house import ROOT
from tests.rest.calls import ADDRESS, Calls, made

EXAMPLES = int(os.environ.get("REST_EXAMPLES", "40"))
"""Calls of each operation and kind."""

DESCRIPTION: Json = json.loads((ROOT / "rest" / "openapi.json").read_text(encoding="utf-8"))
SCHEMA = schemathesis.openapi.from_dict(DESCRIPTION)
OPERATIONS = {found.label: found for found in (one.ok() for one in SCHEMA.get_all_operations())}

OPEN = {
    f"{method.upper()} {path}"
    for path, methods in DESCRIPTION["paths"].items()
    for method, operation in methods.items()
    if operation.get("security") is not None
}
"""Operations that need no token of ours."""

KNOWN = 0.5
"""How many of the sound calls are about what there is."""

LEFT_OUT = {
    "positive_data_acceptance": "the rules for e-mail addresses, phones and postal codes are beyond what a schema can say",
}
"""Checks of schemathesis that are not made, and why."""

KINDS = {"sound": GenerationMode.POSITIVE, "unsound": GenerationMode.NEGATIVE}


TRIED = [
    (label, kind)
    for label, operation in sorted(OPERATIONS.items())
    for kind in sorted(KINDS)
    if kind == "sound" or operation.definition.raw.get("parameters") or operation.definition.raw.get("requestBody")
]
"""What takes nothing can be given nothing unsound."""


def examples(label: str, kind: str) -> list[schemathesis.Case]:
    """Make up calls of an operation: the same in every run, so that a failure can be looked into."""
    found: list[schemathesis.Case] = []

    @seed(1)
    @settings(
        max_examples=EXAMPLES,
        database=None,
        deadline=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )
    @given(OPERATIONS[label].as_strategy(generation_mode=KINDS[kind]))
    def collect(case: schemathesis.Case) -> None:
        found.append(case)

    collect()
    return found


def checks() -> list[Any]:
    """Return the checks that are made of every answer."""
    load_all_checks()
    names = [name for name in schemathesis.checks.CHECKS.get_all_names() if name not in LEFT_OUT]
    return list(schemathesis.checks.CHECKS.get_by_names(names))


def test_every_operation_is_tried() -> None:
    described = {f"{method.upper()} {path}" for path, methods in DESCRIPTION["paths"].items() for method in methods}

    assert described == OPERATIONS.keys()


@pytest.mark.parametrize(("label", "kind"), TRIED)
async def test_no_made_up_call_is_answered_in_a_way_untold_of(
    execute: Api, tokens: Tokens, seller: str, served: str, caplog: pytest.LogCaptureFixture, label: str, kind: str
) -> None:
    """
    Half of the calls are about a customer that there is, as somebody who may call: else hardly one would get anywhere.
    """
    token = tokens.service() if "/internal/" in label else tokens.operator(seller)
    headers = {} if OPEN & {label} else {"authorization": f"Bearer {token}"}
    rest = Calls(execute.http, tokens.operator(seller))
    base = served.removesuffix("/graphql")
    chosen = random.Random(1)
    everything = checks()

    for case in examples(label, kind):
        if kind == "sound" and "seller_id" in case.path_parameters:
            case.path_parameters["seller_id"] = seller
        if kind == "sound" and chosen.random() < KNOWN:
            ada = await made(rest, seller, email=some_email(), addresses=[ADDRESS])
            known = {"customer_id": ada["id"], "address_id": ada["addresses"][0]["id"]}
            case.path_parameters.update({name: known[name] for name in case.path_parameters if name in known})
            if isinstance(case.body, dict) and "customerId" in case.body:
                case.body["customerId"] = ada["id"]
        answer = await asyncio.to_thread(case.call, base_url=base, headers=headers)
        # Callers that are told to wait would have tried nothing; codes have limits of their own.
        assert "RATE_LIMITED" not in answer.text
        await asyncio.to_thread(case.validate_response, answer, checks=everything, headers=headers)
    told = [record for record in caplog.records if not record.name.startswith("pymongo")]
    assert [] == [record.getMessage() for record in told if record.levelno >= logging.ERROR]
