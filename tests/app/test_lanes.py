"""Whom a request is of, before its token is looked at."""

from starlette.types import Scope

from app.lanes import STRANGERS, SellerLanes


def asking(authorization: str | None = None) -> Scope:
    headers = [(b"accept", b"*/*")]
    if authorization is not None:
        headers.append((b"authorization", authorization.encode("latin-1")))
    return {"type": "http", "headers": headers}


def test_those_whose_credentials_have_held_wait_with_their_seller() -> None:
    lanes = SellerLanes()
    lanes.learn("Bearer one", "toys")
    lanes.learn("Bearer two", "toys")
    lanes.learn("Bearer three", "books")

    assert ["toys", "toys", "books"] == [lanes.of(asking(f"Bearer {one}")) for one in ("one", "two", "three")]


def test_made_up_credentials_share_one_lane() -> None:
    lanes = SellerLanes()
    lanes.learn("Bearer one", "toys")

    assert {STRANGERS} == {lanes.of(asking(one)) for one in (None, "", "Bearer", "Bearer on", "Bearer one ", "\xff")}


def test_those_who_were_not_heard_of_for_longest_are_forgotten() -> None:
    lanes = SellerLanes(most=2)
    lanes.learn("a", "toys")
    lanes.learn("b", "toys")
    assert "toys" == lanes.of(asking("a"))
    lanes.learn("c", "toys")

    assert ["toys", STRANGERS, "toys"] == [lanes.of(asking(one)) for one in "abc"]
