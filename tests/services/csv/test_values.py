from datetime import date

import pytest

from services.csv.values import UnclearDate, cleaned, day, name_parts, tags


@pytest.mark.parametrize(
    ("cell", "value"),
    [
        ("", None),
        ("  ", None),
        ("NULL", None),
        (" null ", None),
        ("\\N", None),
        ("N/A", "N/A"),
        ("Null", "Null"),
        (" a b\t", "a b"),
        ("'00123", "00123"),
        ("'+44 20 7946 0000", "+44 20 7946 0000"),
        ("'=1+1", "=1+1"),
        ("=1+1", "=1+1"),
        ("'t Hooft", "'t Hooft"),
        ("'90s Shop", "'90s Shop"),
        ("'", "'"),
        ("''", "''"),
        ("007", "007"),
    ],
)
def test_a_cell_is_recognised_for_what_it_is(cell: str, value: str | None) -> None:
    """Cases 11, 14 and 25: nothing is taken for a number."""
    assert value == cleaned(cell)


@pytest.mark.parametrize(
    "text",
    [
        "1990-12-24", "1990/12/24", "1990.12.24", "19901224", "1990-12-24T10:00:00Z", "1990-12-24 00:00:00", "24.12.1990",
        "24/12/1990",        "12/24/1990", "24-12-1990", "24 Dec 1990", "24-Dec-1990",
        "24th December, 1990", "Dec 24, 1990", "December 24 1990",
    ],
)  # fmt: skip
def test_dates_with_one_meaning_are_read(text: str) -> None:
    assert date(1990, 12, 24) == day(text)


def test_a_dot_says_day_first_and_equal_numbers_need_no_order() -> None:
    assert [date(2020, 4, 3), date(2020, 4, 4), date(2020, 9, 1)] == [day("03.04.2020"), day("4/4/2020"), day("1 Sept 2020")]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("03/04/2020", "may mean 2020-04-03 or 2020-03-04"),
        ("2020-02-30", "is no date"),
        ("31.04.2020", "is no date"),
        ("24.12.90", "is no date"),
        ("33231", "is no date"),
        ("\u0662020-01-01", "is no date"),
        ("2020-1_0-10", "is no date"),
        ("2020-0101", "is no date"),
        ("NaN", "is no date"),
        ("Infinity", "is no date"),
        ("1 Ju 2020", "is no date"),
        ("1 Jup 2020", "is no date"),
    ],
)
def test_other_dates_are_refused(text: str, words: str) -> None:
    """Case 25."""
    with pytest.raises(UnclearDate, match=words):
        day(text)


@pytest.mark.parametrize(
    ("full", "parts"),
    [
        ("Ada Lovelace", ("Ada", "Lovelace")),
        ("Miguel Angel Paolino", ("Miguel Angel", "Paolino")),
        ("Isabel de Castro", ("Isabel", "de Castro")),
        ("Ludwig van der Rohe", ("Ludwig", "van der Rohe")),
        ("Van Morrison", ("Van", "Morrison")),
        ("Lovelace, Ada", ("Ada", "Lovelace")),
        ("Martin Luther King, Jr.", ("Martin Luther", "King, Jr.")),
        ("Cher", ("Cher", None)),
    ],
)
def test_full_names_are_split(full: str, parts: tuple[str, str | None]) -> None:
    assert parts == name_parts(full)


def test_tags_are_split_and_told_once() -> None:
    assert [("a", "b c"), ("x", "y", "z"), ("a,b", "c")] == [tags("a, b c,,a "), tags("x; y,z"), tags("a,b|c")]
