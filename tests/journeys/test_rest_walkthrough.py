"""The walk through REST that stands in examples/ goes well, against the stack that `make run` starts."""

import subprocess
import sys

from embedded.processes import ROOT
from tests.embedded.stacks import StackUnderTest


def test_the_walk_goes_well(stack: StackUnderTest) -> None:
    walked = subprocess.run(
        [sys.executable, ROOT / "examples" / "rest-walkthrough"],
        env=stack.environment,
        cwd=stack.directory,
        capture_output=True,
        encoding="utf-8",
        timeout=100,
        check=False,
    )

    assert 0 == walked.returncode, walked.stdout + walked.stderr
    assert "Done: everything came out as it should." == walked.stdout.splitlines()[-1]
