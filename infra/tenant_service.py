"""The tenant service: what sellers have configured for themselves, elsewhere.

    GET <url>, {sellerId} filled in
    {"defaultCountry": "AE", "onboarding": ["ADDRESS_ADDED"], "requiredDocuments": ["PASSPORT"],
     "validation": {"email": true, "phone": true, "documents": true, "addresses": true}, "otp": {"channels": ["SMS"]}}

Every member may be missing, and members that nobody here knows are ignored: it is not only our service. 404 means a seller
that has configured nothing. A question has so many seconds, a second attempt included.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from urllib.parse import quote

import httpx
import stamina
from pydantic import BaseModel, ConfigDict, StrictBool, ValidationError
from pydantic.alias_generators import to_camel

from core.errors import Unavailable
from core.seller import SellerRules
from core.vocabulary import DocumentType, OnboardingStep, OtpChannel
from infra.breaker import Breaker
from infra.retry_budget import RetryBudget

SYSTEM = "The tenant service"
PLACEHOLDER = "{sellerId}"
ATTEMPTS = 2
LONGEST_ANSWER = 100_000
"""In bytes; the settings of one seller have some hundred."""

_TRANSIENT = frozenset({429, 500, 502, 503, 504})


class _Again(Exception):
    """It failed in a way that another attempt may mend."""


class _Said(BaseModel):
    model_config = ConfigDict(alias_generator=to_camel, extra="ignore")


class _Validation(_Said):
    email: StrictBool | None = None
    phone: StrictBool | None = None
    documents: StrictBool | None = None
    addresses: StrictBool | None = None


class _Otp(_Said):
    channels: tuple[OtpChannel, ...] | None = None


class _Settings(_Said):
    default_country: str | None = None
    onboarding: tuple[OnboardingStep, ...] | None = None
    required_documents: tuple[DocumentType, ...] | None = None
    validation: _Validation = _Validation()
    otp: _Otp = _Otp()


class TenantService:
    """Asks for one seller at a time. Made by `open_tenant_service`."""

    def __init__(self, http: httpx.AsyncClient, url: str, *, within: float, breaker: Breaker) -> None:
        self._http = http
        self._url = url
        self._within = within
        self._breaker = breaker
        self._budget = RetryBudget(SYSTEM)

    async def rules_of(self, seller_id: str) -> SellerRules | None:
        """Return what a seller has configured; None for one that has configured nothing.

        Raises:
            Unavailable: no answer, or none that can be understood.
        """
        return await self._breaker.call(lambda: self._ask(seller_id))

    async def _ask(self, seller_id: str) -> SellerRules | None:
        self._budget.earn()
        try:
            async with asyncio.timeout(self._within):
                async for attempt in stamina.retry_context(on=_Again, attempts=ATTEMPTS, wait_initial=0.05, wait_max=0.2):
                    with attempt:
                        if attempt.num > 1 and not self._budget.spend():
                            raise Unavailable(f"{SYSTEM} fails too often to be asked again.")
                        return await self._once(seller_id)
        except TimeoutError:
            raise Unavailable(f"{SYSTEM} did not answer within {self._within:g} seconds.") from None
        except _Again as error:
            raise Unavailable(f"{SYSTEM} cannot be reached: {error}.") from None
        raise AssertionError("There is always a last attempt.")  # pragma: no cover

    async def _once(self, seller_id: str) -> SellerRules | None:
        url = self._url.replace(PLACEHOLDER, quote(seller_id, safe=""))
        try:
            async with self._http.stream("GET", url) as answer:
                if answer.status_code in _TRANSIENT:
                    raise _Again(f"status {answer.status_code}")
                if answer.status_code == httpx.codes.NOT_FOUND:
                    return None
                if answer.status_code != httpx.codes.OK:
                    raise Unavailable(f"{SYSTEM} answered with the status {answer.status_code}.")
                body = await _bounded(answer)
        except httpx.HTTPError as error:
            raise _Again(type(error).__name__) from error
        try:
            return _rules(_Settings.model_validate_json(body))
        except ValidationError as error:
            places = ", ".join(".".join(map(str, one["loc"])) or "body" for one in error.errors(include_input=False))
            raise Unavailable(f"{SYSTEM} said something that is not understood here, about: {places}.") from None


async def _bounded(answer: httpx.Response) -> bytes:
    body = bytearray()
    async for chunk in answer.aiter_bytes():
        body += chunk
        if len(body) > LONGEST_ANSWER:
            raise Unavailable(f"{SYSTEM} answered with more than {LONGEST_ANSWER:,} bytes.")
    return bytes(body)


def _rules(said: _Settings) -> SellerRules:
    return SellerRules(
        default_country=said.default_country,
        onboarding=said.onboarding,
        email=said.validation.email,
        phone=said.validation.phone,
        documents=said.validation.documents,
        addresses=said.validation.addresses,
        required_documents=said.required_documents,
        otp_channels=said.otp.channels,
    )


@asynccontextmanager
async def open_tenant_service(url: str, *, token: str | None, within: float) -> AsyncIterator[TenantService]:
    """Open the tenant service at *url*, in which ``{sellerId}`` stands for the seller; a question has *within* seconds."""
    headers = {"accept": "application/json"} | ({} if token is None else {"authorization": f"Bearer {token}"})
    patience = httpx.Timeout(within, connect=min(1.0, within))
    async with httpx.AsyncClient(timeout=patience, headers=headers, follow_redirects=False, trust_env=False) as http:
        yield TenantService(http, url, within=within, breaker=Breaker(SYSTEM))
