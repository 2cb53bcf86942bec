"""How answers of two executors are compared where resolvers wait."""

from collections.abc import Mapping
from typing import Any

import orjson


def assert_alike(expected: Mapping[str, Any], actual: Mapping[str, Any]) -> None:
    """Find the same data, byte by byte, and the same errors.

    Where several fields race to make one place null, the first one is told: whose turn comes first may differ. There has to
    be an error for the place in both.
    """
    assert orjson.dumps(expected.get("data")) == orjson.dumps(actual.get("data"))
    wanted, found = _by_place(expected), _by_place(actual)
    assert wanted.keys() == found.keys()
    for place, errors in wanted.items():
        if all(list(place) == orjson.loads(error).get("path", []) for error in (*errors, *found[place])):
            assert sorted(errors) == sorted(found[place])


def _nulled(data: Any, path: list[Any]) -> tuple[Any, ...]:
    """Return the place on the way of a path where the answer is null already."""
    for length, step in enumerate(path):
        if data is None:
            return tuple(path[:length])
        data = data[step]
    return tuple(path)


def _by_place(answer: Mapping[str, Any]) -> dict[tuple[Any, ...], list[bytes]]:
    """Return the errors by the places that they made null."""
    places: dict[tuple[Any, ...], list[bytes]] = {}
    for error in answer.get("errors", []):
        places.setdefault(_nulled(answer.get("data"), error.get("path", [])), []).append(orjson.dumps(error))
    return places
