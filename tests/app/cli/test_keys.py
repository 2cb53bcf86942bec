"""``customer-service keys``: what operators see and what the file holds afterwards."""

import json
import stat
from datetime import timedelta
from pathlib import Path

import pytest
from typer.testing import CliRunner

from app.cli.keys import keys
from app.keys import read_key_file
from app.settings import InvalidSettings
from core.clock import SystemClock


@pytest.fixture(name="run_dir")
def _run_dir(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A run directory with the secrets of a development stack."""
    for name in ("CUSTOMER_SERVICE_KEY_FILE", "CUSTOMER_SERVICE_MASTER_KEY", "CUSTOMER_SERVICE_CONFIG"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("RUN_DIR", str(tmp_path))
    (tmp_path / "keys.json").write_text(run("new"), encoding="utf-8")
    (tmp_path / "master.key").write_text("bWFzdGVy\n", encoding="ascii")
    (tmp_path / "stack.json").write_text("{}", encoding="utf-8")
    return tmp_path


def run(*arguments: str) -> str:
    answer = CliRunner().invoke(keys, arguments, catch_exceptions=False)
    assert 0 == answer.exit_code, answer.output
    return answer.stdout


def states(*arguments: str) -> dict[str, str]:
    lines = run("list", *arguments).splitlines()[1:]
    return {line.split()[0]: line.rstrip().rpartition("  ")[2].strip() for line in lines}


def test_a_rotation_is_announced_and_takes_place_after_the_delay(run_dir: Path) -> None:
    file = run_dir / "keys.json"
    old = read_key_file(file).keys[0].kid

    said = run("rotate")

    ring, now = read_key_file(file), SystemClock().now()
    new = ring.keys[1].kid
    assert {old: "signs", new: "will sign"} == states()
    assert f"{new} signs from 20" in said
    assert f"{old} verifies until 20" in said
    assert (old, old, new) == tuple(ring.signing(now + timedelta(minutes=minutes)).kid for minutes in (0, 9.9, 10.1))
    assert 0o600 == stat.S_IMODE(file.stat().st_mode)


def test_without_a_delay_the_new_key_signs_next_and_the_old_one_still_verifies(run_dir: Path) -> None:
    run("rotate", "--delay", "0")

    ring, soon = read_key_file(run_dir / "keys.json"), SystemClock().now() + timedelta(seconds=1)
    assert ring.keys[1].kid == ring.signing(soon).kid
    assert ring.keys[0].verifies(soon)


def test_a_leaked_key_is_gone_at_once(run_dir: Path) -> None:
    file = run_dir / "keys.json"
    old = read_key_file(file).keys[0].kid

    said = run("rotate", "--now")

    (only,) = read_key_file(file).keys
    assert old != only.kid
    assert {only.kid: "signs"} == states()
    assert "void" in said


def test_every_state_has_a_word(run_dir: Path, tmp_path: Path) -> None:
    made = {name: json.loads(run("new"))["keys"][0] | {"kid": name} for name in ("gone", "old", "now", "soon")}
    second = int(SystemClock().now().timestamp())
    made["gone"]["exp"] = second - 1
    made["old"]["exp"] = second + 600
    made["now"]["nbf"] = second - 600
    made["soon"]["nbf"] = second + 600
    file = tmp_path / "others.json"
    file.write_text(json.dumps({"keys": list(made.values())}), encoding="utf-8")

    assert {"gone": "expired", "old": "verifies", "now": "signs", "soon": "will sign"} == states("--file", str(file))
    assert not any(key["d"] in run("list", "--file", str(file)) for key in made.values())


def test_a_file_can_be_rotated_where_the_service_is_not_configured(run_dir: Path, tmp_path: Path) -> None:
    (run_dir / "stack.json").unlink()
    file = tmp_path / "others.json"
    file.write_text(run("new"), encoding="utf-8")

    run("rotate", "--file", str(file))

    assert 2 == len(read_key_file(file).keys)


def test_without_a_file_and_without_a_configuration_nothing_is_guessed(run_dir: Path) -> None:
    (run_dir / "stack.json").unlink()

    with pytest.raises(InvalidSettings, match="keyFile"):
        run("rotate")


def test_a_file_that_is_no_key_set_is_left_alone(run_dir: Path) -> None:
    (run_dir / "keys.json").write_text("{}", encoding="utf-8")

    with pytest.raises(InvalidSettings, match="keys new"):
        run("rotate")

    assert "{}" == (run_dir / "keys.json").read_text()
