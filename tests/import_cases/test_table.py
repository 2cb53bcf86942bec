"""The table of the guide, and whether each of its lines has a test."""

import re
from pathlib import Path

_HERE = Path(__file__).parent
_GUIDE = _HERE.parents[1] / "docs" / "importing.md"


def test_every_case_of_the_guide_has_a_file_or_a_test_of_its_number() -> None:
    told = {int(number) for number in re.findall(r"^\| ([0-9]+) \|", _GUIDE.read_text(encoding="utf-8"), re.MULTILINE)}
    files = {int(path.name[:2]) for path in (_HERE / "files").iterdir()}
    code = "".join(path.read_text(encoding="utf-8") for path in _HERE.glob("test_*.py"))
    tests = {int(number) for number in re.findall(r"^(?:async )?def test_case_([0-9]{2})_", code, re.MULTILINE)}

    assert set(range(1, 26)) == told == files | tests
