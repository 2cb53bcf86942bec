"""Pages of lists: cursors as in GraphQL, and Link headers (RFC 8288)."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Annotated, Any, Generic, TypeVar
from urllib.parse import urlencode

from fastapi import Query
from pydantic import Field
from starlette.requests import Request

from core.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page, PageRequest, page_request
from rest.shape import Shape

T = TypeVar("T")

First = Annotated[
    int | None,
    Query(
        description=f"How many to return from the start, 1 to {MAX_PAGE_SIZE}; {DEFAULT_PAGE_SIZE} if absent.",
        ge=1,
        le=MAX_PAGE_SIZE,
    ),
]
After = Annotated[str | None, Query(description="Return what comes after this cursor.")]
Last = Annotated[
    int | None, Query(description=f"How many to return from the end, 1 to {MAX_PAGE_SIZE}.", ge=1, le=MAX_PAGE_SIZE)
]
Before = Annotated[str | None, Query(description="Return what comes before this cursor.")]

_PAGING = frozenset({"first", "after", "last", "before"})


@dataclass(frozen=True, slots=True)
class Paging:
    """Which part of a list is asked for, as the address says it."""

    first: int | None
    after: str | None
    last: int | None = None
    before: str | None = None

    @property
    def size(self) -> int:
        """How many items a page has at most."""
        return self.last or self.first or DEFAULT_PAGE_SIZE

    def request(self, order: str) -> PageRequest:
        """Return the part of the list that is ordered by *order*.

        Raises:
            BadInput: as `core.paging.page_request`.
        """
        return page_request(order, first=self.first, after=self.after, last=self.last, before=self.before)


def both_ways(first: First = None, after: After = None, last: Last = None, before: Before = None) -> Paging:
    """Return what the address of a list says that can be walked in both directions."""
    return Paging(first, after, last, before)


def forward(first: First = None, after: After = None) -> Paging:
    """Return what the address of a list says that can be walked in one direction."""
    return Paging(first, after)


class PageInfo(Shape):
    """Where a page lies in its list."""

    has_next_page: bool = Field(description="Whether more follows.")
    has_previous_page: bool = Field(description="Whether something comes before.")
    start_cursor: str | None = Field(description="The cursor of the first item, null for an empty page.")
    end_cursor: str | None = Field(description="The cursor of the last item, null for an empty page.")


class Listed(Shape, Generic[T]):
    """One page of a list."""

    nodes: list[T] = Field(description="The items.")
    page_info: PageInfo = Field(description="Where this page lies in the list.")


def page_info(page: Page[Any], cursors: Sequence[str]) -> PageInfo:
    """Return where a page lies in its list; *cursors* are those of its items."""
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=cursors[0] if cursors else None,
        end_cursor=cursors[-1] if cursors else None,
    )


def links(request: Request, info: PageInfo, size: int, *, backward: bool = True) -> dict[str, str]:
    """Return the Link header of a page of at most *size* items; *backward* says whether the list can be walked back.

    The addresses are relative: a Host header is whatever its sender likes.
    """
    kept = [(name, value) for name, value in request.query_params.multi_items() if name not in _PAGING]
    found = [_link(request, [*kept, ("first", str(size))], "first")]
    if info.has_next_page and info.end_cursor is not None:
        found.append(_link(request, [*kept, ("first", str(size)), ("after", info.end_cursor)], "next"))
    if backward and info.has_previous_page and info.start_cursor is not None:
        found.append(_link(request, [*kept, ("last", str(size)), ("before", info.start_cursor)], "prev"))
    return {"link": ", ".join(found)}


def _link(request: Request, parameters: Sequence[tuple[str, str]], relation: str) -> str:
    return f'<{request.scope["path"]}?{urlencode(parameters)}>; rel="{relation}"'
