"""Who calls, and for which seller."""

from typing import Annotated

from fastapi import Depends, Path
from starlette.requests import Request

from auth.principal import Principal
from core.device import Device, device_of
from core.errors import Forbidden
from core.request_facts import note
from core.vocabulary import PrincipalKind
from rest.facade import CALL_POINTS, facade_of
from rest.http_bearer import NoCredentials, authorization_of

SellerPath = Annotated[
    str,
    Path(
        alias="seller_id",
        description="The seller. A caller of one seller gets FORBIDDEN for another.",
        pattern=r"^[A-Za-z0-9_-]{1,64}$",
        examples=["demo"],
    ),
]


async def identify(request: Request) -> Principal | None:
    """Return who calls, None for nobody, and take the points of the call from its quota.

    Raises:
        Unauthenticated: for a token that does not hold.
        UnusableCredentials: for credentials that nobody here reads.
        RateLimited: the quota is used up.
    """
    facade = facade_of(request)
    credential = await facade.identify(authorization_of(request))
    principal = None if credential is None else credential.principal
    note(seller=None if principal is None else principal.seller_id)
    facade.spend(principal, device(request), CALL_POINTS)
    return principal


def charge(request: Request, items: int) -> None:
    """Take the points of a call about many *items* from its caller's quota: as many as so many calls cost.

    Raises:
        RateLimited: the quota is used up.
    """
    # Those of one call are taken already.
    facade_of(request).spend(request.state.principal, device(request), CALL_POINTS * (items - 1))


def device(request: Request) -> Device:
    """Return where a call comes from."""
    return device_of(None if request.client is None else request.client.host, request.headers.get("user-agent"))


def caller(request: Request) -> Principal:
    """Return who calls.

    Raises:
        Unauthenticated: when nobody has said who it is.
    """
    principal: Principal | None = request.state.principal
    if principal is None:
        raise NoCredentials
    return principal


def caller_for_seller(request: Request, seller_id: SellerPath) -> Principal:
    """Return who calls, bound to the seller in the path: what is another seller's is not there.

    Raises:
        Forbidden: the caller belongs to another seller.
    """
    return caller(request).acting_for(seller_id)


def only_services(request: Request) -> None:
    """Refuse callers that are no services.

    Raises:
        Forbidden: for tokens of people.
    """
    if caller(request).kind is not PrincipalKind.SERVICE:
        raise Forbidden("This is for services only: customers and operators have their own API under /api/v1.")


Caller = Annotated[Principal, Depends(caller)]
SellerCaller = Annotated[Principal, Depends(caller_for_seller)]
CallingDevice = Annotated[Device, Depends(device)]
