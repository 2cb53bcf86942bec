"""How it is kept how far a seller's round of retention is, and what the last one found."""

from datetime import datetime

import beanie
from pydantic import BaseModel
from pymongo import ASCENDING, IndexModel

from core.vocabulary import RetentionMode, RetentionStage


class RetentionReport(BaseModel):
    """What a round found, or did: in a dry run, what it would have done.

    `kept` counts what its period alone would have removed, and a legal hold or an import that still reads a file keeps;
    `failed` what could not be dealt with, and is looked at by the next round.
    """

    mode: RetentionMode
    finished_at: datetime | None = None
    flagged: int = 0
    unflagged: int = 0
    anonymised: int = 0
    files: int = 0
    imports: int = 0
    kept: int = 0
    failed: int = 0


class RetentionRun(beanie.Document):
    """The rounds of one seller; the id is the seller's.

    A round goes through its stages, some records at a time: what comes next is behind `place_at` and `place_id`. `step` grows
    with everything that is written here, so that of two processes at the same records only the first counts them. `due_at` is
    when the next records are looked at, or the next round begins; whoever takes a run moves it on, in case that it dies.
    """

    id: str  # type: ignore[assignment]  # Beanie declares an ObjectId; ours is the seller's
    stage: RetentionStage | None = None
    place_at: datetime | None = None
    place_id: str | None = None
    step: int = 0
    due_at: datetime
    began_at: datetime | None = None
    counts: RetentionReport | None = None
    last: RetentionReport | None = None

    class Settings:
        name = "retention_runs"
        keep_nulls = False
        indexes = [IndexModel([("due_at", ASCENDING)], name="by_due_at")]
