"""What consumers of our events build against: the AsyncAPI document, and a JSON Schema for each event."""

from typing import Annotated, Any

import orjson
from fastapi import APIRouter, HTTPException, Path, Response, status

from events.asyncapi import asyncapi
from events.contract import json_schemas
from events.customer import EventTopics

ASYNCAPI_PATH = "/asyncapi.json"
SCHEMA_PATH = "/events/schemas/{name}.json"
ASYNCAPI_TYPE = "application/vnd.aai.asyncapi+json;version=3.0.0"
SCHEMA_TYPE = "application/schema+json"

_CACHED = {"cache-control": "public, max-age=300"}


def event_contract_router(topics: EventTopics) -> APIRouter:
    """Return the routes that describe the events on *topics*. They need no token: nothing there is about anybody."""
    router = APIRouter(tags=["events"])
    document = orjson.dumps(asyncapi(topics))
    schemas = {name: orjson.dumps(schema) for name, schema in json_schemas().items()}

    @router.get(
        ASYNCAPI_PATH,
        summary="The events of this service, as AsyncAPI 3.0",
        response_class=Response,
        responses=_said("The document.", ASYNCAPI_TYPE),
    )
    async def described() -> Response:
        """Answer with topics, keys, headers and bodies of everything that is published."""
        return Response(document, media_type=ASYNCAPI_TYPE, headers=_CACHED)

    @router.get(
        SCHEMA_PATH,
        summary="The JSON Schema of one event",
        response_class=Response,
        responses={**_said("The schema.", SCHEMA_TYPE), 404: {"description": "There is no event of this name."}},
    )
    async def schema(
        name: Annotated[str, Path(description="The name of an event.", examples=["customer.created"], max_length=100)],
    ) -> Response:
        """Answer with the schema of an event's body, in the dialect of 2020-12."""
        found = schemas.get(name)
        if found is None:
            raise HTTPException(status.HTTP_404_NOT_FOUND, f"There is no such event. Events are: {', '.join(schemas)}.")
        return Response(found, media_type=SCHEMA_TYPE, headers=_CACHED)

    return router


def _said(description: str, media_type: str) -> dict[int | str, dict[str, Any]]:
    media = media_type.partition(";")[0]
    return {200: {"description": description, "content": {media: {"schema": {"type": "object"}}}}}
