"""``bootstrap.sh`` on a machine that lacks something: it says exactly what to type."""

import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.house import ROOT

NEEDED = ("sh", "dirname", "readlink", "basename", "cat", "cksum", "id", "uname", "rm", "ln")
Machine = Callable[..., str]


@pytest.fixture(name="machine")
def _machine(tmp_path: Path) -> Machine:
    """Bootstraps a clone on a machine that has these programs and a shell; what it says in the end."""
    tools, clone = tmp_path / "bin", tmp_path / "clone"
    tools.mkdir()
    clone.mkdir()
    for name in NEEDED:
        (tools / name).symlink_to(str(shutil.which(name)))
    for name in ("bootstrap.sh", "uv.lock", "pyproject.toml"):
        shutil.copy(ROOT / name, clone)

    def run(**programs: str) -> str:
        for name, script in programs.items():
            path = tools / name.replace("_", "-")
            path.write_text(f"#!/bin/sh\n{script}\n", encoding="utf-8")
            path.chmod(0o755)
        answer = subprocess.run(
            [clone / "bootstrap.sh"], env={"PATH": str(tools)}, capture_output=True, encoding="utf-8", check=False
        )
        assert 1 == answer.returncode, answer.stderr
        assert not (clone / ".venv" / ".prepared").exists()
        return answer.stderr

    return run


SUDO = "" if os.geteuid() == 0 else "sudo "


@pytest.mark.parametrize(
    ("programs", "advice"),
    [
        ({"apt_get": "", "apt_cache": "[ $2 = python3.12 ]"}, f"{SUDO}apt-get install -y python3.12 python3.12-venv"),
        ({"apt_get": "", "apt_cache": "false"}, f"{SUDO}apt-get update && {SUDO}apt-get install -y python3.11 python3.11-venv"),
        ({"dnf": ""}, f"{SUDO}dnf install -y python3.12"),
        ({"brew": ""}, "brew install python@3.12"),
        ({}, "docker compose up"),
    ],
    ids=["apt", "apt without lists", "dnf", "brew", "nothing"],
)
def test_without_python_the_command_that_installs_one_is_named(machine: Machine, programs: dict[str, str], advice: str) -> None:
    said = machine(**programs, python3="echo too old; exit 1")

    assert f"no Python 3.11 to 3.13 on PATH. Type this, then try again: {advice}" in said


def test_what_has_no_build_for_the_machine_runs_in_containers(machine: Machine) -> None:
    said = machine(python3="echo $0", uv="echo 'no wheel' >&2; exit 1")

    assert "no wheel" in said
    assert "docker compose up" in said
    assert "df -h" in said
