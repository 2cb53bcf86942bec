"""Versions in HTTP's own words: ETag, If-Match and If-None-Match (RFC 9110, section 13)."""

import re
from http import HTTPStatus
from typing import Annotated

from fastapi import Header
from starlette.requests import Request
from starlette.responses import Response

_TAG = re.compile(r'\s*(W/)?"([^"]*)"\s*(?:,|$)')
_VERSION = re.compile(r"[1-9][0-9]{0,17}")
_NO_VERSION = 0

IfMatch = Annotated[
    str | None,
    Header(
        alias="If-Match",
        description="The ETag you read. If it has changed since, nothing happens and you get 412 with the code CONFLICT.",
        examples=['"3"'],
    ),
]
IfNoneMatch = Annotated[
    str | None,
    Header(alias="If-None-Match", description="The ETag you have. While it holds you get 304, and no body.", examples=['"3"']),
]


def etag(version: int) -> str:
    """Return the entity tag of a version."""
    return f'"{version}"'


def expected_version(if_match: str | None) -> int | None:
    """Return the version that a change expects; None for any. What is no version of ours is one that nothing has."""
    if if_match is None or if_match.strip() == "*":
        return None
    tags = _TAG.findall(if_match)
    if len(tags) != 1:
        return _NO_VERSION
    # Section 13.1.1: a weak tag never matches here.
    weak, tag = tags[0]
    return int(tag) if not weak and _VERSION.fullmatch(tag) else _NO_VERSION


def unchanged(request: Request, version: int) -> Response | None:
    """Return the answer to a caller that has this very version already; None for everybody else."""
    given = ", ".join(request.headers.getlist("if-none-match"))
    if given.strip() == "*" or any(tag == str(version) for _, tag in _TAG.findall(given)):
        return Response(status_code=HTTPStatus.NOT_MODIFIED, headers={"etag": etag(version)})
    return None
