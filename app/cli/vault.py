"""``customer-service vault``: the keys that document numbers are sealed with, and those they are found by."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeVar

import typer

from app.cli.answers import AsJson, show_json, show_table
from app.cli.stack_settings import settings_beside_the_stack
from app.cli.teaching import shown_by
from app.container import build_rules
from app.database import open_database
from app.vault import open_vault
from core.clock import rfc3339
from core.vault import FIRST
from models.vault_key import VaultKey, VaultKeyState, VaultKeyUse
from repositories.customer_key import WrappedKeys
from repositories.sealed_number import NumberedDocuments
from services.key_book import SETTLE, KeyBook

vault = typer.Typer(name="vault", help="Show and replace the keys of document numbers.", no_args_is_help=True)

T = TypeVar("T")

_MINUTES = int(SETTLE.total_seconds() // 60)


@vault.command()
@shown_by("vault status", "vault status --json")
def status(*, as_json: AsJson = False) -> None:
    """Show the keys, what each is for at present, and what is still sealed as an earlier version did it."""
    keys, wraps, old = _run(_looked_up)
    if as_json:
        first: dict[str, object] = {"key": FIRST, "state": "follows from security.masterKey", "wraps": wraps.get(FIRST, 0)}
        show_json({"keys": [first, *(_described(key, wraps) for key in keys)], "oldSeals": old})
        return
    rows = [[FIRST, "WRAPPING and INDEX", "follows from security.masterKey", "", "", str(wraps.get(FIRST, 0))]]
    for key in keys:
        held = str(wraps.get(key.id, 0)) if key.use is VaultKeyUse.WRAPPING else ""
        rows.append([key.id, key.use, _state(key), rfc3339(key.created_at), key.wrapped_by, held])
    show_table(("key", "use", "state", "made", "wrapped by", "wraps"), rows, whole="key")
    if old:
        typer.echo(f"{old:,} numbers are still sealed with keys per seller; see: customer-service vault tidy --help")


@vault.command()
@shown_by("vault rotate", "vault rotate --json")
def rotate(*, as_json: AsJson = False) -> None:
    """Replace the key that customers' keys are wrapped by; the workers wrap them anew, and destroy the old one.

    With aws.kms.keyId, also the way from the master key of the settings to one in KMS, and from one of KMS to another.
    """
    _replace(
        VaultKeyUse.WRAPPING,
        f"wraps from in {_MINUTES} minute on. Workers wrap the keys of all customers anew",
        as_json=as_json,
    )


@vault.command()
@shown_by("vault reindex", "vault reindex --json")
def reindex(*, as_json: AsJson = False) -> None:
    """Replace the key of blind indexes. Until the workers are through, numbers are found, and kept apart, by both.

    Begin it once every process is of this version.
    """
    _replace(VaultKeyUse.INDEX, "takes the place of the index key once workers have been over all documents", as_json=as_json)


@vault.command()
@shown_by("vault tidy", "vault tidy --json")
def tidy(*, as_json: AsJson = False) -> None:
    """Remove what the version before sealed with keys per seller, wherever the number is sealed with its customer's key.

    Run it once no process of that version is left: they show these numbers no more. `database migrate` has sealed them anew.
    """
    removed = _run(lambda _: NumberedDocuments().drop_old_seals())
    if as_json:
        show_json({"removed": removed})
        return
    typer.echo(f"{removed:,} old seals were removed.")


def _replace(use: VaultKeyUse, what: str, *, as_json: bool) -> None:
    """Add a key, and tell *what* it does."""
    key = _run(lambda book: book.add(use))
    if as_json:
        show_json({"key": key.id})
        return
    typer.echo(f"{key.id} {what}; follow it with:")
    typer.echo("customer-service vault status")


async def _looked_up(book: KeyBook) -> tuple[list[VaultKey], dict[str, int], int]:
    wraps = dict(await WrappedKeys().count_by_wrapping_key())
    return await book.look(), wraps, await NumberedDocuments().count({"number_sealed": {"$exists": True}})


def _described(key: VaultKey, wraps: dict[str, int]) -> dict[str, object]:
    return {
        "key": key.id,
        "use": key.use,
        "state": _state(key),
        "made": rfc3339(key.created_at),
        "wrappedBy": key.wrapped_by,
        "wraps": wraps.get(key.id, 0) if key.use is VaultKeyUse.WRAPPING else None,
    }


def _state(key: VaultKey) -> str:
    if key.use is VaultKeyUse.WRAPPING:
        return "wraps"
    if key.state is VaultKeyState.NEXT:
        return f"is being brought in: {key.place or 'not begun'}"
    return "current" if key.settled_at is not None else f"drives out the one before: {key.place or 'not begun'}"


def _run(do: Callable[[KeyBook], Awaitable[T]]) -> T:
    async def with_the_book() -> T:
        # Beside a running stack, its database is meant unless the environment says otherwise.
        settings = settings_beside_the_stack()
        rules = build_rules(settings)
        async with (
            open_database(settings, patience=None),
            open_vault(settings, rules.clock, rules.sealer, rules.records.vault) as book,
        ):
            return await do(book)

    return asyncio.run(with_the_book())
