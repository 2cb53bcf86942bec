"""``customer-service keys``: the keys that sign access tokens."""

from datetime import datetime, timedelta
from pathlib import Path
from typing import Annotated

import typer

from app.cli.answers import AsJson, show_json, show_table
from app.cli.stack_settings import settings_beside_the_stack
from app.cli.teaching import shown_by
from app.identity_sections import SecuritySettings
from app.keys import read_key_file, write_key_file
from app.settings import InvalidSettings
from auth.keys import (
    KeyRing,
    SigningKey,
    as_document,
    generate_key_set,
    load_key_set,
    moment_of,
    rotate,
    start_over,
)
from core.clock import SystemClock, rfc3339

keys = typer.Typer(name="keys", help="Make, show and replace the keys that sign access tokens.", no_args_is_help=True)

File = Annotated[
    Path | None, typer.Option("--file", help="The key file; else that of the running stack, or of the configuration.")
]

_USUAL_LIFETIME: timedelta = SecuritySettings.model_fields["access_token_lifetime"].default


@keys.command()
@shown_by("keys new > secrets/signing-keys.json")
def new() -> None:
    """Print a new JWK Set with a private key. Keep it in a file that only the service can read."""
    show_json(generate_key_set())


@keys.command(name="rotate")
@shown_by("keys rotate", "keys rotate --delay 60 --file secrets/signing-keys.json", "keys rotate --now   # one has leaked")
def rotate_keys(
    *,
    file: File = None,
    delay: Annotated[
        int, typer.Option(min=0, max=60 * 24 * 7, help="Minutes until the new key signs. Others keep our public keys for 10.")
    ] = 10,
    now: Annotated[
        bool, typer.Option("--now", help="A key has leaked: sign with a new one at once, and believe no token of the old ones.")
    ] = False,
    as_json: AsJson = False,
) -> None:
    """Replace the key that signs, without a restart and without a token refused.

    The new key signs after the delay; the old ones verify until the last of their tokens has expired. A token that was made
    for longer than the configured lifetime (customer-service token --minutes) ends with its key.
    """
    path, lifetime = _place(file)
    moment = SystemClock().now()
    if now:
        ring = start_over()
    else:
        ring = rotate(read_key_file(path), now=moment, delay=timedelta(minutes=delay), token_lifetime=lifetime)
    document = as_document(ring)
    load_key_set(document)  # what nobody could read is not written
    try:
        write_key_file(path, document)
    except OSError as error:
        message = f"{str(path)!r} cannot be written: {error.strerror}. Nothing has changed."
        raise InvalidSettings(message) from error
    if as_json:
        show_json({"keys": _described(ring, SystemClock().now())})
    else:
        _say(ring, now=now)


@keys.command(name="list")
@shown_by("keys list", "keys list --file secrets/signing-keys.json --json")
def list_keys(*, file: File = None, as_json: AsJson = False) -> None:
    """Show the keys, and what each is for at present; never their private parts."""
    path, _ = _place(file)
    ring, now = read_key_file(path), SystemClock().now()
    if as_json:
        show_json({"keys": _described(ring, now)})
        return
    show_table(
        ("kid", "signs from", "verifies until", "state"),
        [
            (key.kid, _when(key.signs_from, "always"), _when(key.verifies_until, "for ever"), state_of(key, ring, now))
            for key in ring.keys
        ],
        whole="kid",
    )


def _described(ring: KeyRing, now: datetime) -> list[dict[str, str | None]]:
    return [
        {
            "kid": key.kid,
            "signsFrom": _when(key.signs_from, "") or None,
            "verifiesUntil": _when(key.verifies_until, "") or None,
            "state": state_of(key, ring, now),
        }
        for key in ring.keys
    ]


def state_of(key: SigningKey, ring: KeyRing, now: datetime) -> str:
    """Return what *key* does at present: signs, will sign, verifies, or nothing because it has expired."""
    if not key.verifies(now):
        return "expired"
    if any(one.may_sign(now) for one in ring.keys) and key is ring.signing(now):
        return "signs"
    if key.signs_from is not None and key.signs_from > now.timestamp():
        return "will sign"
    return "verifies"


def _say(ring: KeyRing, *, now: bool) -> None:
    kid, begins = ring.keys[-1].kid, ring.keys[-1].signs_from
    if now:
        typer.echo(f"{kid} signs at once. Every token that was signed before is void within a second: clients need new ones.")
        return
    typer.echo(f"{kid} signs from {_when(begins, 'now on')}.")
    for key in ring.keys[:-1]:
        typer.echo(f"{key.kid} verifies until {_when(key.verifies_until, 'ever')}.")


def _place(file: Path | None) -> tuple[Path, timedelta]:
    """Return the key file, and how long the tokens live that it signs."""
    try:
        security = settings_beside_the_stack().security
    except InvalidSettings:
        if file is None:
            raise
        # A file can be prepared where the service is not configured.
        return file, _USUAL_LIFETIME
    return file or security.key_file, security.access_token_lifetime


def _when(seconds: int | None, otherwise: str) -> str:
    moment = moment_of(seconds)
    return otherwise if moment is None else rfc3339(moment).replace(".000Z", "Z")
