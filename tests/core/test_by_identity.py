"""What belongs to an object is found by that object, not by its equal, and not for ever."""

from core.by_identity import ByIdentity


def test_a_value_is_found_by_the_objects_it_belongs_to_and_by_no_equals() -> None:
    kept: ByIdentity[str] = ByIdentity(10)
    one, other, equal = [1], [2], [1]

    assert "both" == kept.put("both", one, other)

    assert "both" == kept.get(one, other)
    assert [None, None, None] == [kept.get(equal, other), kept.get(other, one), kept.get(one)]


def test_what_was_asked_for_last_stays() -> None:
    kept: ByIdentity[int] = ByIdentity(2)
    first, second, third = [1], [2], [3]
    kept.put(1, first)
    kept.put(2, second)
    kept.get(first)

    kept.put(3, third)

    assert [1, None, 3] == [kept.get(first), kept.get(second), kept.get(third)]
    assert 2 == len(kept)
