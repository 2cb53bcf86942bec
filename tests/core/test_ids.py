"""Ids: their shape, their order, and what is no id."""

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from core.ids import IdKind, derived_id, is_id, kind_of, new_id

AT = datetime(2026, 1, 2, 3, 4, 5, 678000, UTC)
MOMENTS = st.datetimes(datetime(1970, 1, 1), datetime(2200, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001 - the strategy adds it
TAIL = "01m82bf7j7e1kr7gttaagfry79"


@pytest.mark.parametrize("kind", IdKind)
def test_an_id_says_what_it_names(kind: IdKind) -> None:
    made = new_id(kind)

    assert kind is kind_of(made)
    assert is_id(kind, made)
    assert [kind] == [other for other in IdKind if is_id(other, made)]
    assert len(f"{kind.value}_") + 26 == len(made)


def test_ids_sort_in_the_order_they_were_made() -> None:
    made = [new_id(IdKind.CUSTOMER) for _ in range(10_000)]

    assert sorted(set(made)) == made


def test_derived_ids_are_equal_for_equal_parts() -> None:
    first = derived_id(IdKind.CUSTOMER, AT, "imp_1", "7")

    assert first == derived_id(IdKind.CUSTOMER, AT, "imp_1", "7")
    assert IdKind.CUSTOMER is kind_of(first)
    different = {
        first,
        derived_id(IdKind.CUSTOMER, AT, "imp_1", "8"),
        derived_id(IdKind.CUSTOMER, AT, "imp_17"),
        derived_id(IdKind.CUSTOMER, AT, "7", "imp_1"),
        derived_id(IdKind.CUSTOMER, AT + timedelta(milliseconds=1), "imp_1", "7"),
    }
    assert 5 == len(different)


@given(MOMENTS, MOMENTS, st.text(), st.text())
def test_derived_ids_sort_by_their_moment(one: datetime, other: datetime, part: str, other_part: str) -> None:
    earlier, later = sorted([one, other])
    if int(earlier.timestamp() * 1000) < int(later.timestamp() * 1000):
        assert derived_id(IdKind.CUSTOMER, earlier, part) < derived_id(IdKind.CUSTOMER, later, other_part)


def test_a_derived_id_sorts_among_new_ones() -> None:
    before = new_id(IdKind.CUSTOMER)
    derived = derived_id(IdKind.CUSTOMER, datetime.now(UTC) + timedelta(milliseconds=10), "x")
    long_after = derived_id(IdKind.CUSTOMER, datetime.now(UTC) + timedelta(days=1), "x")

    assert before < derived < long_after


@pytest.mark.parametrize(
    "value",
    [
        "",
        "_",
        "cus",
        "cus_",
        TAIL,
        f"CUS_{TAIL}",
        f"cus_{TAIL.upper()}",
        f"cus{TAIL}",
        f"cus-{TAIL}",
        f"xyz_{TAIL}",
        f"cus_{TAIL}\n",
        f"\ncus_{TAIL}",
        f" cus_{TAIL}",
        f"cus_{TAIL[:-1]}",
        f"cus_{TAIL}0",
        f"cus_8{TAIL[1:]}",
        f"cus_{TAIL[:-1]}u",
        f"cus_{TAIL[:-1]}\u0131",
        f"cus_{TAIL[:-1]}\x00",
        f"cus_cus_{TAIL}",
        f"cus__{TAIL}",
        "cus_" + "0" * 1_000_000,
        "cus_" + "\ud800" * 26,
        "cus_" + "٣" * 26,
        "507f1f77bcf86cd799439011",
        '{"$ne": null}',
    ],
    ids=lambda text: ascii(text)[:40],
)
def test_what_is_no_id(value: str) -> None:
    assert kind_of(value) is None
    assert not is_id(IdKind.CUSTOMER, value)


@given(st.text())
def test_any_text_has_an_answer(value: str) -> None:
    found = kind_of(value)

    assert found is None or value.startswith(f"{found.value}_")
