"""Codes in a file: whole lines, for nobody else's eyes."""

import asyncio
import os
from datetime import UTC, datetime
from pathlib import Path

import orjson
import pytest

from core.clock import SystemClock
from core.delivery import MaybeSent, NotSent
from infra.otp_outbox import OutboxDelivery
from services.ports import CodeDelivery
from tests.infra.providers import code_message


async def test_a_code_is_one_line_with_everything_a_developer_needs(tmp_path: Path) -> None:
    file = tmp_path / "otp.jsonl"
    outbox: CodeDelivery = OutboxDelivery(file, SystemClock())
    await outbox.deliver(code_message(expires_at=datetime(2026, 11, 22, 17, 30, tzinfo=UTC)))
    [line] = file.read_bytes().splitlines()
    written = orjson.loads(line)

    assert ["id", "seller_id", "channel", "destination", "code", "expires_at", "sent_at"] == list(written)
    assert ("otp_1", "demo", "SMS", "+4915112345678", "048151", "2026-11-22T17:30:00.000Z") == tuple(written.values())[:-1]
    assert datetime.fromisoformat(written["sent_at"]) <= datetime.now(UTC)


async def test_nobody_else_may_read_the_file(tmp_path: Path) -> None:
    file = tmp_path / "otp.jsonl"
    mask = os.umask(0)
    try:
        await OutboxDelivery(file, SystemClock()).deliver(code_message())
    finally:
        os.umask(mask)

    assert 0o600 == file.stat().st_mode & 0o777


async def test_codes_of_many_at_once_do_not_mix(tmp_path: Path) -> None:
    file = tmp_path / "otp.jsonl"
    outboxes = [OutboxDelivery(file, SystemClock()) for _ in range(4)]
    codes = [f"{number:06d}" for number in range(200)]
    await asyncio.gather(*(outboxes[int(code) % 4].deliver(code_message(code=code)) for code in codes))

    assert codes == sorted(orjson.loads(line)["code"] for line in file.read_bytes().splitlines())


async def test_a_line_is_one_write(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """
    Whoever follows the file never sees half a line, and a full disk leaves it open what is there.
    """
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[:10]))
    with pytest.raises(MaybeSent):
        await OutboxDelivery(tmp_path / "otp.jsonl", SystemClock()).deliver(code_message())

    assert 10 == (tmp_path / "otp.jsonl").stat().st_size


async def test_a_file_that_cannot_be_written_names_the_setting(tmp_path: Path) -> None:
    with pytest.raises(NotSent, match=r"security\.otpOutbox"):
        await OutboxDelivery(tmp_path / "missing" / "otp.jsonl", SystemClock()).deliver(code_message())
