"""What deploys the service agrees with what the service is: commands, settings, secrets."""

import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml

from app.settings import ENV_PREFIX, load_settings
from tests.house import ROOT

COMMANDS = {"serve", "worker", "relay", "dev", "token", "keys", "schema", "database", "import", "query", "events", "clients"}
COMPOSE: dict[str, Any] = yaml.safe_load((ROOT / "docker-compose.yml").read_text(encoding="utf-8"))
OURS = {name: service for name, service in COMPOSE["services"].items() if "build" in service}
VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)(?::([-?])([^}]*))?\}")


def run(*command: str | Path, cwd: Path = ROOT) -> subprocess.CompletedProcess[str]:
    return subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=60, check=False)


@pytest.mark.parametrize("command", sorted(COMMANDS))
def test_command_line_knows_its_commands(command: str) -> None:
    answer = run(ROOT / "customer-service", command, "--help")

    assert (0, "") == (answer.returncode, answer.stderr)
    assert command in answer.stdout


@pytest.mark.parametrize("service", sorted(OURS))
def test_compose_runs_commands_that_exist(service: str) -> None:
    command = OURS[service]["command"]

    assert command[0] in COMMANDS
    assert 0 == run(ROOT / "customer-service", *command, "--help").returncode


def test_compose_has_every_process_and_every_server() -> None:
    assert {"api", "clamav", "kafka", "mongodb", "relay", "s3", "setup", "sqs", "topics", "worker"} == set(COMPOSE["services"])
    assert ["--replSet", "rs0"] == COMPOSE["services"]["mongodb"]["command"][1:3]


@pytest.mark.parametrize("service", ["api", "clamav", "kafka", "mongodb", "relay", "s3", "sqs", "worker"])
def test_compose_starts_what_dies_again(service: str) -> None:
    assert "unless-stopped" == COMPOSE["services"][service]["restart"]


@pytest.mark.parametrize("server", ["clamav", "kafka", "mongodb", "s3", "sqs"])
def test_compose_keeps_the_data_of_every_server(server: str) -> None:
    (volume,) = COMPOSE["services"][server]["volumes"]

    assert volume.partition(":")[0] in COMPOSE["volumes"]
    assert "test" in COMPOSE["services"][server]["healthcheck"]


@pytest.mark.parametrize("service", sorted(OURS))
def test_environment_of_compose_is_a_valid_configuration(service: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """
    A setting that was renamed, or a list that is no JSON, is found here and not at three in the morning.
    """
    environment = {name: VARIABLE.sub(value_of, value) for name, value in OURS[service]["environment"].items()}
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    file = shutil.copy(ROOT / "config.yaml", tmp_path)

    settings = load_settings(Path(file), environment)

    assert "production" == settings.environment
    assert ["kafka:9092"] == settings.kafka.brokers
    assert "http://s3:8333" == settings.aws.s3.endpoint
    assert Path("/run/secrets/signing-keys") == settings.security.key_file
    assert ("clamav", "clamav") == (settings.malware.scanner, settings.malware.host)


def value_of(variable: re.Match[str]) -> str:
    return variable[3] if variable[2] == "-" else "made up"


def test_every_variable_of_our_processes_names_a_setting() -> None:
    """
    Settings ignore variables of an unknown section, so a wrong first word would pass the test above.
    """
    settings = load_settings.__globals__["Settings"].model_fields
    names = [name.removeprefix(ENV_PREFIX).lower() for name in OURS["api"]["environment"] if name.startswith(ENV_PREFIX)]

    assert [] == [name for name in names if name.partition("__")[0] not in settings]


def test_secrets_have_no_default_and_are_explained() -> None:
    text = (ROOT / "docker-compose.yml").read_text(encoding="utf-8")
    demanded = {found[1] for found in VARIABLE.finditer(text) if found[2] == "?"}
    offered = {found[1] for found in VARIABLE.finditer(text) if found[2] == "-"}
    explained = {found[1] for found in re.finditer(r"^(?:# )?([A-Z0-9_]+)=", read(".env.example"), re.MULTILINE)}

    assert {"AWS_ACCESS_KEY", "AWS_SECRET_KEY", "CUSTOMER_SERVICE_KEY_FILE", "CUSTOMER_SERVICE_MASTER_KEY"} == demanded
    assert demanded | offered == explained


def test_secrets_stay_out_of_git_and_of_the_image() -> None:
    for file in (".gitignore", ".dockerignore"):
        assert {".env", "secrets"} <= {line.rstrip("/") for line in read(file).splitlines()}


def read(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")


def test_command_line_works_from_anywhere_and_through_a_link(tmp_path: Path) -> None:
    """
    The caller's directory stays the current one, and a folder of the caller's called `core` is not imported.
    """
    (tmp_path / "core").mkdir()
    (tmp_path / "core" / "__init__.py").write_text("raise SystemExit('the wrong core')")
    (tmp_path / "cs").symlink_to(ROOT / "customer-service")

    answer = run(tmp_path / "cs", "--help", cwd=tmp_path)

    assert (0, "") == (answer.returncode, answer.stderr)
    assert "serve" in answer.stdout


def test_bootstrap_works_once_and_is_then_silent_until_something_changes(tmp_path: Path) -> None:
    """
    It runs before every make target. A stand-in for uv counts how often it is asked to work.
    """
    for file in ("bootstrap.sh", "pyproject.toml", "uv.lock"):
        shutil.copy(ROOT / file, tmp_path)
    tools = tmp_path / "tools"
    tools.mkdir()
    uv = tools / "uv"
    uv.write_text(
        f'#!/bin/sh\necho "$*" >>"{tmp_path}/asked"\nmkdir -p .venv/bin && ln -sf {sys.executable} .venv/bin/python\n'
    )
    uv.chmod(0o755)
    environment = {"PATH": f"{tools}:/usr/bin:/bin", "PYTHON": sys.executable}

    def prepare() -> str:
        answer = subprocess.run([tmp_path / "bootstrap.sh"], env=environment, capture_output=True, text=True, check=True)
        return answer.stdout + answer.stderr

    assert "preparing .venv" in prepare()
    assert "" == prepare()
    (tmp_path / "pyproject.toml").write_text("changed")
    assert "preparing .venv" in prepare()

    asked = (tmp_path / "asked").read_text().splitlines()
    assert 2 == len(asked)
    assert asked[0].startswith("sync --frozen")
