"""Sign-in: whether time tells a customer from a stranger, and how fast codes and tokens come. Run against a running stack."""

import asyncio
import itertools
import json
import statistics
import time
from pathlib import Path
from typing import Any

import aiohttp

from bench.figure import Figure

PAIRS = 40
"""Customers and strangers asked for in turn; one network may be wrong 200 times an hour."""

REFRESHES = 300

_CREATE = "mutation($input: CustomerInput!) { createCustomer(input: $input) { userErrors { message } } }"
_REQUEST = """mutation($seller: ID!, $to: String!) {
  requestOtp(sellerId: $seller, channel: EMAIL, destination: $to) { challengeId userErrors { message } } }"""
_LOGIN = """mutation($challenge: ID!, $code: String!) {
  login(challengeId: $challenge, code: $code) { tokens { refreshToken } userErrors { code } } }"""
_REFRESH = "mutation($token: String!) { refreshTokens(refreshToken: $token) { tokens { refreshToken } } }"


async def measure(stack: dict[str, Any]) -> list[Figure]:
    """Return the medians, in milliseconds, and refreshes per second of one client after the other."""
    async with aiohttp.ClientSession() as session:
        run = f"{time.time_ns():x}"
        known = [f"customer-{number}-{run}@bench.example" for number in range(PAIRS)]
        strangers = [f"stranger-{number}-{run}@bench.example" for number in range(PAIRS)]
        for address in known:
            await _call(session, stack, _CREATE, {"input": {"email": address}}, stack["tokens"]["operator"])
        times: dict[str, list[float]] = {"customer": [], "stranger": [], "customer login": [], "stranger login": []}
        sent: list[str] = []
        for address in itertools.chain.from_iterable(zip(known, strangers, strict=True)):
            who = "customer" if address in known else "stranger"
            seconds, asked = await _timed(session, stack, _REQUEST, {"seller": stack["seller_id"], "to": address})
            times[who].append(seconds)
            challenge = asked["requestOtp"]["challengeId"]
            sent += [challenge] if who == "customer" else []
            # Not the right one, but once in a million.
            seconds, _ = await _timed(session, stack, _LOGIN, {"challenge": challenge, "code": "000000"})
            times[f"{who} login"].append(seconds)
        delivered = [await _delivery(session, stack, f"delivery-{number}-{run}@bench.example") for number in range(20)]
        refreshes = await _refreshes(session, stack, sent[0])
    medians = {what: statistics.median(found) * 1000 for what, found in times.items()}
    return [
        *(Figure(f"{what}, median", median, "ms") for what, median in medians.items()),
        Figure("requestOtp, customer minus stranger", medians["customer"] - medians["stranger"], "ms"),
        Figure("login with a wrong code, customer minus stranger", medians["customer login"] - medians["stranger login"], "ms"),
        Figure("requestOtp until the code was handed over, median", statistics.median(delivered) * 1000, "ms"),
        Figure("refreshTokens, one after the other", refreshes, "per second"),
    ]


async def _delivery(session: aiohttp.ClientSession, stack: dict[str, Any], address: str) -> float:
    """Return how long it takes from asking for a code until it stands in the outbox."""
    await _call(session, stack, _CREATE, {"input": {"email": address}}, stack["tokens"]["operator"])
    begun = time.perf_counter()
    asked = await _call(session, stack, _REQUEST, {"seller": stack["seller_id"], "to": address})
    while _code(stack, asked["requestOtp"]["challengeId"]) is None:  # noqa: ASYNC110  another process writes the file
        await asyncio.sleep(0.001)
    return time.perf_counter() - begun


async def _refreshes(session: aiohttp.ClientSession, stack: dict[str, Any], challenge: str) -> float:
    code = _code(stack, challenge)
    entered = await _call(session, stack, _LOGIN, {"challenge": challenge, "code": code})
    token = entered["login"]["tokens"]["refreshToken"]
    begun = time.perf_counter()
    for _ in range(REFRESHES):
        token = (await _call(session, stack, _REFRESH, {"token": token}))["refreshTokens"]["tokens"]["refreshToken"]
    return REFRESHES / (time.perf_counter() - begun)


def _code(stack: dict[str, Any], challenge: str) -> str | None:
    for line in reversed(Path(stack["otp_outbox"]).read_text(encoding="utf-8").splitlines()):
        message = json.loads(line)
        if message["id"] == challenge:
            return str(message["code"])
    return None


async def _timed(
    session: aiohttp.ClientSession, stack: dict[str, Any], query: str, variables: dict[str, Any]
) -> tuple[float, dict[str, Any]]:
    begun = time.perf_counter()
    data = await _call(session, stack, query, variables)
    return time.perf_counter() - begun, data


async def _call(
    session: aiohttp.ClientSession, stack: dict[str, Any], query: str, variables: dict[str, Any], token: str | None = None
) -> dict[str, Any]:
    headers = {} if token is None else {"authorization": f"Bearer {token}"}
    async with session.post(stack["graphql"], json={"query": query, "variables": variables}, headers=headers) as response:
        answer: dict[str, Any] = await response.json()
    if "errors" in answer:
        message = f"The service did not answer: {answer['errors']}"
        raise RuntimeError(message)
    data: dict[str, Any] = answer["data"]
    return data
