"""Connections, after the Relay cursor specification."""

from collections.abc import Callable
from typing import Annotated, Generic, Self, TypeVar

import strawberry

from core.paging import DEFAULT_PAGE_SIZE, MAX_PAGE_SIZE, Page

T = TypeVar("T")
R = TypeVar("R")

First = Annotated[
    int | None,
    strawberry.argument(description=f"How many to return from the start, 1 to {MAX_PAGE_SIZE}; {DEFAULT_PAGE_SIZE} if absent."),
]
After = Annotated[str | None, strawberry.argument(description="Return what comes after this cursor.")]
Last = Annotated[int | None, strawberry.argument(description=f"How many to return from the end, 1 to {MAX_PAGE_SIZE}.")]
Before = Annotated[str | None, strawberry.argument(description="Return what comes before this cursor.")]


@strawberry.federation.type(shareable=True, description="Where a page lies in its list.")
class PageInfo:
    has_next_page: bool = strawberry.field(description="Whether more follows.")
    has_previous_page: bool = strawberry.field(description="Whether something comes before.")
    start_cursor: str | None = strawberry.field(description="The cursor of the first item, null for an empty page.")
    end_cursor: str | None = strawberry.field(description="The cursor of the last item, null for an empty page.")


@strawberry.type(description="An item of a list, with its place in it.")
class Edge(Generic[T]):
    cursor: str = strawberry.field(description="The item's place in the list, for `after` and `before`.")
    node: T = strawberry.field(description="The item.")


@strawberry.type(description="One page of a list.")
class Connection(Generic[T]):
    edges: list[Edge[T]] = strawberry.field(description="The items with their cursors.")
    page_info: PageInfo = strawberry.field(description="Where this page lies in the list.")

    @strawberry.field(description="The items without their cursors.")
    def nodes(self) -> list[T]:
        """Return the items alone."""
        return [edge.node for edge in self.edges]

    @classmethod
    def from_page(cls, page: Page[R], node: Callable[[R], T], cursor: Callable[[R], str]) -> Self:
        """Return the connection for a page of records."""
        edges = [Edge(cursor=cursor(item), node=node(item)) for item in page.items]
        return cls(edges=edges, page_info=page_info(page, edges))


def page_info(page: Page[R], edges: list[Edge[T]]) -> PageInfo:
    """Return where a page lies in its list."""
    return PageInfo(
        has_next_page=page.has_next,
        has_previous_page=page.has_previous,
        start_cursor=edges[0].cursor if edges else None,
        end_cursor=edges[-1].cursor if edges else None,
    )
