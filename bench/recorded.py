"""The ratios that were measured last, in ``recorded.json``: what a change must not lose unnoticed."""

import json
from collections.abc import Mapping
from pathlib import Path

FILE = Path(__file__).with_name("recorded.json")
LOST = 0.15
"""How much of a ratio may be lost before somebody is told; rounds of one run differ by less on a quiet machine."""

Ratios = Mapping[str, Mapping[str, float]]


def fallen(found: Ratios, file: Path = FILE) -> list[str]:
    """Return a line for each ratio that fell by more than `LOST`; what one side does not have is not compared.

    *found* is by who the ratio is to, then by operation and connections.
    """
    known: Ratios = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    return [
        f"Slower than recorded: {key} is {ratio:.2f} of {base}, and was {known[base][key]:.2f}."
        for base, of_base in found.items()
        for key, ratio in of_base.items()
        if key in known.get(base, {}) and ratio < known[base][key] * (1 - LOST)
    ]


def write(found: Ratios, file: Path = FILE) -> None:
    """Record *found*; what was not measured this time stays."""
    known: Ratios = json.loads(file.read_text(encoding="utf-8")) if file.exists() else {}
    merged = {base: {**known.get(base, {}), **found.get(base, {})} for base in {**known, **found}}
    file.write_text(json.dumps(merged, indent=2, sort_keys=True) + "\n", encoding="utf-8")
