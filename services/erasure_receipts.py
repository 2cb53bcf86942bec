"""Receipts of erasures: signed, and checked. No I/O."""

from core.clock import rfc3339
from core.sealing import Sealer
from models.erasure_receipt import ErasureReceipt


def signed(receipt: ErasureReceipt, sealer: Sealer) -> ErasureReceipt:
    """Return a receipt with the seal that belongs to what it says."""
    sealed: ErasureReceipt = receipt.model_copy(update={"seal": _seal(receipt, sealer)})
    return sealed


def is_genuine(receipt: ErasureReceipt, sealer: Sealer) -> bool:
    """Say whether a receipt says what it said when the service signed it."""
    return receipt.seal == _seal(receipt, sealer)


def _seal(receipt: ErasureReceipt, sealer: Sealer) -> bytes:
    gone = "" if receipt.files_gone_at is None else rfc3339(receipt.files_gone_at)
    swept = [f"{one.collection}={one.records}" for one in receipt.swept]
    facts = (receipt.id, receipt.seller_id, receipt.actor, rfc3339(receipt.erased_at), str(receipt.key_destroyed))
    return sealer.mac("erasure-receipt", *facts, str(receipt.files), gone, *swept)
