"""Demo data for a fresh stack: ``python -m app.cli.dev_seed FILE`` writes what it made to FILE, as JSON."""

import asyncio
import json
import sys
from pathlib import Path

from app.demo import seed
from app.settings import load_settings


def main(file: Path) -> None:
    """Store the demo data, once or again, and write ``customer_id``, a customer of the seller ``demo``, and ``client``.

    Only the owner can read the file: it holds the client's secret.
    """
    made = asyncio.run(seed(load_settings()))
    file.unlink(missing_ok=True)
    file.touch(mode=0o600)
    file.write_text(json.dumps(made), encoding="utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
