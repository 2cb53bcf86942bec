"""Any bytes on POST /graphql are answered with 2xx or 4xx: coverage-guided fuzzing looks for the ones that are not."""

import asyncio
import importlib.util
import json
import os
import pickle
import re
import sys
from pathlib import Path

import pytest

from app.container import Container
from app.settings import Settings
from tests.conformance.node import HERE
from tests.house import ROOT

SECONDS = int(os.environ.get("FUZZ_SECONDS", "60"))


@pytest.mark.skipif(importlib.util.find_spec("atheris") is None, reason="atheris has wheels for Linux on x86-64 only")
@pytest.mark.timeout(SECONDS + 120)
async def test_any_bytes_are_answered_with_2xx_or_4xx(container: Container, settings: Settings, tmp_path: Path) -> None:
    given = tmp_path / "settings.pickle"
    given.write_bytes(pickle.dumps(settings))
    found = tmp_path / "found"
    found.mkdir()
    # What is new goes into the first folder; the seeds stay as they are.
    options = [
        str(found),
        str(HERE / "corpus"),
        f"-max_total_time={SECONDS}",
        f"-dict={HERE / 'graphql.dict'}",
        f"-artifact_prefix={tmp_path}/",
        "-max_len=8192",
        "-rss_limit_mb=4096",
        "-print_final_stats=1",
    ]

    process = await asyncio.create_subprocess_exec(
        sys.executable,
        str(HERE / "fuzz_post.py"),
        str(given),
        *options,
        cwd=ROOT,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    output, log = (text.decode(errors="replace") for text in await process.communicate())

    assert 0 == process.returncode, log[-4_000:]
    executions = re.search(r"stat::number_of_executed_units:\s+(\d+)", log)
    assert executions is not None, log[-4_000:]
    answers = json.loads(output.splitlines()[-1])["answers"]
    print(f"{executions[1]} executions in {SECONDS} s: {answers}")  # noqa: T201  the figure is what people want to know
    # Callers that are told to wait, or a body that is never understood, would have tried nothing.
    assert {"200", "400"} <= set(answers)
    assert answers.get("429", 0) < sum(answers.values()) / 2
