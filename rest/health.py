"""Whether the process lives, and whether it can work."""

from collections.abc import Awaitable, Callable

from fastapi import APIRouter, Response, status

from rest.documented import ANYBODY

Check = Callable[[], Awaitable[str | None]]
"""Returns what is missing, or None when nothing is."""


_STATUS = {"type": "object", "additionalProperties": {"type": "string"}}


def health_router(ready: Check) -> APIRouter:
    """Return the routes that balancers and orchestrators ask; neither needs a token."""
    router = APIRouter(tags=["health"])

    @router.get("/healthz", summary="Is the process alive?", operation_id="isAlive", openapi_extra=ANYBODY)
    async def healthz(response: Response) -> dict[str, str]:
        """Answer without touching anything else."""
        response.headers["cache-control"] = "no-store"
        return {"status": "ok"}

    @router.get(
        "/readyz",
        summary="Can the process work?",
        operation_id="isReady",
        openapi_extra=ANYBODY,
        responses={
            503: {"description": "Something it needs is missing.", "content": {"application/json": {"schema": _STATUS}}}
        },
    )
    async def readyz(response: Response) -> dict[str, str]:
        """Answer 503, and say what is missing: the database, its indexes, or a migration; and while the process stops."""
        response.headers["cache-control"] = "no-store"
        missing = await ready()
        if missing is not None:
            response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
            return {"status": "unavailable", "missing": missing}
        return {"status": "ok"}

    return router
