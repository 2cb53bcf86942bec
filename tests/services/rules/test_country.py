"""Countries by code and by name."""

import pytest
from hypothesis import given

from services.rules.country import country_codes, country_from_name, country_name
from tests.services.rules.test_text import ANY_TEXT


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("de", "DE"), ("DEU", "DE"), ("Germany", "DE"), ("Deutschland", "DE"), ("Allemagne", "DE"), ("UK", "GB"),
        ("United Kingdom", "GB"), ("England", "GB"), ("USA", "US"), ("U.S.A.", "US"), ("United States of America", "US"),
        ("Czech Republic", "CZ"), ("Czechia", "CZ"), ("South Korea", "KR"), ("Korea, Republic of", "KR"), ("Ireland", "IE"),
        ("The Netherlands", "NL"), ("Holland", "NL"), ("Türkiye", "TR"), ("Turkey", "TR"), ("Côte d\u2019Ivoire", "CI"),
        ("españa", "ES"), ("日本", "JP"), ("السعودية", "SA"), ("UAE", "AE"), ("Venezuela", "VE"), ("Niger", "NE"),
        ("Nigeria", "NG"), ("Georgia", "GE"), ("Guinea", "GN"), ("Kosovo", "XK"),
        ("Narnia", None), ("", None), ("ZZ", None), ("the", None), ("x" * 1_000_000, None), ("\ud800", None),
    ],
    ids=lambda value: str(value)[:12].encode("unicode-escape").decode(),
)  # fmt: skip
def test_people_write_countries_in_many_ways(text: str, code: str | None) -> None:
    assert code == country_from_name(text)


def test_each_code_and_each_name_leads_back_to_its_country() -> None:
    assert [] == [code for code in country_codes() if code != country_from_name(code.lower())]
    assert [] == [code for code in country_codes() if code != country_from_name(country_name(code))]


@given(ANY_TEXT)
def test_any_text_is_a_country_or_none(text: str) -> None:
    assert country_from_name(text) in country_codes() | {None}
