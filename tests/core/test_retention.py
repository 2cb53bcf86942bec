"""Periods in calendar months, and what a seller's rules ask for."""

from datetime import UTC, datetime

import pytest

from core.retention import LONGEST_MONTHS, RetentionPolicy, months_before
from core.seller import NOTHING_SAID, SellerRules
from core.vocabulary import RetentionMode, RetentionStage

NOW = datetime(2026, 3, 31, 12, tzinfo=UTC)


@pytest.mark.parametrize(
    ("months", "day"), [(0, "2026-03-31"), (1, "2026-02-28"), (3, "2025-12-31"), (12, "2025-03-31"), (25, "2024-02-29")]
)
def test_months_earlier_is_the_same_day_or_the_last_one(months: int, day: str) -> None:
    assert f"{day}T12:00:00+00:00" == months_before(NOW, months).isoformat()


def test_the_longest_period_is_a_date() -> None:
    assert 1976 == months_before(NOW, LONGEST_MONTHS).year


def test_nothing_is_removed_unless_it_is_said() -> None:
    assert not RetentionPolicy().active
    assert 0 == RetentionPolicy().inactive_months
    assert [0] * 4 == [
        RetentionPolicy().days_of(stage) for stage in RetentionStage if stage.value not in {"CUSTOMERS", "FLAGGED"}
    ]


def test_each_stage_has_its_own_period() -> None:
    policy = RetentionPolicy(ended_file_days=1, verified_file_days=2, import_days=3)
    stages = ("EXPIRED_FILES", "REJECTED_FILES", "VERIFIED_FILES", "IMPORTS")

    assert [1, 1, 2, 3] == [policy.days_of(RetentionStage(name)) for name in stages]


def test_what_a_seller_says_of_retention_goes_before_what_holds_for_all() -> None:
    said = SellerRules(retention_mode=RetentionMode.ACTIVE, retention_import_days=0)

    assert {"mode": RetentionMode.ACTIVE, "import_days": 0} == said.retention
    assert {} == NOTHING_SAID.retention
    assert said.retention == NOTHING_SAID.over(said).retention
