"""Ctrl-C ends a command at once, whatever it calls."""

import signal
import subprocess
import sys
from pathlib import Path

_DEAF = """
import asyncio
from app.until_told import run_until_interrupted

async def work():
    print("working", flush=True)
    try:
        await asyncio.sleep(600)
    except asyncio.CancelledError:
        print("lost", flush=True)
    await asyncio.sleep(600)

run_until_interrupted(work())
"""


def test_one_interrupt_is_enough_though_the_work_lost_it() -> None:
    with subprocess.Popen(
        [sys.executable, "-c", _DEAF], cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert "working\n" == process.stdout.readline()
        process.send_signal(signal.SIGINT)
        printed, complaint = process.communicate(timeout=60)

    assert "lost\n" == printed
    assert complaint.rstrip().endswith("KeyboardInterrupt")
