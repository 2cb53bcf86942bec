"""``python -m embedded`` is what ``customer-service dev`` becomes."""

import os
import sys

from embedded.dev import run

if __name__ == "__main__":
    sys.exit(run(os.environ))
