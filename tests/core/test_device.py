"""Where a call comes from, as it is counted and shown."""

import pytest

from core.device import Device, device_of


@pytest.mark.parametrize(
    ("address", "network"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:7:7::1", "2001:db8:7:7::/64"),
        ("2001:db8:7:7:ffff:ffff:ffff:ffff", "2001:db8:7:7::/64"),
        ("2001:db8:7:8::1", "2001:db8:7:8::/64"),
        ("a name", "unknown"),
        ("", "unknown"),
        (None, "unknown"),
    ],
)
def test_what_counts_together(address: str | None, network: str) -> None:
    assert network == Device(address).network


@pytest.mark.parametrize(
    ("said", "kept"),
    [("a phone", "a phone"), ("a\r\nphone\x00", "aphone"), ("x" * 257, "x" * 256), ("\n", None), ("", None), (None, None)],
)
def test_what_a_program_calls_itself_is_short_and_printable(said: str | None, kept: str | None) -> None:
    assert kept == device_of("192.0.2.7", said).user_agent
