"""The `dev` command: the whole service with its own MongoDB, Kafka, S3 and SQS."""

import os
import sys
from pathlib import Path

from app.cli.teaching import shown_by

_ROOT = Path(__file__).resolve().parents[2]


@shown_by("dev", "dev   # with PORT=8085 METRICS_PORT=9091 RUN_DIR=.run-two before it: a second stack")
def dev() -> None:
    """Run everything on this machine: servers, API, worker and relay, with demo data and tokens.

    PORT, METRICS_PORT, RUN_DIR and WORKERS change 8084, 9090, .run and 1. Ctrl-C stops it; the data stays.
    """
    # Becomes the stack's process rather than importing it: the stack knows the service by its commands only.
    paths = [str(_ROOT), *filter(None, os.environ.get("PYTHONPATH", "").split(os.pathsep))]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    os.execve(sys.executable, [sys.executable, "-P", "-m", "embedded"], environment)  # noqa: S606
