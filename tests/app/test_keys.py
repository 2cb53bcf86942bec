"""The key file, followed while the process runs."""

import json
import os
import stat
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from joserfc import jws
from structlog.testing import capture_logs

from app.keys import KeyFile, read_key_file, write_key_file
from app.settings import InvalidSettings
from auth.keys import as_document, generate_key_set, rotate, start_over
from auth.tokens import TokenIssuer, TokenVerifier
from core.errors import Unauthenticated, Unavailable
from core.vocabulary import PrincipalKind
from tests.clocks import StoppedClock

LIFETIME = timedelta(minutes=10)
SECOND = timedelta(seconds=1)


@pytest.fixture(name="clock")
def _clock() -> StoppedClock:
    return StoppedClock()


@pytest.fixture(name="path")
def _path(tmp_path: Path) -> Path:
    write_key_file(tmp_path / "keys.json", generate_key_set())
    return tmp_path / "keys.json"


def issuer(keys: KeyFile, clock: StoppedClock) -> TokenIssuer:
    return TokenIssuer(keys, issuer="us", audience="us", clock=clock)


def verifier(keys: KeyFile, clock: StoppedClock) -> TokenVerifier:
    return TokenVerifier(keys, issuer="us", audience="us", clock=clock)


def mint(by: TokenIssuer) -> str:
    return by.issue(kind=PrincipalKind.SERVICE, subject="oms", scopes=(), lifetime=LIFETIME)


def kid_of(token: str) -> str:
    return str(jws.extract_compact(token.encode()).headers()["kid"])


def turn(path: Path, clock: StoppedClock) -> str:
    """Rotate the file as ``keys rotate`` does; return the new kid."""
    ring = rotate(read_key_file(path), now=clock.now(), delay=timedelta(minutes=10), token_lifetime=LIFETIME)
    write_key_file(path, as_document(ring))
    return ring.keys[-1].kid


def test_a_rotation_under_load_refuses_no_token(path: Path, clock: StoppedClock) -> None:
    """
    Two processes mint and check each other's tokens, every second for three quarters of an hour, over two rotations.
    """
    here, there = KeyFile(path, clock), KeyFile(path, clock)
    processes = [(issuer(here, clock), verifier(there, clock)), (issuer(there, clock), verifier(here, clock))]
    alive: list[tuple[datetime, str]] = []
    kids: list[str] = []
    began: dict[str, int] = {}

    for second in range(45 * 60):
        if second in {60, 20 * 60}:
            began[turn(path, clock)] = second + 600
        mints, checks = processes[second % 2]
        token = mint(mints)
        kids.append(kid_of(token))
        alive.append((clock.now(), token))
        alive = [(made, one) for made, one in alive if clock.now() - made < LIFETIME]
        # The oldest that still lives, and the newest: what lies between was checked when it was new and will be when it is old.
        checks.verify(alive[0][1])
        checks.verify(token)
        clock.move(SECOND)

    assert began == {kid: kids.index(kid) for kid in began}
    assert 3 == len(set(kids))
    assert 1 == len(read_key_file(path).public(clock.now())["keys"])


def test_after_a_leak_no_token_of_before_holds_for_longer_than_a_second(path: Path, clock: StoppedClock) -> None:
    keys = KeyFile(path, clock)
    stolen = mint(issuer(keys, clock))
    write_key_file(path, as_document(start_over()))

    clock.move(SECOND)

    with pytest.raises(Unauthenticated):
        verifier(keys, clock).verify(stolen)
    verifier(keys, clock).verify(mint(issuer(keys, clock)))


def test_the_file_is_looked_at_once_a_second(path: Path, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch) -> None:
    keys = KeyFile(path, clock)
    looks: list[Path] = []
    look = Path.stat

    def counted(self: Path, **how: bool) -> os.stat_result:
        looks.append(self)
        return look(self, **how)

    monkeypatch.setattr(Path, "stat", counted)

    for _ in range(30):
        keys.current()
        clock.move(SECOND / 10)

    assert 2 == len(looks)


def test_a_clock_that_is_set_back_does_not_stop_the_looking(path: Path, clock: StoppedClock) -> None:
    keys = KeyFile(path, clock)
    clock.move(-timedelta(hours=1))
    new = start_over()
    write_key_file(path, as_document(new))

    assert new.keys[0].kid == keys.current().keys[0].kid


def damaged(path: Path) -> None:
    path.write_text('{"keys": [{"kty": "EC", "d": "c2VjcmV0"', encoding="utf-8")


def without_keys(path: Path) -> None:
    path.write_text('{"keys": []}', encoding="utf-8")


def gone(path: Path) -> None:
    path.unlink()


def only_of_tomorrow(path: Path) -> None:
    (made,) = generate_key_set()["keys"]
    path.write_text(json.dumps({"keys": [made | {"nbf": 4_000_000_000}]}), encoding="utf-8")


@pytest.mark.parametrize("breakage", [damaged, without_keys, gone, only_of_tomorrow])
def test_a_broken_file_is_reported_once_and_the_old_keys_go_on(path: Path, clock: StoppedClock, breakage: Any) -> None:
    keys = KeyFile(path, clock)
    token = mint(issuer(keys, clock))
    breakage(path)

    with capture_logs() as logs:
        for _ in range(5):
            clock.move(SECOND)
            verifier(keys, clock).verify(mint(issuer(keys, clock)))
            verifier(keys, clock).verify(token)

    (line,) = logs
    assert "error" == line["log_level"]
    assert "c2VjcmV0" not in str(line)

    new = start_over()
    write_key_file(path, as_document(new))
    clock.move(SECOND)
    assert new.keys[0].kid == kid_of(mint(issuer(keys, clock)))


def test_a_file_that_can_be_read_again_is_read_though_it_has_not_changed(
    path: Path, clock: StoppedClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    """
    New permissions leave the time of the last change as it was.
    """
    keys = KeyFile(path, clock)
    new = start_over()
    write_key_file(path, as_document(new))
    with monkeypatch.context() as unreadable:
        unreadable.setattr(Path, "read_bytes", lambda _: (_ for _ in ()).throw(PermissionError(13, "Permission denied")))
        clock.move(SECOND)
        keys.current()

    clock.move(SECOND)

    assert new.keys[0].kid == keys.current().keys[0].kid


@pytest.mark.parametrize("breakage", [damaged, without_keys, gone, only_of_tomorrow])
def test_a_process_does_not_start_without_keys(path: Path, clock: StoppedClock, breakage: Any) -> None:
    breakage(path)

    with pytest.raises(InvalidSettings, match=r"^security\.keyFile: "):
        KeyFile(path, clock)


def test_when_the_last_key_has_expired_callers_are_told_to_come_back(path: Path, clock: StoppedClock) -> None:
    (made,) = generate_key_set()["keys"]
    write_key_file(path, {"keys": [made | {"exp": int(clock.now().timestamp()) + 60}]})
    keys = KeyFile(path, clock)
    clock.move(timedelta(minutes=1))

    with pytest.raises(Unavailable):
        mint(issuer(keys, clock))


def test_a_key_file_is_private_and_replaced_as_a_whole(path: Path) -> None:
    path.chmod(0o644)
    before = path.stat().st_ino

    write_key_file(path, generate_key_set())

    assert 0o600 == stat.S_IMODE(path.stat().st_mode)
    assert before != path.stat().st_ino
    assert [path] == list(path.parent.iterdir())


def test_a_link_to_a_key_file_stays_a_link(path: Path) -> None:
    link = path.with_name("link.json")
    link.symlink_to(path)
    new = generate_key_set()

    write_key_file(link, new)

    assert link.is_symlink()
    assert new == json.loads(path.read_text())


def test_a_write_that_fails_leaves_the_old_file_and_nothing_else(path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    before = path.read_bytes()
    monkeypatch.setattr(os, "fsync", lambda _: (_ for _ in ()).throw(OSError(28, "No space left on device")))

    with pytest.raises(OSError, match="No space"):
        write_key_file(path, generate_key_set())

    assert before == path.read_bytes()
    assert [path] == list(path.parent.iterdir())
