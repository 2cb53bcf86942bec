"""A stack of stand-ins: ``python -m tests.embedded.fake_stack``."""

import os
import sys

from embedded.dev import run
from embedded.processes import python_module
from embedded.stack import Programs


def program(name: str) -> tuple[str, ...]:
    return python_module("tests.embedded.fake_service", name)


if __name__ == "__main__":
    sys.exit(
        run(
            os.environ,
            Programs(
                serve=program("serve"),
                worker=program("worker"),
                relay=program("relay"),
                database=program("database"),
                seed=program("seed"),
            ),
        )
    )
