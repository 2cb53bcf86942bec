"""JSON that is written with blanks is read as fast as without, and a key that comes twice is found all the same."""

import json
import random
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.strict_json import strict_json

TEXTS = st.text(st.sampled_from('ab \t\n\\"é{}:,'), max_size=4)
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**40), 2**40) | TEXTS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXTS, inner, max_size=3),
    max_leaves=8,
)


def written(value: Any, choose: random.Random, *, twice: bool) -> str:
    """Write a value as JSON with blanks wherever they may be; with *twice*, some objects have a member again."""

    def blank() -> str:
        return choose.choice(("", "", " ", "\n\t"))

    if isinstance(value, dict):
        members = [(key, written(one, choose, twice=twice)) for key, one in value.items()]
        if twice and members:
            members.insert(choose.randrange(len(members) + 1), choose.choice(members))
        inner = [f"{blank()}{json.dumps(key, ensure_ascii=False)}{blank()}:{blank()}{one}{blank()}" for key, one in members]
        return "{" + ",".join(inner) + "}"
    if isinstance(value, list):
        return "[" + ",".join(f"{blank()}{written(one, choose, twice=twice)}{blank()}" for one in value) + "]"
    return json.dumps(value, ensure_ascii=False)


@given(VALUES, st.randoms(use_true_random=False))
def test_blanks_change_nothing(value: Any, choose: random.Random) -> None:
    assert value == strict_json(written(value, choose, twice=False).encode())


@given(st.dictionaries(TEXTS, VALUES, min_size=1, max_size=3), st.randoms(use_true_random=False))
def test_a_key_that_comes_twice_is_refused_whatever_stands_between(value: dict[str, Any], choose: random.Random) -> None:
    with pytest.raises(ValueError, match="same key twice"):
        strict_json(written(value, choose, twice=True).encode())
