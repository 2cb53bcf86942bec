"""When a benchmark says that something became slower."""

from pathlib import Path

import pytest

from bench.recorded import fallen, write


@pytest.fixture(name="file")
def _file(tmp_path: Path) -> Path:
    file = tmp_path / "recorded.json"
    write({"apollo": {"Q1 x32": 4.0}, "floor": {"Q1 x32": 2.0}}, file)
    return file


def test_a_ratio_that_lost_more_than_the_noise_is_named_with_what_it_was(file: Path) -> None:
    found = fallen({"apollo": {"Q1 x32": 3.39}, "floor": {"Q1 x32": 2.0}}, file)

    assert ["Slower than recorded: Q1 x32 is 3.39 of apollo, and was 4.00."] == found


@pytest.mark.parametrize("ratio", [3.41, 4.0, 9.0])
def test_noise_and_gains_are_no_loss(file: Path, ratio: float) -> None:
    assert [] == fallen({"apollo": {"Q1 x32": ratio}}, file)


def test_what_was_never_recorded_cannot_have_fallen(file: Path, tmp_path: Path) -> None:
    assert [] == fallen({"apollo": {"Q2 x32": 0.1}, "mercurius": {"Q1 x32": 0.1}}, file)
    assert [] == fallen({"apollo": {"Q1 x32": 0.1}}, tmp_path / "none.json")


def test_recording_a_part_keeps_the_rest(file: Path) -> None:
    write({"apollo": {"Q2 x32": 3.0}}, file)

    assert 2 == len(fallen({"apollo": {"Q1 x32": 0.1, "Q2 x32": 0.1}}, file))
