"""What the facade stands on, put into the application's state when it starts."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Annotated

from fastapi import Depends
from starlette.requests import Request

from auth.principal import Principal
from auth.tokens import Credential
from core.device import Device
from core.errors import Unavailable
from loaders.registry import Lanes, Loaders
from services.registry import Services

Identify = Callable[[str | None], Awaitable[Credential | None]]
"""Reads an Authorization header; None for a call without one. Raises `Unauthenticated` for one that does not hold."""

Spend = Callable[[Principal | None, Device, int], None]
"""Takes points from the caller's quota, which GraphQL takes its points from too. Raises `RateLimited`."""

CALL_POINTS = 10
"""What a call costs: as much as a mutation of GraphQL that selects a customer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Facade:
    """The services behind the facade, who lets callers in, and its limits in seconds."""

    services: Services
    identify: Identify
    spend: Spend
    deadline: float
    read_timeout: float
    lanes: Lanes = field(default_factory=Lanes)

    def loaders(self, viewer: Principal) -> Loaders:
        """Return loaders for one call, inside what its caller may touch."""
        return Loaders(viewer.reach(), self.lanes)


def facade_of(request: Request) -> Facade:
    """Return what the application of *request* stands on.

    Raises:
        Unavailable: it has not started yet.
    """
    found: Facade | None = getattr(request.app.state, "facade", None)
    if found is None:
        raise Unavailable("The service is starting. Try again in a moment.")
    return found


UsedFacade = Annotated[Facade, Depends(facade_of)]
"""The facade, for handlers."""
