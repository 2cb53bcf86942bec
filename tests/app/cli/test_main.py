"""The command line as a whole: its help teaches, its commands speak JSON, shells complete it."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest
from typer.main import get_command
from typer.testing import CliRunner

from app.cli.main import COMMANDS, command_line, completed
from tests.command_lines import commands, examples, understood, whole
from tests.house import ROOT

# Loading all commands takes seconds: once is enough, so they share a process of xdist.
ALL_COMMANDS = pytest.mark.xdist_group("command line")

# Why a command has no --json.
WITHOUT_JSON = {
    "dev": "runs until it is stopped",
    "serve": "runs until it is stopped",
    "worker": "runs until it is stopped",
    "relay": "runs until it is stopped",
    "query": "prints JSON anyway",
    "events schemas": "prints JSON anyway",
    "keys new": "prints JSON anyway",
    "privacy values": "prints JSON anyway",
    "privacy receipt": "prints JSON anyway",
    "reference": "writes files",
}


@ALL_COMMANDS
def test_every_help_has_examples_that_are_understood() -> None:
    bare, wrong = [], []
    for path, command in commands():
        name, found = " ".join(path), examples(command)
        bare += [] if found else [name]
        wrong += [one for one in found if not one.startswith(name) or not understood(shlex.split(one, comments=True))]

    assert ([], []) == (bare, wrong)


@ALL_COMMANDS
def test_what_prints_data_prints_json_when_asked() -> None:
    found = {" ".join(path): {word for one in command.params for word in one.opts} for path, command in commands()}

    assert WITHOUT_JSON.keys() == {name for name, options in found.items() if "--json" not in options}


@ALL_COMMANDS
def test_an_option_that_is_not_there_is_not_understood() -> None:
    """
    What the tests above and those of the pages stand on.
    """
    assert understood(["customers", "find", "ada", "--json"])
    assert understood(["customers", "export", ">", "file"])
    assert not understood(["customers", "find", "--xml"])
    assert not understood(["customers", "lose"])
    assert not understood(["token", "pirate"])


@ALL_COMMANDS
def test_the_list_says_of_each_command_what_its_own_help_begins_with() -> None:
    begins = {name: (one.help or "").partition("\n\n")[0] for name, one in whole().commands.items()}

    assert begins == {name: place.help for name, place in COMMANDS.items()}


def test_help_of_all_lists_every_command_and_says_what_statuses_mean() -> None:
    shown = CliRunner().invoke(command_line([]), ["--help"], env={"COLUMNS": "120"})

    assert 0 == shown.exit_code
    assert set() == {name for name in COMMANDS if f"│ {name} " not in shown.output}
    assert "Exit status of every command: 0 done; 1 it failed" in shown.output


def test_unknown_command_is_wrong_use() -> None:
    answer = CliRunner().invoke(command_line(["improt"]), ["improt"])

    assert (2, True) == (answer.exit_code, "No such command 'improt'" in answer.stderr)


def test_only_the_command_that_is_completed_is_loaded() -> None:
    words = completed({"_CUSTOMER_SERVICE_COMPLETE": "complete_bash", "COMP_WORDS": "./customer-service keys ro"})

    assert ["keys", "ro"] == words
    assert {"keys"} == set(get_command(command_line(words)).commands)  # type: ignore[attr-defined]  # it is a group
    assert completed({"PATH": "/usr/bin"}) is None


def test_bash_completes_commands_and_options(tmp_path: Path) -> None:
    """
    As after `customer-service --install-completion`, which puts this script where bash reads it.
    """
    program = ROOT / "customer-service"
    script = f"""
        source <(_CUSTOMER_SERVICE_COMPLETE=source_bash {program})
        complete -p customer-service
        asked() {{
            COMP_WORDS=("$@"); COMP_CWORD=$(($# - 1))
            _customer_service_completion {program}
            echo "${{COMPREPLY[@]}}"
        }}
        asked {program} cust
        asked {program} token operator --min
    """
    shell = subprocess.run(
        ["bash", "--norc", "-euc", script],
        env={"PATH": os.environ["PATH"], "HOME": str(tmp_path)},
        capture_output=True,
        encoding="utf-8",
        check=False,
    )

    assert 0 == shell.returncode, shell.stderr
    registered, *answers = shell.stdout.splitlines()
    assert "_customer_service_completion customer-service" in registered
    assert ["customers", "--minutes"] == answers


def test_what_a_command_logs_is_not_among_what_it_prints() -> None:
    """
    Which is written to files, and read by programs.
    """
    program = """
import sys
import structlog
from app.cli.main import run
sys.argv = ["customer-service", "--help"]
try:
    run()
except SystemExit:
    structlog.get_logger().info("a line of the log")
"""

    ended = subprocess.run([sys.executable, "-c", program], cwd=ROOT, check=True, capture_output=True, text=True)

    assert "a line of the log" in ended.stderr
    assert "a line of the log" not in ended.stdout
